// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Selftests: sealed cgroups
 *
 * Nothing that would loosen the policy of a sealed cgroup is done, and no task
 * gets out of it, whoever tries and by whatever interface.
 */

#include "actor.h"
#include "common.h"

#include <bpf/btf.h>
#include <dirent.h>
#include <linux/io_uring.h>
#include <linux/sched.h>
#include <pthread.h>

/* --- waiting ------------------------------------------------------------- */

/* What processes tell each other without making a system call. */
struct board {
	int go;
	int sealed;
	int tries;
	int escapes;
	int tid;
};

static struct board *make_board(void)
{
	return mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static struct board *board;

static int get(const int *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static void set(int *word, int value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

static void add(int *word, int value)
{
	__atomic_add_fetch(word, value, __ATOMIC_SEQ_CST);
}

static void await(const int *word)
{
	while (!get(word))
		sched_yield();
}

/* --- tasks --------------------------------------------------------------- */

static bool let_go(struct actor *actor)
{
	return write(actor->channel, "", 1) == 1;
}

static int status_of(struct actor *actor)
{
	int status;

	close(actor->channel);
	if (waitpid(actor->pid, &status, 0) != actor->pid ||
	    !WIFEXITED(status))
		return 255;
	return WEXITSTATUS(status);
}

static int finish(struct actor *actor)
{
	return let_go(actor) ? status_of(actor) : 254;
}

static int do_nothing(void *arg)
{
	(void)arg;
	return 0;
}

static int move_thread_to(const char *dir, pid_t tid)
{
	return WRITEF(dir, "cgroup.threads", "%d", tid);
}

static bool is_in(const char *dir, pid_t tid)
{
	char proc[64], line[PATH_MAX + 8];

	snprintf(proc, sizeof(proc), "/proc/%d", tid);
	snprintf(line, sizeof(line), "0::%s\n",
		 strcmp(dir, CGROUPFS) ? dir + strlen(CGROUPFS) : "/");
	return !strcmp(line, read_text(proc, "cgroup"));
}

/* --- cgroups ------------------------------------------------------------- */

static int set_seal(const char *dir)
{
	return write_text(dir, "checmate.seal", "1");
}

static bool is_sealed(const char *dir)
{
	return !strcmp("1\n", read_text(dir, "checmate.seal"));
}

static int make_threaded(const char *dir)
{
	return write_text(dir, "cgroup.type", "threaded");
}

/* The child is the one that is sealed, mostly. */
FIXTURE(seal)
{
	struct tree tree;
	char leaf[PATH_MAX + 8];
	char other_leaf[PATH_MAX + 8];
	char sibling[PATH_MAX];
	/* Denies a bind() with EUSERS. */
	int deny;
};

FIXTURE_SETUP(seal)
{
	ASSERT_EQ(0, make_tree(&self->tree, "seal"));
	snprintf(self->leaf, sizeof(self->leaf), "%s/leaf", self->tree.child);
	ASSERT_EQ(0, mkdir(self->leaf, 0755));
	snprintf(self->other_leaf, sizeof(self->other_leaf), "%s/other",
		 self->tree.child);
	snprintf(self->sibling, sizeof(self->sibling), "%s/sibling",
		 self->tree.top);
	ASSERT_EQ(0, mkdir(self->sibling, 0755));
	self->deny = load_mac("socket_bind", EUSERS);
	ASSERT_LE(0, self->deny);
}

FIXTURE_TEARDOWN(seal)
{
	if (self->deny >= 0)
		close(self->deny);
	rmdir(self->leaf);
	rmdir(self->other_leaf);
	rmdir(self->sibling);
	remove_tree(&self->tree);
	/* Of the tests that have one more controller. */
	write_text(CGROUPFS, "cgroup.subtree_control", "-pids");
}

/* --- the file ------------------------------------------------------------ */

TEST_F(seal, file)
{
	const char *child = self->tree.child;

	EXPECT_STREQ("0\n", read_text(child, "checmate.seal"));
	EXPECT_EQ(0, write_text(child, "checmate.seal", "0"));
	EXPECT_STREQ("0\n", read_text(child, "checmate.seal"));
	EXPECT_EQ(0, write_text(child, "checmate.seal", "1\n"));
	EXPECT_STREQ("1\n", read_text(child, "checmate.seal"));
	EXPECT_EQ(0, write_text(child, "checmate.seal", "1"));
	EXPECT_EQ(-EROFS, write_text(child, "checmate.seal", "0"));
	EXPECT_EQ(-EROFS, write_text(child, "checmate.seal", "0\n"));
	EXPECT_STREQ("1\n", read_text(child, "checmate.seal"));
	/* It is the cgroup's own. */
	EXPECT_STREQ("0\n", read_text(self->tree.top, "checmate.seal"));
	EXPECT_STREQ("0\n", read_text(self->sibling, "checmate.seal"));
}

TEST_F(seal, file_is_not_everywhere)
{
	EXPECT_EQ(-ENOENT, set_seal(CGROUPFS));
	/* No controller, no file. */
	EXPECT_EQ(-ENOENT, set_seal(self->leaf));
	ASSERT_EQ(0, enable_controller(self->tree.child));
	EXPECT_EQ(0, set_seal(self->leaf));
}

TEST_F(seal, bad_text)
{
	static const char *const bad[] = {
		"2", "-1", "+1", "01", "10", "11", " 1", "1 ", "1x", "x",
		"0x1", "1 1", "1\n1", "1\n\n", "\n", "yes", "on", "true", "00",
		"-0", "1,1", "one",
	};
	const char *child = self->tree.child;
	size_t i;

	for (i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(-EINVAL, write_text(child, "checmate.seal", bad[i])) {
			TH_LOG("\"%s\"", bad[i]);
		}
		EXPECT_FALSE(is_sealed(child));
	}
	EXPECT_EQ(0, set_seal(child));
	EXPECT_EQ(-EINVAL, write_text(child, "checmate.seal", "2"));
}

/* A NUL would hide what stands behind it. */
TEST_F(seal, text_with_nul)
{
	char path[PATH_MAX + 16];
	int fd;

	snprintf(path, sizeof(path), "%s/checmate.seal", self->tree.child);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EINVAL, write_fd(fd, "1\0", 2));
	EXPECT_EQ(-EINVAL, write_fd(fd, "1\0x", 3));
	EXPECT_FALSE(is_sealed(self->tree.child));
	close(fd);
}

/* It is who opened the file that counts. */
TEST_F(seal, capability)
{
	cap_value_t mac = CAP_MAC_ADMIN;
	cap_t caps = cap_get_proc();
	char path[PATH_MAX + 16];
	int with, without;

	ASSERT_NE(NULL, caps);
	snprintf(path, sizeof(path), "%s/checmate.seal", self->tree.child);
	with = open(path, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, with);

	cap_set_flag(caps, CAP_EFFECTIVE, 1, &mac, CAP_CLEAR);
	ASSERT_EQ(0, cap_set_proc(caps));
	without = open(path, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, without);
	EXPECT_EQ(-EPERM, write_fd(without, "1", 1));
	EXPECT_EQ(-EPERM, write_fd(without, "0", 1));
	EXPECT_FALSE(is_sealed(self->tree.child));
	cap_set_flag(caps, CAP_EFFECTIVE, 1, &mac, CAP_SET);
	ASSERT_EQ(0, cap_set_proc(caps));
	EXPECT_EQ(-EPERM, write_fd(without, "1", 1));
	EXPECT_FALSE(is_sealed(self->tree.child));

	cap_set_flag(caps, CAP_EFFECTIVE, 1, &mac, CAP_CLEAR);
	ASSERT_EQ(0, cap_set_proc(caps));
	EXPECT_EQ(0, write_fd(with, "1", 1));
	EXPECT_TRUE(is_sealed(self->tree.child));
	cap_set_flag(caps, CAP_EFFECTIVE, 1, &mac, CAP_SET);
	ASSERT_EQ(0, cap_set_proc(caps));
	cap_free(caps);
	close(with);
	close(without);
}

static int seal_in_user_namespace(void *dir)
{
	if (unshare(CLONE_NEWUSER))
		return BROKEN;
	return -set_seal(dir);
}

/* To have all capabilities in a namespace of one's own is not enough. */
TEST_F(seal, user_namespace)
{
	EXPECT_EQ(EPERM, run_in(self->tree.top, seal_in_user_namespace,
				self->tree.child));
	EXPECT_FALSE(is_sealed(self->tree.child));
}

/* --- loosening ----------------------------------------------------------- */

TEST_F(seal, no_loosening)
{
	const char *child = self->tree.child;
	int create = load_mac("socket_create", EPERM);
	int other = load_mac("socket_bind", EPERM);
	unsigned long long enforced, permissive;
	char effective[1024], text[256];
	size_t i;

	ASSERT_LE(0, create);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "attach %d\nattach %d mode=permissive\n",
			    self->deny, create));
	enforced = nth_id(child, 0);
	permissive = nth_id(child, 1);
	ASSERT_EQ(0, set_seal(child));
	snprintf(effective, sizeof(effective), "%s",
		 read_text(child, "checmate.effective"));

