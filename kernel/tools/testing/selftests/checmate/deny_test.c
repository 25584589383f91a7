// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Selftests: verdicts, and what a program is given
 */

#include <sys/personality.h>

#include "common.h"

FIXTURE(deny)
{
	struct tree tree;
};

FIXTURE_SETUP(deny)
{
	ASSERT_EQ(0, make_tree(&self->tree, "deny"));
}

FIXTURE_TEARDOWN(deny)
{
	remove_tree(&self->tree);
}

static int do_prctl(void *arg)
{
	(void)arg;
	return prctl(PR_GET_DUMPABLE) < 0 ? errno : 0;
}

static int do_kill(void *arg)
{
	(void)arg;
	return kill(getppid(), 0) ? errno : 0;
}

/* The program that do_exec() runs is this one, which ends at once. */
#define EXEC_NAME "checmate-exec"

static __attribute__((constructor)) void end_if_executed(int argc, char **argv)
{
	if (argc && !strcmp(argv[0], EXEC_NAME))
		_exit(0);
}

static int do_exec(void *arg)
{
	char *const argv[] = { EXEC_NAME, NULL };

	(void)arg;
	execv("/proc/self/exe", argv);
	return errno;
}

static int do_peersec(void *arg)
{
	char label[64];
	socklen_t len = sizeof(label);
	int pair[2];

	(void)arg;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return 252;
	return getsockopt(pair[0], SOL_SOCKET, SO_PEERSEC, label, &len) ?
	       errno : 0;
}

static int do_chown(void *arg)
{
	return chown(arg, 1234, 5678) ? errno : 0;
}

static int do_listen(void *arg)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)arg;
	return listen(fd, 1) ? errno : 0;
}

static int do_accept(void *arg)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	(void)arg;
	if (listen(fd, 1))
		return 252;
	return accept(fd, NULL, NULL) < 0 ? errno : 0;
}

static int do_send(void *arg)
{
	int pair[2];

	(void)arg;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return 252;
	return send(pair[0], "x", 1, 0) < 0 ? errno : 0;
}

static int do_receive(void *arg)
{
	char byte;
	int pair[2];

	(void)arg;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return 252;
	return recv(pair[0], &byte, 1, MSG_DONTWAIT) < 0 ? errno : 0;
}

static int do_shutdown(void *arg)
{
	int pair[2];

	(void)arg;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return 252;
	return shutdown(pair[0], SHUT_WR) ? errno : 0;
}

/* Connect to an abstract address of our own; stream or datagram. */
static int unix_connect(int type)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(sa_family_t);
	int server = socket(AF_UNIX, type, 0);
	int client = socket(AF_UNIX, type, 0);

	if (bind(server, (struct sockaddr *)&addr, len))
		return 252;
	len = sizeof(addr);
	if (getsockname(server, (struct sockaddr *)&addr, &len) ||
	    (type == SOCK_STREAM && listen(server, 1)))
		return 251;
	return connect(client, (struct sockaddr *)&addr, len) ? errno : 0;
}

static int do_unix_connect(void *arg)
{
	(void)arg;
	return unix_connect(SOCK_STREAM);
}

static int do_unix_send(void *arg)
{
	(void)arg;
	return unix_connect(SOCK_DGRAM);
}

struct verdict_case {
	const char *hook;
	int (*deed)(void *arg);
	/* What the deed gives when nothing denies. */
	int otherwise;
};

static const struct verdict_case verdict_cases[] = {
	{ "socket_create", do_socket, 0 },
	{ "socket_bind", do_bind, 0 },
	{ "socket_connect", do_connect, 0 },
	{ "file_open", do_open, 0 },
	{ "task_kill", do_kill, 0 },
	/* Hooks whose default is an error. */
	{ "task_prctl", do_prctl, 0 },
	{ "socket_listen", do_listen, 0 },
	{ "socket_sendmsg", do_send, 0 },
	{ "socket_recvmsg", do_receive, EAGAIN },
	{ "socket_shutdown", do_shutdown, 0 },
	{ "socket_accept", do_accept, EAGAIN },
	{ "unix_stream_connect", do_unix_connect, 0 },
	{ "unix_may_send", do_unix_send, 0 },
	{ "socket_getpeersec_stream", do_peersec, ENOPROTOOPT },
};

