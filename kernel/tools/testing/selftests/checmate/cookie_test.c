// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Selftests: cookies of attachments
 *
 * One program is attached to several cgroups and finds, by a kfunc, the cookie of
 * the attachment that it runs for.
 */

#include "common.h"

#define EXEC_NAME	"checmate-exec"

/* What the element of a recorder's map is before a call. */
#define NOTHING_RAN	1

/* The program that do_exec() runs is this one, which tries and ends. */
static __attribute__((constructor)) void end_if_executed(int argc, char **argv)
{
	if (argc > 0 && !strcmp(argv[0], EXEC_NAME))
		_exit(do_bind(NULL));
}

static int do_exec(void *arg)
{
	char *const argv[] = { EXEC_NAME, NULL };

	(void)arg;
	execv("/proc/self/exe", argv);
	return errno;
}

/* --- programs -------------------------------------------------------------- */

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

static int cookie_id(void)
{
	static int id;

	if (!id)
		id = kfunc_id("bpf_checmate_cookie");
	return id;
}

#define CALL_COOKIE()	CALL_KFUNC(cookie_id())

/*
 * A program that allows and leaves its cookie in element 0 of a map: behind the
 * cookies that are there if @digits is 256, else instead of them.
 */
static int load_recorder_of(const char *hook, enum bpf_attach_type type,
			    __u32 flags, int map, int digits)
{
	const struct bpf_insn insn[] = {
		CALL_COOKIE(),
		MOV_REG(6, 0),
		STORE_IMM(BPF_W, 10, -4, 0),
		MOV_REG(2, 10), ADD_IMM(2, -4),
		LOAD_MAP(1, map),
		CALL(BPF_FUNC_map_lookup_elem),
		JUMP_IF(BPF_JEQ, 0, 0, 4),
		LOAD(BPF_DW, 1, 0, 0),
		INSN(BPF_ALU64 | BPF_MUL | BPF_K, 1, 0, 0, digits),
		INSN(BPF_ALU64 | BPF_OR | BPF_X, 1, 6, 0, 0),
		INSN(BPF_STX | BPF_MEM | BPF_DW, 0, 1, 0, 0),
		MOV_IMM(0, type == BPF_LSM_CGROUP),
		EXIT(),
	};

	return load_prog(hook, type, flags, insn, ARRAY_LEN(insn));
}

static int load_recorder(const char *hook, enum bpf_attach_type type, int map)
{
	return load_recorder_of(hook, type, 0, map, 256);
}

/* A program that denies with EUSERS unless its cookie is @cookie. */
static int load_denier(const char *hook, int cookie)
{
	const struct bpf_insn insn[] = {
		CALL_COOKIE(),
		JUMP_IF(BPF_JEQ, 0, cookie, 2),
		MOV_IMM(0, -EUSERS),
		EXIT(),
		MOV_IMM(0, 0),
		EXIT(),
	};

	return load_prog(hook, BPF_LSM_MAC, 0, insn, ARRAY_LEN(insn));
}

static int attach_cookie(const char *dir, int prog, unsigned long long cookie)
{
	return WRITEF(dir, "checmate.policy", "attach %d cookie=%llu\n", prog,
		      cookie);
}

static int set_cookie(const char *dir, int nr, unsigned long long cookie)
{
	return WRITEF(dir, "checmate.policy", "cookie %llu %llu\n",
		      nth_id(dir, nr), cookie);
}

