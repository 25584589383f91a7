// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Selftests: setting the address that a hook was given
 */

#include "common.h"

#include <bpf/btf.h>
#include <linux/landlock.h>

/* A program that answers with what the kfunc said: nothing, or its errno. */
#define ANSWER()							\
	MOV_REG(7, 0),							\
	JUMP32_IF(BPF_JEQ, 7, 0, 4),					\
	MOV_REG(1, 7),							\
	CALL(BPF_FUNC_set_retval),					\
	MOV_IMM(0, 0),							\
	EXIT(),								\
	MOV_IMM(0, 1),							\
	EXIT()

static int kfunc_id(const char *name)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int id;

	if (!btf)
		return -errno;
	id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);
	btf__free(btf);
	return id;
}

static int load_set_port(const char *hook, int port)
{
	/* All three hooks have what they judge as their second argument. */
	const char *name = strcmp(hook, "socket_sendmsg") ?
			   "bpf_checmate_set_port" :
			   "bpf_checmate_set_msg_port";
	const struct bpf_insn insn[] = {
		LOAD(BPF_DW, 1, 1, 8),
		MOV_IMM(2, htons(port)),
		CALL_KFUNC(kfunc_id(name)),
		ANSWER(),
	};

	return load_prog(hook, BPF_LSM_CGROUP, 0, insn, ARRAY_LEN(insn));
}

/* Sets the address to 16 bytes, of which @size are given. */
static int load_set_addr(const char *hook, const __u32 *word, int size)
{
	const char *name = strcmp(hook, "socket_sendmsg") ?
			   "bpf_checmate_set_addr" :
			   "bpf_checmate_set_msg_addr";
	const struct bpf_insn insn[] = {
		STORE_IMM(BPF_W, 10, -16, word[0]),
		STORE_IMM(BPF_W, 10, -12, word[1]),
		STORE_IMM(BPF_W, 10, -8, word[2]),
		STORE_IMM(BPF_W, 10, -4, word[3]),
		LOAD(BPF_DW, 1, 1, 8),
		MOV_REG(2, 10), ADD_IMM(2, -16),
		MOV_IMM(3, size),
		CALL_KFUNC(kfunc_id(name)),
		ANSWER(),
	};

	return load_prog(hook, BPF_LSM_CGROUP, 0, insn, ARRAY_LEN(insn));
}

FIXTURE(rewrite)
{
	struct tree tree;
};

FIXTURE_SETUP(rewrite)
{
	ASSERT_EQ(0, make_tree(&self->tree, "rewrite"));
}

FIXTURE_TEARDOWN(rewrite)
{
	remove_tree(&self->tree);
}

struct address {
	int family;
	socklen_t len;
	struct sockaddr_storage given;
	/* What a bind() or connect() led to. */
	struct sockaddr_storage got;
};

static struct address *shared_address(void)
{
	static struct address *address;

	if (!address)
		address = mmap(NULL, sizeof(*address), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(address, 0, sizeof(*address));
	return address;
}

static int try_bind(void *arg)
{
	struct address *address = arg;
	socklen_t len = sizeof(address->got);
	int fd = socket(address->family, SOCK_DGRAM, 0);

	if (fd < 0)
		return 252;
	if (bind(fd, (struct sockaddr *)&address->given, address->len))
		return errno;
	return getsockname(fd, (struct sockaddr *)&address->got, &len) ?
	       errno : 0;
}

static int try_connect(void *arg)
{
	struct address *address = arg;
	socklen_t len = sizeof(address->got);
	int fd = socket(address->family, SOCK_DGRAM, 0);

	if (fd < 0)
		return 252;
	if (connect(fd, (struct sockaddr *)&address->given, address->len))
		return errno;
	return getpeername(fd, (struct sockaddr *)&address->got, &len) ?
	       errno : 0;
}

static struct address *inet(int port)
{
	struct address *address = shared_address();
	struct sockaddr_in addr = loopback(port);

