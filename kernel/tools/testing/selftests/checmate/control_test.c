// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Selftests: what the control files take, give and refuse
 */

#include "common.h"

#include <bpf/btf.h>

#define HOOK_FILES	"/sys/kernel/security/checmate/hook_files"

FIXTURE(control)
{
	struct tree tree;
	int bind;
	int connect;
};

FIXTURE_SETUP(control)
{
	ASSERT_EQ(0, make_tree(&self->tree, "control"));
	self->bind = load_cgroup("socket_bind", 0);
	ASSERT_LE(0, self->bind);
	self->connect = load_mac("socket_connect", 0);
	ASSERT_LE(0, self->connect);
}

FIXTURE_TEARDOWN(control)
{
	close(self->bind);
	close(self->connect);
	/* Should a test have ended with something there. */
	write_text(CGROUPFS, "checmate.policy", "clear");
	write_text("", HOOK_FILES, "1");
	remove_tree(&self->tree);
}

TEST_F(control, files)
{
	static const char *const hooks[] = {
		"unix_stream_connect", "unix_may_send", "socket_create",
		"socket_bind", "socket_connect", "socket_listen",
		"socket_accept", "socket_sendmsg", "socket_recvmsg",
		"socket_shutdown", "socket_sock_rcv_skb", "sk_free_security",
	};
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < ARRAY_LEN(hooks); i++) {
		snprintf(path, sizeof(path), "checmate.%s", hooks[i]);
		EXPECT_STREQ("0\n", read_text(self->tree.top, path));
		snprintf(path, sizeof(path), CGROUPFS "/checmate.%s", hooks[i]);
		EXPECT_EQ(-1, access(path, F_OK));
	}
	EXPECT_STREQ("generation 0\n",
		     read_text(self->tree.top, "checmate.policy"));
	EXPECT_STREQ("", read_text(self->tree.top, "checmate.effective"));
	EXPECT_EQ(0, access(CGROUPFS "/checmate.policy", R_OK | W_OK));
	EXPECT_EQ(0, access(CGROUPFS "/checmate.effective", R_OK));
}

TEST_F(control, threaded)
{
	EXPECT_EQ(0, write_text(self->tree.child, "cgroup.type", "threaded"));
	EXPECT_EQ(0, attach(self->tree.child, self->bind));
}

TEST_F(control, rfc_files)
{
	const char *top = self->tree.top;
	int other = load_mac("socket_bind", 0);

	ASSERT_LE(0, other);
	EXPECT_EQ(0, WRITEF(top, "checmate.socket_bind", "%d", self->bind));
	EXPECT_EQ(0, WRITEF(top, "checmate.socket_bind", "%d\n", other));
	EXPECT_STREQ("2\n", read_text(top, "checmate.socket_bind"));
	EXPECT_STREQ("0\n", read_text(top, "checmate.socket_connect"));
	EXPECT_EQ(-EEXIST, WRITEF(top, "checmate.socket_bind", "%d", other));
	EXPECT_EQ(-EINVAL,
		  WRITEF(top, "checmate.socket_bind", "%d", self->connect));
	EXPECT_EQ(-EINVAL,
		  WRITEF(top, "checmate.socket_bind", "-%d", self->connect));
	EXPECT_EQ(-ENOENT, WRITEF(top, "checmate.socket_connect", "-%d",
				  self->connect));

	/* Both interfaces look at the same policy. */
	EXPECT_EQ(0, attach(top, self->connect));
	EXPECT_STREQ("1\n", read_text(top, "checmate.socket_connect"));
	EXPECT_EQ(4, count_lines(read_text(top, "checmate.policy")));

	EXPECT_EQ(0, WRITEF(top, "checmate.socket_bind", "-%d\n", self->bind));
	EXPECT_STREQ("1\n", read_text(top, "checmate.socket_bind"));
	EXPECT_EQ(-ENOENT,
		  WRITEF(top, "checmate.socket_bind", "-%d", self->bind));

	/* 0 clears this hook and no other. */
	EXPECT_EQ(0, WRITEF(top, "checmate.socket_bind", "0\n"));
	EXPECT_STREQ("0\n", read_text(top, "checmate.socket_bind"));
	EXPECT_STREQ("1\n", read_text(top, "checmate.socket_connect"));
	EXPECT_EQ(0, WRITEF(top, "checmate.socket_bind", "0\n"));
	close(other);
}

/* Whether @dir has a file of a single hook. */
static bool has_hook_file(const char *dir)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/checmate.socket_bind", dir);
	return !access(path, F_OK);
}

