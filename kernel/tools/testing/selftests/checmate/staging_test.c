// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Selftests: policies that take force with an exec
 *
 * What is executed is this program, under a name that makes it try to bind a
 * socket and end: its status tells that it was executed, and under which
 * policy.
 */

#include "actor.h"
#include "common.h"

#include <ftw.h>
#include <pthread.h>
#include <sys/sendfile.h>

#define EXEC_NAME	"checmate-exec"
#define EXECUTED	100

/* A descriptor that is not open, nor becomes it with the next file. */
#define CLOSED		1000

static __attribute__((constructor)) void end_if_executed(int argc, char **argv)
{
	/* Behind an interpreter's name it is the next argument. */
	if ((argc > 0 && !strcmp(argv[0], EXEC_NAME)) ||
	    (argc > 1 && !strcmp(argv[1], EXEC_NAME)))
		_exit(EXECUTED + do_bind(NULL));
}

static char *const exec_argv[] = { EXEC_NAME, NULL };

/* Returns only if the exec failed. */
static int do_exec(void *path)
{
	execv(path, exec_argv);
	return errno;
}

/* --- waiting ------------------------------------------------------------- */

static void short_pause(void)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	nanosleep(&pause, NULL);
}

#define WAIT_FOR(COND)							\
({									\
	bool _met;							\
	int _i;								\
									\
	for (_i = 0; !(_met = (COND)) && _i < 3000; _i++)		\
		short_pause();						\
	_met;								\
})

/* What processes tell each other without making a system call. */
struct board {
	int go;
	int turn;
	int answered;
	int answer;
	int count;
};

static struct board *make_board(void)
{
	return mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static void await(const int *word, int value)
{
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != value)
		sched_yield();
}

static void set(int *word, int value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* --- files --------------------------------------------------------------- */

static bool write_file(const char *path, mode_t mode, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return done;
}

/* A copy of this program. */
static bool fill_with_program(int to)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat stat;
	off_t done = 0;

	if (from < 0 || fstat(from, &stat))
		return false;
	while (done < stat.st_size)
		if (sendfile(to, from, &done, stat.st_size - done) <= 0)
			break;
	close(from);
	return done == stat.st_size;
}

static bool copy_program(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	bool done;

	if (fd < 0)
		return false;
	done = fill_with_program(fd);
	close(fd);
	return done;
}

static int remove_entry(const char *path, const struct stat *stat, int type,
			struct FTW *ftw)
{
	(void)stat;
	(void)type;
	(void)ftw;
	remove(path);
	return 0;
}

/* --- the transaction ----------------------------------------------------- */

static int stage(const char *dir, int prog)
{
	return WRITEF(dir, "checmate.policy", "when=exec\nattach %d\n", prog);
}

static int stage_pid(const char *dir, pid_t pid, int prog)
{
	return WRITEF(dir, "checmate.policy", "when=exec pid=%d\nattach %d\n",
		      pid, prog);
}

static int withdraw(const char *dir)
{
	return write_text(dir, "checmate.policy", "when=exec\n");
}

static int count_word(const char *text, const char *word)
{
	int count = 0;

	while ((text = strstr(text, word))) {
		text += strlen(word);
		count++;
	}
	return count;
}

static int count_staged(const char *dir)
{
	return count_word(read_text(dir, "checmate.policy"), " staged\n");
}

/* The programs of a policy that are not staged. */
static int count_armed(const char *dir)
{
	const char *text = read_text(dir, "checmate.policy");

	return count_lines(text) - 1 - count_word(text, " staged\n");
}

/* --- tasks --------------------------------------------------------------- */

static int status_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 255;
	return WEXITSTATUS(status);
}

static int finish(struct actor *actor)
{
	if (write(actor->channel, "", 1) != 1)
		return 254;
	close(actor->channel);
	return status_of(actor->pid);
}

/* Killed, and still there for whoever reaps it. */
static void kill_actor(struct actor *actor)
{
	siginfo_t info;

	kill(actor->pid, SIGKILL);
	waitid(P_PID, actor->pid, &info, WEXITED | WNOWAIT);
	close(actor->channel);
}

static char state_of(pid_t pid)
{
	char dir[64];
	const char *text;

	snprintf(dir, sizeof(dir), "/proc/%d", pid);
	text = strrchr(read_text(dir, "stat"), ')');
	return text ? text[2] : 0;
}

FIXTURE(staging)
{
	struct tree tree;
	/* Denies a bind() with EUSERS, an exec with EUSERS. */
	int deny_bind;
	int deny_exec;
	/* Two executable files with the same content, in a directory. */
	char dir[64];
	char program[PATH_MAX];
	char other[PATH_MAX];
};

FIXTURE_SETUP(staging)
{
	ASSERT_EQ(0, make_tree(&self->tree, "staging"));
	self->deny_bind = load_mac("socket_bind", EUSERS);
	ASSERT_LE(0, self->deny_bind);
	self->deny_exec = load_mac("bprm_check_security", EUSERS);
	ASSERT_LE(0, self->deny_exec);
	snprintf(self->dir, sizeof(self->dir), "/tmp/staging.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	snprintf(self->program, PATH_MAX, "%s/program", self->dir);
	snprintf(self->other, PATH_MAX, "%s/other", self->dir);
	ASSERT_TRUE(copy_program(self->program));
	ASSERT_TRUE(copy_program(self->other));
}

FIXTURE_TEARDOWN(staging)
{
	char path[PATH_MAX];

	if (self->deny_bind >= 0)
		close(self->deny_bind);
	if (self->deny_exec >= 0)
		close(self->deny_exec);
	snprintf(path, sizeof(path), "%s/mount", self->dir);
	umount2(path, MNT_DETACH);
	nftw(self->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	remove_tree(&self->tree);
}

/* --- what an exec does ---------------------------------------------------- */

TEST_F(staging, nothing_before_the_exec)
{
	const char *child = self->tree.child;
	struct actor actor;

	ASSERT_TRUE(start(&actor, child, do_bind, NULL));
	ASSERT_EQ(0, stage(child, self->deny_bind));
	EXPECT_EQ(0, run_in(child, do_bind, NULL));
	EXPECT_EQ(0, finish(&actor));
	EXPECT_EQ(1, count_staged(child));
	/* It is in no other file. */
	EXPECT_STREQ("", read_text(child, "checmate.effective"));
	EXPECT_STREQ("0\n", read_text(child, "checmate.socket_bind"));
	EXPECT_STREQ("", read_text(child, "checmate.stat"));
	EXPECT_STREQ("denied 0\npermissive 0\n",
		     read_text(child, "checmate.events"));
}

TEST_F(staging, in_force_after_the_exec)
{
	const char *child = self->tree.child;

	ASSERT_EQ(0, stage(child, self->deny_bind));
	EXPECT_EQ(EXECUTED + EUSERS, run_in(child, do_exec, self->program));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	EXPECT_EQ(0, run_in(self->tree.top, do_bind, NULL));
	EXPECT_EQ(0, count_staged(child));
	EXPECT_EQ(1, count_armed(child));
	EXPECT_EQ(1, count_lines(read_text(child, "checmate.effective")));
	EXPECT_STREQ("1\n", read_text(child, "checmate.socket_bind"));
}

/* The exec that arms a program is the first that it judges. */
static void try_judging(struct __test_metadata *_metadata,
			const struct tree *tree, char *program, int prog)
{
	const char *child = tree->child;

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, stage(child, prog));
	EXPECT_EQ(EXECUTED, run_in(tree->top, do_exec, program));
	EXPECT_EQ(1, count_staged(child));
	EXPECT_EQ(EUSERS, run_in(child, do_exec, program));
	EXPECT_EQ(0, count_staged(child));
	EXPECT_EQ(1, count_armed(child));
	EXPECT_STREQ("denied 1\npermissive 0\n",
		     read_text(child, "checmate.events.local"));
	EXPECT_EQ(EUSERS, run_in(child, do_exec, program));
	EXPECT_EQ(EXECUTED, run_in(tree->top, do_exec, program));
}

TEST_F(staging, file_open_judges_the_exec)
{
	int prog = load_mac("file_open", EUSERS);

	try_judging(_metadata, &self->tree, self->program, prog);
	EXPECT_EQ(EUSERS, run_in(self->tree.child, do_open, NULL));
	close(prog);
}

TEST_F(staging, bprm_check_judges_the_exec)
{
	try_judging(_metadata, &self->tree, self->program,
		    self->deny_exec);
}

TEST_F(staging, bprm_creds_judges_the_exec)
{
	int prog = load_cgroup("bprm_creds_for_exec", EUSERS);

	try_judging(_metadata, &self->tree, self->program, prog);
	close(prog);
}

/* It may sleep where it is asked, and it is armed by an exec all the same. */
TEST_F(staging, sleepable)
{
	const struct bpf_insn insn[] = { MOV_IMM(0, -EUSERS), EXIT() };
	int open = load_prog("file_open", BPF_LSM_MAC, BPF_F_SLEEPABLE, insn,
			     ARRAY_LEN(insn));
	int exec = load_prog("bprm_check_security", BPF_LSM_MAC,
			     BPF_F_SLEEPABLE, insn, ARRAY_LEN(insn));

	try_judging(_metadata, &self->tree, self->program, exec);
	ASSERT_EQ(0, write_text(self->tree.child, "checmate.policy", "clear"));
	ASSERT_EQ(0, stage(self->tree.child, open));
	EXPECT_EQ(EUSERS, run_in(self->tree.child, do_exec, self->program));
	EXPECT_EQ(EUSERS, run_in(self->tree.child, do_open, NULL));
	close(open);
	close(exec);
}

/* The policy of a cgroup goes for what is below it, whoever arms it there. */
TEST_F(staging, armed_from_below)
{
	ASSERT_EQ(0, stage(self->tree.top, self->deny_exec));
	EXPECT_EQ(EXECUTED, run_in(CGROUPFS, do_exec, self->program));
	EXPECT_EQ(EUSERS, run_in(self->tree.child, do_exec, self->program));
	EXPECT_EQ(0, count_staged(self->tree.top));
	EXPECT_EQ(EUSERS, run_in(self->tree.top, do_exec, self->program));
}

/* Also when what is below has no controller of its own. */
TEST_F(staging, armed_from_below_without_controller)
{
	char leaf[PATH_MAX + 8];

	snprintf(leaf, sizeof(leaf), "%s/leaf", self->tree.child);
	ASSERT_EQ(0, mkdir(leaf, 0755));
	ASSERT_EQ(0, stage(self->tree.child, self->deny_exec));
	EXPECT_EQ(EUSERS, run_in(leaf, do_exec, self->program));
	EXPECT_EQ(0, count_staged(self->tree.child));
	EXPECT_EQ(0, rmdir(leaf));
}

/* One exec arms all that wait for it, before any of it judges. */
TEST_F(staging, armed_in_two_cgroups)
{
	ASSERT_EQ(0, stage(self->tree.top, self->deny_bind));
	ASSERT_EQ(0, stage(self->tree.child, self->deny_exec));
	EXPECT_EQ(EUSERS, run_in(self->tree.child, do_exec, self->program));
	EXPECT_EQ(0, count_staged(self->tree.top));
	EXPECT_EQ(0, count_staged(self->tree.child));
	EXPECT_EQ(EUSERS, run_in(self->tree.top, do_bind, NULL));
}

TEST_F(staging, pid_armed_in_two_cgroups)
{
	struct actor actor;

	ASSERT_TRUE(start(&actor, self->tree.child, do_exec, self->program));
	ASSERT_EQ(0, stage_pid(self->tree.top, actor.pid, self->deny_bind));
	ASSERT_EQ(0, stage_pid(self->tree.child, actor.pid, self->deny_exec));
	EXPECT_EQ(EUSERS, finish(&actor));
	EXPECT_EQ(0, count_staged(self->tree.top));
	EXPECT_EQ(0, count_staged(self->tree.child));
	EXPECT_EQ(EUSERS, run_in(self->tree.top, do_bind, NULL));
}

/* --- which process ------------------------------------------------------- */

TEST_F(staging, pid_others_do_not_arm)
{
	const char *child = self->tree.child;
	struct actor actor;

	ASSERT_TRUE(start(&actor, child, do_exec, self->program));
	ASSERT_EQ(0, stage_pid(child, actor.pid, self->deny_bind));
	EXPECT_EQ(EXECUTED, run_in(child, do_exec, self->program));
	EXPECT_EQ(1, count_staged(child));
	EXPECT_EQ(EXECUTED + EUSERS, finish(&actor));
	EXPECT_EQ(0, count_staged(child));
	EXPECT_EQ(EXECUTED + EUSERS, run_in(child, do_exec, self->program));
}

TEST_F(staging, pid_of_nobody)
{
	const char *child = self->tree.child;
	struct actor actor;

	ASSERT_TRUE(start(&actor, child, do_bind, NULL));
	EXPECT_EQ(0, finish(&actor));
	EXPECT_EQ(-ESRCH, stage_pid(child, actor.pid, self->deny_bind));
	EXPECT_EQ(-ESRCH, stage_pid(child, INT_MAX, self->deny_bind));
	EXPECT_EQ(0, count_staged(child));
	EXPECT_EQ(0, policy_generation(child));
}

static struct board *board;

/* The same from a thread; the process ends with it. */
static void *thread_exec(void *path)
{
	set(&board->turn, syscall(SYS_gettid));
	await(&board->go, 1);
	_exit(do_exec(path));
}

static int exec_by_thread(void *path)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, thread_exec, path))
		return BROKEN;
	pthread_join(thread, NULL);
	return BROKEN;
}