/* Wait until that many programs of a hook have a direct call. */
static bool settled(const char *hook, int nr)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	int i;

	for (i = 0; i < 600; i++) {
		if (hook_state(hook, "direct") == nr)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* What recorders find while a process of @dir does @deed, which must succeed. */
static __u64 cookies_of(int map, const char *dir, int (*deed)(void *))
{
	__u64 value = NOTHING_RAN;
	int key = 0;

	if (bpf_map_update_elem(map, &key, &value, BPF_ANY) ||
	    run_in(dir, deed, NULL))
		return 0;
	return counter(map, 0);
}

/* A packet to itself, which the socket gets in an interrupt. */
static int do_receive(void *arg)
{
	struct sockaddr_in addr = loopback(0);
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char byte;

	(void)arg;
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    getsockname(fd, (struct sockaddr *)&addr, &len))
		return 252;
	if (sendto(fd, "x", 1, 0, (struct sockaddr *)&addr, len) != 1 ||
	    recv(fd, &byte, 1, 0) != 1)
		return errno;
	close(fd);
	return 0;
}

/* --- what programs find ---------------------------------------------------- */

FIXTURE(found)
{
	struct tree tree;
	char sibling[PATH_MAX];
	int map;
	int stats;
};

/* The kernel runs programs in another way while their run time is measured. */
FIXTURE_VARIANT(found)
{
	bool measured;
};

FIXTURE_VARIANT_ADD(found, direct) {};

FIXTURE_VARIANT_ADD(found, measured) {
	.measured = true,
};

FIXTURE_SETUP(found)
{
	ASSERT_LT(0, cookie_id());
	ASSERT_EQ(0, make_tree(&self->tree, "cookie"));
	snprintf(self->sibling, sizeof(self->sibling), "%s/sibling",
		 self->tree.top);
	ASSERT_EQ(0, mkdir(self->sibling, 0755));
	self->map = make_counters();
	ASSERT_LE(0, self->map);
	self->stats = -1;
	if (variant->measured) {
		self->stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
		ASSERT_LE(0, self->stats);
	}
}

FIXTURE_TEARDOWN(found)
{
	if (self->stats >= 0)
		close(self->stats);
	close(self->map);
	rmdir(self->sibling);
	remove_tree(&self->tree);
}

TEST_F(found, siblings)
{
	const char *child = self->tree.child, *sibling = self->sibling;
	int deny = load_denier("socket_bind", 7);
	int record = load_recorder_of("socket_bind", BPF_LSM_CGROUP, 0,
				      self->map, 0);

	ASSERT_LE(0, deny);
	ASSERT_LE(0, record);
	ASSERT_EQ(0, attach_cookie(child, deny, 7));
	ASSERT_EQ(0, attach_cookie(sibling, deny, 8));
	EXPECT_EQ(0, run_in(child, do_bind, NULL));
	EXPECT_EQ(EUSERS, run_in(sibling, do_bind, NULL));
	EXPECT_EQ(0, run_in(child, do_bind, NULL));
	EXPECT_EQ(0, run_in(self->tree.top, do_bind, NULL));

	ASSERT_EQ(0, write_text(sibling, "checmate.policy", "clear\n"));
	ASSERT_EQ(0, attach_cookie(child, record, 0x123456789abcdef0));
	ASSERT_EQ(0, attach_cookie(sibling, record, ~0ULL));
	EXPECT_EQ(0x123456789abcdef0, cookies_of(self->map, child, do_bind));
	EXPECT_EQ(~0ULL, cookies_of(self->map, sibling, do_bind));
	EXPECT_EQ(0x123456789abcdef0, cookies_of(self->map, child, do_bind));
	EXPECT_EQ(NOTHING_RAN, cookies_of(self->map, self->tree.top, do_bind));
	close(deny);
	close(record);
}