static void try_verdict(struct __test_metadata *_metadata, const char *top,
			const struct verdict_case *c, int prog, int expected)
{
	ASSERT_LE(0, prog) {
		TH_LOG("cannot load a program for %s", c->hook);
	}
	EXPECT_EQ(c->otherwise, run_in(top, c->deed, NULL));
	ASSERT_EQ(0, attach(top, prog));
	EXPECT_EQ(expected, run_in(top, c->deed, NULL)) {
		TH_LOG("%s", c->hook);
	}
	ASSERT_EQ(0, write_text(top, "checmate.policy", "clear"));
	EXPECT_EQ(c->otherwise, run_in(top, c->deed, NULL));
	close(prog);
}

TEST_F(deny, mac)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(verdict_cases); i++) {
		const struct verdict_case *c = &verdict_cases[i];

		try_verdict(_metadata, self->tree.top, c, load_mac(c->hook, 0),
			    c->otherwise);
		try_verdict(_metadata, self->tree.top, c,
			    load_mac(c->hook, EUSERS), EUSERS);
	}
}

TEST_F(deny, cgroup)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(verdict_cases); i++) {
		const struct verdict_case *c = &verdict_cases[i];

		try_verdict(_metadata, self->tree.top, c,
			    load_cgroup(c->hook, 0), c->otherwise);
		try_verdict(_metadata, self->tree.top, c,
			    load_cgroup(c->hook, -1), EPERM);
		try_verdict(_metadata, self->tree.top, c,
			    load_cgroup(c->hook, EUSERS), EUSERS);
	}
}

/*
 * Some hooks have an errno that means "nothing to say".  A program that denies
 * with it denies.
 */
TEST_F(deny, default_errno)
{
	int prctl_prog = load_mac("task_prctl", ENOSYS);
	int peersec_prog = load_cgroup("socket_getpeersec_stream", ENOPROTOOPT);

	ASSERT_LE(0, prctl_prog);
	ASSERT_LE(0, peersec_prog);
	ASSERT_EQ(0, attach(self->tree.top, prctl_prog));
	ASSERT_EQ(0, attach(self->tree.top, peersec_prog));
	EXPECT_EQ(EPERM, run_in(self->tree.top, do_prctl, NULL));
	EXPECT_EQ(EPERM, run_in(self->tree.top, do_peersec, NULL));
	close(prctl_prog);
	close(peersec_prog);
}

/* bpf_set_retval() takes any number; only an errno leaves the kernel. */
TEST_F(deny, wild_retval)
{
	static const struct {
		int retval;
		int verdict;
		int expected;
	} cases[] = {
		{ -4096, 0, EPERM },
		{ INT_MIN, 0, EPERM },
		{ 1, 0, EPERM },
		{ INT_MAX, 1, 0 },
		{ -EUSERS, 1, EUSERS },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		const struct bpf_insn insn[] = {
			MOV_IMM(1, cases[i].retval), CALL(BPF_FUNC_set_retval),
			MOV_IMM(0, cases[i].verdict), EXIT(),
		};
		int prog = load_prog("socket_bind", BPF_LSM_CGROUP, 0, insn,
				     ARRAY_LEN(insn));

		ASSERT_LE(0, prog);
		ASSERT_EQ(0, attach(self->tree.top, prog));
		EXPECT_EQ(cases[i].expected,
			  run_in(self->tree.top, do_bind, NULL)) {
			TH_LOG("retval %d, verdict %d", cases[i].retval,
			       cases[i].verdict);
		}
		ASSERT_EQ(0, write_text(self->tree.top, "checmate.policy",
					"clear"));
		close(prog);
	}
}

TEST_F(deny, exec)
{
	int prog = load_mac("bprm_check_security", ENOKEY);

	ASSERT_LE(0, prog);
	EXPECT_EQ(0, run_in(self->tree.top, do_exec, NULL));
	ASSERT_EQ(0, attach(self->tree.top, prog));
	EXPECT_EQ(ENOKEY, run_in(self->tree.top, do_exec, NULL));
	close(prog);
}