static int exec_by_thread_alone(void *path)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, thread_exec, path))
		return BROKEN;
	/* The thread lives on, and with it the process. */
	syscall(SYS_exit, 0);
	return BROKEN;
}

TEST_F(staging, pid_armed_by_thread)
{
	const char *child = self->tree.child;
	struct actor actor;
	int tid;

	board = make_board();
	ASSERT_TRUE(start(&actor, child, exec_by_thread, self->program));
	ASSERT_EQ(1, write(actor.channel, "", 1));
	ASSERT_TRUE(WAIT_FOR((tid = board->turn)));
	ASSERT_NE(actor.pid, tid);
	/* A thread is not a process. */
	EXPECT_EQ(-ESRCH, stage_pid(child, tid, self->deny_bind));
	/* Which is told before the generation is looked at. */
	EXPECT_EQ(-ESRCH, WRITEF(child, "checmate.policy",
				 "generation 1000\nwhen=exec pid=%d\nattach %d\n",
				 tid, self->deny_bind));
	EXPECT_EQ(0, count_staged(child));
	ASSERT_EQ(0, stage_pid(child, actor.pid, self->deny_bind));
	set(&board->go, 1);
	EXPECT_EQ(EXECUTED + EUSERS, status_of(actor.pid));
	EXPECT_EQ(0, count_staged(child));
	close(actor.channel);
}

TEST_F(staging, pid_armed_by_thread_after_leader)
{
	const char *child = self->tree.child;
	struct actor actor;

	board = make_board();
	ASSERT_TRUE(start(&actor, child, exec_by_thread_alone, self->program));
	ASSERT_EQ(1, write(actor.channel, "", 1));
	ASSERT_TRUE(WAIT_FOR(state_of(actor.pid) == 'Z'));
	ASSERT_EQ(0, stage_pid(child, actor.pid, self->deny_bind));
	set(&board->go, 1);
	EXPECT_EQ(EXECUTED + EUSERS, status_of(actor.pid));
	EXPECT_EQ(0, count_staged(child));
	close(actor.channel);
}

/* The child of a vfork() shares all but its being a process. */
static int exec_in_vfork(void *path)
{
	pid_t pid = vfork();

	if (!pid)
		_exit(do_exec(path));
	return status_of(pid);
}

static int exec_in_vfork_first(void *path)
{
	if (exec_in_vfork(path) != EXECUTED || do_bind(NULL))
		return BROKEN;
	return do_exec(path);
}

TEST_F(staging, pid_not_armed_by_vfork)
{
	struct actor actor;

	ASSERT_TRUE(start(&actor, self->tree.child, exec_in_vfork_first,
			  self->program));
	ASSERT_EQ(0, stage_pid(self->tree.child, actor.pid, self->deny_bind));
	EXPECT_EQ(EXECUTED + EUSERS, finish(&actor));
}

TEST_F(staging, armed_by_vfork)
{
	ASSERT_EQ(0, stage(self->tree.child, self->deny_bind));
	EXPECT_EQ(EXECUTED + EUSERS,
		  run_in(self->tree.child, exec_in_vfork, self->program));
	EXPECT_EQ(0, count_staged(self->tree.child));
}

struct namespace_args {
	const char *dir;
	char *program;
	int prog;
};

/* In a new pid namespace: the writer is 1, whom it stages for is 2. */
static int stage_in_namespace(const struct namespace_args *args, pid_t outside)
{
	struct actor actor;

	if (!start(&actor, args->dir, do_exec, args->program) ||
	    actor.pid != 2)
		return BROKEN;
	/* Whom others know by this number is nobody here. */
	if (stage_pid(args->dir, outside, args->prog) != -ESRCH)
		return BROKEN + 1;
	if (stage_pid(args->dir, actor.pid, args->prog))
		return BROKEN + 2;
	return finish(&actor);
}

static int enter_namespace(void *arg)
{
	pid_t outside = getpid(), pid;

	if (unshare(CLONE_NEWPID))
		return BROKEN;
	pid = fork();
	if (!pid)
		_exit(stage_in_namespace(arg, outside));
	return status_of(pid);
}

TEST_F(staging, pid_in_namespace_of_writer)
{
	struct namespace_args args = {
		.dir = self->tree.child, .program = self->program,
		.prog = self->deny_bind,
	};

	EXPECT_EQ(EXECUTED + EUSERS, run_in(CGROUPFS, enter_namespace, &args));
	EXPECT_EQ(0, count_staged(self->tree.child));
}

static int exec_in_namespace(void *path)
{
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		return BROKEN;
	pid = fork();
	if (!pid) {
		set(&board->turn, getpid());
		await(&board->go, 1);
		_exit(do_exec(path));
	}
	return status_of(pid);
}