	for (i = 0; i < 12; i++) {
		const char *file = "checmate.policy";

		switch (i) {
		case 0:
			snprintf(text, sizeof(text), "detach %llu\n", enforced);
			break;
		case 1:
			snprintf(text, sizeof(text), "detach %llu\n",
				 permissive);
			break;
		case 2:
			snprintf(text, sizeof(text), "clear\n");
			break;
		case 3:
			snprintf(text, sizeof(text), "mode %llu permissive\n",
				 enforced);
			break;
		case 4:
			snprintf(text, sizeof(text), "detach %llu\nattach %d\n",
				 enforced, other);
			break;
		case 5:
			snprintf(text, sizeof(text), "attach %d\ndetach %llu\n",
				 other, enforced);
			break;
		case 6:
			snprintf(text, sizeof(text), "clear\nattach %d\n",
				 self->deny);
			break;
		case 7:
			snprintf(text, sizeof(text), "generation 1\nclear\n");
			break;
		case 8:
			snprintf(text, sizeof(text), "-%d", self->deny);
			file = "checmate.socket_bind";
			break;
		case 9:
			snprintf(text, sizeof(text), "0");
			file = "checmate.socket_bind";
			break;
		case 10:
			snprintf(text, sizeof(text), "-%d", create);
			file = "checmate.socket_create";
			break;
		case 11:
			snprintf(text, sizeof(text),
				 "mode %llu permissive\nmode %llu enforce\n",
				 enforced, enforced);
			break;
		}
		EXPECT_EQ(-EROFS, write_text(child, file, text)) {
			TH_LOG("%s: %s", file, text);
		}
		EXPECT_EQ(1, policy_generation(child));
		EXPECT_STREQ(effective, read_text(child, "checmate.effective"));
		EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	}
	close(create);
	close(other);
}

/* What was attached after the sealing is sealed as well. */
TEST_F(seal, no_loosening_of_later_programs)
{
	const char *child = self->tree.child;

	ASSERT_EQ(0, set_seal(child));
	ASSERT_EQ(0, attach(child, self->deny));
	EXPECT_EQ(-EROFS, WRITEF(child, "checmate.policy", "detach %llu\n",
				 nth_id(child, 0)));
	EXPECT_EQ(-EROFS, WRITEF(child, "checmate.policy",
				 "mode %llu permissive\n", nth_id(child, 0)));
	EXPECT_EQ(-EROFS, WRITEF(child, "checmate.socket_bind", "-%d",
				 self->deny));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
}

/* Attached and detached in one write, it would never have been there. */
TEST_F(seal, refused_as_a_whole)
{
	const char *child = self->tree.child;
	int prog = load_mac("socket_create", EPERM);

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, attach(child, self->deny));
	ASSERT_EQ(0, set_seal(child));
	EXPECT_EQ(-EROFS, WRITEF(child, "checmate.policy",
				 "attach %d\nmode %llu permissive\n", prog,
				 nth_id(child, 0)));
	EXPECT_EQ(0, run_in(child, do_socket, NULL));
	EXPECT_EQ(1, policy_generation(child));
	close(prog);
}

/* --- tightening ---------------------------------------------------------- */

TEST_F(seal, tightening)
{
	const char *child = self->tree.child;
	int create = load_mac("socket_create", EPERM);
	int connect = load_mac("socket_connect", EPERM);
	unsigned long long id;

	ASSERT_LE(0, create);
	ASSERT_LE(0, connect);
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "attach %d mode=permissive\n", self->deny));
	id = nth_id(child, 0);
	ASSERT_EQ(0, set_seal(child));
	EXPECT_EQ(0, run_in(child, do_bind, NULL));

	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "mode %llu enforce\n",
			    id));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	EXPECT_EQ(-EROFS, WRITEF(child, "checmate.policy",
				 "mode %llu permissive\n", id));

	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "attach %d mode=permissive\n", connect));
	EXPECT_EQ(0, run_in(child, do_connect, NULL));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "mode %llu enforce\n",
			    nth_id(child, 0)));
	EXPECT_EQ(EPERM, run_in(child, do_connect, NULL));

	ASSERT_EQ(0, WRITEF(child, "checmate.socket_create", "%d", create));
	EXPECT_EQ(EPERM, run_in(child, do_socket, NULL));
	EXPECT_EQ(5, policy_generation(child));
	/* With the errors that there always are. */
	EXPECT_EQ(-EEXIST, attach(child, create));
	EXPECT_EQ(-ESTALE, WRITEF(child, "checmate.policy",
				  "generation 1\nattach %d\n", create));
	EXPECT_EQ(5, policy_generation(child));
	close(create);
	close(connect);
}

/* What others may do with their own policies does not change. */
TEST_F(seal, others_are_not_sealed)
{
	ASSERT_EQ(0, enable_controller(self->tree.child));
	ASSERT_EQ(0, set_seal(self->tree.child));
	ASSERT_EQ(0, attach(self->leaf, self->deny));
	EXPECT_EQ(EUSERS, run_in(self->leaf, do_bind, NULL));
	EXPECT_EQ(0, write_text(self->leaf, "checmate.policy", "clear"));
	EXPECT_EQ(0, run_in(self->leaf, do_bind, NULL));
	ASSERT_EQ(0, attach(self->tree.top, self->deny));
	EXPECT_EQ(EUSERS, run_in(self->tree.child, do_bind, NULL));
	EXPECT_EQ(0, write_text(self->tree.top, "checmate.policy", "clear"));
	EXPECT_EQ(0, run_in(self->tree.child, do_bind, NULL));
}

/* --- order --------------------------------------------------------------- */

/* Sets the port of a bind() to 12345. */
static int load_rewriter(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int id;

	if (!btf)
		return -errno;
	id = btf__find_by_name_kind(btf, "bpf_checmate_set_port",
				    BTF_KIND_FUNC);
	btf__free(btf);
	{
		const struct bpf_insn insn[] = {
			LOAD(BPF_DW, 1, 1, 8),
			MOV_IMM(2, htons(12345)),
			CALL_KFUNC(id),
			MOV_IMM(0, 1),
			EXIT(),
		};

		return load_prog("socket_bind", BPF_LSM_CGROUP, 0, insn,
				 ARRAY_LEN(insn));
	}
}