/* The files of single hooks go and come back; what is attached stays. */
TEST_F(control, no_hook_files)
{
	const char *top = self->tree.top;
	char later[PATH_MAX / 2 + 8], path[PATH_MAX];
	cap_value_t mac = CAP_MAC_ADMIN;
	cap_t caps = cap_get_proc();
	int prog = load_mac("socket_bind", EXDEV), fd;

	ASSERT_NE(NULL, caps);
	ASSERT_LE(0, prog);
	snprintf(later, sizeof(later), "%s/later", top);
	snprintf(path, sizeof(path), "%s/checmate.socket_bind", top);
	ASSERT_STREQ("1\n", read_text("", HOOK_FILES));
	ASSERT_EQ(0, WRITEF(top, "checmate.socket_bind", "%d", prog));
	EXPECT_EQ(EXDEV, run_in(top, do_bind, NULL));
	fd = open(path, O_RDWR);
	ASSERT_LE(0, fd);

	ASSERT_EQ(0, write_text("", HOOK_FILES, "0"));
	EXPECT_STREQ("0\n", read_text("", HOOK_FILES));
	EXPECT_EQ(0, write_text("", HOOK_FILES, "0"));
	EXPECT_FALSE(has_hook_file(top));
	EXPECT_EQ(-ENODEV, write_fd(fd, "0", 1));
	close(fd);
	ASSERT_EQ(0, mkdir(later, 0755));
	ASSERT_EQ(0, enable_controller(top));
	EXPECT_FALSE(has_hook_file(later));
	EXPECT_EQ(EXDEV, run_in(top, do_bind, NULL));
	EXPECT_EQ(EXDEV, run_in(later, do_bind, NULL));
	EXPECT_EQ(1, count_lines(read_text(later, "checmate.effective")));

	/* A descriptor counts as it was opened. */
	cap_set_flag(caps, CAP_EFFECTIVE, 1, &mac, CAP_CLEAR);
	ASSERT_EQ(0, cap_set_proc(caps));
	fd = open(HOOK_FILES, O_WRONLY);
	ASSERT_LE(0, fd);
	cap_set_flag(caps, CAP_EFFECTIVE, 1, &mac, CAP_SET);
	ASSERT_EQ(0, cap_set_proc(caps));
	EXPECT_EQ(-EPERM, write_fd(fd, "1", 1));
	close(fd);
	cap_free(caps);
	EXPECT_EQ(-EINVAL, write_text("", HOOK_FILES, "two"));
	EXPECT_FALSE(has_hook_file(top));

	ASSERT_EQ(0, write_text("", HOOK_FILES, "1"));
	EXPECT_STREQ("1\n", read_text(top, "checmate.socket_bind"));
	EXPECT_STREQ("0\n", read_text(later, "checmate.socket_bind"));
	EXPECT_FALSE(has_hook_file(CGROUPFS));
	EXPECT_EQ(0, WRITEF(top, "checmate.socket_bind", "0"));
	EXPECT_EQ(0, run_in(top, do_bind, NULL));
	EXPECT_EQ(0, rmdir(later));
	close(prog);
}

TEST_F(control, bad_text)
{
	static const char *const policy[] = {
		"", "\n", "x", "attach", "attach x", "attach -1", "attach 1.5",
		"attach 99999999999999999999", "attach 3 4", "attach 3\n\n",
		"detach", "detach x", "clear now", "generation", "mode 1 loose",
		"mode 1", "mode x enforce", "attach 3 mode=loose",
		"attach 3 mode=permissive x",
	};
	static const char *const hook[] = {
		"", "\n", "x", "-", "-0", "+3", "3 4", "3\n4", "0x3",
		"99999999999999999999",
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(policy); i++) {
		/* A write of nothing does not reach the controller. */
		if (!*policy[i])
			continue;
		EXPECT_EQ(-EINVAL, write_text(self->tree.top, "checmate.policy",
					      policy[i])) {
			TH_LOG("text '%s'", policy[i]);
		}
	}
	for (i = 0; i < ARRAY_LEN(hook); i++) {
		if (!*hook[i])
			continue;
		EXPECT_EQ(-EINVAL,
			  write_text(self->tree.top, "checmate.socket_bind",
				     hook[i])) {
			TH_LOG("text '%s'", hook[i]);
		}
	}
	EXPECT_EQ(0, policy_generation(self->tree.top));
}