/* From outside it is the number that is known there that counts. */
TEST_F(staging, pid_in_other_namespace)
{
	const char *child = self->tree.child, *text;
	struct actor actor;
	int pid;

	board = make_board();
	ASSERT_TRUE(start(&actor, child, exec_in_namespace, self->program));
	ASSERT_EQ(1, write(actor.channel, "", 1));
	ASSERT_TRUE(WAIT_FOR(board->turn));
	EXPECT_EQ(1, board->turn);
	text = read_text(child, "cgroup.procs");
	pid = atoi(text);
	if (pid == actor.pid)
		pid = atoi(strchr(text, '\n') + 1);
	ASSERT_LT(1, pid);
	ASSERT_EQ(0, stage_pid(child, pid, self->deny_bind));
	set(&board->go, 1);
	EXPECT_EQ(EXECUTED + EUSERS, status_of(actor.pid));
	close(actor.channel);
}

/* --- which exec ---------------------------------------------------------- */

TEST_F(staging, script_is_one_exec)
{
	const char *child = self->tree.child;
	int map = make_counters();
	int count = load_counter("bprm_creds_for_exec", BPF_LSM_MAC, map, 0, 0);
	char script[PATH_MAX], text[PATH_MAX + 32];

	ASSERT_LE(0, count);
	snprintf(script, sizeof(script), "%s/script", self->dir);
	snprintf(text, sizeof(text), "#!%s " EXEC_NAME "\n", self->program);
	ASSERT_TRUE(write_file(script, 0755, text));
	EXPECT_EQ(EXECUTED, run_in(child, do_exec, script));

	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "when=exec\nattach %d\nattach %d\n", count,
			    self->deny_bind));
	EXPECT_EQ(EXECUTED + EUSERS, run_in(child, do_exec, script));
	EXPECT_EQ(2, policy_generation(child));
	EXPECT_EQ(0, count_staged(child));
	EXPECT_EQ(1, counter(map, 0));
	close(count);
	close(map);
}

/* It is with the script that it is armed, not with the interpreter. */
TEST_F(staging, script_is_judged_itself)
{
	const char *child = self->tree.child;
	int prog = load_mac("file_open", EUSERS);
	char script[PATH_MAX];

	ASSERT_LE(0, prog);
	snprintf(script, sizeof(script), "%s/script", self->dir);
	ASSERT_TRUE(write_file(script, 0755, "#!/nowhere/at/all\n"));
	EXPECT_EQ(ENOENT, run_in(child, do_exec, script));
	ASSERT_EQ(0, stage(child, prog));
	EXPECT_EQ(EUSERS, run_in(child, do_exec, script));
	EXPECT_EQ(0, count_staged(child));
	close(prog);
}

/* Not opened, not armed. */
TEST_F(staging, not_armed_by_exec_that_opens_nothing)
{
	const char *child = self->tree.child;
	char path[PATH_MAX], mount_dir[PATH_MAX];

	ASSERT_EQ(0, stage(child, self->deny_bind));

	snprintf(path, sizeof(path), "%s/nowhere", self->dir);
	EXPECT_EQ(ENOENT, run_in(child, do_exec, path));
	EXPECT_EQ(1, count_staged(child));

	snprintf(path, sizeof(path), "%s/program/below", self->dir);
	EXPECT_EQ(ENOTDIR, run_in(child, do_exec, path));
	EXPECT_EQ(1, count_staged(child));

	EXPECT_EQ(EACCES, run_in(child, do_exec, self->dir));
	EXPECT_EQ(1, count_staged(child));

	snprintf(path, sizeof(path), "%s/loop", self->dir);
	ASSERT_EQ(0, symlink("loop", path));
	EXPECT_EQ(ELOOP, run_in(child, do_exec, path));
	EXPECT_EQ(1, count_staged(child));

	snprintf(path, sizeof(path), "%s/mode", self->dir);
	ASSERT_TRUE(copy_program(path));
	ASSERT_EQ(0, chmod(path, 0644));
	EXPECT_EQ(EACCES, run_in(child, do_exec, path));
	EXPECT_EQ(1, count_staged(child));

	snprintf(mount_dir, sizeof(mount_dir), "%s/mount", self->dir);
	ASSERT_EQ(0, mkdir(mount_dir, 0755));
	ASSERT_EQ(0, mount("none", mount_dir, "tmpfs", MS_NOEXEC, NULL));
	snprintf(path, sizeof(path), "%s/mount/program", self->dir);
	ASSERT_TRUE(copy_program(path));
	EXPECT_EQ(EACCES, run_in(child, do_exec, path));
	EXPECT_EQ(1, count_staged(child));

	EXPECT_EQ(1, policy_generation(child));
	EXPECT_EQ(EXECUTED + EUSERS, run_in(child, do_exec, self->program));
	EXPECT_EQ(0, count_staged(child));
}

static int exec_without_arguments(void *path)
{
	syscall(SYS_execve, path, 8, NULL);
	return errno;
}

/* Once it is open, it does not matter how the exec ends. */
TEST_F(staging, armed_by_exec_that_fails_later)
{
	const char *child = self->tree.child;
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/junk", self->dir);
	ASSERT_TRUE(write_file(path, 0755, "\1\2\3\4 no program\n"));
	ASSERT_EQ(0, stage(child, self->deny_bind));
	EXPECT_EQ(ENOEXEC, run_in(child, do_exec, path));
	EXPECT_EQ(0, count_staged(child));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	ASSERT_EQ(0, write_text(child, "checmate.policy", "clear"));

	ASSERT_EQ(0, stage(child, self->deny_bind));
	EXPECT_EQ(EFAULT, run_in(child, exec_without_arguments, self->program));
	EXPECT_EQ(0, count_staged(child));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	ASSERT_EQ(0, write_text(child, "checmate.policy", "clear"));

	fd = open(self->program, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, stage(child, self->deny_bind));
	EXPECT_EQ(ETXTBSY, run_in(child, do_exec, self->program));
	EXPECT_EQ(0, count_staged(child));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	close(fd);
}

/* Nor by one that is not let through to the file. */
TEST_F(staging, not_armed_by_exec_denied_on_the_way)
{
	const char *child = self->tree.child;
	int prog = load_mac("inode_permission", EUSERS);

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, attach(child, prog));
	ASSERT_EQ(0, stage(child, self->deny_bind));
	EXPECT_EQ(EUSERS, run_in(child, do_exec, self->program));
	EXPECT_EQ(1, count_staged(child));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "detach %llu\n",
			    nth_id(child, 0)));
	EXPECT_EQ(EXECUTED + EUSERS, run_in(child, do_exec, self->program));
	close(prog);
}

/* Who opens the file for exec has armed it, whatever others say to that. */
TEST_F(staging, armed_by_exec_that_others_deny)
{
	const char *child = self->tree.child;
	int prog = load_mac("file_open", EPERM);

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, attach(child, prog));
	ASSERT_EQ(0, stage(child, self->deny_bind));
	EXPECT_EQ(EPERM, run_in(child, do_exec, self->program));
	EXPECT_EQ(0, count_staged(child));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	close(prog);
}

static int exec_fd(void *fd)
{
	execveat(*(int *)fd, "", exec_argv, environ, AT_EMPTY_PATH);
	return errno;
}

static int exec_fd_by_libc(void *fd)
{
	fexecve(*(int *)fd, exec_argv, environ);
	return errno;
}

struct at {
	int dir;
	const char *name;
};

static int exec_at(void *arg)
{
	const struct at *at = arg;

	execveat(at->dir, at->name, exec_argv, environ, 0);
	return errno;
}

TEST_F(staging, armed_by_execveat)
{
	const char *child = self->tree.child;
	int fd = open(self->program, O_RDONLY | O_CLOEXEC);
	int path = open(self->program, O_PATH | O_CLOEXEC);
	struct at at = {
		.dir = open(self->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		.name = "program",
	};
	const struct {
		int (*deed)(void *arg);
		void *arg;
	} cases[] = {
		{ exec_fd, &fd }, { exec_fd_by_libc, &fd },
		{ exec_fd, &path }, { exec_at, &at },
	};
	size_t i;

	ASSERT_LE(0, fd);
	ASSERT_LE(0, path);
	ASSERT_LE(0, at.dir);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		ASSERT_EQ(0, stage(child, self->deny_bind));
		EXPECT_EQ(EXECUTED + EUSERS,
			  run_in(child, cases[i].deed, cases[i].arg)) {
			TH_LOG("case %zu", i);
		}
		EXPECT_EQ(0, count_staged(child));
		ASSERT_EQ(0, write_text(child, "checmate.policy", "clear"));

		ASSERT_EQ(0, stage(child, self->deny_exec));
		EXPECT_EQ(EUSERS, run_in(child, cases[i].deed, cases[i].arg)) {
			TH_LOG("case %zu", i);
		}
		ASSERT_EQ(0, write_text(child, "checmate.policy", "clear"));
	}
	close(fd);
	close(path);
	close(at.dir);
}