/* Denies a bind() to port 12345 with EUSERS. */
static int load_judge(void)
{
	const struct bpf_insn insn[] = {
		LOAD(BPF_DW, 3, 1, 8),
		MOV_REG(1, 10), ADD_IMM(1, -8),
		STORE_IMM(BPF_DW, 10, -8, 0),
		MOV_IMM(2, 4),
		CALL(BPF_FUNC_probe_read_kernel),
		LOAD(BPF_H, 1, 10, -6),
		MOV_IMM(0, 0),
		JUMP_IF(BPF_JNE, 1, htons(12345), 1),
		MOV_IMM(0, -EUSERS),
		EXIT(),
	};

	return load_prog("socket_bind", BPF_LSM_MAC, 0, insn, ARRAY_LEN(insn));
}

/* Attached later and asked earlier: what it rewrites is judged. */
TEST_F(seal, later_program_is_asked_first)
{
	const char *child = self->tree.child;
	int judge = load_judge(), rewriter = load_rewriter();
	unsigned long long id, first;

	ASSERT_LE(0, judge);
	ASSERT_LE(0, rewriter);
	ASSERT_EQ(0, attach(child, judge));
	/* Asked later, it does not evade the judge either, who is asked again. */
	ASSERT_EQ(0, attach(child, rewriter));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	ASSERT_EQ(0, WRITEF(child, "checmate.socket_bind", "-%d", rewriter));
	id = nth_id(child, 0);

	ASSERT_EQ(0, set_seal(child));
	EXPECT_EQ(0, run_in(child, do_bind, NULL));
	ASSERT_EQ(0, attach(child, rewriter));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	first = nth_id(child, 0);
	EXPECT_LT(id, first);
	EXPECT_EQ(id, nth_id(child, 1));
	EXPECT_EQ(first, strtoull(read_text(child, "checmate.effective"), NULL,
				  10));
	/* And the one after that before it. */
	ASSERT_EQ(0, attach(child, self->deny));
	EXPECT_LT(first, nth_id(child, 0));
	EXPECT_EQ(first, nth_id(child, 1));
	EXPECT_EQ(id, nth_id(child, 2));
	close(judge);
	close(rewriter);
}

/* Of several in one write, the last comes first. */
TEST_F(seal, later_programs_of_one_write)
{
	const char *child = self->tree.child;
	int judge = load_judge(), rewriter = load_rewriter();

	ASSERT_LE(0, judge);
	ASSERT_LE(0, rewriter);
	ASSERT_EQ(0, set_seal(child));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "attach %d\nattach %d\n",
			    judge, rewriter));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	EXPECT_GT(nth_id(child, 0), nth_id(child, 1));
	close(judge);
	close(rewriter);
}

/* By the file of the hook as well. */
TEST_F(seal, later_program_of_hook_file_is_asked_first)
{
	const char *child = self->tree.child;
	int judge = load_judge(), rewriter = load_rewriter();

	ASSERT_LE(0, judge);
	ASSERT_LE(0, rewriter);
	ASSERT_EQ(0, attach(child, judge));
	ASSERT_EQ(0, set_seal(child));
	ASSERT_EQ(0, WRITEF(child, "checmate.socket_bind", "%d", rewriter));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	close(judge);
	close(rewriter);
}

/* Permissive, it rewrites all the same. */
TEST_F(seal, later_permissive_program_is_asked_first)
{
	const char *child = self->tree.child;
	int judge = load_judge(), rewriter = load_rewriter();

	ASSERT_LE(0, judge);
	ASSERT_LE(0, rewriter);
	ASSERT_EQ(0, attach(child, judge));
	ASSERT_EQ(0, set_seal(child));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "attach %d mode=permissive\n", rewriter));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "mode %llu enforce\n",
			    nth_id(child, 0)));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	close(judge);
	close(rewriter);
}

/* --- leaving ------------------------------------------------------------- */

static int do_join(void *dir)
{
	return -join(dir);
}

/* As a process would that is in the cgroup itself. */
TEST_F(seal, no_leaving_by_oneself)
{
	char *child = self->tree.child;

	EXPECT_EQ(0, run_in(child, do_join, self->sibling));
	ASSERT_EQ(0, set_seal(child));
	EXPECT_EQ(EROFS, run_in(child, do_join, self->sibling));
	EXPECT_EQ(EROFS, run_in(child, do_join, CGROUPFS));
	EXPECT_EQ(0, run_in(child, do_join, child));
	EXPECT_EQ(0, run_in(child, do_join, self->leaf));
	EXPECT_EQ(0, run_in(self->sibling, do_join, child));
}

TEST_F(seal, no_leaving_by_others)
{
	const char *child = self->tree.child;
	struct actor actor;

	ASSERT_TRUE(start(&actor, child, do_nothing, NULL));
	ASSERT_EQ(0, move_to(self->sibling, actor.pid));
	ASSERT_EQ(0, move_to(child, actor.pid));
	ASSERT_EQ(0, set_seal(child));
	EXPECT_EQ(-EROFS, move_to(self->sibling, actor.pid));
	EXPECT_EQ(-EROFS, move_to(CGROUPFS, actor.pid));
	/* A parent takes no process as long as there are any in its children. */
	EXPECT_NE(0, move_to(self->tree.top, actor.pid));
	EXPECT_TRUE(is_in(child, actor.pid));
	EXPECT_EQ(0, finish(&actor));
}

/* Within the cgroup, and into it, everybody moves as before. */
TEST_F(seal, moves_inside)
{
	const char *child = self->tree.child;
	struct actor actor;
	int i;

	ASSERT_EQ(0, mkdir(self->other_leaf, 0755));
	ASSERT_TRUE(start(&actor, CGROUPFS, do_nothing, NULL));
	ASSERT_EQ(0, set_seal(child));
	ASSERT_EQ(0, move_to(self->sibling, actor.pid));
	ASSERT_EQ(0, move_to(CGROUPFS, actor.pid));
	/* First with the controller in the child alone, then in the leaves. */
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, move_to(self->leaf, actor.pid));
		EXPECT_EQ(-EROFS, move_to(self->sibling, actor.pid));
		EXPECT_EQ(-EROFS, move_to(CGROUPFS, actor.pid));
		EXPECT_TRUE(is_in(self->leaf, actor.pid));
		ASSERT_EQ(0, move_to(self->other_leaf, actor.pid));
		EXPECT_EQ(-EROFS, move_to(self->sibling, actor.pid));
		EXPECT_TRUE(is_in(self->other_leaf, actor.pid));
		/* Those that are there are moved to what they get by this. */
		ASSERT_EQ(0, enable_controller(child));
	}
	EXPECT_EQ(0, finish(&actor));
}

/* From below to the cgroup itself, and back; then it has no other task. */
TEST_F(seal, moves_up_and_down_inside)
{
	const char *child = self->tree.child;
	struct actor actor;

	ASSERT_EQ(0, make_threaded(child));
	ASSERT_EQ(0, make_threaded(self->leaf));
	ASSERT_EQ(0, enable_controller(child));
	ASSERT_TRUE(start(&actor, self->tree.top, do_nothing, NULL));
	ASSERT_EQ(0, set_seal(child));
	ASSERT_EQ(0, move_to(child, actor.pid));
	EXPECT_EQ(-EROFS, move_to(self->tree.top, actor.pid));
	ASSERT_EQ(0, move_to(self->leaf, actor.pid));
	EXPECT_EQ(-EROFS, move_to(self->tree.top, actor.pid));
	EXPECT_TRUE(is_in(self->leaf, actor.pid));
	ASSERT_EQ(0, move_to(child, actor.pid));
	EXPECT_EQ(-EROFS, move_to(self->tree.top, actor.pid));
	EXPECT_TRUE(is_in(child, actor.pid));
	EXPECT_EQ(0, finish(&actor));
}