TEST_F(control, text_sizes)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	char path[PATH_MAX], text[8192];
	size_t i;
	int fd;

	ASSERT_GT(sizeof(text), page);
	snprintf(path, sizeof(path), "%s/checmate.policy", self->tree.top);
	fd = open(path, O_WRONLY);
	ASSERT_LE(0, fd);

	for (i = 0; i + 6 <= sizeof(text); i += 6)
		memcpy(text + i, "clear\n", 6);
	/* A page's worth of whole lines, and without the last newline. */
	EXPECT_EQ(0, write_fd(fd, text, page / 6 * 6));
	EXPECT_EQ(0, write_fd(fd, text, page / 6 * 6 - 1));
	/* Exactly a page, its last line cut short. */
	EXPECT_EQ(-EINVAL, write_fd(fd, text, page));
	EXPECT_EQ(-E2BIG, write_fd(fd, text, page + 1));
	EXPECT_EQ(-EINVAL, write_fd(fd, "clear\0\n", 7));
	EXPECT_EQ(-EINVAL, write_fd(fd, "clear\n\0clear\n", 13));
	EXPECT_EQ(2, policy_generation(self->tree.top));
	close(fd);
}

TEST_F(control, bad_descriptors)
{
	const char *top = self->tree.top;
	const struct bpf_insn zero[] = { MOV_IMM(0, 0), EXIT() };
	/* Far from what opening the control file takes. */
	const int closed = 900;
	int file = open("/dev/null", O_RDWR);
	int map = make_counters();
	int filter = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "f", "GPL",
				   zero, 2, NULL);

	ASSERT_LE(0, file);
	ASSERT_LE(0, map);
	ASSERT_LE(0, filter);

	EXPECT_EQ(-EBADF, attach(top, closed));
	EXPECT_EQ(-EBADF, attach(top, INT_MAX));
	EXPECT_EQ(-EINVAL, attach(top, file));
	EXPECT_EQ(-EINVAL, attach(top, map));
	EXPECT_EQ(-EINVAL, attach(top, filter));
	EXPECT_EQ(-EBADF, WRITEF(top, "checmate.socket_bind", "%d", closed));
	EXPECT_EQ(-EBADF, WRITEF(top, "checmate.socket_bind", "-%d", closed));
	EXPECT_EQ(-EINVAL, WRITEF(top, "checmate.socket_bind", "%d", filter));
	EXPECT_EQ(0, policy_generation(top));
	close(file);
	close(map);
	close(filter);
}

/* The same as @fd, far away from 0. */
static int high(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 100);
}

/* 0 is a descriptor as any other for checmate.policy. */
TEST_F(control, descriptor_zero)
{
	const char *top = self->tree.top;
	int saved = high(STDIN_FILENO);
	int prog = high(self->bind);
	int null, file;
	char path[PATH_MAX];

	/* Opened before: it would get the number that is to be free. */
	snprintf(path, sizeof(path), "%s/checmate.policy", top);
	null = high(open("/dev/null", O_RDONLY));
	file = high(open(path, O_WRONLY));
	ASSERT_LE(100, prog);
	ASSERT_LE(100, null);
	ASSERT_LE(100, file);

	close(STDIN_FILENO);
	EXPECT_EQ(-EBADF, write_fd(file, "attach 0\n", 9));
	ASSERT_EQ(0, dup2(null, STDIN_FILENO));
	EXPECT_EQ(-EINVAL, write_fd(file, "attach 0\n", 9));
	ASSERT_EQ(0, dup2(prog, STDIN_FILENO));
	EXPECT_EQ(0, write_fd(file, "attach 0\n", 9));
	EXPECT_STREQ("1\n", read_text(top, "checmate.socket_bind"));
	EXPECT_EQ(0, write_text(top, "checmate.socket_bind", "0"));
	EXPECT_STREQ("0\n", read_text(top, "checmate.socket_bind"));

	close(STDIN_FILENO);
	if (saved >= 0)
		dup2(saved, STDIN_FILENO);
	close(file);
	close(null);
	close(prog);
}

TEST_F(control, sleepable)
{
	const struct bpf_insn insn[] = { MOV_IMM(0, 0), EXIT() };
	int prog = load_prog("socket_bind", BPF_LSM_MAC, BPF_F_SLEEPABLE,
			     insn, ARRAY_LEN(insn));

	ASSERT_LE(0, prog);
	EXPECT_EQ(0, attach(self->tree.top, prog));
	EXPECT_EQ(0, run_in(self->tree.top, do_bind, NULL));
	close(prog);
}