TEST_F(staging, armed_by_exec_of_memfd)
{
	const char *child = self->tree.child;
	int fd = memfd_create("program", MFD_CLOEXEC);
	char path[64];
	int readable;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(fill_with_program(fd));
	/* Nobody may have it open for writing. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	readable = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, readable);
	close(fd);
	EXPECT_EQ(EXECUTED, run_in(child, exec_fd, &readable));
	ASSERT_EQ(0, stage(child, self->deny_bind));
	EXPECT_EQ(EXECUTED + EUSERS, run_in(child, exec_fd, &readable));
	EXPECT_EQ(0, count_staged(child));
	ASSERT_EQ(0, write_text(child, "checmate.policy", "clear"));
	ASSERT_EQ(0, stage(child, self->deny_exec));
	EXPECT_EQ(EUSERS, run_in(child, exec_fd, &readable));
	close(readable);
}

/* --- except -------------------------------------------------------------- */

static int stage_except(const char *dir, const char *file, int flags, int prog)
{
	int fd = open(file, flags | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = WRITEF(dir, "checmate.policy", "when=exec except=%d\nattach %d\n",
		     fd, prog);
	/* The descriptor itself is not needed anymore. */
	close(fd);
	return err;
}

TEST_F(staging, except)
{
	const char *child = self->tree.child;
	char link_path[PATH_MAX];

	snprintf(link_path, sizeof(link_path), "%s/link", self->dir);
	ASSERT_EQ(0, link(self->other, link_path));
	ASSERT_EQ(0, stage_except(child, self->other, O_RDONLY,
				  self->deny_bind));
	/* Executed, with its ELF interpreter, and by another name. */
	EXPECT_EQ(EXECUTED, run_in(child, do_exec, self->other));
	EXPECT_EQ(EXECUTED, run_in(child, do_exec, link_path));
	EXPECT_EQ(1, count_staged(child));
	EXPECT_EQ(EXECUTED + EUSERS, run_in(child, do_exec, self->program));
	EXPECT_EQ(0, count_staged(child));
	/* From now on it is judged like any other. */
	EXPECT_EQ(EXECUTED + EUSERS, run_in(child, do_exec, self->other));
}

/* Removed meanwhile, it is the file that counts and not its name. */
TEST_F(staging, except_removed_file)
{
	const char *child = self->tree.child;
	int fd = open(self->other, O_RDONLY | O_CLOEXEC);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "when=exec except=%d\nattach %d\n", fd,
			    self->deny_bind));
	ASSERT_EQ(0, unlink(self->other));
	ASSERT_TRUE(copy_program(self->other));
	EXPECT_EQ(EXECUTED, run_in(child, exec_fd, &fd));
	EXPECT_EQ(1, count_staged(child));
	EXPECT_EQ(EXECUTED + EUSERS, run_in(child, do_exec, self->other));
	EXPECT_EQ(0, count_staged(child));
	close(fd);
}

/* A supervisor may hold its helper without having opened it. */
TEST_F(staging, except_path_descriptor)
{
	const char *child = self->tree.child;

	ASSERT_EQ(0, stage_except(child, self->other, O_PATH, self->deny_bind));
	EXPECT_EQ(EXECUTED, run_in(child, do_exec, self->other));
	EXPECT_EQ(1, count_staged(child));
	EXPECT_EQ(EXECUTED + EUSERS, run_in(child, do_exec, self->program));
}

TEST_F(staging, except_pid)
{
	const char *child = self->tree.child;
	struct actor other, actor;
	int fd = open(self->other, O_RDONLY | O_CLOEXEC);

	ASSERT_LE(0, fd);
	ASSERT_TRUE(start(&other, child, do_exec, self->other));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "when=exec pid=%d except=%d\nattach %d\n",
			    other.pid, fd, self->deny_bind));
	EXPECT_EQ(EXECUTED, finish(&other));
	EXPECT_TRUE(WAIT_FOR(count_staged(child) == 0));

	ASSERT_TRUE(start(&actor, child, do_exec, self->program));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "when=exec pid=%d except=%d\nattach %d\n",
			    actor.pid, fd, self->deny_bind));
	EXPECT_EQ(EXECUTED + EUSERS, finish(&actor));
	close(fd);
}

/* Neither the script nor its interpreter arms; as interpreter it does not. */
TEST_F(staging, except_script)
{
	const char *child = self->tree.child;
	char script[PATH_MAX], text[PATH_MAX + 32];

	snprintf(script, sizeof(script), "%s/script", self->dir);
	snprintf(text, sizeof(text), "#!%s " EXEC_NAME "\n", self->other);
	ASSERT_TRUE(write_file(script, 0755, text));
	ASSERT_EQ(0, stage_except(child, script, O_RDONLY, self->deny_bind));
	EXPECT_EQ(EXECUTED, run_in(child, do_exec, script));
	EXPECT_EQ(1, count_staged(child));

	/* A script with an interpreter that is excepted is not excepted. */
	ASSERT_EQ(0, stage_except(child, self->other, O_RDONLY,
				  self->deny_bind));
	EXPECT_EQ(EXECUTED + EUSERS, run_in(child, do_exec, script));
	EXPECT_EQ(0, count_staged(child));
}

/* One exec opens two files here, and both are the one that is excepted. */
TEST_F(staging, except_on_overlay)
{
	const char *child = self->tree.child;
	char merged[PATH_MAX], option[4 * PATH_MAX], path[PATH_MAX];
	static const char *const dirs[] = { "mount", "lower", "upper", "work" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s", self->dir, dirs[i]);
		ASSERT_EQ(0, mkdir(path, 0755));
	}
	snprintf(path, sizeof(path), "%s/lower/other", self->dir);
	ASSERT_TRUE(copy_program(path));
	snprintf(path, sizeof(path), "%s/lower/program", self->dir);
	ASSERT_TRUE(copy_program(path));
	snprintf(merged, sizeof(merged), "%s/mount", self->dir);
	snprintf(option, sizeof(option),
		 "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work",
		 self->dir, self->dir, self->dir);
	if (mount("none", merged, "overlay", 0, option))
		SKIP(return, "no overlay: %s", strerror(errno));

	snprintf(path, sizeof(path), "%s/mount/other", self->dir);
	ASSERT_EQ(0, stage_except(child, path, O_RDONLY, self->deny_bind));
	EXPECT_EQ(EXECUTED, run_in(child, do_exec, path));
	EXPECT_EQ(1, count_staged(child));
	/* Copied up, it is still the same file. */
	ASSERT_EQ(0, chmod(path, 0700));
	EXPECT_EQ(EXECUTED, run_in(child, do_exec, path));
	EXPECT_EQ(1, count_staged(child));
	snprintf(path, sizeof(path), "%s/mount/program", self->dir);
	EXPECT_EQ(EXECUTED + EUSERS, run_in(child, do_exec, path));
	EXPECT_EQ(0, count_staged(child));
}

/*
 * The thread takes the leader's place with its exec, and the leader goes; the
 * process remains, and what waits for its next exec with it.
 */
static void *thread_exec_twice(void *paths)
{
	char *const argv[] = { "checmate-again", ((char **)paths)[1], NULL };

	await(&board->go, 1);
	execv(((char **)paths)[0], argv);
	_exit(errno);
}

static __attribute__((constructor)) void exec_again(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[0], "checmate-again"))
		_exit(do_bind(NULL) ?: do_exec(argv[1]));
}

static int exec_by_thread_twice(void *paths)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, thread_exec_twice, paths))
		return BROKEN;
	pthread_join(thread, NULL);
	return BROKEN;
}

TEST_F(staging, except_executed_by_thread)
{
	const char *child = self->tree.child;
	char *paths[2] = { self->other, self->program };
	int fd = open(self->other, O_RDONLY | O_CLOEXEC);
	struct actor actor;

	ASSERT_LE(0, fd);
	board = make_board();
	ASSERT_TRUE(start(&actor, child, exec_by_thread_twice, paths));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "when=exec pid=%d except=%d\nattach %d\n",
			    actor.pid, fd, self->deny_bind));
	set(&board->go, 1);
	EXPECT_EQ(EXECUTED + EUSERS, finish(&actor));
	EXPECT_EQ(0, count_staged(child));
	close(fd);
}

TEST_F(staging, except_not_open)
{
	const char *child = self->tree.child;

	EXPECT_EQ(-EBADF, WRITEF(child, "checmate.policy",
				 "when=exec except=%d\nattach %d\n", CLOSED,
				 self->deny_bind));
	EXPECT_EQ(0, count_staged(child));
	EXPECT_EQ(0, policy_generation(child));
}

/* --- how it ends --------------------------------------------------------- */

TEST_F(staging, dropped_with_the_process)
{
	const char *child = self->tree.child;
	__u32 id = prog_id(self->deny_bind);
	struct actor actor;

	ASSERT_TRUE(start(&actor, child, do_exec, self->program));
	ASSERT_EQ(0, stage_pid(child, actor.pid, self->deny_bind));
	close(self->deny_bind);
	self->deny_bind = -1;
	kill_actor(&actor);
	/* Dead, and not gone as long as nobody has reaped it. */
	EXPECT_EQ(1, count_staged(child));
	EXPECT_EQ(1, policy_generation(child));
	ASSERT_EQ(actor.pid, waitpid(actor.pid, NULL, 0));
	EXPECT_TRUE(WAIT_FOR(count_staged(child) == 0));
	EXPECT_EQ(2, policy_generation(child));
	EXPECT_TRUE(prog_goes(id));
}