/* A cgroup made later below it is as much inside. */
TEST_F(seal, no_leaving_from_new_cgroup)
{
	char leaf[PATH_MAX + 16];
	struct actor actor;

	ASSERT_EQ(0, mkdir(self->other_leaf, 0755));
	ASSERT_EQ(0, set_seal(self->tree.child));
	ASSERT_EQ(0, enable_controller(self->tree.child));
	ASSERT_EQ(0, enable_controller(self->leaf));
	snprintf(leaf, sizeof(leaf), "%s/new", self->leaf);
	ASSERT_EQ(0, mkdir(leaf, 0755));
	ASSERT_TRUE(start(&actor, leaf, do_nothing, NULL));
	EXPECT_EQ(-EROFS, move_to(self->sibling, actor.pid));
	EXPECT_EQ(-EROFS, move_to(CGROUPFS, actor.pid));
	EXPECT_EQ(0, move_to(self->other_leaf, actor.pid));
	EXPECT_EQ(0, move_to(leaf, actor.pid));
	EXPECT_EQ(0, finish(&actor));
	EXPECT_EQ(0, rmdir(leaf));
}

/* With the capability that sealing takes, with all others, and with none. */
static int leave_unprivileged(void *dir)
{
	if (setresuid(1000, 1000, 1000))
		return BROKEN;
	return -join(dir);
}

TEST_F(seal, no_leaving_where_delegated)
{
	const char *dirs[3] = { self->tree.top, self->tree.child,
				self->sibling };
	char path[PATH_MAX + 16];
	size_t i;

	for (i = 0; i < ARRAY_LEN(dirs); i++) {
		snprintf(path, sizeof(path), "%s/cgroup.procs", dirs[i]);
		ASSERT_EQ(0, chown(path, 1000, 1000));
	}
	EXPECT_EQ(0, run_in(self->tree.child, leave_unprivileged,
			    self->sibling));
	ASSERT_EQ(0, set_seal(self->tree.child));
	EXPECT_EQ(EROFS, run_in(self->tree.child, leave_unprivileged,
				self->sibling));
}

/* --- seals in seals ------------------------------------------------------ */

TEST_F(seal, nested)
{
	struct actor actor;

	ASSERT_EQ(0, mkdir(self->other_leaf, 0755));
	ASSERT_EQ(0, enable_controller(self->tree.child));
	ASSERT_TRUE(start(&actor, self->other_leaf, do_nothing, NULL));
	ASSERT_EQ(0, set_seal(self->tree.child));
	ASSERT_EQ(0, set_seal(self->leaf));
	EXPECT_EQ(-EROFS, move_to(self->sibling, actor.pid));
	ASSERT_EQ(0, move_to(self->leaf, actor.pid));
	EXPECT_EQ(-EROFS, move_to(self->other_leaf, actor.pid));
	EXPECT_EQ(-EROFS, move_to(self->sibling, actor.pid));
	EXPECT_EQ(-EROFS, move_to(CGROUPFS, actor.pid));
	EXPECT_TRUE(is_in(self->leaf, actor.pid));
	EXPECT_EQ(0, finish(&actor));
}

/* The outer seal is not asked of whoever stays in it. */
TEST_F(seal, ancestor)
{
	struct actor actor;

	ASSERT_EQ(0, mkdir(self->other_leaf, 0755));
	ASSERT_EQ(0, enable_controller(self->tree.child));
	ASSERT_TRUE(start(&actor, self->leaf, do_nothing, NULL));
	ASSERT_EQ(0, set_seal(self->tree.top));
	EXPECT_FALSE(is_sealed(self->leaf));
	EXPECT_EQ(0, move_to(self->other_leaf, actor.pid));
	EXPECT_EQ(0, move_to(self->sibling, actor.pid));
	EXPECT_EQ(0, move_to(self->leaf, actor.pid));
	EXPECT_EQ(-EROFS, move_to(CGROUPFS, actor.pid));
	EXPECT_TRUE(is_in(self->leaf, actor.pid));
	EXPECT_EQ(0, finish(&actor));
}

/* Three levels below the seal, none of which has the controller. */
TEST_F(seal, ancestor_without_controller_between)
{
	char deep[PATH_MAX + 16], deeper[PATH_MAX + 24];
	struct actor actor;

	ASSERT_EQ(0, mkdir(self->other_leaf, 0755));
	snprintf(deep, sizeof(deep), "%s/deep", self->leaf);
	snprintf(deeper, sizeof(deeper), "%s/deeper", deep);
	ASSERT_EQ(0, mkdir(deep, 0755));
	ASSERT_EQ(0, mkdir(deeper, 0755));
	ASSERT_TRUE(start(&actor, deeper, do_nothing, NULL));
	ASSERT_EQ(0, set_seal(self->tree.child));
	EXPECT_EQ(-EROFS, move_to(self->sibling, actor.pid));
	EXPECT_EQ(0, move_to(self->other_leaf, actor.pid));
	EXPECT_EQ(0, move_to(deeper, actor.pid));
	EXPECT_EQ(-EROFS, move_to(CGROUPFS, actor.pid));
	EXPECT_EQ(0, finish(&actor));
	EXPECT_EQ(0, rmdir(deeper));
	EXPECT_EQ(0, rmdir(deep));
}

/* --- threads ------------------------------------------------------------- */

static void *wait_as_thread(void *arg)
{
	(void)arg;
	set(&board->tid, syscall(SYS_gettid));
	await(&board->go);
	return NULL;
}

static int run_second_thread(void *arg)
{
	pthread_t thread;

	(void)arg;
	if (pthread_create(&thread, NULL, wait_as_thread, NULL))
		return BROKEN;
	pthread_join(thread, NULL);
	return 0;
}

/* A process with two threads that wait; the second is in board->tid. */
static bool start_threads(struct actor *actor, const char *dir)
{
	board = make_board();
	if (!start(actor, dir, run_second_thread, NULL) || !let_go(actor))
		return false;
	await(&board->tid);
	return true;
}

static int end_threads(struct actor *actor)
{
	set(&board->go, 1);
	return status_of(actor);
}

TEST_F(seal, no_leaving_of_process_with_threads)
{
	const char *child = self->tree.child;
	struct actor actor;

	ASSERT_TRUE(start_threads(&actor, child));
	ASSERT_EQ(0, move_to(self->sibling, actor.pid));
	ASSERT_EQ(0, move_to(child, board->tid));
	ASSERT_TRUE(is_in(child, actor.pid));
	ASSERT_EQ(0, set_seal(child));
	EXPECT_EQ(-EROFS, move_to(self->sibling, actor.pid));
	EXPECT_EQ(-EROFS, move_to(self->sibling, board->tid));
	EXPECT_TRUE(is_in(child, actor.pid));
	EXPECT_TRUE(is_in(child, board->tid));
	EXPECT_EQ(0, move_to(self->leaf, actor.pid));
	EXPECT_TRUE(is_in(self->leaf, board->tid));
	EXPECT_EQ(0, end_threads(&actor));
}