	address->family = AF_INET;
	address->len = sizeof(addr);
	memcpy(&address->given, &addr, sizeof(addr));
	return address;
}

static struct address *inet6(int port)
{
	struct address *address = shared_address();
	struct sockaddr_in6 addr = {
		.sin6_family = AF_INET6, .sin6_port = htons(port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};

	address->family = AF_INET6;
	address->len = sizeof(addr);
	memcpy(&address->given, &addr, sizeof(addr));
	return address;
}

static int port_of(const struct address *address)
{
	return ntohs(((const struct sockaddr_in *)&address->got)->sin_port);
}

TEST_F(rewrite, port)
{
	int bind_prog = load_set_port("socket_bind", 12345);
	int connect_prog = load_set_port("socket_connect", 12346);
	struct address *address;

	ASSERT_LE(0, bind_prog);
	ASSERT_LE(0, connect_prog);
	ASSERT_EQ(0, attach(self->tree.top, bind_prog));
	ASSERT_EQ(0, attach(self->tree.top, connect_prog));

	address = inet(6789);
	EXPECT_EQ(0, run_in(self->tree.top, try_bind, address));
	EXPECT_EQ(12345, port_of(address));
	address = inet6(6789);
	EXPECT_EQ(0, run_in(self->tree.top, try_bind, address));
	EXPECT_EQ(12345, port_of(address));
	address = inet(6789);
	EXPECT_EQ(0, run_in(self->tree.top, try_connect, address));
	EXPECT_EQ(12346, port_of(address));
	address = inet6(6789);
	EXPECT_EQ(0, run_in(self->tree.top, try_connect, address));
	EXPECT_EQ(12346, port_of(address));

	/* Nobody else's. */
	address = inet(6789);
	EXPECT_EQ(0, try_bind(address));
	EXPECT_EQ(6789, port_of(address));
	close(bind_prog);
	close(connect_prog);
}

TEST_F(rewrite, address)
{
	const __u32 v4[4] = { htonl(0x7f000002) };
	const __u32 v6[4] = { 0, 0, 0, htonl(1) };
	int prog4 = load_set_addr("socket_bind", v4, 4);
	int prog6 = load_set_addr("socket_bind", v6, 16);
	struct address *address;
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };

	ASSERT_LE(0, prog4);
	ASSERT_LE(0, prog6);
	ASSERT_EQ(0, attach(self->tree.top, prog4));
	address = inet(6789);
	EXPECT_EQ(0, run_in(self->tree.top, try_bind, address));
	EXPECT_EQ(v4[0], ((struct sockaddr_in *)&address->got)->sin_addr.s_addr);
	EXPECT_EQ(6789, port_of(address));
	/* The size says the family, and must be the right one. */
	address = inet6(6789);
	EXPECT_EQ(EINVAL, run_in(self->tree.top, try_bind, address));

	ASSERT_EQ(0, WRITEF(self->tree.top, "checmate.policy",
			    "clear\nattach %d\n", prog6));
	address = inet6(6789);
	memcpy(&address->given, &any, sizeof(any));
	EXPECT_EQ(0, run_in(self->tree.top, try_bind, address));
	EXPECT_EQ(0, memcmp(&in6addr_loopback,
			    &((struct sockaddr_in6 *)&address->got)->sin6_addr,
			    16));
	address = inet(6789);
	EXPECT_EQ(EINVAL, run_in(self->tree.top, try_bind, address));
	close(prog4);
	close(prog6);
}

/* Nothing beyond what the caller gave is touched. */
TEST_F(rewrite, short_address)
{
	const __u32 v6[4] = { 0, 0, 0, htonl(1) };
	int port = load_set_port("socket_bind", 12345);
	int addr = load_set_addr("socket_bind", v6, 16);
	static const struct {
		bool v6;
		socklen_t len;
		int expected;
	} cases[] = {
		{ false, 0, EINVAL }, { false, 1, EINVAL }, { false, 2, EINVAL },
		{ false, 8, EINVAL }, { false, 15, EINVAL }, { false, 16, 0 },
		{ true, 2, EINVAL }, { true, 16, EINVAL }, { true, 23, EINVAL },
		{ true, 24, 0 }, { true, 28, 0 },
	};
	size_t i;

	ASSERT_LE(0, port);
	ASSERT_LE(0, addr);
	ASSERT_EQ(0, attach(self->tree.top, port));
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		struct address *address = cases[i].v6 ? inet6(6789) : inet(6789);

		address->len = cases[i].len;
		EXPECT_EQ(cases[i].expected,
			  run_in(self->tree.top, try_bind, address)) {
			TH_LOG("v6 %d, length %u", cases[i].v6, cases[i].len);
		}
	}