/* Only those below the cgroup are denied. */
TEST_F(deny, others_unaffected)
{
	int prog = load_mac("socket_bind", EUSERS);
	char sibling[PATH_MAX];

	ASSERT_LE(0, prog);
	snprintf(sibling, sizeof(sibling), "%s/sibling", self->tree.top);
	ASSERT_EQ(0, mkdir(sibling, 0755));
	ASSERT_EQ(0, attach(self->tree.child, prog));
	EXPECT_EQ(EUSERS, run_in(self->tree.child, do_bind, NULL));
	EXPECT_EQ(0, run_in(self->tree.top, do_bind, NULL));
	EXPECT_EQ(0, run_in(sibling, do_bind, NULL));
	EXPECT_EQ(0, do_bind(NULL));
	EXPECT_EQ(0, rmdir(sibling));
	close(prog);
}

/* Receive a datagram of which the kernel asks the label: for no socket. */
static int do_receive_label(void *arg)
{
	struct sockaddr_in addr = loopback(0);
	char byte, space[CMSG_SPACE(64)];
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = sizeof(space),
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), one = 1;
	socklen_t len = sizeof(addr);

	(void)arg;
	if (setsockopt(fd, IPPROTO_IP, IP_PASSSEC, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&addr, len) ||
	    getsockname(fd, (struct sockaddr *)&addr, &len) ||
	    sendto(fd, "x", 1, 0, (struct sockaddr *)&addr, len) != 1)
		return 252;
	return recvmsg(fd, &msg, 0) < 0 ? errno : 0;
}

/* Where a hook of a socket is called for none, it is the task that acts. */
TEST_F(deny, no_socket)
{
	int map = make_counters();
	int prog = load_counter("socket_getpeersec_dgram", BPF_LSM_MAC, map, 0,
				-EUSERS);

	ASSERT_LE(0, map);
	ASSERT_LE(0, prog);
	ASSERT_EQ(0, attach(self->tree.child, prog));
	EXPECT_EQ(0, run_in(self->tree.top, do_receive_label, NULL));
	EXPECT_EQ(0, counter(map, 0));
	EXPECT_EQ(0, run_in(self->tree.child, do_receive_label, NULL));
	EXPECT_EQ(1, counter(map, 0));
	ASSERT_EQ(0, write_text(self->tree.child, "checmate.policy", "clear"));
	close(prog);
	close(map);
}

/* A permissive program says what it would deny; those after it decide. */
TEST_F(deny, permissive)
{
	const char *top = self->tree.top;
	int soft = load_mac("socket_bind", EUSERS);
	int hard = load_cgroup("socket_bind", EACCES);
	unsigned long long id;

	ASSERT_LE(0, soft);
	ASSERT_LE(0, hard);
	ASSERT_EQ(0, WRITEF(top, "checmate.policy",
			    "attach %d mode=permissive\n", soft));
	id = nth_id(top, 0);
	EXPECT_NE(NULL, strstr(read_text(top, "checmate.policy"),
			       " mode=permissive\n"));
	EXPECT_EQ(0, run_in(top, do_bind, NULL));
	ASSERT_EQ(0, attach(top, hard));
	EXPECT_EQ(EACCES, run_in(top, do_bind, NULL));

	/* The same attachment, in another mode. */
	ASSERT_EQ(0, WRITEF(top, "checmate.policy", "mode %llu enforce\n", id));
	EXPECT_EQ(id, nth_id(top, 0));
	EXPECT_EQ(EUSERS, run_in(top, do_bind, NULL));
	EXPECT_EQ(NULL, strstr(read_text(top, "checmate.policy"),
			       "mode=permissive"));
	ASSERT_EQ(0, WRITEF(top, "checmate.policy",
			    "mode %llu permissive\nmode %llu permissive\n", id,
			    nth_id(top, 1)));
	EXPECT_EQ(0, run_in(top, do_bind, NULL));
	EXPECT_STREQ("socket_bind denied=2 permissive=4\n",
		     read_text(top, "checmate.stat"));
	EXPECT_EQ(-ENOENT, WRITEF(top, "checmate.policy",
				  "mode %llu enforce\n", id + 1000));
	/* A descriptor attached permissively is attached. */
	EXPECT_EQ(-EEXIST, attach(top, soft));
	close(soft);
	close(hard);
}