/* One of a process's threads is inside, and it is not the leader. */
TEST_F(seal, no_leaving_of_thread)
{
	const char *top = self->tree.top, *child = self->tree.child;
	struct actor actor;

	ASSERT_EQ(0, make_threaded(child));
	ASSERT_EQ(0, make_threaded(self->leaf));
	ASSERT_EQ(0, make_threaded(self->sibling));
	ASSERT_TRUE(start_threads(&actor, top));
	ASSERT_EQ(0, move_thread_to(child, board->tid));
	ASSERT_EQ(0, move_thread_to(self->sibling, board->tid));
	ASSERT_EQ(0, move_thread_to(child, board->tid));
	ASSERT_TRUE(is_in(child, board->tid));
	ASSERT_TRUE(is_in(top, actor.pid));
	ASSERT_EQ(0, set_seal(child));

	EXPECT_EQ(-EROFS, move_thread_to(self->sibling, board->tid));
	EXPECT_EQ(-EROFS, move_thread_to(top, board->tid));
	/* All of the process would be moved, and with it this thread. */
	EXPECT_EQ(-EROFS, move_to(top, actor.pid));
	EXPECT_EQ(-EROFS, move_to(self->sibling, actor.pid));
	EXPECT_EQ(-EROFS, move_to(CGROUPFS, actor.pid));
	EXPECT_EQ(-EROFS, move_to(CGROUPFS, board->tid));
	EXPECT_TRUE(is_in(child, board->tid));
	EXPECT_TRUE(is_in(top, actor.pid));

	/* The other thread is as free as before. */
	EXPECT_EQ(0, move_thread_to(self->sibling, actor.pid));
	EXPECT_EQ(0, move_thread_to(top, actor.pid));
	EXPECT_EQ(0, move_thread_to(self->leaf, board->tid));
	EXPECT_EQ(-EROFS, move_thread_to(self->sibling, board->tid));
	EXPECT_TRUE(is_in(self->leaf, board->tid));
	EXPECT_EQ(0, move_to(child, actor.pid));
	EXPECT_EQ(-EROFS, move_thread_to(top, actor.pid));
	EXPECT_EQ(0, end_threads(&actor));
}

/* The leader is inside, and another is not. */
TEST_F(seal, no_leaving_of_leader)
{
	const char *top = self->tree.top, *child = self->tree.child;
	struct actor actor;

	ASSERT_EQ(0, make_threaded(child));
	ASSERT_EQ(0, make_threaded(self->sibling));
	ASSERT_TRUE(start_threads(&actor, top));
	ASSERT_EQ(0, move_thread_to(child, actor.pid));
	ASSERT_EQ(0, move_thread_to(self->sibling, board->tid));
	ASSERT_EQ(0, set_seal(child));
	EXPECT_EQ(-EROFS, move_to(self->sibling, actor.pid));
	EXPECT_EQ(-EROFS, move_to(top, board->tid));
	EXPECT_EQ(-EROFS, move_to(CGROUPFS, actor.pid));
	EXPECT_EQ(-EROFS, move_thread_to(top, actor.pid));
	EXPECT_TRUE(is_in(child, actor.pid));
	EXPECT_TRUE(is_in(self->sibling, board->tid));
	EXPECT_EQ(0, move_thread_to(top, board->tid));
	EXPECT_EQ(0, end_threads(&actor));
}

static void *leave_as_thread(void *dir)
{
	set(&board->tid, -write_text(dir, "cgroup.threads", "0"));
	return NULL;
}

static int leave_by_thread(void *dir)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, leave_as_thread, dir))
		return BROKEN;
	pthread_join(thread, NULL);
	return get(&board->tid);
}

/* A thread that moves itself takes none of the locks that others take. */
TEST_F(seal, no_leaving_of_thread_by_itself)
{
	const char *top = self->tree.top, *child = self->tree.child;
	struct actor free_actor, actor;

	board = make_board();
	ASSERT_EQ(0, make_threaded(child));
	ASSERT_EQ(0, make_threaded(self->sibling));
	ASSERT_TRUE(start(&free_actor, top, leave_by_thread, self->sibling));
	ASSERT_EQ(0, move_thread_to(child, free_actor.pid));
	EXPECT_EQ(0, finish(&free_actor));
	ASSERT_TRUE(start(&actor, top, leave_by_thread, self->sibling));
	ASSERT_EQ(0, move_thread_to(child, actor.pid));
	ASSERT_EQ(0, set_seal(child));
	EXPECT_EQ(EROFS, finish(&actor));
}

/* Threads that the kernel makes for a process are in its cgroup, and stay. */
static int leave_with_ring(void *dir)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 60000,
	};
	struct dirent *entry;
	pid_t tid = 0;
	DIR *tasks;

	if (syscall(SYS_io_uring_setup, 4, &params) < 0)
		return BROKEN;
	/* Its thread is the only other one. */
	tasks = opendir("/proc/self/task");
	while (tasks && (entry = readdir(tasks)))
		if (atoi(entry->d_name) && atoi(entry->d_name) != getpid())
			tid = atoi(entry->d_name);
	if (!tid)
		return BROKEN + 1;
	if (move_to(dir, getpid()) != -EROFS)
		return BROKEN + 2;
	if (move_to(dir, tid) != -EROFS)
		return BROKEN + 3;
	return is_in(dir, tid) ? BROKEN + 4 : 0;
}

TEST_F(seal, no_leaving_of_io_uring_thread)
{
	ASSERT_EQ(0, set_seal(self->tree.child));
	EXPECT_EQ(0, run_in(self->tree.child, leave_with_ring, self->sibling));
}

/* --- clone3() ------------------------------------------------------------ */

/* Returns an errno if there is no child, and 0 after it has ended. */
static int clone_into(void *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), status;
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD,
		.cgroup = fd,
	};
	pid_t pid;

	if (fd < 0)
		return BROKEN;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0) {
		close(fd);
		return errno;
	}
	if (!pid)
		_exit(!is_in(dir, getpid()));
	close(fd);
	if (waitpid(pid, &status, 0) != pid || status)
		return BROKEN + 1;
	return 0;
}

TEST_F(seal, no_clone_to_outside)
{
	char *child = self->tree.child;

	EXPECT_EQ(0, run_in(child, clone_into, self->sibling));
	EXPECT_EQ(0, run_in(child, clone_into, CGROUPFS));
	ASSERT_EQ(0, set_seal(child));
	EXPECT_EQ(EROFS, run_in(child, clone_into, self->sibling));
	EXPECT_EQ(EROFS, run_in(child, clone_into, CGROUPFS));
	EXPECT_EQ(EROFS, run_in(self->leaf, clone_into, self->sibling));
	EXPECT_EQ(EROFS, run_in(self->leaf, clone_into, CGROUPFS));
	/* In it, and into it, it may. */
	EXPECT_EQ(0, run_in(child, clone_into, child));
	EXPECT_EQ(0, run_in(self->sibling, clone_into, child));
	EXPECT_EQ(0, run_in(CGROUPFS, clone_into, self->leaf));
	EXPECT_EQ(0, run_in(self->sibling, clone_into, CGROUPFS));
}

TEST_F(seal, no_clone_out_of_nested_seal)
{
	ASSERT_EQ(0, mkdir(self->other_leaf, 0755));
	EXPECT_EQ(0, run_in(self->leaf, clone_into, self->other_leaf));
	ASSERT_EQ(0, set_seal(self->tree.child));
	EXPECT_EQ(0, run_in(self->leaf, clone_into, self->other_leaf));
	ASSERT_EQ(0, enable_controller(self->tree.child));
	EXPECT_EQ(0, run_in(self->leaf, clone_into, self->other_leaf));
	EXPECT_EQ(EROFS, run_in(self->leaf, clone_into, self->sibling));
	ASSERT_EQ(0, set_seal(self->leaf));
	EXPECT_EQ(EROFS, run_in(self->leaf, clone_into, self->other_leaf));
	EXPECT_EQ(EROFS, run_in(self->leaf, clone_into, self->sibling));
	EXPECT_EQ(0, run_in(self->other_leaf, clone_into, self->leaf));
}