	/* The address lies further back than the port. */
	ASSERT_EQ(0, WRITEF(self->tree.top, "checmate.policy",
			    "clear\nattach %d\n", addr));
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		struct address *address = inet6(6789);

		if (!cases[i].v6)
			continue;
		address->len = cases[i].len;
		EXPECT_EQ(cases[i].expected,
			  run_in(self->tree.top, try_bind, address)) {
			TH_LOG("address, length %u", cases[i].len);
		}
	}
	close(port);
	close(addr);
}

TEST_F(rewrite, other_family)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "\0x" };
	int prog = load_set_port("socket_bind", 12345);
	struct address *address = shared_address();

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, attach(self->tree.top, prog));
	address->family = AF_UNIX;
	address->len = offsetof(struct sockaddr_un, sun_path) + 2;
	memcpy(&address->given, &un, sizeof(un));
	EXPECT_EQ(EAFNOSUPPORT, run_in(self->tree.top, try_bind, address));
	close(prog);
}

/*
 * The verifier admits the kfuncs in programs of their hooks only.  The first of
 * these has a struct sockaddr as well, so that it is not for its type that the
 * call is refused; nor is the last, which is not for an LSM hook at all.
 */
TEST_F(rewrite, other_hooks)
{
	const int set_port = kfunc_id("bpf_checmate_set_port");
	const struct bpf_insn sctp[] = {
		LOAD(BPF_DW, 1, 1, 16),
		MOV_IMM(2, htons(12345)),
		CALL_KFUNC(set_port),
		ANSWER(),
	};
	const struct bpf_insn tracing[] = {
		LOAD(BPF_DW, 1, 1, 8),
		MOV_IMM(2, htons(12345)),
		CALL_KFUNC(set_port),
		MOV_IMM(0, 0),
		EXIT(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = BPF_TRACE_FENTRY);

	ASSERT_LT(0, set_port);
	EXPECT_EQ(-EACCES, load_prog("sctp_bind_connect", BPF_LSM_CGROUP, 0,
				     sctp, ARRAY_LEN(sctp)));
	opts.attach_btf_id = libbpf_find_vmlinux_btf_id("security_socket_bind",
							BPF_TRACE_FENTRY);
	ASSERT_LT(0, (int)opts.attach_btf_id);
	EXPECT_EQ(-EACCES, bpf_prog_load(BPF_PROG_TYPE_TRACING, "test", "GPL",
					 tracing, ARRAY_LEN(tracing), &opts));
	EXPECT_GT(0, load_set_port("socket_listen", 12345));
	EXPECT_GT(0, load_set_port("file_open", 12345));
}

/* Attached to the whole system, nothing is known of the address: refused. */
TEST_F(rewrite, not_by_checmate)
{
	const struct bpf_insn insn[] = {
		LOAD(BPF_DW, 1, 1, 8),
		MOV_IMM(2, htons(12345)),
		CALL_KFUNC(kfunc_id("bpf_checmate_set_port")),
		JUMP32_IF(BPF_JNE, 0, -EINVAL, 2),
		MOV_IMM(0, -EUSERS),
		EXIT(),
		MOV_IMM(0, 0),
		EXIT(),
	};
	int prog = load_prog("socket_bind", BPF_LSM_MAC, 0, insn,
			     ARRAY_LEN(insn));
	struct address *address = inet(6789);
	int link;

	ASSERT_LE(0, prog);
	link = bpf_raw_tracepoint_open(NULL, prog);
	ASSERT_LE(0, link);
	EXPECT_EQ(EUSERS, try_bind(address));
	close(link);
	close(prog);
}

static int receiver(int port)
{
	struct sockaddr_in addr = loopback(port);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return -errno;
	return fd;
}

static int try_send(void *arg)
{
	struct address *address = arg;
	int fd = socket(address->family, SOCK_DGRAM, 0);

	if (fd < 0)
		return 252;
	if (sendto(fd, "x", 1, 0, (struct sockaddr *)&address->given,
		   address->len) != 1)
		return errno;
	return 0;
}

/* A message without a destination of its own. */
static int try_send_connected(void *arg)
{
	struct address *address = arg;
	int fd = socket(address->family, SOCK_DGRAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address->given,
			      address->len))
		return 252;
	return send(fd, "x", 1, 0) == 1 ? 0 : errno;
}