/* Once per attachment, the leaf's first, whatever kind of program it is. */
TEST_F(found, levels)
{
	static const struct {
		enum bpf_attach_type type;
		__u32 flags;
	} kinds[] = {
		{ BPF_LSM_MAC, 0 },
		{ BPF_LSM_CGROUP, 0 },
		{ BPF_LSM_MAC, BPF_F_SLEEPABLE },
	};
	const char *top = self->tree.top, *child = self->tree.child;
	size_t i;
	int prog;

	for (i = 0; i < ARRAY_LEN(kinds); i++) {
		prog = load_recorder_of("socket_bind", kinds[i].type,
					kinds[i].flags, self->map, 256);
		ASSERT_LE(0, prog) {
			TH_LOG("kind %zu: %s", i, strerror(errno));
		}
		ASSERT_EQ(0, attach_cookie(top, prog, 2));
		EXPECT_EQ(0x102, cookies_of(self->map, child, do_bind));
		ASSERT_EQ(0, attach_cookie(child, prog, 3));
		EXPECT_EQ(0x10302, cookies_of(self->map, child, do_bind));
		EXPECT_EQ(0x102, cookies_of(self->map, top, do_bind));
		EXPECT_EQ(0x102, cookies_of(self->map, self->sibling, do_bind));
		ASSERT_EQ(0, write_text(top, "checmate.policy", "clear\n"));
		EXPECT_EQ(0x103, cookies_of(self->map, child, do_bind));
		ASSERT_EQ(0, write_text(child, "checmate.policy", "clear\n"));
		EXPECT_EQ(NOTHING_RAN, cookies_of(self->map, child, do_bind));
		close(prog);
	}
}

/* All kinds in one chain, some of them without a cookie. */
TEST_F(found, mixed)
{
	const char *top = self->tree.top, *child = self->tree.child;
	int mac = load_recorder("socket_bind", BPF_LSM_MAC, self->map);
	int cgroup = load_recorder("socket_bind", BPF_LSM_CGROUP, self->map);
	int sleepable = load_recorder_of("socket_bind", BPF_LSM_MAC,
					 BPF_F_SLEEPABLE, self->map, 256);

	ASSERT_LE(0, mac);
	ASSERT_LE(0, cgroup);
	ASSERT_LE(0, sleepable);
	ASSERT_EQ(0, attach_cookie(child, mac, 4));
	ASSERT_EQ(0, attach(child, cgroup));
	EXPECT_EQ(0x10400, cookies_of(self->map, child, do_bind));
	ASSERT_EQ(0, attach_cookie(top, cgroup, 5));
	ASSERT_EQ(0, attach_cookie(top, mac, 0));
	EXPECT_EQ(0x104000500, cookies_of(self->map, child, do_bind));
	ASSERT_EQ(0, attach_cookie(child, sleepable, 6));
	EXPECT_EQ(0x10400060500, cookies_of(self->map, child, do_bind));
	close(mac);
	close(cgroup);
	close(sleepable);
}

/* Hooks that deny nothing, and hooks in an interrupt. */
TEST_F(found, other_hooks)
{
	const char *top = self->tree.top, *child = self->tree.child;
	int clone = load_recorder("bprm_committed_creds", BPF_LSM_MAC,
				  self->map);
	int packet = load_recorder("socket_sock_rcv_skb", BPF_LSM_CGROUP,
				   self->map);

	ASSERT_LE(0, clone);
	ASSERT_LE(0, packet);
	ASSERT_EQ(0, attach_cookie(top, clone, 2));
	ASSERT_EQ(0, attach_cookie(child, clone, 3));
	EXPECT_EQ(0x10302, cookies_of(self->map, child, do_exec));
	ASSERT_EQ(0, attach_cookie(top, packet, 4));
	ASSERT_EQ(0, attach_cookie(child, packet, 5));
	EXPECT_EQ(0x10504, cookies_of(self->map, child, do_receive));
	EXPECT_EQ(0x104, cookies_of(self->map, self->sibling, do_receive));
	close(clone);
	close(packet);
}