/* To the parent and back, which in a threaded subtree may have processes. */
TEST_F(seal, no_clone_to_parent)
{
	char *top = self->tree.top, *child = self->tree.child;
	struct actor actor;

	ASSERT_EQ(0, make_threaded(child));
	ASSERT_EQ(0, make_threaded(self->leaf));
	ASSERT_EQ(0, enable_controller(child));
	ASSERT_TRUE(start(&actor, top, clone_into, top));
	ASSERT_EQ(0, move_to(child, actor.pid));
	EXPECT_EQ(0, finish(&actor));
	ASSERT_EQ(0, set_seal(child));
	ASSERT_TRUE(start(&actor, top, clone_into, top));
	ASSERT_EQ(0, move_to(child, actor.pid));
	EXPECT_EQ(EROFS, finish(&actor));
	ASSERT_TRUE(start(&actor, top, clone_into, self->leaf));
	ASSERT_EQ(0, move_to(child, actor.pid));
	EXPECT_EQ(0, finish(&actor));
	ASSERT_TRUE(start(&actor, top, clone_into, child));
	ASSERT_EQ(0, move_to(self->leaf, actor.pid));
	EXPECT_EQ(0, finish(&actor));
}

/* Other processes, and other threads, come about as ever. */
static int make_others(void *arg)
{
	pthread_t thread;
	int status;
	pid_t pid = fork();

	(void)arg;
	if (!pid)
		_exit(0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		return BROKEN;
	pid = vfork();
	if (!pid)
		_exit(0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		return BROKEN + 1;
	board = make_board();
	set(&board->go, 1);
	if (pthread_create(&thread, NULL, wait_as_thread, NULL) ||
	    pthread_join(thread, NULL))
		return BROKEN + 2;
	return 0;
}

TEST_F(seal, fork_inside)
{
	ASSERT_EQ(0, set_seal(self->tree.child));
	EXPECT_EQ(0, run_in(self->tree.child, make_others, NULL));
	EXPECT_EQ(0, run_in(self->leaf, make_others, NULL));
}

#ifdef __x86_64__
/* A thread that ends at once, without as much as a stack of its own. */
static int clone_thread_into(void *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP | CLONE_THREAD | CLONE_SIGHAND |
			 CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM,
		.cgroup = fd,
	};
	long ret;

	if (fd < 0)
		return BROKEN;
	asm volatile("syscall\n\t"
		     "test %0, %0\n\t"
		     "jnz 1f\n\t"
		     "xor %%edi, %%edi\n\t"
		     "mov %4, %%eax\n\t"
		     "syscall\n"
		     "1:"
		     : "=a" (ret)
		     : "0" ((long)SYS_clone3), "D" (&args), "S" (sizeof(args)),
		       "i" (SYS_exit)
		     : "rcx", "r11", "memory");
	close(fd);
	return ret < 0 ? -ret : 0;
}

TEST_F(seal, no_clone_of_thread_to_outside)
{
	const char *top = self->tree.top;
	char *child = self->tree.child;
	struct actor actor;

	ASSERT_EQ(0, make_threaded(child));
	ASSERT_EQ(0, make_threaded(self->leaf));
	ASSERT_EQ(0, make_threaded(self->sibling));
	ASSERT_TRUE(start(&actor, top, clone_thread_into, self->sibling));
	ASSERT_EQ(0, move_thread_to(child, actor.pid));
	EXPECT_EQ(0, finish(&actor));
	ASSERT_EQ(0, set_seal(child));
	ASSERT_TRUE(start(&actor, top, clone_thread_into, self->sibling));
	ASSERT_EQ(0, move_thread_to(child, actor.pid));
	EXPECT_EQ(EROFS, finish(&actor));
	ASSERT_TRUE(start(&actor, top, clone_thread_into, (void *)top));
	ASSERT_EQ(0, move_thread_to(child, actor.pid));
	EXPECT_EQ(EROFS, finish(&actor));
	ASSERT_TRUE(start(&actor, top, clone_thread_into, self->leaf));
	ASSERT_EQ(0, move_thread_to(child, actor.pid));
	EXPECT_EQ(0, finish(&actor));
	ASSERT_TRUE(start(&actor, top, clone_thread_into, child));
	EXPECT_EQ(0, finish(&actor));
}
#endif

/* --- the controller ------------------------------------------------------ */

static int control(const char *dir, const char *text)
{
	return write_text(dir, "cgroup.subtree_control", text);
}

TEST_F(seal, controller_stays_on)
{
	const char *top = self->tree.top, *child = self->tree.child;
	char deep[PATH_MAX + 16], before[256];
	struct actor actor;

	snprintf(deep, sizeof(deep), "%s/deep", self->leaf);
	ASSERT_EQ(0, mkdir(deep, 0755));
	ASSERT_EQ(0, attach(child, self->deny));
	ASSERT_EQ(0, enable_controller(child));
	ASSERT_EQ(0, enable_controller(self->leaf));
	ASSERT_EQ(0, control(CGROUPFS, "+pids"));
	ASSERT_EQ(0, control(top, "+pids"));
	ASSERT_TRUE(start(&actor, child, do_bind, NULL));
	ASSERT_EQ(0, set_seal(child));

	/* Below, in it, and above; the parent also has to keep it for these. */
	EXPECT_EQ(-EROFS, control(self->leaf, "-checmate"));
	EXPECT_NE(0, control(child, "-checmate"));
	EXPECT_NE(0, control(top, "-checmate"));
	EXPECT_NE(0, control(CGROUPFS, "-checmate"));
	EXPECT_EQ(0, rmdir(deep));
	EXPECT_EQ(-EROFS, control(self->leaf, "-checmate"));
	EXPECT_EQ(0, rmdir(self->leaf));
	EXPECT_EQ(-EROFS, control(child, "-checmate"));
	EXPECT_NE(0, control(top, "-checmate"));
	EXPECT_TRUE(is_sealed(child));
	EXPECT_EQ(EUSERS, finish(&actor));

	/* Nor together with others, of which then none is changed. */
	snprintf(before, sizeof(before), "%s",
		 read_text(child, "cgroup.subtree_control"));
	EXPECT_EQ(-EROFS, control(child, "+pids -checmate"));
	EXPECT_EQ(-EROFS, control(child, "-checmate +pids"));
	EXPECT_STREQ(before, read_text(child, "cgroup.subtree_control"));
	EXPECT_EQ(0, control(child, "+pids"));
	EXPECT_EQ(0, control(child, "-pids"));
	/* What is on may be turned on. */
	EXPECT_EQ(0, control(child, "+checmate"));
}

/* Where nothing below the sealed cgroup has it, it is its parent's alone. */
TEST_F(seal, controller_stays_on_in_parent)
{
	const char *top = self->tree.top, *child = self->tree.child;
	char before[256];

	ASSERT_EQ(0, attach(child, self->deny));
	ASSERT_EQ(0, set_seal(child));
	EXPECT_EQ(-EROFS, control(top, "-checmate"));
	ASSERT_EQ(0, control(CGROUPFS, "+pids"));
	ASSERT_EQ(0, control(top, "+pids"));
	snprintf(before, sizeof(before), "%s",
		 read_text(top, "cgroup.subtree_control"));
	EXPECT_EQ(-EROFS, control(top, "-checmate -pids"));
	EXPECT_EQ(-EROFS, control(top, "-pids -checmate"));
	EXPECT_STREQ(before, read_text(top, "cgroup.subtree_control"));
	EXPECT_TRUE(is_sealed(child));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));

	/* Elsewhere, and once it is gone, it may go. */
	ASSERT_EQ(0, enable_controller(self->sibling));
	EXPECT_EQ(0, control(self->sibling, "-checmate"));
	ASSERT_EQ(0, rmdir(self->leaf));
	ASSERT_EQ(0, rmdir(child));
	EXPECT_EQ(0, control(top, "-checmate"));
}

/* The seal of an ancestor is on what is below that as well. */
TEST_F(seal, controller_stays_on_below_ancestor)
{
	ASSERT_EQ(0, enable_controller(self->tree.child));
	ASSERT_EQ(0, set_seal(self->tree.top));
	EXPECT_EQ(-EROFS, control(self->tree.child, "-checmate"));
	ASSERT_EQ(0, rmdir(self->leaf));
	EXPECT_EQ(-EROFS, control(self->tree.child, "-checmate"));
}