/* Two messages in one call, to the same destination. */
static int try_send_twice(void *arg)
{
	struct address *address = arg;
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct mmsghdr msg[2] = {};
	int fd = socket(address->family, SOCK_DGRAM, 0), i, sent;

	for (i = 0; i < 2; i++)
		msg[i].msg_hdr = (struct msghdr){
			.msg_name = &address->given,
			.msg_namelen = address->len,
			.msg_iov = &iov, .msg_iovlen = 1,
		};
	sent = sendmmsg(fd, msg, 2, 0);
	return sent == 2 ? 0 : sent < 0 ? errno : 251;
}

static int received(int fd)
{
	char byte;
	int count = 0;

	/* Loopback delivers before the sender's call returns. */
	while (recv(fd, &byte, 1, MSG_DONTWAIT) == 1)
		count++;
	return count;
}

TEST_F(rewrite, message)
{
	const __u32 other[4] = { htonl(0x7f000002) };
	const char *top = self->tree.top;
	int port = load_set_port("socket_sendmsg", 12345);
	int addr = load_set_addr("socket_sendmsg", other, 4);
	int named = receiver(6789), meant = receiver(12345);
	struct address *address;

	ASSERT_LE(0, port);
	ASSERT_LE(0, addr);
	ASSERT_LE(0, named);
	ASSERT_LE(0, meant);
	EXPECT_EQ(0, run_in(top, try_send, inet(6789)));
	EXPECT_EQ(1, received(named));

	ASSERT_EQ(0, attach(top, port));
	EXPECT_EQ(0, run_in(top, try_send, inet(6789)));
	EXPECT_EQ(1, received(meant));
	EXPECT_EQ(0, run_in(top, try_send_twice, inet(6789)));
	EXPECT_EQ(2, received(meant));
	EXPECT_EQ(0, received(named));
	EXPECT_EQ(EINVAL, run_in(top, try_send_connected, inet(6789)));
	EXPECT_EQ(0, try_send(inet(6789)));
	EXPECT_EQ(1, received(named));

	address = inet(6789);
	address->len = 8;
	EXPECT_EQ(EINVAL, run_in(top, try_send, address));

	ASSERT_EQ(0, WRITEF(top, "checmate.policy", "clear\nattach %d\n",
			    addr));
	EXPECT_EQ(0, run_in(top, try_send, inet(6789)));
	EXPECT_EQ(0, received(named));
	EXPECT_EQ(EINVAL, run_in(top, try_send, inet6(6789)));
	close(port);
	close(addr);
	close(named);
	close(meant);
}