TEST_F(staging, dropped_with_a_process_that_ends)
{
	const char *child = self->tree.child;
	struct actor actor;

	ASSERT_TRUE(start(&actor, child, do_bind, NULL));
	ASSERT_EQ(0, stage_pid(child, actor.pid, self->deny_exec));
	EXPECT_EQ(0, finish(&actor));
	EXPECT_TRUE(WAIT_FOR(count_staged(child) == 0));
	EXPECT_EQ(EXECUTED, run_in(child, do_exec, self->program));
}

TEST_F(staging, dropped_with_the_cgroup)
{
	__u32 id = prog_id(self->deny_bind);
	struct actor actor;

	ASSERT_EQ(0, stage(self->tree.child, self->deny_bind));
	close(self->deny_bind);
	self->deny_bind = -1;
	ASSERT_EQ(0, rmdir(self->tree.child));
	EXPECT_TRUE(prog_goes(id));

	/* The same while the process lives, elsewhere. */
	ASSERT_EQ(0, mkdir(self->tree.child, 0755));
	EXPECT_EQ(0, count_staged(self->tree.child));
	close(self->deny_exec);
	ASSERT_TRUE(start(&actor, CGROUPFS, do_exec, self->program));
	self->deny_exec = load_mac("bprm_check_security", EUSERS);
	id = prog_id(self->deny_exec);
	ASSERT_EQ(0, stage_pid(self->tree.child, actor.pid, self->deny_exec));
	close(self->deny_exec);
	self->deny_exec = -1;
	ASSERT_EQ(0, rmdir(self->tree.child));
	EXPECT_TRUE(prog_goes(id));
	EXPECT_EQ(EXECUTED, finish(&actor));
}

TEST_F(staging, dropped_with_the_controller)
{
	struct actor actor;
	__u32 id;

	/* An actor must not have the program open. */
	close(self->deny_exec);
	ASSERT_TRUE(start(&actor, self->tree.child, do_exec, self->program));
	self->deny_exec = load_mac("bprm_check_security", EUSERS);
	id = prog_id(self->deny_exec);
	ASSERT_EQ(0, stage_pid(self->tree.child, actor.pid, self->deny_exec));
	close(self->deny_exec);
	self->deny_exec = -1;
	ASSERT_EQ(0, write_text(self->tree.top, "cgroup.subtree_control",
				"-checmate"));
	EXPECT_TRUE(prog_goes(id));
	ASSERT_EQ(0, enable_controller(self->tree.top));
	EXPECT_EQ(0, count_staged(self->tree.child));
	EXPECT_EQ(EXECUTED, finish(&actor));
}

TEST_F(staging, second_replaces_first)
{
	const char *child = self->tree.child;
	struct actor actor;
	__u32 id;

	close(self->deny_exec);
	ASSERT_TRUE(start(&actor, child, do_exec, self->program));
	self->deny_exec = load_mac("bprm_check_security", EUSERS);
	id = prog_id(self->deny_exec);
	ASSERT_EQ(0, stage_pid(child, actor.pid, self->deny_exec));
	close(self->deny_exec);
	self->deny_exec = -1;
	/* For anyone now, with another program. */
	ASSERT_EQ(0, stage(child, self->deny_bind));
	EXPECT_EQ(1, count_staged(child));
	EXPECT_TRUE(prog_goes(id));
	EXPECT_EQ(2, policy_generation(child));
	EXPECT_EQ(EXECUTED + EUSERS, run_in(child, do_exec, self->program));
	EXPECT_EQ(EXECUTED + EUSERS, finish(&actor));
	EXPECT_EQ(3, policy_generation(child));
}

/* A second that is refused leaves the first as it is. */
TEST_F(staging, refused_second_keeps_first)
{
	const char *child = self->tree.child;

	ASSERT_EQ(0, stage(child, self->deny_exec));
	EXPECT_EQ(-ENOENT, write_text(child, "checmate.policy",
				      "when=exec\ndetach 123456789\n"));
	EXPECT_EQ(-ESRCH, stage_pid(child, INT_MAX, self->deny_bind));
	EXPECT_EQ(-EINVAL, write_text(child, "checmate.policy",
				      "when=exec\nfoo\n"));
	EXPECT_EQ(1, count_staged(child));
	EXPECT_EQ(1, policy_generation(child));
	EXPECT_EQ(EUSERS, run_in(child, do_exec, self->program));
}

TEST_F(staging, withdrawn)
{
	const char *child = self->tree.child;
	__u32 id = prog_id(self->deny_bind);

	ASSERT_EQ(0, stage(child, self->deny_bind));
	close(self->deny_bind);
	self->deny_bind = -1;
	ASSERT_EQ(0, withdraw(child));
	EXPECT_EQ(0, count_staged(child));
	EXPECT_EQ(2, policy_generation(child));
	EXPECT_TRUE(prog_goes(id));
	EXPECT_EQ(EXECUTED, run_in(child, do_exec, self->program));
	EXPECT_EQ(2, policy_generation(child));
}

/* --- beside what is in force --------------------------------------------- */

TEST_F(staging, clear_drops)
{
	const char *child = self->tree.child;
	__u32 id = prog_id(self->deny_exec);

	ASSERT_EQ(0, attach(child, self->deny_bind));
	ASSERT_EQ(0, stage(child, self->deny_exec));
	close(self->deny_exec);
	self->deny_exec = -1;
	ASSERT_EQ(0, write_text(child, "checmate.policy", "clear"));
	EXPECT_EQ(0, count_staged(child));
	EXPECT_EQ(0, count_armed(child));
	EXPECT_EQ(3, policy_generation(child));
	EXPECT_TRUE(prog_goes(id));
	EXPECT_EQ(EXECUTED, run_in(child, do_exec, self->program));
}

/* What stands behind it in the same write is applied to what is left. */
TEST_F(staging, clear_and_attach)
{
	const char *child = self->tree.child;

	ASSERT_EQ(0, stage(child, self->deny_bind));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "clear\nattach %d\n",
			    self->deny_bind));
	EXPECT_EQ(0, count_staged(child));
	EXPECT_EQ(1, count_armed(child));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
}

TEST_F(staging, clear_of_one_hook_does_not_drop)
{
	const char *child = self->tree.child;
	int prog = load_mac("socket_bind", EPERM);

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, attach(child, prog));
	ASSERT_EQ(0, stage(child, self->deny_bind));
	ASSERT_EQ(0, write_text(child, "checmate.socket_bind", "0"));
	EXPECT_EQ(1, count_staged(child));
	EXPECT_EQ(0, run_in(child, do_bind, NULL));
	EXPECT_EQ(EXECUTED + EUSERS, run_in(child, do_exec, self->program));
	close(prog);
}

TEST_F(staging, immediate_leaves_it_staged)
{
	const char *child = self->tree.child;
	int prog = load_mac("socket_create", EPERM);
	unsigned long long id;

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, stage(child, self->deny_bind));
	ASSERT_EQ(0, attach(child, prog));
	EXPECT_EQ(EPERM, run_in(child, do_socket, NULL));
	EXPECT_EQ(1, count_staged(child));
	EXPECT_EQ(1, count_armed(child));
	/* The staged ones are listed last. */
	id = nth_id(child, 0);
	EXPECT_GT(id, nth_id(child, 1));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "mode %llu permissive\n",
			    id));
	EXPECT_EQ(1, count_staged(child));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "detach %llu\n", id));
	EXPECT_EQ(1, count_staged(child));
	EXPECT_EQ(EXECUTED + EUSERS, run_in(child, do_exec, self->program));
	close(prog);
}

/* What is staged is not attached yet. */
TEST_F(staging, staged_id_is_no_attachment)
{
	const char *child = self->tree.child;
	unsigned long long id;

	ASSERT_EQ(0, stage(child, self->deny_bind));
	id = nth_id(child, 0);
	ASSERT_NE(0, id);
	EXPECT_EQ(-ENOENT, WRITEF(child, "checmate.policy", "detach %llu\n",
				  id));
	EXPECT_EQ(-ENOENT, WRITEF(child, "checmate.policy",
				  "mode %llu permissive\n", id));
	EXPECT_EQ(-ENOENT, WRITEF(child, "checmate.socket_bind", "-%d",
				  self->deny_bind));
	EXPECT_EQ(1, count_staged(child));
	/* Armed, it has the id that it had. */
	EXPECT_EQ(EXECUTED + EUSERS, run_in(child, do_exec, self->program));
	EXPECT_EQ(id, nth_id(child, 0));
	EXPECT_EQ(0, WRITEF(child, "checmate.policy", "detach %llu\n", id));
}

TEST_F(staging, immediate_must_not_spoil_it)
{
	const char *child = self->tree.child;
	int prog = load_mac("socket_bind", EPERM);
	unsigned long long id;
	size_t i;

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, attach(child, self->deny_bind));
	id = nth_id(child, 0);
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "when=exec\ndetach %llu\nattach %d\n", id, prog));

	for (i = 0; i < 6; i++) {
		int err = 0;

		switch (i) {
		case 0:
			err = WRITEF(child, "checmate.policy", "detach %llu\n",
				     id);
			break;
		case 1:
			err = attach(child, prog);
			break;
		case 2:
			err = WRITEF(child, "checmate.policy",
				     "detach %llu\nattach %d\n", id,
				     self->deny_bind);
			break;
		case 3:
			err = WRITEF(child, "checmate.socket_bind", "-%d",
				     self->deny_bind);
			break;
		case 4:
			err = WRITEF(child, "checmate.socket_bind", "%d", prog);
			break;
		case 5:
			err = write_text(child, "checmate.socket_bind", "0");
			break;
		}
		EXPECT_EQ(-EBUSY, err) {
			TH_LOG("case %zu", i);
		}
		EXPECT_EQ(1, count_staged(child));
		EXPECT_EQ(1, count_armed(child));
		EXPECT_EQ(2, policy_generation(child));
		EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	}
	EXPECT_EQ(EXECUTED + EPERM, run_in(child, do_exec, self->program));
	close(prog);
}