/* Nor can another hierarchy take it away: it is made for this one only. */
TEST_F(seal, controller_stays_in_hierarchy)
{
	char dir[] = "/tmp/seal.XXXXXX";

	ASSERT_EQ(0, set_seal(self->tree.child));
	ASSERT_NE(NULL, mkdtemp(dir));
	EXPECT_EQ(-1, mount("none", dir, "cgroup", 0, "checmate"));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_TRUE(is_sealed(self->tree.child));
	rmdir(dir);
}

/* --- its end ------------------------------------------------------------- */

TEST_F(seal, removal)
{
	const char *child = self->tree.child;
	__u32 id = prog_id(self->deny);
	struct actor actor;

	ASSERT_EQ(0, attach(child, self->deny));
	ASSERT_EQ(0, rmdir(self->leaf));
	ASSERT_TRUE(start(&actor, child, do_nothing, NULL));
	ASSERT_EQ(0, set_seal(child));
	EXPECT_EQ(-1, rmdir(child));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(0, finish(&actor));
	ASSERT_EQ(0, rmdir(child));
	close(self->deny);
	self->deny = -1;
	EXPECT_TRUE(prog_goes(id));

	/* Whatever has its name now is another cgroup. */
	ASSERT_EQ(0, mkdir(child, 0755));
	EXPECT_FALSE(is_sealed(child));
	EXPECT_STREQ("generation 0\n", read_text(child, "checmate.policy"));
	EXPECT_EQ(0, run_in(child, do_join, self->sibling));
	EXPECT_EQ(0, run_in(child, clone_into, self->sibling));
}

TEST_F(seal, freezing_and_killing)
{
	const char *child = self->tree.child;
	struct actor actor;
	int status;

	ASSERT_TRUE(start(&actor, child, do_nothing, NULL));
	ASSERT_EQ(0, set_seal(child));
	EXPECT_EQ(0, write_text(child, "cgroup.freeze", "1"));
	EXPECT_EQ(0, write_text(child, "cgroup.freeze", "0"));
	EXPECT_EQ(0, write_text(child, "cgroup.kill", "1"));
	ASSERT_EQ(actor.pid, waitpid(actor.pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	close(actor.channel);
}

static int hand_out_socket(void *channel)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 || send_fd(*(int *)channel, fd) ? BROKEN : 0;
}

TEST_F(seal, socket_handed_out)
{
	const char *child = self->tree.child;
	int channel[2], fd;

	ASSERT_EQ(0, attach(child, self->deny));
	ASSERT_EQ(0, set_seal(child));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, channel));
	ASSERT_EQ(0, run_in(child, hand_out_socket, &channel[1]));
	fd = receive_fd(channel[0]);
	ASSERT_LE(0, fd);
	EXPECT_EQ(EUSERS, bind_fd(fd));
	/* Its cgroup gone, it still is. */
	ASSERT_EQ(0, rmdir(self->leaf));
	ASSERT_EQ(0, rmdir(child));
	EXPECT_EQ(EUSERS, bind_fd(fd));
	close(fd);
	close(channel[0]);
	close(channel[1]);
}

/* --- staging ------------------------------------------------------------- */

static int do_exec(void *arg)
{
	char *const argv[] = { "checmate-exec", NULL };

	(void)arg;
	execv("/proc/self/exe", argv);
	return errno;
}

/* The program that do_exec() runs is this one, which ends at once. */
static __attribute__((constructor)) void end_if_executed(int argc, char **argv)
{
	if (argc > 0 && !strcmp(argv[0], "checmate-exec"))
		_exit(0);
}

static int count_staged(const char *dir)
{
	const char *text = read_text(dir, "checmate.policy");
	int count = 0;

	while ((text = strstr(text, " staged\n"))) {
		count++;
		text++;
	}
	return count;
}

TEST_F(seal, staging_tightens)
{
	const char *child = self->tree.child;

	ASSERT_EQ(0, set_seal(child));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "when=exec\nattach %d\n",
			    self->deny));
	EXPECT_EQ(1, count_staged(child));
	EXPECT_EQ(0, run_in(child, do_bind, NULL));
	EXPECT_EQ(0, run_in(child, do_exec, NULL));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	EXPECT_EQ(-EROFS, WRITEF(child, "checmate.policy", "detach %llu\n",
				 nth_id(child, 0)));
}

TEST_F(seal, staging_does_not_loosen)
{
	const char *child = self->tree.child;
	int prog = load_mac("socket_create", EPERM);
	unsigned long long id;

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, attach(child, self->deny));
	id = nth_id(child, 0);
	ASSERT_EQ(0, set_seal(child));
	EXPECT_EQ(-EROFS, WRITEF(child, "checmate.policy",
				 "when=exec\ndetach %llu\n", id));
	EXPECT_EQ(-EROFS, WRITEF(child, "checmate.policy",
				 "when=exec\nclear\nattach %d\n", prog));
	EXPECT_EQ(-EROFS, WRITEF(child, "checmate.policy",
				 "when=exec\nmode %llu permissive\n", id));
	EXPECT_EQ(-EROFS, WRITEF(child, "checmate.policy",
				 "when=exec pid=%d\nattach %d\ndetach %llu\n",
				 getpid(), prog, id));
	EXPECT_EQ(0, count_staged(child));
	EXPECT_EQ(1, policy_generation(child));
	EXPECT_EQ(0, run_in(child, do_exec, NULL));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	close(prog);
}

/* What is going to be enforced cannot be called off either. */
TEST_F(seal, staged_stays_staged)
{
	const char *child = self->tree.child;
	int prog = load_mac("socket_create", EPERM);

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, set_seal(child));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "when=exec\nattach %d\n",
			    self->deny));
	EXPECT_EQ(-EROFS, WRITEF(child, "checmate.policy",
				 "when=exec\nattach %d\n", prog));
	EXPECT_EQ(-EROFS, write_text(child, "checmate.policy", "when=exec\n"));
	EXPECT_EQ(-EROFS, write_text(child, "checmate.policy", "clear"));
	EXPECT_EQ(1, count_staged(child));
	EXPECT_EQ(1, policy_generation(child));
	/* More may be attached meanwhile. */
	EXPECT_EQ(0, attach(child, prog));
	EXPECT_EQ(1, count_staged(child));
	EXPECT_EQ(0, run_in(child, do_exec, NULL));
	EXPECT_EQ(EPERM, run_in(child, do_socket, NULL));
	EXPECT_EQ(0, count_staged(child));
	close(prog);
}

/* The same for what was staged before the cgroup was sealed. */
TEST_F(seal, staged_before)
{
	const char *child = self->tree.child;

	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "when=exec\nattach %d\n",
			    self->deny));
	ASSERT_EQ(0, set_seal(child));
	EXPECT_EQ(-EROFS, write_text(child, "checmate.policy", "when=exec\n"));
	EXPECT_EQ(1, count_staged(child));
	EXPECT_EQ(0, run_in(child, do_exec, NULL));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
}

TEST_F(seal, staged_before_would_loosen)
{
	const char *child = self->tree.child;
	unsigned long long id;
	char text[3][64];
	size_t i;

	ASSERT_EQ(0, attach(child, self->deny));
	id = nth_id(child, 0);
	snprintf(text[0], sizeof(text[0]), "when=exec\ndetach %llu\n", id);
	snprintf(text[1], sizeof(text[1]), "when=exec\nmode %llu permissive\n",
		 id);
	snprintf(text[2], sizeof(text[2]), "when=exec\nclear\n");
	for (i = 0; i < ARRAY_LEN(text); i++) {
		ASSERT_EQ(0, write_text(child, "checmate.policy", text[i]));
		EXPECT_EQ(-EBUSY, set_seal(child)) {
			TH_LOG("%s", text[i]);
		}
		EXPECT_FALSE(is_sealed(child));
		EXPECT_EQ(0, run_in(child, do_join, self->sibling));
	}
	ASSERT_EQ(0, write_text(child, "checmate.policy", "when=exec\n"));
	EXPECT_EQ(0, set_seal(child));
}