/* Deny any port but 6789. */
static int load_only_6789(const char *hook)
{
	const struct bpf_insn address[] = {
		LOAD(BPF_DW, 3, 1, 8),
		MOV_REG(1, 10), ADD_IMM(1, -8),
		STORE_IMM(BPF_DW, 10, -8, 0),
		MOV_IMM(2, 4),
		CALL(BPF_FUNC_probe_read_kernel),
		LOAD(BPF_H, 1, 10, -6),
		MOV_IMM(0, 0),
		JUMP_IF(BPF_JEQ, 1, htons(6789), 1),
		MOV_IMM(0, -EUSERS),
		EXIT(),
	};
	/* A message begins with the pointer to its address. */
	const struct bpf_insn message[] = {
		LOAD(BPF_DW, 3, 1, 8),
		LOAD(BPF_DW, 3, 3, 0),
		MOV_REG(1, 10), ADD_IMM(1, -8),
		STORE_IMM(BPF_DW, 10, -8, 0),
		MOV_IMM(2, 4),
		CALL(BPF_FUNC_probe_read_kernel),
		LOAD(BPF_H, 1, 10, -6),
		MOV_IMM(0, 0),
		JUMP_IF(BPF_JEQ, 1, htons(6789), 1),
		MOV_IMM(0, -EUSERS),
		EXIT(),
	};

	if (!strcmp(hook, "socket_sendmsg"))
		return load_prog(hook, BPF_LSM_MAC, 0, message,
				 ARRAY_LEN(message));
	return load_prog(hook, BPF_LSM_MAC, 0, address, ARRAY_LEN(address));
}

/*
 * What a leaf has set is what its ancestors judge, in all that can be
 * rewritten, and with as many levels as there are.
 */
TEST_F(rewrite, judged_by_ancestors)
{
	static const struct {
		const char *hook;
		int (*func)(void *address);
	} deeds[] = {
		{ "socket_bind", try_bind },
		{ "socket_connect", try_connect },
		{ "socket_sendmsg", try_send },
	};
	const char *top = self->tree.top, *child = self->tree.child;
	char deep[PATH_MAX + 8];
	size_t i;

	ASSERT_EQ(0, enable_controller(child));
	snprintf(deep, sizeof(deep), "%s/deep", child);
	ASSERT_EQ(0, mkdir(deep, 0755));
	for (i = 0; i < ARRAY_LEN(deeds); i++) {
		const char *hook = deeds[i].hook;
		int away = load_set_port(hook, 12345);
		int back = load_set_port(hook, 6789);
		int judge = load_only_6789(hook);

		ASSERT_LE(0, away);
		ASSERT_LE(0, back);
		ASSERT_LE(0, judge);
		ASSERT_EQ(0, attach(top, judge));
		EXPECT_EQ(0, run_in(deep, deeds[i].func, inet(6789))) {
			TH_LOG("%s", hook);
		}
		EXPECT_EQ(EUSERS, run_in(deep, deeds[i].func, inet(1111)));

		ASSERT_EQ(0, attach(deep, away));
		EXPECT_EQ(EUSERS, run_in(deep, deeds[i].func, inet(6789))) {
			TH_LOG("%s", hook);
		}
		/* The level between has the last word before the judge. */
		ASSERT_EQ(0, attach(child, back));
		EXPECT_EQ(0, run_in(deep, deeds[i].func, inet(1111)));
		ASSERT_EQ(0, WRITEF(deep, "checmate.policy",
				    "clear\nattach %d\n", back));
		ASSERT_EQ(0, WRITEF(child, "checmate.policy",
				    "clear\nattach %d\n", away));
		EXPECT_EQ(EUSERS, run_in(deep, deeds[i].func, inet(6789))) {
			TH_LOG("%s", hook);
		}
		/* Of one level, the one that was attached first is asked first. */
		ASSERT_EQ(0, write_text(child, "checmate.policy", "clear"));
		ASSERT_EQ(0, WRITEF(deep, "checmate.policy",
				    "clear\nattach %d\nattach %d\n", away,
				    judge));
		ASSERT_EQ(0, write_text(top, "checmate.policy", "clear"));
		EXPECT_EQ(EUSERS, run_in(deep, deeds[i].func, inet(6789)));
		/* One that is asked before is asked again. */
		ASSERT_EQ(0, WRITEF(deep, "checmate.policy",
				    "clear\nattach %d\nattach %d\n", judge,
				    away));
		EXPECT_EQ(EUSERS, run_in(deep, deeds[i].func, inet(6789)));

		ASSERT_EQ(0, write_text(deep, "checmate.policy", "clear"));
		close(away);
		close(back);
		close(judge);
	}
	EXPECT_EQ(0, rmdir(deep));
}