/* Legacy cgroup storage has no place to live in: refused, not corrupted. */
TEST_F(control, cgroup_storage)
{
	int map = bpf_map_create(BPF_MAP_TYPE_CGROUP_STORAGE, "storage",
				 sizeof(struct bpf_cgroup_storage_key), 8, 0,
				 NULL);
	const struct bpf_insn insn[] = {
		MOV_IMM(2, 0),
		LOAD_MAP(1, map),
		CALL(BPF_FUNC_get_local_storage),
		MOV_IMM(0, 1),
		EXIT(),
	};
	int prog;

	ASSERT_LE(0, map);
	prog = load_prog("socket_bind", BPF_LSM_CGROUP, 0, insn,
			 ARRAY_LEN(insn));
	ASSERT_LE(0, prog);
	EXPECT_EQ(-EOPNOTSUPP, attach(self->tree.top, prog));
	close(prog);
	close(map);
}

TEST_F(control, listing)
{
	const char *top = self->tree.top;
	char want[256], tag[2 * BPF_TAG_SIZE + 1];
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	unsigned long long id;
	int i;

	ASSERT_EQ(0, attach(top, self->bind));
	ASSERT_EQ(0, bpf_obj_get_info_by_fd(self->bind, &info, &len));
	for (i = 0; i < BPF_TAG_SIZE; i++)
		sprintf(tag + 2 * i, "%02x", info.tag[i]);
	id = nth_id(top, 0);
	EXPECT_NE(0, id);
	snprintf(want, sizeof(want),
		 "generation 1\n%llu hook=socket_bind name=test tag=%s prog=%u mode=enforce\n",
		 id, tag, info.id);
	EXPECT_STREQ(want, read_text(top, "checmate.policy"));

	/* An id is not used again. */
	EXPECT_EQ(0, WRITEF(top, "checmate.policy", "detach %llu\n", id));
	EXPECT_EQ(-ENOENT, WRITEF(top, "checmate.policy", "detach %llu\n", id));
	ASSERT_EQ(0, attach(top, self->bind));
	EXPECT_LT(id, nth_id(top, 0));
	EXPECT_EQ(3, policy_generation(top));
}

TEST_F(control, transaction)
{
	const char *top = self->tree.top;
	unsigned long long first;
	int err;

	ASSERT_EQ(0, WRITEF(top, "checmate.policy", "attach %d\nattach %d\n",
			    self->bind, self->connect));
	EXPECT_EQ(1, policy_generation(top));
	first = nth_id(top, 0);

	/* The last line is wrong in each of its ways: nothing changes. */
	err = WRITEF(top, "checmate.policy", "detach %llu\nattach x\n", first);
	EXPECT_EQ(-EINVAL, err);
	err = WRITEF(top, "checmate.policy", "clear\nattach %d\n", INT_MAX);
	EXPECT_EQ(-EBADF, err);
	err = WRITEF(top, "checmate.policy", "detach %llu\ndetach %llu\n",
		     first, first);
	EXPECT_EQ(-ENOENT, err);
	err = WRITEF(top, "checmate.policy", "clear\nattach %d\nattach %d\n",
		     self->bind, self->bind);
	EXPECT_EQ(-EEXIST, err);
	EXPECT_EQ(1, policy_generation(top));
	EXPECT_EQ(first, nth_id(top, 0));
	EXPECT_EQ(3, count_lines(read_text(top, "checmate.policy")));

	/* Replaced in one step: cleared first, so it is no EEXIST. */
	err = WRITEF(top, "checmate.policy", "clear\nattach %d\n", self->bind);
	EXPECT_EQ(0, err);
	EXPECT_EQ(2, policy_generation(top));
	EXPECT_EQ(2, count_lines(read_text(top, "checmate.policy")));
}

TEST_F(control, generation)
{
	const char *top = self->tree.top;

	EXPECT_EQ(0, WRITEF(top, "checmate.policy", "generation 0\nattach %d\n",
			    self->bind));
	EXPECT_EQ(-ESTALE, WRITEF(top, "checmate.policy",
				  "generation 0\nattach %d\n", self->connect));
	EXPECT_EQ(-ESTALE, WRITEF(top, "checmate.policy",
				  "generation 2\nattach %d\n", self->connect));
	EXPECT_EQ(0, WRITEF(top, "checmate.policy", "generation 1\nattach %d\n",
			    self->connect));
	EXPECT_EQ(2, policy_generation(top));
	/* A mere question counts as no change. */
	EXPECT_EQ(0, WRITEF(top, "checmate.policy", "generation 2\n"));
	EXPECT_EQ(2, policy_generation(top));
	/* The RFC's files step it as well. */
	EXPECT_EQ(0, WRITEF(top, "checmate.socket_bind", "0"));
	EXPECT_EQ(3, policy_generation(top));
}