TEST_F(found, changes)
{
	const char *child = self->tree.child;
	int prog = load_recorder("socket_bind", BPF_LSM_MAC, self->map);
	int deny = load_denier("socket_bind", 7);

	ASSERT_LE(0, prog);
	ASSERT_LE(0, deny);
	ASSERT_EQ(0, attach(child, prog));
	EXPECT_EQ(0x100, cookies_of(self->map, child, do_bind));
	ASSERT_EQ(0, set_cookie(child, 0, 9));
	EXPECT_EQ(0x109, cookies_of(self->map, child, do_bind));
	ASSERT_EQ(0, set_cookie(child, 0, 0));
	EXPECT_EQ(0x100, cookies_of(self->map, child, do_bind));

	/* In another mode it finds the same. */
	ASSERT_EQ(0, attach_cookie(child, deny, 7));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "mode %llu permissive\n",
			    nth_id(child, 1)));
	EXPECT_EQ(0, run_in(child, do_bind, NULL));
	EXPECT_STREQ("denied 0\npermissive 0\n",
		     read_text(child, "checmate.events"));
	ASSERT_EQ(0, set_cookie(child, 1, 8));
	EXPECT_EQ(0, run_in(child, do_bind, NULL));
	EXPECT_STREQ("denied 0\npermissive 1\n",
		     read_text(child, "checmate.events"));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "mode %llu enforce\n",
			    nth_id(child, 1)));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	close(prog);
	close(deny);
}

/* A program that is attached or changed by an exec. */
TEST_F(found, staged)
{
	const char *child = self->tree.child;
	int prog = load_recorder("socket_bind", BPF_LSM_MAC, self->map);

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "when=exec\nattach %d cookie=5\n", prog));
	EXPECT_EQ(NOTHING_RAN, cookies_of(self->map, child, do_bind));
	EXPECT_EQ(0x105, cookies_of(self->map, child, do_exec));
	EXPECT_EQ(0x105, cookies_of(self->map, child, do_bind));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "when=exec\ncookie %llu 6\n", nth_id(child, 0)));
	EXPECT_EQ(0x105, cookies_of(self->map, child, do_bind));
	EXPECT_EQ(0x106, cookies_of(self->map, child, do_exec));
	EXPECT_EQ(0x106, cookies_of(self->map, child, do_bind));
	close(prog);
}

/* A program that only looks for its cookie rewrites nothing: it is called directly. */
TEST_F(found, rewriting_hooks)
{
	const char *top = self->tree.top, *child = self->tree.child;
	int prog = load_recorder("socket_connect", BPF_LSM_MAC, self->map);
	int round;

	ASSERT_LE(0, prog);
	ASSERT_TRUE(settled("socket_connect", 0));
	ASSERT_EQ(0, attach_cookie(top, prog, 2));
	ASSERT_EQ(0, attach_cookie(child, prog, 3));
	for (round = 0; round < 2; round++) {
		EXPECT_EQ(0x10302, cookies_of(self->map, child, do_connect));
		EXPECT_EQ(0x102, cookies_of(self->map, top, do_connect));
		ASSERT_TRUE(settled("socket_connect", 1));
	}
	ASSERT_EQ(0, write_text(top, "checmate.policy", "clear"));
	ASSERT_EQ(0, write_text(child, "checmate.policy", "clear"));
	close(prog);
}

/* Programs that run again, after another has changed the address. */
TEST_F(found, repeated)
{
	const struct bpf_insn insn[] = {
		LOAD(BPF_DW, 1, 1, 8),
		MOV_IMM(2, htons(10)),
		CALL_KFUNC(kfunc_id("bpf_checmate_set_port")),
		MOV_IMM(0, 0),
		EXIT(),
	};
	const char *top = self->tree.top, *child = self->tree.child;
	int rewrite = load_prog("socket_connect", BPF_LSM_MAC, 0, insn,
				ARRAY_LEN(insn));
	int prog = load_recorder("socket_connect", BPF_LSM_CGROUP, self->map);

	ASSERT_LE(0, rewrite);
	ASSERT_LE(0, prog);
	ASSERT_EQ(0, attach_cookie(child, prog, 3));
	ASSERT_EQ(0, attach(top, rewrite));
	ASSERT_EQ(0, attach_cookie(top, prog, 2));
	EXPECT_EQ(0x1030302, cookies_of(self->map, child, do_connect));
	close(rewrite);
	close(prog);
}