/* --- behind Checmate, Landlock --------------------------------------------- */

#define ALLOWED_PORT	6789
#define OTHER_PORT	12345

/* Let this process do with ALLOWED_PORT what it may with no other. */
static int restrict_port(__u64 access)
{
	const struct landlock_ruleset_attr attr = {
		.handled_access_net = access,
	};
	const struct landlock_net_port_attr port = {
		.allowed_access = access, .port = ALLOWED_PORT,
	};
	int ruleset = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr),
			      0);
	int err;

	if (ruleset < 0)
		return -errno;
	err = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_NET_PORT,
		      &port, 0) ||
	      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	      syscall(SYS_landlock_restrict_self, ruleset, 0);
	err = err ? -errno : 0;
	close(ruleset);
	return err;
}

static int landlocked_connect(void *arg)
{
	struct address *address = arg;
	socklen_t len = sizeof(address->got);
	int fd = socket(address->family, SOCK_STREAM, 0);

	if (fd < 0 || restrict_port(LANDLOCK_ACCESS_NET_CONNECT_TCP))
		return 252;
	if (connect(fd, (struct sockaddr *)&address->given, address->len))
		return errno;
	return getpeername(fd, (struct sockaddr *)&address->got, &len) ?
	       errno : 0;
}

static int landlocked_bind(void *arg)
{
	struct address *address = arg;
	socklen_t len = sizeof(address->got);
	int fd = socket(address->family, SOCK_STREAM, 0);

	if (fd < 0 || restrict_port(LANDLOCK_ACCESS_NET_BIND_TCP))
		return 252;
	if (bind(fd, (struct sockaddr *)&address->given, address->len))
		return errno;
	return getsockname(fd, (struct sockaddr *)&address->got, &len) ?
	       errno : 0;
}

/* Whether Landlock is there, can judge ports, and is asked after Checmate. */
static bool landlock_is_behind(void)
{
	const char *list = read_text("/sys/kernel/security", "lsm");
	const char *ours = strstr(list, "checmate");
	const char *theirs = strstr(list, "landlock");

	return ours && theirs && ours < theirs &&
	       syscall(SYS_landlock_create_ruleset, NULL, 0,
		       LANDLOCK_CREATE_RULESET_VERSION) >= 4;
}

static int listen_on(struct address *address)
{
	int fd = socket(address->family, SOCK_STREAM, 0), one = 1;

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&address->given, address->len) ||
	    listen(fd, 8))
		return -errno;
	return fd;
}

/*
 * A later LSM judges what programs have made of the address: a rewrite reaches
 * nothing that the task itself may not, and what it is led to it may reach.
 */
/*
 * What an ancestor has set, its descendants evaluate, too: the denial of each
 * counts, sealed or not, and in whatever way programs are run.
 */