/* 64 programs of a hook on the path from a cgroup to the root, wherever. */
TEST_F_TIMEOUT(control, sixty_fifth, 300)
{
	int prog[65];
	int i;

	for (i = 0; i < 65; i++) {
		prog[i] = load_mac("socket_bind", 0);
		ASSERT_LE(0, prog[i]);
	}
	for (i = 0; i < 40; i++)
		ASSERT_EQ(0, attach(self->tree.top, prog[i]));
	for (; i < 64; i++)
		ASSERT_EQ(0, attach(self->tree.child, prog[i]));
	EXPECT_EQ(-ENOSPC, attach(self->tree.child, prog[64]));
	EXPECT_EQ(-ENOSPC, attach(self->tree.top, prog[64]));
	EXPECT_EQ(-ENOSPC, attach(CGROUPFS, prog[64]));
	EXPECT_EQ(41, count_lines(read_text(self->tree.top, "checmate.policy")));
	EXPECT_EQ(64, count_lines(read_text(self->tree.child,
					    "checmate.effective")));
	/* Another hook has room of its own. */
	EXPECT_EQ(0, attach(self->tree.child, self->connect));
	for (i = 0; i < 65; i++)
		close(prog[i]);
}

/* The opener's capability counts, not the writer's. */
TEST_F(control, opener)
{
	char path[PATH_MAX], text[32];
	cap_value_t mac = CAP_MAC_ADMIN;
	cap_t caps = cap_get_proc();
	int weak, strong, prog;

	ASSERT_NE(NULL, caps);
	prog = load_mac("socket_bind", 0);
	ASSERT_LE(0, prog);
	snprintf(text, sizeof(text), "attach %d\n", prog);
	snprintf(path, sizeof(path), "%s/checmate.policy", self->tree.top);
	strong = open(path, O_WRONLY);
	ASSERT_LE(0, strong);

	cap_set_flag(caps, CAP_EFFECTIVE, 1, &mac, CAP_CLEAR);
	ASSERT_EQ(0, cap_set_proc(caps));
	weak = open(path, O_WRONLY);
	ASSERT_LE(0, weak);
	EXPECT_EQ(-EPERM, write_fd(weak, text, strlen(text)));
	EXPECT_EQ(-EPERM, WRITEF(self->tree.top, "checmate.socket_bind", "%d",
				 prog));
	/* A strong opener's file works in weak hands: it is a capability. */
	EXPECT_EQ(-EINVAL, write_fd(strong, "x", 1));
	cap_set_flag(caps, CAP_EFFECTIVE, 1, &mac, CAP_SET);
	ASSERT_EQ(0, cap_set_proc(caps));

	EXPECT_EQ(-EPERM, write_fd(weak, text, strlen(text)));
	EXPECT_EQ(0, policy_generation(self->tree.top));
	EXPECT_EQ(0, write_fd(strong, text, strlen(text)));
	EXPECT_EQ(1, policy_generation(self->tree.top));
	cap_free(caps);
	close(weak);
	close(strong);
	close(prog);
}

/* The text is read with the writer's descriptors, not the opener's. */
TEST_F(control, writers_descriptors)
{
	char path[PATH_MAX];
	int fd, status;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/checmate.policy", self->tree.top);
	fd = open(path, O_WRONLY);
	ASSERT_LE(0, fd);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		char text[32];
		int prog = load_mac("socket_listen", 0);

		if (prog < 0 || dup2(prog, 200) < 0)
			_exit(1);
		snprintf(text, sizeof(text), "attach 200\n");
		_exit(write_fd(fd, text, strlen(text)) ? 2 : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_STREQ("1\n", read_text(self->tree.top, "checmate.socket_listen"));
	EXPECT_EQ(-EBADF, write_fd(fd, "attach 200\n", 11));
	close(fd);
}

/* A file held open while its cgroup goes is no way to attach to it. */
TEST_F(control, removed_cgroup)
{
	char path[PATH_MAX], text[32];
	int fd;

	snprintf(path, sizeof(path), "%s/checmate.policy", self->tree.child);
	fd = open(path, O_WRONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, rmdir(self->tree.child));
	snprintf(text, sizeof(text), "attach %d\n", self->bind);
	EXPECT_EQ(-ENODEV, write_fd(fd, text, strlen(text)));
	close(fd);
}

/* Hooks where a program could only loosen, or nothing at all, are refused. */
static const char *const no_verdict[] = {
	"inode_xattr_skipcap", "audit_rule_known", "xfrm_state_pol_flow_match",
	"setselfattr", "file_send_sigiotask",
};

static bool has_no_verdict(const char *hook)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(no_verdict); i++)
		if (!strcmp(hook, no_verdict[i]))
			return true;
	return false;
}