/* Until the exec it is the old program that denies, from then on the new. */
TEST_F(staging, replaces_at_the_exec)
{
	const char *child = self->tree.child;
	__u32 id = prog_id(self->deny_bind);
	int prog = load_mac("socket_bind", EPERM);

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, attach(child, self->deny_bind));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "when=exec\ndetach %llu\nattach %d\n",
			    nth_id(child, 0), prog));
	close(self->deny_bind);
	self->deny_bind = -1;
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	EXPECT_EQ(EXECUTED + EPERM, run_in(child, do_exec, self->program));
	EXPECT_EQ(EPERM, run_in(child, do_bind, NULL));
	EXPECT_EQ(1, count_armed(child));
	EXPECT_TRUE(prog_goes(id));
	close(prog);
}

/* As a whole: no task sees the one without the other. */
TEST_F(staging, staged_clear)
{
	const char *child = self->tree.child;
	int prog = load_mac("socket_create", EPERM);

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, attach(child, prog));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "when=exec\nclear\nattach %d\n", self->deny_bind));
	EXPECT_EQ(EPERM, run_in(child, do_socket, NULL));
	EXPECT_EQ(EXECUTED + EUSERS, run_in(child, do_exec, self->program));
	EXPECT_EQ(1, count_armed(child));
	close(prog);
}

TEST_F(staging, staged_mode)
{
	const char *child = self->tree.child;
	unsigned long long id;

	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "attach %d mode=permissive\n", self->deny_bind));
	id = nth_id(child, 0);
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "when=exec\nmode %llu enforce\n", id));
	EXPECT_EQ(0, run_in(child, do_bind, NULL));
	EXPECT_EQ(EXECUTED + EUSERS, run_in(child, do_exec, self->program));
	EXPECT_EQ(id, nth_id(child, 0));
	EXPECT_EQ(3, policy_generation(child));

	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "when=exec\nmode %llu permissive\n", id));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	EXPECT_EQ(EXECUTED, run_in(child, do_exec, self->program));
}

TEST_F(staging, staged_permissive)
{
	const char *child = self->tree.child;

	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "when=exec\nattach %d mode=permissive\n",
			    self->deny_exec));
	EXPECT_NE(NULL, strstr(read_text(child, "checmate.policy"),
			       " mode=permissive staged\n"));
	EXPECT_EQ(EXECUTED, run_in(child, do_exec, self->program));
	EXPECT_STREQ("denied 0\npermissive 1\n",
		     read_text(child, "checmate.events.local"));
}

/* --- the file ------------------------------------------------------------ */

TEST_F(staging, listing)
{
	const char *child = self->tree.child;
	int prog = load_cgroup("socket_create", EPERM);
	const char *text;
	char expected[256];

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, attach(child, self->deny_bind));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "when=exec\nattach %d\nattach %d\n",
			    self->deny_exec, prog));
	EXPECT_EQ(2, count_staged(child));
	EXPECT_EQ(1, count_armed(child));
	text = read_text(child, "checmate.policy");
	EXPECT_EQ(4, count_lines(text));
	snprintf(expected, sizeof(expected), " prog=%u mode=enforce\n",
		 prog_id(self->deny_bind));
	EXPECT_NE(NULL, strstr(text, expected));
	snprintf(expected, sizeof(expected), " prog=%u mode=enforce staged\n",
		 prog_id(self->deny_exec));
	EXPECT_NE(NULL, strstr(text, expected));
	snprintf(expected, sizeof(expected), " prog=%u mode=enforce staged\n",
		 prog_id(prog));
	EXPECT_NE(NULL, strstr(text, expected));
	EXPECT_LT(nth_id(child, 0), nth_id(child, 1));
	EXPECT_LT(nth_id(child, 1), nth_id(child, 2));
	close(prog);
}

TEST_F(staging, generation)
{
	const char *child = self->tree.child;
	struct actor actor;

	EXPECT_EQ(-ESTALE, WRITEF(child, "checmate.policy",
				  "generation 1\nwhen=exec\nattach %d\n",
				  self->deny_bind));
	EXPECT_EQ(0, count_staged(child));
	EXPECT_EQ(0, policy_generation(child));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "generation 0\nwhen=exec\nattach %d\n",
			    self->deny_bind));
	EXPECT_EQ(1, policy_generation(child));
	EXPECT_EQ(-ESTALE, WRITEF(child, "checmate.policy",
				  "generation 0\nwhen=exec\n"));
	EXPECT_EQ(1, count_staged(child));

	/* Replaced, withdrawn, staged again, armed, dropped. */
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "generation 1\nwhen=exec\nattach %d\n",
			    self->deny_bind));
	EXPECT_EQ(2, policy_generation(child));
	ASSERT_EQ(0, withdraw(child));
	EXPECT_EQ(3, policy_generation(child));
	ASSERT_EQ(0, stage(child, self->deny_bind));
	EXPECT_EQ(4, policy_generation(child));
	EXPECT_EQ(EXECUTED + EUSERS, run_in(child, do_exec, self->program));
	EXPECT_EQ(5, policy_generation(child));
	EXPECT_EQ(EXECUTED + EUSERS, run_in(child, do_exec, self->program));
	EXPECT_EQ(5, policy_generation(child));
	ASSERT_TRUE(start(&actor, child, do_socket, NULL));
	ASSERT_EQ(0, stage_pid(child, actor.pid, self->deny_exec));
	EXPECT_EQ(6, policy_generation(child));
	EXPECT_EQ(0, finish(&actor));
	EXPECT_TRUE(WAIT_FOR(policy_generation(child) == 7));
	EXPECT_EQ(0, count_staged(child));

	/* Nothing to withdraw is no change. */
	EXPECT_EQ(0, withdraw(child));
	EXPECT_EQ(7, policy_generation(child));

	/* The step that arming is makes a reader's knowledge old. */
	ASSERT_EQ(0, stage(child, self->deny_exec));
	EXPECT_EQ(EUSERS, run_in(child, do_exec, self->program));
	EXPECT_EQ(-ESTALE, write_text(child, "checmate.policy",
				      "generation 8\nclear\n"));
	EXPECT_EQ(0, write_text(child, "checmate.policy",
				"generation 9\nclear\n"));
}

#define SPACE " "

TEST_F(staging, bad_text)
{
	static const char *const bad[] = {
		"when=exec pid=0\nattach %d\n",
		"when=exec pid=\nattach %d\n",
		"when=exec pid=-1\nattach %d\n",
		"when=exec pid=+1\nattach %d\n",
		"when=exec pid=1x\nattach %d\n",
		"when=exec pid=0x1\nattach %d\n",
		"when=exec pid=1 pid=1\nattach %d\n",
		"when=exec pid=1" SPACE "\nattach %d\n",
		"when=exec  pid=1\nattach %d\n",
		"when=exec pid\nattach %d\n",
		"when=exec tid=1\nattach %d\n",
		"when=exec except=\nattach %d\n",
		"when=exec except=-1\nattach %d\n",
		"when=exec except=0x0\nattach %d\n",
		"when=exec except=0 except=0\nattach %d\n",
		"when=exec mode=permissive\nattach %d\n",
		"when=exec" SPACE "\nattach %d\n",
		" when=exec\nattach %d\n",
		"when=exec attach %d\n",
		"when=execve\nattach %d\n",
		"when=exe\nattach %d\n",
		"when=now\nattach %d\n",
		"when=\nattach %d\n",
		"when\nattach %d\n",
		"When=exec\nattach %d\n",
		"exec\nattach %d\n",
		"attach %d\nwhen=exec\n",
		"attach %d when=exec\n",
		"when=exec\nwhen=exec\nattach %d\n",
		"when=exec\ngeneration 0\nattach %d\n",
		"when=exec\n\nattach %d\n",
	};
	const char *child = self->tree.child;
	char text[256];
	size_t i;

	for (i = 0; i < ARRAY_LEN(bad); i++) {
		snprintf(text, sizeof(text), bad[i], self->deny_bind);
		EXPECT_EQ(-EINVAL, write_text(child, "checmate.policy", text)) {
			TH_LOG("%s", text);
		}
	}
	EXPECT_EQ(0, policy_generation(child));
	EXPECT_STREQ("generation 0\n", read_text(child, "checmate.policy"));
	EXPECT_EQ(EXECUTED, run_in(child, do_exec, self->program));
}