TEST_F(rewrite, evaluated_by_descendants)
{
	static const struct {
		const char *hook;
		int (*func)(void *address);
	} deeds[] = {
		{ "socket_bind", try_bind },
		{ "socket_connect", try_connect },
		{ "socket_sendmsg", try_send },
	};
	const char *top = self->tree.top, *child = self->tree.child;
	char deep[PATH_MAX + 8];
	size_t i;

	ASSERT_EQ(0, enable_controller(child));
	snprintf(deep, sizeof(deep), "%s/deep", child);
	ASSERT_EQ(0, mkdir(deep, 0755));
	for (i = 0; i < ARRAY_LEN(deeds); i++) {
		const char *hook = deeds[i].hook;
		int away = load_set_port(hook, 12345);
		int back = load_set_port(hook, 6789);
		int judge = load_only_6789(hook);

		ASSERT_LE(0, away);
		ASSERT_LE(0, back);
		ASSERT_LE(0, judge);
		ASSERT_EQ(0, attach(deep, judge));
		EXPECT_EQ(EUSERS, run_in(deep, deeds[i].func, inet(12345)));
		EXPECT_EQ(0, run_in(deep, deeds[i].func, inet(6789)));
		ASSERT_EQ(0, attach(top, away));
		EXPECT_EQ(EUSERS, run_in(deep, deeds[i].func, inet(6789))) {
			TH_LOG("%s", hook);
		}
		/* Elsewhere nobody has anything against it. */
		EXPECT_EQ(0, run_in(child, deeds[i].func, inet(6789)));

		/* Each change is evaluated, also one that is changed again. */
		ASSERT_EQ(0, attach(child, away));
		ASSERT_EQ(0, WRITEF(top, "checmate.policy",
				    "clear\nattach %d\n", back));
		EXPECT_EQ(EUSERS, run_in(deep, deeds[i].func, inet(6789)));
		/* What was set to what it is already is no change. */
		ASSERT_EQ(0, write_text(child, "checmate.policy", "clear"));
		EXPECT_EQ(0, run_in(deep, deeds[i].func, inet(6789)));

		ASSERT_EQ(0, write_text(top, "checmate.policy", "clear"));
		ASSERT_EQ(0, write_text(deep, "checmate.policy", "clear"));
		close(away);
		close(back);
		close(judge);
	}

	/* Sealed. */
	{
		int away = load_set_port("socket_connect", 12345);
		int judge = load_only_6789("socket_connect");

		ASSERT_EQ(0, attach(deep, judge));
		ASSERT_EQ(0, write_text(deep, "checmate.seal", "1"));
		ASSERT_EQ(0, attach(top, away));
		EXPECT_EQ(EUSERS, run_in(deep, try_connect, inet(6789)));
		ASSERT_EQ(0, write_text(top, "checmate.policy", "clear"));
		EXPECT_EQ(0, run_in(deep, try_connect, inet(6789)));
		close(away);
		close(judge);
	}
	EXPECT_EQ(0, rmdir(deep));
}

/* In the second round nothing is rewritten: the last word remains the last. */
TEST_F(rewrite, no_second_rewriting)
{
	int away = load_set_port("socket_bind", 12345);
	int back = load_set_port("socket_bind", 12346);
	struct address *address = inet(6789);

	ASSERT_LE(0, away);
	ASSERT_LE(0, back);
	ASSERT_EQ(0, attach(self->tree.child, back));
	ASSERT_EQ(0, attach(self->tree.top, away));
	EXPECT_EQ(0, run_in(self->tree.child, try_bind, address));
	EXPECT_EQ(12345, port_of(address));
	close(away);
	close(back);
}

/* Counts calls in element 0 of a map, and those that are evaluated again in 1. */
static int load_counting(int map)
{
	const struct bpf_insn insn[] = {
		CALL_KFUNC(kfunc_id("bpf_checmate_is_repeated")),
		INSN(BPF_ALU64 | BPF_AND | BPF_K, 0, 0, 0, 1),
		INSN(BPF_STX | BPF_MEM | BPF_W, 10, 0, -4, 0),
		MOV_REG(2, 10), ADD_IMM(2, -4),
		LOAD_MAP(1, map),
		CALL(BPF_FUNC_map_lookup_elem),
		JUMP_IF(BPF_JEQ, 0, 0, 2),
		MOV_IMM(1, 1),
		ATOMIC_ADD(0, 1, 0),
		MOV_IMM(0, 1),
		EXIT(),
	};

	return load_prog("socket_bind", BPF_LSM_CGROUP, 0, insn,
			 ARRAY_LEN(insn));
}