/* --- what others run ------------------------------------------------------- */

static bool has_bpf_lsm(void)
{
	char lsms[256];

	snprintf(lsms, sizeof(lsms), ",%s,",
		 read_text("/sys/kernel/security", "lsm"));
	return strstr(lsms, ",bpf,");
}

/* A BPF trampoline runs the program too: for it there is no cookie. */
TEST_F(found, trampoline)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .tracing.cookie = 9);
	static const __u32 flags[] = { 0, BPF_F_SLEEPABLE };
	const char *child = self->tree.child;
	int prog, link, way;
	__u64 found;
	size_t i;

	if (!has_bpf_lsm())
		SKIP(return, "bpf is not in the list of LSMs");
	for (i = 0; i < ARRAY_LEN(flags); i++) {
		prog = load_recorder_of("socket_bind", BPF_LSM_MAC, flags[i],
					self->map, 256);
		ASSERT_LE(0, prog);
		for (way = 0; way < 2; way++) {
			link = way ? bpf_link_create(prog, 0, BPF_LSM_MAC, &opts) :
				     bpf_raw_tracepoint_open(NULL, prog);
			ASSERT_LE(0, link) {
				TH_LOG("way %d: %s", way, strerror(errno));
			}
			EXPECT_EQ(0x100, cookies_of(self->map, child, do_bind));
			ASSERT_EQ(0, attach_cookie(child, prog, 7));
			/* Which of the two is first, the list of LSMs says. */
			found = cookies_of(self->map, child, do_bind);
			EXPECT_TRUE(found == 0x10700 || found == 0x10007) {
				TH_LOG("found %llx", found);
			}
			close(link);
			EXPECT_EQ(0x107, cookies_of(self->map, child, do_bind));
			ASSERT_EQ(0, write_text(child, "checmate.policy",
						"clear\n"));
		}
		close(prog);
	}
}

