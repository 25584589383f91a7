// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Selftests: many programs on a hook, and how they are called
 *
 * Programs that stay get a direct call.  Verdicts are compared before and after
 * that.
 */

#include "common.h"

#define MAX_PROGS	64
#define MAX_ENTRIES	48

/* What a program is told to say by its element of a map. */
enum word {
	ALLOW,
	DENY,
	/* Of BPF_LSM_CGROUP alone. */
	ALLOW_WITH_ERRNO,
	ALLOW_WITH_NUMBER,
};

FIXTURE(chain)
{
	struct tree tree;
	/* What each program is to say, and how often it has been asked. */
	int words;
	int asked;
};

FIXTURE_SETUP(chain)
{
	ASSERT_EQ(0, make_tree(&self->tree, "chain"));
	self->words = bpf_map_create(BPF_MAP_TYPE_ARRAY, "words", 4, 8,
				     MAX_PROGS, NULL);
	/* With one more, of which no program is. */
	self->asked = bpf_map_create(BPF_MAP_TYPE_ARRAY, "asked", 4, 8,
				     MAX_PROGS + 1, NULL);
	ASSERT_LE(0, self->words);
	ASSERT_LE(0, self->asked);
}

FIXTURE_TEARDOWN(chain)
{
	close(self->words);
	close(self->asked);
	remove_tree(&self->tree);
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

static int say(int map, int key, __u64 word)
{
	return bpf_map_update_elem(map, &key, &word, BPF_ANY);
}

/* A program of which the errno tells its place: @key + 1. */
static int load_speaker(const char *hook, enum bpf_attach_type type, int words,
			int asked, int key)
{
	const bool is_cgroup = type == BPF_LSM_CGROUP;
	const struct bpf_insn insn[] = {
		/* Count the call. */
		STORE_IMM(BPF_W, 10, -4, key),
		MOV_REG(2, 10), ADD_IMM(2, -4),
		LOAD_MAP(1, asked),
		CALL(BPF_FUNC_map_lookup_elem),
		JUMP_IF(BPF_JEQ, 0, 0, 2),
		MOV_IMM(1, 1),
		ATOMIC_ADD(0, 1, 0),
		/* What is there to say? */
		MOV_REG(2, 10), ADD_IMM(2, -4),
		LOAD_MAP(1, words),
		CALL(BPF_FUNC_map_lookup_elem),
		JUMP_IF(BPF_JEQ, 0, 0, is_cgroup ? 9 : 4),
		LOAD(BPF_DW, 6, 0, 0),
		JUMP_IF(BPF_JEQ, 6, ALLOW, is_cgroup ? 7 : 2),
		/* The rest depends on the type. */
		is_cgroup ? MOV_IMM(1, -(key + 1)) : MOV_IMM(0, -(key + 1)),
		is_cgroup ? JUMP_IF(BPF_JNE, 6, ALLOW_WITH_NUMBER, 1) : EXIT(),
		is_cgroup ? MOV_IMM(1, 5) : MOV_IMM(0, 0),
		is_cgroup ? CALL(BPF_FUNC_set_retval) : EXIT(),
		JUMP_IF(BPF_JNE, 6, DENY, 2),
		MOV_IMM(0, 0),
		EXIT(),
		MOV_IMM(0, 1),
		EXIT(),
	};
	/* One of BPF_LSM_MAC has ended five before. */
	const size_t nr = is_cgroup ? ARRAY_LEN(insn) : ARRAY_LEN(insn) - 5;

	return load_prog(hook, type, 0, insn, nr);
}

/* Both kinds in turn, so that each follows the other. */
static enum bpf_attach_type kind_of(int key)
{
	return key % 2 ? BPF_LSM_CGROUP : BPF_LSM_MAC;
}

static void attach_speakers(struct __test_metadata *_metadata,
			    FIXTURE_DATA(chain) *self, const char *dir,
			    const char *hook, int first, int nr,
			    const char *mode)
{
	int key, prog;

	for (key = first; key < first + nr; key++) {
		prog = load_speaker(hook, kind_of(key), self->words,
				    self->asked, key);
		ASSERT_LE(0, prog) {
			TH_LOG("program %d: %s", key, strerror(errno));
		}
		ASSERT_EQ(0, WRITEF(dir, "checmate.policy", "attach %d%s\n",
				    prog, mode));
		close(prog);
	}
}

/* Nobody denies: all of @nr are asked, once each. */
static void expect_all_asked(struct __test_metadata *_metadata,
			     FIXTURE_DATA(chain) *self, const char *dir, int nr)
{
	__u64 before[MAX_PROGS];
	int key;

	for (key = 0; key < nr; key++)
		before[key] = counter(self->asked, key);
	EXPECT_EQ(0, run_in(dir, do_bind, NULL));
	for (key = 0; key < nr; key++)
		EXPECT_EQ(before[key] + 1, counter(self->asked, key)) {
			TH_LOG("program %d", key);
		}
}

/* One of @nr denies: those before it are asked, those behind are not. */
static void expect_denials(struct __test_metadata *_metadata,
			   FIXTURE_DATA(chain) *self, const char *dir, int nr)
{
	__u64 last, behind;
	int key;

	for (key = 0; key < nr; key++) {
		last = counter(self->asked, key);
		behind = counter(self->asked, key + 1);
		ASSERT_EQ(0, say(self->words, key, DENY));
		EXPECT_EQ(key + 1, run_in(dir, do_bind, NULL));
		EXPECT_EQ(last + 1, counter(self->asked, key));
		EXPECT_EQ(behind, counter(self->asked, key + 1));
		ASSERT_EQ(0, say(self->words, key, ALLOW));
	}
}

static void try_length(struct __test_metadata *_metadata,
		       FIXTURE_DATA(chain) *self, int nr)
{
	const char *top = self->tree.top;

	ASSERT_TRUE(settled("socket_bind", 0));
	attach_speakers(_metadata, self, top, "socket_bind", 0, nr, "");
	expect_all_asked(_metadata, self, top, nr);
	ASSERT_TRUE(settled("socket_bind", nr < MAX_ENTRIES ? nr : MAX_ENTRIES));
	expect_all_asked(_metadata, self, top, nr);
	expect_denials(_metadata, self, top, nr);
	ASSERT_EQ(0, write_text(top, "checmate.policy", "clear"));
}

TEST_F(chain, one)
{
	try_length(_metadata, self, 1);
}

TEST_F(chain, two)
{
	try_length(_metadata, self, 2);
}

TEST_F_TIMEOUT(chain, forty_eight, 300)
{
	try_length(_metadata, self, 48);
}

TEST_F_TIMEOUT(chain, sixty_four, 300)
{
	int prog = load_mac("socket_bind", 0);

	try_length(_metadata, self, MAX_PROGS);
	attach_speakers(_metadata, self, self->tree.top, "socket_bind", 0,
			MAX_PROGS, "");
	EXPECT_EQ(-ENOSPC, attach(self->tree.child, prog));
	ASSERT_EQ(0, write_text(self->tree.top, "checmate.policy", "clear"));
	close(prog);
}

/* What a BPF_LSM_CGROUP program sets, with and without a denial. */
TEST_F(chain, retval)
{
	static const struct {
		enum word word;
		int err;
		/* What is said if the next one denies. */
		int next_err;
	} cases[] = {
		{ DENY, 2, 2 },
		{ ALLOW_WITH_ERRNO, 2, 2 },
		{ ALLOW_WITH_NUMBER, 0, 3 },
	};
	const char *top = self->tree.top;
	__u64 behind;
	size_t i;
	int round;

	ASSERT_TRUE(settled("socket_bind", 0));
	attach_speakers(_metadata, self, top, "socket_bind", 0, 4, "");
	for (round = 0; round < 2; round++) {
		for (i = 0; i < ARRAY_LEN(cases); i++) {
			behind = counter(self->asked, 3);
			ASSERT_EQ(0, say(self->words, 1, cases[i].word));
			EXPECT_EQ(cases[i].err, run_in(top, do_bind, NULL));
			EXPECT_EQ(behind + !cases[i].err,
				  counter(self->asked, 3));
			/* Nothing of it is left for the next that denies. */
			ASSERT_EQ(0, say(self->words, 2, DENY));
			EXPECT_EQ(cases[i].next_err,
				  run_in(top, do_bind, NULL));
			ASSERT_EQ(0, say(self->words, 2, ALLOW));
		}
		ASSERT_EQ(0, say(self->words, 1, ALLOW));
		ASSERT_TRUE(settled("socket_bind", 4));
	}
	ASSERT_EQ(0, write_text(top, "checmate.policy", "clear"));
}

/* One in the middle that only tells: those behind it decide. */
TEST_F(chain, permissive)
{
	const char *top = self->tree.top;
	int round;

	ASSERT_TRUE(settled("socket_bind", 0));
	attach_speakers(_metadata, self, top, "socket_bind", 0, 2, "");
	attach_speakers(_metadata, self, top, "socket_bind", 2, 2,
			" mode=permissive");
	attach_speakers(_metadata, self, top, "socket_bind", 4, 2, "");
	for (round = 0; round < 2; round++) {
		char text[64];

		ASSERT_EQ(0, say(self->words, 2, DENY));
		ASSERT_EQ(0, say(self->words, 3, DENY));
		expect_all_asked(_metadata, self, top, 6);
		ASSERT_EQ(0, say(self->words, 5, DENY));
		EXPECT_EQ(6, run_in(top, do_bind, NULL));
		ASSERT_EQ(0, say(self->words, 0, DENY));
		EXPECT_EQ(1, run_in(top, do_bind, NULL));
		snprintf(text, sizeof(text), "denied %d\npermissive %d\n",
			 2 * (round + 1), 4 * (round + 1));
		EXPECT_STREQ(text, read_text(top, "checmate.events"));
		ASSERT_EQ(0, say(self->words, 5, ALLOW));
		ASSERT_EQ(0, say(self->words, 3, ALLOW));
		ASSERT_EQ(0, say(self->words, 2, ALLOW));
		ASSERT_EQ(0, say(self->words, 0, ALLOW));
		ASSERT_TRUE(settled("socket_bind", 6));
	}
	ASSERT_EQ(0, write_text(top, "checmate.policy", "clear"));
}

/* A child with programs of other hooks has its parent's chain, not another. */
TEST_F(chain, shared)
{
	const char *top = self->tree.top, *child = self->tree.child;
	int other = load_mac("socket_listen", 0);

	ASSERT_LE(0, other);
	ASSERT_TRUE(settled("socket_bind", 0));
	ASSERT_TRUE(settled("socket_listen", 0));
	attach_speakers(_metadata, self, top, "socket_bind", 1, 3, "");
	ASSERT_EQ(0, attach(child, other));
	ASSERT_TRUE(settled("socket_listen", 1));
	ASSERT_TRUE(settled("socket_bind", 3));
	EXPECT_EQ(0, run_in(child, do_bind, NULL));
	ASSERT_EQ(0, say(self->words, 3, DENY));
	EXPECT_EQ(4, run_in(child, do_bind, NULL));
	EXPECT_EQ(4, run_in(top, do_bind, NULL));

	/* With one of its own it has: its own come first. */
	attach_speakers(_metadata, self, child, "socket_bind", 0, 1, "");
	ASSERT_TRUE(settled("socket_bind", 4));
	ASSERT_EQ(0, say(self->words, 0, DENY));
	EXPECT_EQ(1, run_in(child, do_bind, NULL));
	EXPECT_EQ(4, run_in(top, do_bind, NULL));

	/* Its parent's stays as it is when that one goes. */
	ASSERT_EQ(0, write_text(child, "checmate.policy", "clear"));
	ASSERT_TRUE(settled("socket_bind", 3));
	EXPECT_EQ(4, run_in(child, do_bind, NULL));
	ASSERT_EQ(0, write_text(top, "checmate.policy", "clear"));
	EXPECT_EQ(0, run_in(child, do_bind, NULL));
	ASSERT_TRUE(settled("socket_bind", 0));
	close(other);
}

/* All run of a hook that only tells. */
TEST_F(chain, no_verdict)
{
	static const char hook[] = "inode_free_security";
	const char *top = self->tree.top;
	int map = make_counters(), round, key, prog;
	__u64 counts[3];

	ASSERT_LE(0, map);
	ASSERT_TRUE(settled(hook, 0));
	for (key = 0; key < 3; key++) {
		prog = load_counter(hook, BPF_LSM_MAC, map, key, 0);
		ASSERT_LE(0, prog);
		ASSERT_EQ(0, attach(top, prog));
		close(prog);
	}
	for (round = 0; round < 2; round++) {
		for (key = 0; key < 3; key++)
			counts[key] = counter(map, key);
		EXPECT_EQ(0, run_in(top, do_socket, NULL));
		EXPECT_LT(counts[0], counter(map, 0));
		for (key = 1; key < 3; key++)
			EXPECT_EQ(counter(map, 0) - counts[0],
				  counter(map, key) - counts[key]);
		ASSERT_TRUE(settled(hook, 3));
	}
	ASSERT_EQ(0, write_text(top, "checmate.policy", "clear"));
	close(map);
}

/* While runs are counted, each program's are. */
TEST_F(chain, counted_runs)
{
	const char *top = self->tree.top;
	struct bpf_prog_info info;
	int progs[3], stats, key;
	__u32 len;

	ASSERT_TRUE(settled("socket_bind", 0));
	for (key = 0; key < 3; key++) {
		progs[key] = load_mac("socket_bind", 0);
		ASSERT_LE(0, progs[key]);
		ASSERT_EQ(0, attach(top, progs[key]));
	}
	ASSERT_TRUE(settled("socket_bind", 3));
	stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	ASSERT_LE(0, stats);
	EXPECT_EQ(0, run_in(top, do_bind, NULL));
	EXPECT_EQ(0, run_in(top, do_bind, NULL));
	close(stats);
	for (key = 0; key < 3; key++) {
		memset(&info, 0, sizeof(info));
		len = sizeof(info);
		ASSERT_EQ(0, bpf_obj_get_info_by_fd(progs[key], &info, &len));
		EXPECT_EQ(2, info.run_cnt);
		close(progs[key]);
	}
	ASSERT_EQ(0, write_text(top, "checmate.policy", "clear"));
}

/* More cgroups with programs than a hook has direct calls for. */
TEST_F_TIMEOUT(chain, more_than_direct, 300)
{
	char dir[PATH_MAX + 16];
	int i, prog;

	ASSERT_TRUE(settled("socket_bind", 0));
	for (i = 0; i < MAX_ENTRIES + 4; i++) {
		snprintf(dir, sizeof(dir), "%s/%d", self->tree.top, i);
		ASSERT_EQ(0, mkdir(dir, 0755));
		prog = load_mac("socket_bind", i + 1);
		ASSERT_LE(0, prog);
		ASSERT_EQ(0, attach(dir, prog));
		close(prog);
	}
	ASSERT_TRUE(settled("socket_bind", MAX_ENTRIES));
	for (i = 0; i < MAX_ENTRIES + 4; i++) {
		snprintf(dir, sizeof(dir), "%s/%d", self->tree.top, i);
		EXPECT_EQ(i + 1, run_in(dir, do_bind, NULL));
	}
	EXPECT_EQ(0, run_in(self->tree.child, do_bind, NULL));

	/* Where some go, the others find room. */
	for (i = 0; i < 8; i++) {
		snprintf(dir, sizeof(dir), "%s/%d", self->tree.top, i);
		EXPECT_EQ(0, rmdir(dir));
	}
	ASSERT_TRUE(settled("socket_bind", MAX_ENTRIES - 4));
	for (; i < MAX_ENTRIES + 4; i++) {
		snprintf(dir, sizeof(dir), "%s/%d", self->tree.top, i);
		EXPECT_EQ(i + 1, run_in(dir, do_bind, NULL));
		EXPECT_EQ(0, rmdir(dir));
	}
}

/* A program that is attached to many cgroups has one direct call. */
TEST_F(chain, duplicates)
{
	const char *top = self->tree.top;
	int prog = load_mac("socket_bind", 7), last, i;
	char dir[PATH_MAX + 16];

	ASSERT_LE(0, prog);
	last = load_mac("socket_listen", 0);
	ASSERT_LE(0, last);
	ASSERT_TRUE(settled("socket_bind", 0));
	ASSERT_TRUE(settled("socket_listen", 0));
	for (i = 0; i < 4; i++) {
		snprintf(dir, sizeof(dir), "%s/%d", top, i);
		ASSERT_EQ(0, mkdir(dir, 0755));
		ASSERT_EQ(0, attach(dir, prog));
	}
	/* The program that is attached last gets its direct call last. */
	ASSERT_EQ(0, attach(top, last));
	ASSERT_TRUE(settled("socket_listen", 1));
	EXPECT_EQ(1, hook_state("socket_bind", "direct"));
	for (i = 0; i < 4; i++) {
		snprintf(dir, sizeof(dir), "%s/%d", top, i);
		EXPECT_EQ(7, run_in(dir, do_bind, NULL));
		ASSERT_EQ(0, write_text(dir, "checmate.policy", "clear"));
		EXPECT_EQ(0, run_in(dir, do_bind, NULL));
		EXPECT_EQ(0, rmdir(dir));
	}
	ASSERT_TRUE(settled("socket_bind", 0));
	ASSERT_EQ(0, write_text(top, "checmate.policy", "clear"));
	close(last);
	close(prog);
}

/* Calls until told to end; says how the first wrong verdict read. */
static int bind_on(void *arg)
{
	bool *end = arg;
	int err;

	do {
		err = do_bind(NULL);
	} while (!__atomic_load_n(end, __ATOMIC_RELAXED) && err == 4);
	return err;
}

/* Chains come and go while the hook is called without a pause. */
TEST_F_TIMEOUT(chain, churn, 300)
{
	const char *top = self->tree.top;
	char other[PATH_MAX];
	bool *end = mmap(NULL, sizeof(*end), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int round, status;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, (void *)end);
	snprintf(other, sizeof(other), "%s/other", top);
	ASSERT_EQ(0, mkdir(other, 0755));
	ASSERT_TRUE(settled("socket_bind", 0));
	attach_speakers(_metadata, self, top, "socket_bind", 1, 3, "");
	ASSERT_EQ(0, say(self->words, 3, DENY));
	ASSERT_TRUE(settled("socket_bind", 3));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(run_in(self->tree.child, bind_on, end));
	for (round = 0; round < 4; round++) {
		attach_speakers(_metadata, self, other, "socket_bind", 0, 1,
				"");
		EXPECT_TRUE(settled("socket_bind", 4));
		EXPECT_EQ(4, run_in(other, do_bind, NULL));
		ASSERT_EQ(0, write_text(other, "checmate.policy", "clear"));
		EXPECT_TRUE(settled("socket_bind", 3));
	}
	__atomic_store_n(end, true, __ATOMIC_RELAXED);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(4, WEXITSTATUS(status));
	ASSERT_EQ(0, write_text(top, "checmate.policy", "clear"));
	EXPECT_EQ(0, rmdir(other));
	munmap(end, sizeof(*end));
}

/* Nothing keeps a program that had a direct call, and was in a chain. */
TEST_F(chain, goes)
{
	const char *top = self->tree.top;
	__u32 id[2];
	int i, prog;

	for (i = 0; i < 2; i++) {
		prog = load_mac("socket_bind", 0);
		ASSERT_LE(0, prog);
		id[i] = prog_id(prog);
		ASSERT_EQ(0, attach(i ? top : self->tree.child, prog));
		close(prog);
	}
	ASSERT_TRUE(settled("socket_bind", 2));
	ASSERT_EQ(0, write_text(self->tree.child, "checmate.policy", "clear"));
	EXPECT_TRUE(prog_goes(id[0]));
	ASSERT_EQ(0, write_text(top, "checmate.policy", "clear"));
	EXPECT_TRUE(prog_goes(id[1]));
	EXPECT_TRUE(settled("socket_bind", 0));
}

TEST_HARNESS_MAIN