/* All programs run, in attach order, until one denies. */
TEST_F(deny, order)
{
	const char *top = self->tree.top;
	int map = make_counters();
	int first = load_counter("socket_bind", BPF_LSM_MAC, map, 0, 0);
	int second = load_counter("socket_bind", BPF_LSM_CGROUP, map, 1, 1);
	int third = load_counter("socket_bind", BPF_LSM_MAC, map, 2, -EACCES);
	int fourth = load_counter("socket_bind", BPF_LSM_MAC, map, 3, -EUSERS);

	ASSERT_LE(0, fourth);
	ASSERT_EQ(0, WRITEF(top, "checmate.policy",
			    "attach %d\nattach %d\nattach %d\nattach %d\n",
			    first, second, third, fourth));
	EXPECT_EQ(EACCES, run_in(top, do_bind, NULL));
	EXPECT_EQ(1, counter(map, 0));
	EXPECT_EQ(1, counter(map, 1));
	EXPECT_EQ(1, counter(map, 2));
	EXPECT_EQ(0, counter(map, 3));
	close(first);
	close(second);
	close(third);
	close(fourth);
	close(map);
}

/* A hook without a verdict runs its programs, all, whatever they return. */
TEST_F(deny, void_hook)
{
	int map = make_counters();
	int mac = load_counter("bprm_committed_creds", BPF_LSM_MAC, map, 0,
			       -EACCES);
	int cgroup = load_counter("bprm_committed_creds", BPF_LSM_CGROUP, map,
				  1, 1);

	ASSERT_LE(0, mac);
	ASSERT_LE(0, cgroup);
	ASSERT_EQ(0, attach(self->tree.top, mac));
	ASSERT_EQ(0, attach(self->tree.top, cgroup));
	EXPECT_EQ(0, run_in(self->tree.top, do_exec, NULL));
	EXPECT_EQ(1, counter(map, 0));
	EXPECT_EQ(1, counter(map, 1));
	close(mac);
	close(cgroup);
	close(map);
}

/*
 * What a trampoline would give: arguments, the previous return value behind
 * them, their number and a cookie of 0.
 */
TEST_F(deny, frame)
{
	const struct bpf_insn insn[] = {
		MOV_REG(6, 1),
		/* int addrlen */
		LOAD(BPF_DW, 1, 6, 16),
		JUMP_IF(BPF_JNE, 1, sizeof(struct sockaddr_in), 10),
		/* previous return value */
		LOAD(BPF_DW, 1, 6, 24),
		JUMP_IF(BPF_JNE, 1, 0, 8),
		MOV_REG(1, 6),
		CALL(BPF_FUNC_get_func_arg_cnt),
		JUMP_IF(BPF_JNE, 0, 3, 5),
		MOV_REG(1, 6),
		CALL(BPF_FUNC_get_attach_cookie),
		JUMP_IF(BPF_JNE, 0, 0, 2),
		/* All as it should be. */
		MOV_IMM(0, -EUSERS),
		EXIT(),
		MOV_IMM(0, -EACCES),
		EXIT(),
	};
	int prog = load_prog("socket_bind", BPF_LSM_MAC, 0, insn,
			     ARRAY_LEN(insn));

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, attach(self->tree.top, prog));
	EXPECT_EQ(EUSERS, run_in(self->tree.top, do_bind, NULL));
	close(prog);
}