/* So does a cgroup's list of programs, that of mainline. */
TEST_F(found, cgroup_link)
{
	const char *child = self->tree.child;
	int prog = load_recorder("socket_bind", BPF_LSM_CGROUP, self->map);
	int dir = open(child, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	__u64 found;
	int link;

	ASSERT_LE(0, prog);
	ASSERT_LE(0, dir);
	if (!has_bpf_lsm())
		SKIP(return, "bpf is not in the list of LSMs");
	link = bpf_link_create(prog, dir, BPF_LSM_CGROUP, NULL);
	ASSERT_LE(0, link) {
		TH_LOG("%s", strerror(errno));
	}
	EXPECT_EQ(0x100, cookies_of(self->map, child, do_bind));
	EXPECT_EQ(NOTHING_RAN,
		  cookies_of(self->map, self->sibling, do_bind));
	ASSERT_EQ(0, attach_cookie(child, prog, 7));
	found = cookies_of(self->map, child, do_bind);
	EXPECT_TRUE(found == 0x10700 || found == 0x10007) {
		TH_LOG("found %llx", found);
	}
	close(link);
	EXPECT_EQ(0x107, cookies_of(self->map, child, do_bind));
	close(dir);
	close(prog);
}

/* --- who may look ---------------------------------------------------------- */

TEST(other_programs)
{
	const struct bpf_insn insn[] = {
		CALL_COOKIE(), MOV_IMM(0, 0), EXIT(),
	};
	static const enum bpf_prog_type types[] = {
		BPF_PROG_TYPE_XDP, BPF_PROG_TYPE_SOCKET_FILTER,
		BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_CGROUP_SKB,
		BPF_PROG_TYPE_KPROBE, BPF_PROG_TYPE_TRACEPOINT,
		BPF_PROG_TYPE_PERF_EVENT, BPF_PROG_TYPE_RAW_TRACEPOINT,
		BPF_PROG_TYPE_SYSCALL,
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	int prog;
	size_t i;

	ASSERT_LT(0, cookie_id());
	for (i = 0; i < ARRAY_LEN(types); i++) {
		opts.prog_flags = types[i] == BPF_PROG_TYPE_SYSCALL ?
				  BPF_F_SLEEPABLE : 0;
		prog = bpf_prog_load(types[i], "test", "GPL", insn,
				     ARRAY_LEN(insn), &opts);
		EXPECT_GT(0, prog) {
			TH_LOG("type %d", types[i]);
		}
	}
	opts.prog_flags = 0;
	opts.expected_attach_type = BPF_TRACE_FENTRY;
	opts.attach_btf_id = libbpf_find_vmlinux_btf_id("security_socket_bind",
							BPF_TRACE_FENTRY);
	ASSERT_LT(0, (int)opts.attach_btf_id);
	EXPECT_EQ(-EACCES, bpf_prog_load(BPF_PROG_TYPE_TRACING, "test", "GPL",
					 insn, ARRAY_LEN(insn), &opts));
	/* A hook that takes no programs of Checmate, and one that does. */
	EXPECT_EQ(-EACCES, load_prog("setselfattr", BPF_LSM_MAC, 0, insn,
				     ARRAY_LEN(insn)));
	prog = load_prog("task_kill", BPF_LSM_MAC, 0, insn, ARRAY_LEN(insn));
	EXPECT_LE(0, prog);
	close(prog);
}

/* The verifier refuses the call, before it comes to what else is wrong. */
TEST(no_timers)
{
	static char log[65536];
	const struct bpf_insn insn[] = {
		CALL_COOKIE(),
		JUMP_IF(BPF_JEQ, 0, 0, 3),
		MOV_IMM(1, 0),
		MOV_IMM(2, 0),
		CALL(BPF_FUNC_timer_set_callback),
		MOV_IMM(0, 0),
		EXIT(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = BPF_LSM_MAC, .log_buf = log,
		    .log_size = sizeof(log), .log_level = 1);

	opts.attach_btf_id = hook_btf_id("socket_bind");
	ASSERT_LT(0, (int)opts.attach_btf_id);
	EXPECT_EQ(-EACCES, bpf_prog_load(BPF_PROG_TYPE_LSM, "test", "GPL", insn,
					 ARRAY_LEN(insn), &opts));
	EXPECT_NE(NULL, strstr(log, "bpf_checmate_cookie is not allowed")) {
		TH_LOG("%s", log);
	}
}

/* --- control files --------------------------------------------------------- */

FIXTURE(control)
{
	struct tree tree;
	int prog;
	int other;
};

FIXTURE_SETUP(control)
{
	ASSERT_EQ(0, make_tree(&self->tree, "cookie"));
	self->prog = load_denier("socket_bind", 7);
	ASSERT_LE(0, self->prog);
	self->other = load_denier("socket_connect", 7);
	ASSERT_LE(0, self->other);
}

FIXTURE_TEARDOWN(control)
{
	close(self->prog);
	close(self->other);
	remove_tree(&self->tree);
}

/* How line @nr of a file ends, from its mode on. */
static const char *end_of_line(const char *dir, const char *file, int nr)
{
	static char end[PATH_MAX];
	const char *line = read_text(dir, file);

	while (nr--) {
		line = strchr(line, '\n');
		if (!line++)
			return "no such line";
	}
	snprintf(end, sizeof(end), "%.*s", (int)strcspn(line, "\n"), line);
	return strstr(end, " mode=") ?: "no mode";
}

TEST_F(control, shown)
{
	const char *top = self->tree.top, *child = self->tree.child;

	ASSERT_EQ(0, attach_cookie(child, self->prog, ~0ULL));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "attach %d cookie=5 mode=permissive\n",
			    self->other));
	ASSERT_EQ(0, attach_cookie(top, self->prog, 0));
	ASSERT_EQ(0, attach(top, self->other));
	EXPECT_STREQ(" mode=enforce cookie=18446744073709551615",
		     end_of_line(child, "checmate.policy", 1));
	EXPECT_STREQ(" mode=permissive cookie=5",
		     end_of_line(child, "checmate.policy", 2));
	/* No cookie is not shown. */
	EXPECT_STREQ(" mode=enforce", end_of_line(top, "checmate.policy", 1));
	EXPECT_STREQ(" mode=enforce", end_of_line(top, "checmate.policy", 2));

	/* The hooks are in an order of their own. */
	EXPECT_NE(NULL, strstr(read_text(child, "checmate.effective"),
			       " mode=permissive cookie=5 cgroup="));
	EXPECT_NE(NULL, strstr(read_text(child, "checmate.effective"),
			       " mode=enforce cookie=18446744073709551615 cgroup="));
	EXPECT_EQ(NULL, strstr(read_text(top, "checmate.effective"), " cookie="));

	/* What is staged ends with the word. */
	ASSERT_EQ(0, write_text(child, "checmate.policy", "clear\n"));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "when=exec\nattach %d mode=permissive cookie=9\n"
			    "attach %d\n", self->prog, self->other));
	EXPECT_STREQ(" mode=permissive cookie=9 staged",
		     end_of_line(child, "checmate.policy", 1));
	EXPECT_STREQ(" mode=enforce staged",
		     end_of_line(child, "checmate.policy", 2));
	EXPECT_EQ(NULL, strstr(read_text(child, "checmate.effective"),
			       " cookie="));
}