/* Programs that count can find out that they have counted a call already. */
TEST_F(rewrite, counted_once)
{
	int away = load_set_port("socket_bind", 12345);
	int map = make_counters(), counting = load_counting(map);

	ASSERT_LE(0, away);
	ASSERT_LE(0, counting);
	ASSERT_EQ(0, attach(self->tree.child, counting));
	EXPECT_EQ(0, run_in(self->tree.child, try_bind, inet(6789)));
	EXPECT_EQ(1, counter(map, 0));
	EXPECT_EQ(0, counter(map, 1));
	ASSERT_EQ(0, attach(self->tree.top, away));
	EXPECT_EQ(0, run_in(self->tree.child, try_bind, inet(6789)));
	EXPECT_EQ(2, counter(map, 0));
	EXPECT_EQ(1, counter(map, 1));
	close(away);
	close(counting);
	close(map);
}

/* And the kernel itself counts what a permissive program denies once. */
TEST_F(rewrite, permissive_counts_once)
{
	int away = load_set_port("socket_bind", 12345);
	int all = load_mac("socket_bind", EUSERS);
	int judge = load_only_6789("socket_bind");

	ASSERT_LE(0, away);
	ASSERT_LE(0, all);
	ASSERT_LE(0, judge);
	ASSERT_EQ(0, WRITEF(self->tree.child, "checmate.policy",
			    "attach %d mode=permissive\nattach %d mode=permissive\n",
			    all, judge));
	ASSERT_EQ(0, attach(self->tree.top, away));
	EXPECT_EQ(0, run_in(self->tree.child, try_bind, inet(6789)));
	/* One has denied both addresses, the other the second. */
	EXPECT_STREQ("socket_bind denied=0 permissive=2\n",
		     read_text(self->tree.child, "checmate.stat"));
	close(away);
	close(all);
	close(judge);
}

TEST_F(rewrite, judged_by_landlock)
{
	static struct address *(*const address_of[])(int port) = { inet, inet6 };
	const char *child = self->tree.child;
	struct address *address;
	int allowed, other;
	size_t i, j;

	if (!landlock_is_behind())
		SKIP(return, "no Landlock behind Checmate");
	for (i = 0; i < ARRAY_LEN(address_of); i++) {
		allowed = listen_on(address_of[i](ALLOWED_PORT));
		other = listen_on(address_of[i](OTHER_PORT));
		ASSERT_LE(0, allowed);
		ASSERT_LE(0, other);

		for (j = 0; j < 2; j++) {
			const char *hook = j ? "socket_bind" : "socket_connect";
			int (*func)(void *) = j ? landlocked_bind :
					      landlocked_connect;
			int to_allowed = load_set_port(hook, ALLOWED_PORT);
			int to_other = load_set_port(hook, OTHER_PORT);

			ASSERT_LE(0, to_allowed);
			ASSERT_LE(0, to_other);
			if (j) {
				/* The ports are wanted by those who bind. */
				close(allowed);
				close(other);
			}
			address = address_of[i](ALLOWED_PORT);
			EXPECT_EQ(0, run_in(child, func, address));
			address = address_of[i](OTHER_PORT);
			EXPECT_EQ(EACCES, run_in(child, func, address));

			ASSERT_EQ(0, attach(child, to_allowed));
			address = address_of[i](OTHER_PORT);
			EXPECT_EQ(0, run_in(child, func, address));
			EXPECT_EQ(ALLOWED_PORT, port_of(address));

			ASSERT_EQ(0, WRITEF(child, "checmate.policy",
					    "clear\nattach %d\n", to_other));
			address = address_of[i](ALLOWED_PORT);
			EXPECT_EQ(EACCES, run_in(child, func, address));
			/* Also from above. */
			ASSERT_EQ(0, write_text(child, "checmate.policy",
						"clear"));
			ASSERT_EQ(0, attach(self->tree.top, to_other));
			address = address_of[i](ALLOWED_PORT);
			EXPECT_EQ(EACCES, run_in(child, func, address));
			ASSERT_EQ(0, write_text(self->tree.top,
						"checmate.policy", "clear"));
			close(to_allowed);
			close(to_other);
		}
	}
}

TEST_HARNESS_MAIN