/* Structures passed by value take the slots that the verifier expects. */
TEST_F(deny, struct_arguments)
{
	const struct bpf_insn insn[] = {
		MOV_REG(6, 1),
		/* kuid_t, kgid_t */
		LOAD(BPF_DW, 1, 6, 8),
		JUMP_IF(BPF_JNE, 1, 1234, 7),
		LOAD(BPF_DW, 1, 6, 16),
		JUMP_IF(BPF_JNE, 1, 5678, 5),
		MOV_REG(1, 6),
		CALL(BPF_FUNC_get_func_arg_cnt),
		JUMP_IF(BPF_JNE, 0, 3, 2),
		MOV_IMM(0, -EUSERS),
		EXIT(),
		MOV_IMM(0, -EACCES),
		EXIT(),
	};
	int prog = load_prog("path_chown", BPF_LSM_MAC, 0, insn,
			     ARRAY_LEN(insn));
	char path[] = "/tmp/checmate.XXXXXX";
	int fd = mkstemp(path);

	ASSERT_LE(0, fd);
	ASSERT_LE(0, prog);
	ASSERT_EQ(0, attach(self->tree.top, prog));
	EXPECT_EQ(EUSERS, run_in(self->tree.top, do_chown, path));
	unlink(path);
	close(fd);
	close(prog);
}

/* A 16-byte structure shifts what follows it by one slot. */
TEST_F(deny, wide_argument)
{
	const struct bpf_insn insn[] = {
		MOV_REG(6, 1),
		/* struct socket *, sockptr_t optval, optlen, unsigned int len */
		LOAD(BPF_DW, 1, 6, 40),
		JUMP_IF(BPF_JNE, 1, 64, 5),
		MOV_REG(1, 6),
		CALL(BPF_FUNC_get_func_arg_cnt),
		JUMP_IF(BPF_JNE, 0, 6, 2),
		MOV_IMM(0, -EUSERS),
		EXIT(),
		MOV_IMM(0, -EACCES),
		EXIT(),
	};
	int prog = load_prog("socket_getpeersec_stream", BPF_LSM_MAC, 0, insn,
			     ARRAY_LEN(insn));

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, attach(self->tree.top, prog));
	EXPECT_EQ(EUSERS, run_in(self->tree.top, do_peersec, NULL));
	close(prog);
}

struct mapping {
	unsigned long personality;
	const char *path;
};

static int do_map(void *arg)
{
	const struct mapping *mapping = arg;
	int fd = mapping->path ? open(mapping->path, O_RDONLY) : -1;

	if (personality(mapping->personality) < 0 || (mapping->path && fd < 0))
		return 252;
	return mmap(NULL, 4096, PROT_READ,
		    MAP_PRIVATE | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0) ==
		       MAP_FAILED ? errno : 0;
}

/* A program is told what a mapping may be used for, not only what was asked. */
TEST_F(deny, implied_exec)
{
	const struct bpf_insn insn[] = {
		/* unsigned long reqprot, unsigned long prot */
		LOAD(BPF_DW, 2, 1, 8),
		LOAD(BPF_DW, 3, 1, 16),
		JUMP_IF(BPF_JNE, 2, PROT_READ, 3),
		JUMP_IF(BPF_JNE, 3, PROT_READ | PROT_EXEC, 2),
		MOV_IMM(0, -EUSERS),
		EXIT(),
		MOV_IMM(0, 0),
		EXIT(),
	};
	struct {
		struct mapping mapping;
		int expected;
	} cases[] = {
		{ { 0, "/proc/self/exe" }, 0 },
		{ { 0, NULL }, 0 },
		{ { READ_IMPLIES_EXEC, "/proc/self/exe" }, EUSERS },
		{ { READ_IMPLIES_EXEC, NULL }, EUSERS },
		/* Nothing in procfs can be executed, nor this be mapped. */
		{ { READ_IMPLIES_EXEC, "/proc/version" }, EIO },
	};
	int prog = load_prog("mmap_file", BPF_LSM_MAC, 0, insn,
			     ARRAY_LEN(insn));
	size_t i;

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, attach(self->tree.top, prog));
	for (i = 0; i < ARRAY_LEN(cases); i++)
		EXPECT_EQ(cases[i].expected,
			  run_in(self->tree.top, do_map, &cases[i].mapping)) {
			TH_LOG("case %zu", i);
		}
	close(prog);
}

TEST_HARNESS_MAIN