/*
 * How many hooks there ought to be: the functions that BPF programs may name,
 * less those that no program can be loaded for and those of no_verdict.
 */
static int expected_hooks(void)
{
	static const char prefix[] = "bpf_lsm_";
	struct btf *btf = btf__load_vmlinux_btf();
	int count = 0, id, prog;

	for (id = 1; btf && id < (int)btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		const char *name = btf__name_by_offset(btf, type->name_off);

		if (btf_kind(type) != BTF_KIND_FUNC ||
		    strncmp(name, prefix, strlen(prefix)))
			continue;
		prog = load_cgroup(name + strlen(prefix), 0);
		if (prog < 0)
			continue;
		close(prog);
		if (!has_no_verdict(name + strlen(prefix)))
			count++;
	}
	btf__free(btf);
	return count;
}

/* Every hook that can deny takes a program for it. */
TEST_F_TIMEOUT(control, every_hook, 300)
{
	static char list[65536];
	char *line, *next;
	int hooks = 0;

	snprintf(list, sizeof(list), "%s", read_text("", HOOKS_FILE));
	for (line = list; *line; line = next) {
		int prog;

		next = strchr(line, '\n');
		ASSERT_NE(NULL, next);
		next++;
		line[strcspn(line, " ")] = '\0';
		/* Void hooks only take 1 of BPF_LSM_CGROUP; all do. */
		prog = load_cgroup(line, 0);
		EXPECT_LE(0, prog) {
			TH_LOG("cannot load a program for %s", line);
		}
		EXPECT_EQ(0, attach(self->tree.child, prog)) {
			TH_LOG("cannot attach to %s", line);
		}
		EXPECT_EQ(1, hook_state(line, "active")) {
			TH_LOG("%s is off", line);
		}
		close(prog);
		hooks++;
	}
	EXPECT_EQ(expected_hooks(), hooks);
	EXPECT_EQ(hooks + 1,
		  count_lines(read_text(self->tree.child, "checmate.policy")));
	/* Live under them all for a moment. */
	EXPECT_EQ(0, run_in(self->tree.child, do_bind, NULL));
	EXPECT_EQ(0, run_in(self->tree.child, do_connect, NULL));
	EXPECT_EQ(0, run_in(self->tree.child, do_open, NULL));
}

TEST_F(control, no_verdict)
{
	size_t i, tried = 0;

	for (i = 0; i < ARRAY_LEN(no_verdict); i++) {
		int prog = load_cgroup(no_verdict[i], 0);

		/* Some are not configured. */
		if (prog < 0)
			continue;
		EXPECT_EQ(-EINVAL, attach(self->tree.top, prog)) {
			TH_LOG("%s", no_verdict[i]);
		}
		close(prog);
		tried++;
	}
	EXPECT_LT(1, tried);
}

/* A cgroup has room for 1024 programs, whatever their hooks. */
TEST_F_TIMEOUT(control, too_many_here, 300)
{
	const char *const hooks[] = {
		"file_open", "file_ioctl", "file_lock", "file_fcntl",
		"file_receive", "inode_create", "inode_link", "inode_unlink",
		"inode_symlink", "inode_mkdir", "inode_rmdir", "inode_mknod",
		"inode_rename", "inode_readlink", "inode_getattr",
		"inode_setattr", "task_kill",
	};
	size_t i;
	int k;

	for (i = 0; i < ARRAY_LEN(hooks); i++) {
		for (k = 0; k < 64; k++) {
			int prog = load_cgroup(hooks[i], 0);
			int expected = i * 64 + k < 1024 ? 0 : -ENOSPC;

			ASSERT_LE(0, prog);
			ASSERT_EQ(expected, attach(self->tree.child, prog));
			close(prog);
		}
	}
}

TEST_HARNESS_MAIN