/* No longer waited for by anyone, it goes as ever. */
TEST_F(seal, staged_for_process_that_dies)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	const char *child = self->tree.child;
	struct actor actor;
	int i;

	ASSERT_TRUE(start(&actor, child, do_nothing, NULL));
	ASSERT_EQ(0, set_seal(child));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "when=exec pid=%d\nattach %d\n", actor.pid,
			    self->deny));
	EXPECT_EQ(1, count_staged(child));
	EXPECT_EQ(0, finish(&actor));
	for (i = 0; i < 3000 && count_staged(child); i++)
		nanosleep(&pause, NULL);
	EXPECT_EQ(0, count_staged(child));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "when=exec\nattach %d\n",
			    self->deny));
	EXPECT_EQ(0, run_in(child, do_exec, NULL));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
}

/* In force only after the sealing, it is asked before those of before. */
TEST_F(seal, staged_before_armed_after)
{
	const char *child = self->tree.child;
	int judge = load_judge(), rewriter = load_rewriter();

	ASSERT_LE(0, judge);
	ASSERT_LE(0, rewriter);
	ASSERT_EQ(0, attach(child, judge));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "when=exec\nattach %d\n",
			    rewriter));
	ASSERT_EQ(0, set_seal(child));
	EXPECT_EQ(0, run_in(child, do_bind, NULL));
	EXPECT_EQ(0, run_in(child, do_exec, NULL));
	EXPECT_EQ(0, count_staged(child));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	close(judge);
	close(rewriter);
}

/* --- at the same time ---------------------------------------------------- */

#define ROUNDS	30

struct racer {
	const char *inside;
	const char *outside;
	/* Whom to move; 0 is oneself. */
	pid_t pid;
	int prog;
};

/*
 * Each of these tries, over and over, what is allowed until the cgroup is
 * sealed.  Tried after the seal is known to be set, it must not succeed.
 */
static int race(int (*attempt)(const struct racer *racer),
		int (*again)(const struct racer *racer),
		const struct racer *racer)
{
	int after = 0;

	while (after < 5) {
		int sealed = get(&board->sealed), err;

		err = attempt(racer);
		if (!err && sealed)
			add(&board->escapes, 1);
		if (err && err != -EROFS)
			return BROKEN;
		if (!err && again(racer))
			return BROKEN + 1;
		add(&board->tries, 1);
		after += sealed;
	}
	return 0;
}

static int move_out(const struct racer *racer)
{
	return move_to(racer->outside, racer->pid);
}

static int move_in(const struct racer *racer)
{
	return move_to(racer->inside, racer->pid);
}

static int race_by_moving(void *racer)
{
	return race(move_out, move_in, racer);
}

static int clone_out(const struct racer *racer)
{
	int err = clone_into((void *)racer->outside);

	return err >= BROKEN ? err : -err;
}

static int no_need(const struct racer *racer)
{
	(void)racer;
	return 0;
}

static int race_by_cloning(void *racer)
{
	return race(clone_out, no_need, racer);
}

static int detach_all(const struct racer *racer)
{
	return write_text(racer->inside, "checmate.policy", "clear");
}

static int attach_again(const struct racer *racer)
{
	return attach(racer->inside, racer->prog);
}

static int race_by_detaching(void *racer)
{
	return race(detach_all, attach_again, racer);
}

/*
 * Of those that were seen inside after the seal was set, none is seen outside
 * later.
 */
static bool stays_inside(const struct racer *racer, pid_t pid)
{
	bool seen = false;
	int i;

	for (i = 0; i < 50; i++) {
		if (is_in(racer->inside, pid))
			seen = true;
		else if (seen)
			return false;
	}
	return true;
}

TEST_F_TIMEOUT(seal, sealing_races_all_that_it_forbids, 300)
{
	struct racer racer = {
		.inside = self->tree.child, .outside = self->sibling,
		.prog = self->deny,
	};
	int round, tries = 0;
	size_t i;

	ASSERT_EQ(0, rmdir(self->leaf));
	board = make_board();
	for (round = 0; round < ROUNDS; round++) {
		struct actor moved, actor[5];
		struct racer other = racer;

		memset(board, 0, sizeof(*board));
		ASSERT_TRUE(start(&moved, racer.inside, do_nothing, NULL));
		other.pid = moved.pid;
		ASSERT_TRUE(start(&actor[0], racer.inside, race_by_moving,
				  &racer));
		ASSERT_TRUE(start(&actor[1], racer.inside, race_by_moving,
				  &racer));
		ASSERT_TRUE(start(&actor[2], CGROUPFS, race_by_moving, &other));
		ASSERT_TRUE(start(&actor[3], racer.inside, race_by_cloning,
				  &racer));
		ASSERT_TRUE(start(&actor[4], CGROUPFS, race_by_detaching,
				  &racer));
		for (i = 0; i < ARRAY_LEN(actor); i++)
			ASSERT_TRUE(let_go(&actor[i]));
		/* Set the seal at another moment in every round. */
		while (get(&board->tries) < 8 + 3 * (round % 10))
			sched_yield();
		ASSERT_EQ(0, set_seal(racer.inside));
		set(&board->sealed, 1);
		EXPECT_TRUE(stays_inside(&racer, moved.pid));
		for (i = 0; i < ARRAY_LEN(actor); i++)
			EXPECT_EQ(0, status_of(&actor[i])) {
				TH_LOG("round %d, racer %zu", round, i);
			}
		EXPECT_EQ(0, get(&board->escapes)) {
			TH_LOG("round %d", round);
		}
		tries += get(&board->tries);
		EXPECT_EQ(0, finish(&moved));
		ASSERT_EQ(0, rmdir(racer.inside));
		ASSERT_EQ(0, mkdir(racer.inside, 0755));
	}
	TH_LOG("%d rounds, %d attempts", ROUNDS, tries);
}

static int seal_when_told(void *dir)
{
	await(&board->go);
	return -set_seal(dir);
}

/* Either the seal is first and the controller stays, or there is no seal. */
TEST_F_TIMEOUT(seal, sealing_races_controller, 300)
{
	const char *top = self->tree.top;
	char *child = self->tree.child;
	int round, sealed = 0, i;

	ASSERT_EQ(0, rmdir(self->leaf));
	board = make_board();
	for (round = 0; round < 3 * ROUNDS; round++) {
		struct actor actor;
		int disabled, err;

		set(&board->go, 0);
		ASSERT_TRUE(start(&actor, CGROUPFS, seal_when_told, child));
		ASSERT_TRUE(let_go(&actor));
		set(&board->go, 1);
		for (i = 0; i < round % 30; i++)
			sched_yield();
		disabled = control(top, "-checmate");
		err = status_of(&actor);
		if (!err) {
			sealed++;
			EXPECT_EQ(-EROFS, disabled);
			EXPECT_TRUE(is_sealed(child));
			ASSERT_EQ(0, rmdir(child));
			ASSERT_EQ(0, mkdir(child, 0755));
		} else {
			EXPECT_TRUE(err == ENODEV || err == ENOENT) {
				TH_LOG("round %d: %d", round, err);
			}
			EXPECT_EQ(0, disabled);
			ASSERT_EQ(0, enable_controller(top));
			EXPECT_FALSE(is_sealed(child));
		}
	}
	TH_LOG("%d of %d times sealed", sealed, round);
}

TEST_HARNESS_MAIN