/* An attachment keeps all else through a change of its cookie, and the reverse. */
TEST_F(control, survives)
{
	const char *child = self->tree.child;
	unsigned long long id;

	ASSERT_EQ(0, attach_cookie(child, self->prog, 5));
	ASSERT_EQ(0, attach(child, self->other));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	id = nth_id(child, 0);
	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "mode %llu permissive\n",
			    id));
	EXPECT_STREQ(" mode=permissive cookie=5",
		     end_of_line(child, "checmate.policy", 1));
	ASSERT_EQ(0, set_cookie(child, 0, 6));
	EXPECT_STREQ(" mode=permissive cookie=6",
		     end_of_line(child, "checmate.policy", 1));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "mode %llu enforce\n",
			    id));
	EXPECT_STREQ(" mode=enforce cookie=6",
		     end_of_line(child, "checmate.policy", 1));
	ASSERT_EQ(0, set_cookie(child, 0, 0));
	EXPECT_STREQ(" mode=enforce", end_of_line(child, "checmate.policy", 1));
	EXPECT_EQ(id, nth_id(child, 0));
	EXPECT_NE(NULL, strstr(read_text(child, "checmate.stat"),
			       "socket_bind denied=1 permissive=0\n"));
	/* A program that is attached anew has no cookie of before. */
	ASSERT_EQ(0, set_cookie(child, 0, 7));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "detach %llu\nattach %d\n",
			    id, self->prog));
	EXPECT_STREQ(" mode=enforce", end_of_line(child, "checmate.policy", 2));
}