/* What could not be attached now cannot be staged. */
TEST_F(staging, same_errors_as_now)
{
	const char *child = self->tree.child;
	const struct bpf_insn insn[] = { MOV_IMM(0, 0), EXIT() };
	int filter = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "test", "GPL",
				   insn, ARRAY_LEN(insn), NULL);

	ASSERT_LE(0, filter);
	EXPECT_EQ(-EINVAL, stage(child, filter));
	EXPECT_EQ(-EBADF, stage(child, CLOSED));
	EXPECT_EQ(-ENOENT, write_text(child, "checmate.policy",
				      "when=exec\ndetach 123456789\n"));
	EXPECT_EQ(-ENOENT, write_text(child, "checmate.policy",
				      "when=exec\nmode 123456789 enforce\n"));
	EXPECT_EQ(-EEXIST, WRITEF(child, "checmate.policy",
				  "when=exec\nattach %d\nattach %d\n",
				  self->deny_bind, self->deny_bind));
	EXPECT_EQ(0, policy_generation(child));
	ASSERT_EQ(0, attach(child, self->deny_bind));
	EXPECT_EQ(-EEXIST, stage(child, self->deny_bind));
	/* The other files know no staging. */
	EXPECT_EQ(-EINVAL, write_text(child, "checmate.socket_bind",
				      "when=exec"));
	EXPECT_EQ(1, policy_generation(child));
	EXPECT_EQ(0, count_staged(child));
	close(filter);
}

TEST_F(staging, capability)
{
	cap_value_t mac = CAP_MAC_ADMIN;
	cap_t caps = cap_get_proc();

	ASSERT_NE(NULL, caps);
	ASSERT_EQ(0, stage(self->tree.child, self->deny_bind));
	cap_set_flag(caps, CAP_EFFECTIVE, 1, &mac, CAP_CLEAR);
	ASSERT_EQ(0, cap_set_proc(caps));
	EXPECT_EQ(-EPERM, stage(self->tree.child, self->deny_exec));
	EXPECT_EQ(-EPERM, withdraw(self->tree.child));
	cap_set_flag(caps, CAP_EFFECTIVE, 1, &mac, CAP_SET);
	ASSERT_EQ(0, cap_set_proc(caps));
	EXPECT_EQ(1, count_staged(self->tree.child));
	EXPECT_EQ(1, policy_generation(self->tree.child));
	cap_free(caps);
}

/* --- limits -------------------------------------------------------------- */

#define MAX_PROGS	64

/* Attach @nr programs that allow to @dir. */
static bool fill(const char *dir, int nr)
{
	int prog, err;

	while (nr--) {
		prog = load_mac("socket_bind", 0);
		if (prog < 0)
			return false;
		err = attach(dir, prog);
		close(prog);
		if (err)
			return false;
	}
	return true;
}

/* The room that was there when it was staged has been taken from above. */
TEST_F(staging, no_room_at_the_exec)
{
	const char *top = self->tree.top, *child = self->tree.child;

	ASSERT_TRUE(fill(top, MAX_PROGS - 1));
	ASSERT_EQ(0, stage(child, self->deny_bind));
	ASSERT_TRUE(fill(top, 1));
	/* No exec gets around it. */
	EXPECT_EQ(ENOSPC, run_in(child, do_exec, self->program));
	EXPECT_EQ(ENOSPC, run_in(child, do_exec, self->other));
	EXPECT_EQ(1, count_staged(child));
	EXPECT_EQ(1, policy_generation(child));
	EXPECT_EQ(EXECUTED, run_in(top, do_exec, self->program));
	ASSERT_EQ(0, WRITEF(top, "checmate.policy", "detach %llu\n",
			    nth_id(top, 0)));
	EXPECT_EQ(EXECUTED + EUSERS, run_in(child, do_exec, self->program));
	EXPECT_EQ(0, count_staged(child));
}

TEST_F(staging, no_room_now)
{
	const char *child = self->tree.child;

	ASSERT_TRUE(fill(self->tree.top, MAX_PROGS));
	EXPECT_EQ(-ENOSPC, stage(child, self->deny_bind));
	EXPECT_EQ(0, count_staged(child));
	EXPECT_EQ(0, policy_generation(child));
}

/* In the same cgroup nothing may take the room. */
TEST_F(staging, room_is_kept)
{
	const char *child = self->tree.child;
	int prog = load_mac("socket_bind", 0);

	ASSERT_LE(0, prog);
	ASSERT_TRUE(fill(child, MAX_PROGS - 1));
	ASSERT_EQ(0, stage(child, self->deny_bind));
	EXPECT_EQ(-EBUSY, attach(child, prog));
	EXPECT_EQ(EXECUTED + EUSERS, run_in(child, do_exec, self->program));
	EXPECT_EQ(MAX_PROGS, count_armed(child));
	close(prog);
}

/* What the text itself asks too much of is no fault of what is staged. */
TEST_F(staging, own_lack_of_room)
{
	const char *child = self->tree.child;
	int prog = load_mac("socket_bind", 0);

	ASSERT_LE(0, prog);
	ASSERT_TRUE(fill(child, MAX_PROGS));
	ASSERT_EQ(0, stage(child, self->deny_exec));
	EXPECT_EQ(-ENOSPC, attach(child, prog));
	EXPECT_EQ(1, count_staged(child));
	close(prog);
}

/* --- migration ----------------------------------------------------------- */

/* It is for the process, wherever it goes; the policy stays where it is. */
TEST_F(staging, pid_moved_away)
{
	const char *child = self->tree.child;
	struct actor actor;

	ASSERT_TRUE(start(&actor, child, do_exec, self->program));
	ASSERT_EQ(0, stage_pid(child, actor.pid, self->deny_bind));
	ASSERT_EQ(0, move_to(CGROUPFS, actor.pid));
	EXPECT_EQ(1, count_staged(child));
	EXPECT_EQ(EXECUTED, finish(&actor));
	EXPECT_EQ(0, count_staged(child));
	EXPECT_EQ(1, count_armed(child));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
}

TEST_F(staging, pid_moved_in)
{
	const char *child = self->tree.child;
	struct actor actor;

	ASSERT_TRUE(start(&actor, CGROUPFS, do_exec, self->program));
	ASSERT_EQ(0, stage_pid(child, actor.pid, self->deny_exec));
	ASSERT_EQ(0, move_to(child, actor.pid));
	EXPECT_EQ(EUSERS, finish(&actor));
	EXPECT_EQ(0, count_staged(child));
}

/* Without a process it is for whoever is there. */
TEST_F(staging, task_that_left)
{
	const char *child = self->tree.child;
	struct actor actor;

	ASSERT_TRUE(start(&actor, child, do_exec, self->program));
	ASSERT_EQ(0, stage(child, self->deny_exec));
	ASSERT_EQ(0, move_to(CGROUPFS, actor.pid));
	EXPECT_EQ(EXECUTED, finish(&actor));
	EXPECT_EQ(1, count_staged(child));
}

TEST_F(staging, task_that_came)
{
	const char *child = self->tree.child;
	struct actor actor;

	ASSERT_TRUE(start(&actor, CGROUPFS, do_exec, self->program));
	ASSERT_EQ(0, stage(child, self->deny_exec));
	ASSERT_EQ(0, move_to(child, actor.pid));
	EXPECT_EQ(1, count_staged(child));
	EXPECT_EQ(EUSERS, finish(&actor));
	EXPECT_EQ(0, count_staged(child));
}

/* --- nothing is left ----------------------------------------------------- */

TEST_F_TIMEOUT(staging, hooks_go_off, 300)
{
	const char *child = self->tree.child;
	int prog = load_mac("syslog", 0);
	struct actor actor;
	int i;

	ASSERT_LE(0, prog);
	for (i = 0; i < 6; i++) {
		ASSERT_TRUE(start(&actor, child, do_exec, self->program));
		ASSERT_EQ(0, i == 2 ? stage_pid(child, actor.pid, prog) :
				      stage(child, prog));
		switch (i) {
		case 0:
			ASSERT_EQ(0, withdraw(child));
			EXPECT_EQ(EXECUTED, finish(&actor));
			break;
		case 1:
			ASSERT_EQ(0, write_text(child, "checmate.policy",
						"clear"));
			EXPECT_EQ(EXECUTED, finish(&actor));
			break;
		case 2:
			kill_actor(&actor);
			ASSERT_EQ(actor.pid, waitpid(actor.pid, NULL, 0));
			break;
		case 3:
			ASSERT_EQ(0, write_text(self->tree.top,
						"cgroup.subtree_control",
						"-checmate"));
			ASSERT_EQ(0, enable_controller(self->tree.top));
			EXPECT_EQ(EXECUTED, finish(&actor));
			break;
		case 4:
			EXPECT_EQ(EXECUTED, finish(&actor));
			EXPECT_EQ(1, hook_state("syslog", "programs"));
			ASSERT_EQ(0, write_text(child, "checmate.policy",
						"clear"));
			break;
		case 5:
			kill_actor(&actor);
			ASSERT_EQ(actor.pid, waitpid(actor.pid, NULL, 0));
			ASSERT_EQ(0, rmdir(child));
			ASSERT_EQ(0, mkdir(child, 0755));
			break;
		}
		EXPECT_TRUE(WAIT_FOR(!hook_state("syslog", "programs"))) {
			TH_LOG("case %d", i);
		}
		EXPECT_EQ(0, hook_state("file_open", "programs"));
	}
	EXPECT_TRUE(WAIT_FOR(!hook_state("syslog", "active")));
	EXPECT_TRUE(WAIT_FOR(!hook_state("file_open", "active")));
	close(prog);
}

/* --- at the same time ---------------------------------------------------- */

#define ROUNDS	20
#define CROWD	12

static int exec_with_others(void *path)
{
	__atomic_add_fetch(&board->count, 1, __ATOMIC_SEQ_CST);
	await(&board->go, 1);
	return do_exec(path);
}

/*
 * Who comes first arms it, and whoever comes later comes after that: there is
 * none that it does not judge.
 */
TEST_F_TIMEOUT(staging, concurrent_execs, 300)
{
	const char *child = self->tree.child;
	pid_t pid[CROWD];
	int round, i;

	board = make_board();
	for (round = 0; round < ROUNDS; round++) {
		set(&board->go, 0);
		set(&board->count, 0);
		for (i = 0; i < CROWD; i++) {
			pid[i] = fork();
			ASSERT_LE(0, pid[i]);
			if (!pid[i])
				_exit(join(child) ? BROKEN :
				      exec_with_others(self->program));
		}
		ASSERT_TRUE(WAIT_FOR(board->count == CROWD));
		ASSERT_EQ(0, stage(child, self->deny_exec));
		EXPECT_EQ(3 * round + 1, policy_generation(child));
		set(&board->go, 1);
		for (i = 0; i < CROWD; i++)
			EXPECT_EQ(EUSERS, status_of(pid[i]));
		EXPECT_EQ(3 * round + 2, policy_generation(child));
		EXPECT_EQ(0, count_staged(child));
		EXPECT_EQ(1, count_armed(child));
		ASSERT_EQ(0, write_text(child, "checmate.policy", "clear"));
	}
}

/* One takes the other's place: there is no moment at which none is staged. */
TEST_F_TIMEOUT(staging, replacing_races_execs, 300)
{
	const char *child = self->tree.child;
	int prog = load_mac("bprm_check_security", EUSERS);
	int round, i;

	ASSERT_LE(0, prog);
	board = make_board();
	for (round = 0; round < 3 * ROUNDS; round++) {
		struct actor actor;
		int status = 0;

		set(&board->go, 0);
		set(&board->count, 0);
		ASSERT_TRUE(start(&actor, child, exec_with_others,
				  self->program));
		ASSERT_EQ(1, write(actor.channel, "", 1));
		ASSERT_TRUE(WAIT_FOR(board->count));
		ASSERT_EQ(0, stage(child, prog));
		set(&board->go, 1);
		for (i = 0; !waitpid(actor.pid, &status, WNOHANG); i++) {
			int err = stage(child, i % 2 ? prog : self->deny_exec);

			/* Armed in between, one of the two is attached. */
			ASSERT_TRUE(!err || err == -EEXIST);
		}
		EXPECT_TRUE(WIFEXITED(status));
		EXPECT_EQ(EUSERS, WEXITSTATUS(status));
		close(actor.channel);
		ASSERT_EQ(0, write_text(child, "checmate.policy", "clear"));
	}
	close(prog);
}

/* Execute until told to stop; each is executed, or denied by the program. */
static int exec_all_the_time(void *path)
{
	int ret;

	while (!__atomic_load_n(&board->go, __ATOMIC_ACQUIRE)) {
		ret = exec_in_vfork(path);
		if (ret != EXECUTED && ret != EUSERS)
			return ret;
		__atomic_add_fetch(&board->count, 1, __ATOMIC_SEQ_CST);
	}
	return 0;
}

TEST_F_TIMEOUT(staging, changes_race_execs, 300)
{
	const char *child = self->tree.child;
	__u32 id = prog_id(self->deny_exec);
	struct actor actor[3];
	size_t i;

	board = make_board();
	for (i = 0; i < ARRAY_LEN(actor); i++) {
		ASSERT_TRUE(start(&actor[i], child, exec_all_the_time,
				  self->program));
		ASSERT_EQ(1, write(actor[i].channel, "", 1));
	}
	for (i = 0; i < 300 || board->count < 60; i++) {
		int err;

		err = i % 3 ? stage(child, self->deny_exec) :
			      stage_pid(child, actor[0].pid, self->deny_exec);
		ASSERT_TRUE(!err || err == -EEXIST);
		err = i % 5 ? withdraw(child) :
			      write_text(child, "checmate.policy", "clear");
		ASSERT_EQ(0, err);
		/* Armed in between, it is attached. */
		ASSERT_EQ(0, write_text(child, "checmate.policy", "clear"));
	}
	set(&board->go, 1);
	for (i = 0; i < ARRAY_LEN(actor); i++) {
		EXPECT_EQ(0, status_of(actor[i].pid));
		close(actor[i].channel);
	}
	EXPECT_STREQ("", read_text(child, "checmate.effective"));
	EXPECT_EQ(0, count_staged(child));
	close(self->deny_exec);
	self->deny_exec = -1;
	EXPECT_TRUE(prog_goes(id));
}

/* Staged for a process that is just going, it is refused or dropped. */
TEST_F_TIMEOUT(staging, staging_races_death, 300)
{
	const char *child = self->tree.child;
	__u32 id = prog_id(self->deny_bind);
	int staged = 0, gone = 0, i;

	/* Nobody reaps: they go as soon as they are dead. */
	ASSERT_NE(SIG_ERR, signal(SIGCHLD, SIG_IGN));
	for (i = 0; i < 200; i++) {
		pid_t pid = fork();
		int err;

		ASSERT_LE(0, pid);
		if (!pid)
			_exit(0);
		do {
			err = stage_pid(child, pid, self->deny_bind);
			staged += !err;
		} while (!err);
		ASSERT_EQ(-ESRCH, err);
		gone++;
		EXPECT_TRUE(WAIT_FOR(count_staged(child) == 0)) {
			TH_LOG("round %d", i);
			break;
		}
	}
	signal(SIGCHLD, SIG_DFL);
	EXPECT_EQ(200, gone);
	TH_LOG("staged %d times for 200 processes", staged);
	close(self->deny_bind);
	self->deny_bind = -1;
	EXPECT_TRUE(prog_goes(id));
}

/* --- the controller is being turned on ------------------------------------ */

#define WINDOW_ROUNDS	200

static int enable_when_told(void *dir)
{
	int round, err = 0;

	for (round = 1; round <= WINDOW_ROUNDS && !err; round++) {
		await(&board->go, round);
		err = enable_controller(dir);
		set(&board->count, round);
	}
	return err ? BROKEN : 0;
}

static int try_when_told(void *path)
{
	int round;

	for (round = 1; round <= WINDOW_ROUNDS; round++) {
		await(&board->turn, round);
		set(&board->answer, path ? exec_in_vfork(path) : do_bind(NULL));
		set(&board->answered, round);
	}
	return 0;
}

static int wait_for_end(void *arg)
{
	(void)arg;
	pause();
	return 0;
}

/*
 * While one process turns the controller on, another writes to the policy as
 * soon as it can be opened.  Once that write is done, it goes for the tasks
 * that have been in the cgroup all along.
 */
static void try_window(struct __test_metadata *_metadata,
		       const struct tree *tree,
		       int (*change)(const char *dir, int prog), int prog,
		       const char *program)
{
	const char *top = tree->top, *child = tree->child;
	struct actor enabler, resident, crowd[CROWD];
	int round, i, retries = 0;

	board = make_board();
	ASSERT_TRUE(start(&resident, child, try_when_told, (void *)program));
	/* The more there are, the longer it takes to move them. */
	for (i = 0; i < CROWD; i++)
		ASSERT_TRUE(start(&crowd[i], child, wait_for_end, NULL));
	ASSERT_TRUE(start(&enabler, CGROUPFS, enable_when_told, (void *)top));
	ASSERT_EQ(1, write(resident.channel, "", 1));
	ASSERT_EQ(1, write(enabler.channel, "", 1));

	for (round = 1; round <= WINDOW_ROUNDS; round++) {
		int err;

		ASSERT_EQ(0, write_text(top, "cgroup.subtree_control",
					"-checmate"));
		set(&board->go, round);
		do {
			err = change(child, prog);
			retries += !!err;
		} while (err == -ENOENT || err == -ENODEV);
		ASSERT_EQ(0, err);
		set(&board->turn, round);
		await(&board->answered, round);
		EXPECT_EQ(EUSERS, board->answer) {
			TH_LOG("round %d", round);
		}
		await(&board->count, round);
	}
	TH_LOG("%d rounds, %d times too early", WINDOW_ROUNDS, retries);
	EXPECT_EQ(0, status_of(resident.pid));
	EXPECT_EQ(0, status_of(enabler.pid));
	for (i = 0; i < CROWD; i++) {
		kill_actor(&crowd[i]);
		ASSERT_EQ(crowd[i].pid, waitpid(crowd[i].pid, NULL, 0));
	}
	close(resident.channel);
	close(enabler.channel);
}

TEST_F_TIMEOUT(staging, attach_while_controller_comes, 300)
{
	try_window(_metadata, &self->tree, attach, self->deny_bind, NULL);
}

TEST_F_TIMEOUT(staging, stage_while_controller_comes, 300)
{
	try_window(_metadata, &self->tree, stage, self->deny_exec,
		   self->program);
}

TEST_HARNESS_MAIN