/* One transaction does all of it, or nothing. */
TEST_F(control, transactions)
{
	const char *child = self->tree.child;
	unsigned long long id;
	char before[4096];
	size_t i;
	static const struct {
		const char *text;
		int err;
	} bad[] = {
		{ "cookie %llu 7\ndetach 18446744073709551615\n", -ENOENT },
		{ "cookie %llu 7\ncookie 18446744073709551615 7\n", -ENOENT },
		{ "cookie %llu 7\ncookie\n", -EINVAL },
		{ "cookie %llu\n", -EINVAL },
		{ "cookie %llu  7\n", -EINVAL },
		{ "cookie %llu -7\n", -EINVAL },
		{ "cookie %llu 18446744073709551616\n", -EINVAL },
		{ "generation 99\ncookie %llu 7\n", -ESTALE },
		{ "clear\ncookie %llu 7\n", -ENOENT },
	};

	ASSERT_EQ(0, attach_cookie(child, self->prog, 5));
	id = nth_id(child, 0);
	snprintf(before, sizeof(before), "%s",
		 read_text(child, "checmate.policy"));
	for (i = 0; i < ARRAY_LEN(bad); i++) {
		char text[256];

		snprintf(text, sizeof(text), bad[i].text, id);
		EXPECT_EQ(bad[i].err, write_text(child, "checmate.policy",
						 text)) {
			TH_LOG("%s", text);
		}
		EXPECT_STREQ(before, read_text(child, "checmate.policy"));
	}
	EXPECT_EQ(-EEXIST, attach_cookie(child, self->prog, 7));
	EXPECT_EQ(-EEXIST, WRITEF(child, "checmate.policy",
				  "cookie %llu 7\nattach %d\n", id,
				  self->prog));
	EXPECT_EQ(-EBADF, WRITEF(child, "checmate.policy",
				 "cookie %llu 7\nattach 1000\n", id));
	EXPECT_EQ(-EINVAL, WRITEF(child, "checmate.policy",
				  "attach %d cookie=7 cookie=7\n",
				  self->other));
	EXPECT_STREQ(before, read_text(child, "checmate.policy"));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));

	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "generation 1\nattach %d cookie=7\ncookie %llu 7\n"
			    "mode %llu permissive\n", self->other, id, id));
	EXPECT_EQ(2, policy_generation(child));
	EXPECT_STREQ(" mode=permissive cookie=7",
		     end_of_line(child, "checmate.policy", 1));
	EXPECT_STREQ(" mode=enforce cookie=7",
		     end_of_line(child, "checmate.policy", 2));
	EXPECT_EQ(0, run_in(child, do_bind, NULL));
	EXPECT_EQ(0, run_in(child, do_connect, NULL));
	EXPECT_STREQ("denied 1\npermissive 0\n",
		     read_text(child, "checmate.events"));
}

/* A seal refuses another cookie, which may allow more. */
TEST_F(control, sealed)
{
	const char *child = self->tree.child;
	unsigned long long id;

	ASSERT_EQ(0, attach_cookie(child, self->prog, 5));
	id = nth_id(child, 0);
	/* What is staged must not break the seal either. */
	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "when=exec\ncookie %llu 7\n",
			    id));
	EXPECT_EQ(-EBUSY, write_text(child, "checmate.seal", "1"));
	ASSERT_EQ(0, write_text(child, "checmate.policy", "when=exec\n"));
	ASSERT_EQ(0, write_text(child, "checmate.seal", "1"));

	EXPECT_EQ(-EROFS, set_cookie(child, 0, 7));
	EXPECT_EQ(-EROFS, set_cookie(child, 0, 0));
	EXPECT_EQ(-EROFS, WRITEF(child, "checmate.policy",
				 "attach %d cookie=7\ncookie %llu 7\n",
				 self->other, id));
	EXPECT_EQ(-EROFS, WRITEF(child, "checmate.policy",
				 "when=exec\ncookie %llu 7\n", id));
	EXPECT_STREQ(" mode=enforce cookie=5",
		     end_of_line(child, "checmate.policy", 1));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	EXPECT_EQ(0, set_cookie(child, 0, 5));

	/* What is attached may have any cookie, and then keeps it. */
	ASSERT_EQ(0, attach_cookie(child, self->other, 8));
	EXPECT_EQ(EUSERS, run_in(child, do_connect, NULL));
	EXPECT_EQ(-EROFS, set_cookie(child, 0, 7));
	EXPECT_STREQ(" mode=enforce cookie=8",
		     end_of_line(child, "checmate.policy", 1));
	EXPECT_EQ(-ENOENT, WRITEF(child, "checmate.policy",
				  "cookie 18446744073709551615 7\n"));
}

TEST_HARNESS_MAIN
