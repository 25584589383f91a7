// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Selftests: who owns a cgroup's directory can only tighten
 *
 * The files of the cgroup core belong to an unprivileged user.  They take no task
 * out of reach of a program that is enforced for it, and turn the controller off
 * for no cgroup that has programs, unless their opener has the capability.
 */

#include "actor.h"
#include "common.h"

#include <linux/sched.h>

/* The user to whom the cgroups are delegated. */
#define USER	1000

/* The programs are attached to the child, and the sibling is where to go. */
FIXTURE(delegation)
{
	struct tree tree;
	char leaf[PATH_MAX + 8];
	char sibling[PATH_MAX];
	/* Denies a bind() with EUSERS. */
	int deny;
};

static bool delegate(const char *dir)
{
	static const char *const files[] = {
		".", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control",
	};
	char path[PATH_MAX + 64];
	size_t i;

	for (i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		if (chown(path, USER, USER))
			return false;
	}
	return true;
}

FIXTURE_SETUP(delegation)
{
	ASSERT_EQ(0, make_tree(&self->tree, "delegation"));
	snprintf(self->leaf, sizeof(self->leaf), "%s/leaf", self->tree.child);
	snprintf(self->sibling, sizeof(self->sibling), "%s/sibling",
		 self->tree.top);
	ASSERT_EQ(0, mkdir(self->leaf, 0755));
	ASSERT_EQ(0, mkdir(self->sibling, 0755));
	ASSERT_TRUE(delegate(self->tree.top));
	ASSERT_TRUE(delegate(self->tree.child));
	ASSERT_TRUE(delegate(self->leaf));
	ASSERT_TRUE(delegate(self->sibling));
	self->deny = load_mac("socket_bind", EUSERS);
	ASSERT_LE(0, self->deny);
}

FIXTURE_TEARDOWN(delegation)
{
	close(self->deny);
	rmdir(self->leaf);
	rmdir(self->sibling);
	remove_tree(&self->tree);
}

/* --- who writes ------------------------------------------------------------ */

/* What a process of some cgroup writes, and the ways in which it opens the file. */
struct writing {
	const char *dir;
	const char *file;
	const char *text;
	enum {
		BY_ROOT,
		BY_USER,
		/* All capabilities, in a namespace of the user's own, or in two. */
		BY_NAMESPACE_ROOT,
		IN_CGROUP_NAMESPACE,
		/* Root in all but the one capability. */
		BY_ROOT_WITHOUT_IT,
		/* Opened by the user, written by root, and the reverse. */
		OPENED_BY_USER,
		OPENED_BY_ROOT,
	} way;
};

static bool set_mac_admin(cap_flag_value_t value)
{
	cap_value_t mac = CAP_MAC_ADMIN;
	cap_t caps = cap_get_proc();
	bool ok = caps &&
		  !cap_set_flag(caps, CAP_EFFECTIVE, 1, &mac, value) &&
		  !cap_set_proc(caps);

	cap_free(caps);
	return ok;
}

/* Returns the errno of the writing, or 0. */
static int do_write(void *arg)
{
	const struct writing *writing = arg;
	char path[PATH_MAX + 64];
	int fd;

	switch (writing->way) {
	case BY_ROOT:
	case OPENED_BY_ROOT:
		break;
	case BY_USER:
		if (setresuid(USER, USER, USER))
			return BROKEN;
		break;
	case BY_NAMESPACE_ROOT:
		if (setresuid(USER, USER, USER) || unshare(CLONE_NEWUSER))
			return BROKEN;
		break;
	case IN_CGROUP_NAMESPACE:
		if (setresuid(USER, USER, USER) ||
		    unshare(CLONE_NEWUSER | CLONE_NEWCGROUP))
			return BROKEN;
		break;
	case BY_ROOT_WITHOUT_IT:
		if (!set_mac_admin(CAP_CLEAR))
			return BROKEN;
		break;
	case OPENED_BY_USER:
		if (seteuid(USER))
			return BROKEN;
		break;
	}
	snprintf(path, sizeof(path), "%s/%s", writing->dir, writing->file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (writing->way == OPENED_BY_USER && seteuid(0))
		return BROKEN;
	if (writing->way == OPENED_BY_ROOT && setresuid(USER, USER, USER))
		return BROKEN;
	return -write_fd(fd, writing->text, strlen(writing->text));
}

static int control(const char *dir, const char *text, int way)
{
	struct writing writing = {
		.dir = dir, .file = "cgroup.subtree_control", .text = text,
		.way = way,
	};

	return run_in(dir, do_write, &writing);
}

/* A process of @from moves itself. */
static int go(const char *from, const char *to, int way)
{
	struct writing writing = {
		.dir = to, .file = "cgroup.procs", .text = "0", .way = way,
	};

	return run_in(from, do_write, &writing);
}

/* --- the controller ---------------------------------------------------------- */

static bool has_controller(const char *dir)
{
	return !!strstr(read_text(dir, "cgroup.subtree_control"), "checmate");
}

TEST_F(delegation, controller_stays_on)
{
	const char *top = self->tree.top, *child = self->tree.child;
	int way;

	ASSERT_EQ(0, attach(child, self->deny));
	for (way = BY_USER; way <= OPENED_BY_USER; way++)
		EXPECT_EQ(EPERM, control(top, "-checmate", way)) {
			TH_LOG("way %d", way);
		}
	EXPECT_TRUE(has_controller(top));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	EXPECT_NE(0, nth_id(child, 0));

	/* Nor together with others, of which then none is changed. */
	ASSERT_EQ(0, write_text(CGROUPFS, "cgroup.subtree_control", "+pids"));
	EXPECT_EQ(EPERM, control(top, "+pids -checmate", BY_USER));
	EXPECT_EQ(NULL, strstr(read_text(top, "cgroup.subtree_control"), "pids"));
	EXPECT_EQ(0, control(top, "+pids", BY_USER));
	EXPECT_EQ(0, control(top, "-pids", BY_USER));

	/* Somebody with the capability has opened the file. */
	EXPECT_EQ(0, control(top, "-checmate", OPENED_BY_ROOT));
	EXPECT_EQ(0, run_in(child, do_bind, NULL));
}

TEST_F(delegation, permissive_programs_keep_it)
{
	const char *top = self->tree.top, *child = self->tree.child;

	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "attach %d mode=permissive\n", self->deny));
	EXPECT_EQ(EPERM, control(top, "-checmate", BY_USER));
	EXPECT_EQ(0, control(top, "-checmate", BY_ROOT));
}

TEST_F(delegation, staged_programs_keep_it)
{
	const char *top = self->tree.top, *child = self->tree.child;

	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "when=exec\nattach %d\n",
			    self->deny));
	EXPECT_EQ(EPERM, control(top, "-checmate", BY_USER));
	ASSERT_EQ(0, write_text(child, "checmate.policy", "when=exec\n"));
	EXPECT_EQ(0, control(top, "-checmate", BY_USER));
}

/* Without programs, and for programs above, it is the owner's to turn off. */
TEST_F(delegation, controller_without_programs)
{
	const char *top = self->tree.top, *child = self->tree.child;

	ASSERT_EQ(0, attach(top, self->deny));
	EXPECT_EQ(0, control(top, "-checmate", BY_USER));
	EXPECT_FALSE(has_controller(top));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	EXPECT_EQ(0, control(top, "+checmate", BY_USER));

	/* Nor do programs count that are detached, or whose cgroup is gone. */
	ASSERT_EQ(0, attach(child, self->deny));
	ASSERT_EQ(0, write_text(child, "checmate.policy", "clear\n"));
	EXPECT_EQ(0, control(top, "-checmate", BY_USER));
	EXPECT_EQ(0, control(top, "+checmate", BY_USER));
	ASSERT_EQ(0, attach(self->sibling, self->deny));
	ASSERT_EQ(0, rmdir(self->sibling));
	EXPECT_EQ(0, control(top, "-checmate", BY_USER));
}

/* --- moves --------------------------------------------------------------------- */

TEST_F(delegation, no_leaving)
{
	const char *child = self->tree.child;
	int way;

	ASSERT_EQ(0, go(child, self->sibling, BY_USER));
	ASSERT_EQ(0, attach(child, self->deny));
	for (way = BY_USER; way <= OPENED_BY_USER; way++) {
		/* It does not even see the other cgroup. */
		if (way == IN_CGROUP_NAMESPACE)
			continue;
		EXPECT_EQ(EPERM, go(child, self->sibling, way)) {
			TH_LOG("way %d", way);
		}
		EXPECT_EQ(EPERM, go(self->leaf, self->sibling, way)) {
			TH_LOG("way %d", way);
		}
	}

	/* Within it, and into it. */
	EXPECT_EQ(0, go(child, self->leaf, BY_USER));
	EXPECT_EQ(0, go(self->leaf, child, BY_USER));
	EXPECT_EQ(0, go(self->sibling, child, BY_USER));

	/* With the capability everywhere. */
	EXPECT_EQ(0, go(child, self->sibling, BY_ROOT));
	EXPECT_EQ(0, go(child, self->sibling, OPENED_BY_ROOT));
	EXPECT_EQ(0, go(child, CGROUPFS, BY_ROOT));
}

/* The owner moves others as little as itself. */
TEST_F(delegation, no_leaving_by_others)
{
	struct actor actor;
	char pid[16];
	int status;
	struct writing writing = {
		.dir = self->sibling, .file = "cgroup.procs", .text = pid,
		.way = BY_USER,
	};

	ASSERT_EQ(0, attach(self->tree.child, self->deny));
	ASSERT_TRUE(start(&actor, self->tree.child, do_bind, NULL));
	snprintf(pid, sizeof(pid), "%d", actor.pid);
	EXPECT_EQ(EPERM, run_in(self->sibling, do_write, &writing));
	ASSERT_EQ(1, write(actor.channel, "", 1));
	ASSERT_EQ(actor.pid, waitpid(actor.pid, &status, 0));
	EXPECT_EQ(EUSERS, WEXITSTATUS(status));
	close(actor.channel);
}

/* What counts is the program, enforced, wherever it is attached. */
TEST_F(delegation, as_strict)
{
	const char *top = self->tree.top, *child = self->tree.child;
	int other = load_cgroup("socket_bind", EACCES);
	int elsewhere = load_mac("socket_connect", EUSERS);

	ASSERT_LE(0, other);
	ASSERT_LE(0, elsewhere);
	ASSERT_EQ(0, attach(child, self->deny));
	/* Another program, or another hook, does not do. */
	ASSERT_EQ(0, attach(self->sibling, other));
	ASSERT_EQ(0, attach(self->sibling, elsewhere));
	EXPECT_EQ(EPERM, go(child, self->sibling, BY_USER));
	/* The same does, if it is enforced there. */
	ASSERT_EQ(0, WRITEF(self->sibling, "checmate.policy",
			    "attach %d mode=permissive\n", self->deny));
	EXPECT_EQ(EPERM, go(child, self->sibling, BY_USER));
	ASSERT_EQ(0, WRITEF(self->sibling, "checmate.policy",
			    "mode %llu enforce\n", nth_id(self->sibling, 2)));
	EXPECT_EQ(0, go(child, self->sibling, BY_USER));
	/* But not the way back. */
	EXPECT_EQ(EPERM, go(self->sibling, child, BY_USER));

	/* Inherited on one side, attached on the other. */
	ASSERT_EQ(0, write_text(self->sibling, "checmate.policy", "clear\n"));
	EXPECT_EQ(EPERM, go(child, self->sibling, BY_USER));
	ASSERT_EQ(0, attach(top, self->deny));
	EXPECT_EQ(0, go(child, self->sibling, BY_USER));
	ASSERT_EQ(0, attach(top, other));
	EXPECT_EQ(0, go(child, self->sibling, BY_USER));
	close(other);
	close(elsewhere);
}

/* With another cookie the same program may allow more. */
TEST_F(delegation, as_strict_with_cookies)
{
	const char *child = self->tree.child;
	int way;

	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "attach %d cookie=1\n",
			    self->deny));
	ASSERT_EQ(0, WRITEF(self->sibling, "checmate.policy",
			    "attach %d cookie=2\n", self->deny));
	for (way = BY_USER; way <= OPENED_BY_USER; way++) {
		if (way == IN_CGROUP_NAMESPACE)
			continue;
		EXPECT_EQ(EPERM, go(child, self->sibling, way)) {
			TH_LOG("way %d", way);
		}
		EXPECT_EQ(EPERM, go(self->sibling, child, way)) {
			TH_LOG("way %d", way);
		}
	}
	EXPECT_EQ(0, go(child, self->sibling, BY_ROOT));
	EXPECT_EQ(0, go(child, self->leaf, BY_USER));

	/* Nor without one. */
	ASSERT_EQ(0, WRITEF(self->sibling, "checmate.policy", "cookie %llu 0\n",
			    nth_id(self->sibling, 0)));
	EXPECT_EQ(EPERM, go(child, self->sibling, BY_USER));
	EXPECT_EQ(EPERM, go(self->sibling, child, BY_USER));

	/* With the same cookie it is as strict, if it is enforced. */
	ASSERT_EQ(0, WRITEF(self->sibling, "checmate.policy", "cookie %llu 1\n",
			    nth_id(self->sibling, 0)));
	EXPECT_EQ(0, go(child, self->sibling, BY_USER));
	EXPECT_EQ(0, go(self->sibling, child, BY_USER));
	ASSERT_EQ(0, WRITEF(self->sibling, "checmate.policy",
			    "mode %llu permissive\n",
			    nth_id(self->sibling, 0)));
	EXPECT_EQ(EPERM, go(child, self->sibling, BY_USER));
	EXPECT_EQ(0, go(self->sibling, child, BY_USER));

	/* Both, one from above. */
	ASSERT_EQ(0, WRITEF(self->sibling, "checmate.policy",
			    "mode %llu enforce\ncookie %llu 2\n",
			    nth_id(self->sibling, 0), nth_id(self->sibling, 0)));
	EXPECT_EQ(EPERM, go(child, self->sibling, BY_USER));
	ASSERT_EQ(0, WRITEF(self->tree.top, "checmate.policy",
			    "attach %d cookie=1\n", self->deny));
	EXPECT_EQ(0, go(child, self->sibling, BY_USER));
	EXPECT_EQ(EPERM, go(self->sibling, child, BY_USER));
}

/* A permissive program confines nobody. */
TEST_F(delegation, leaving_permissive)
{
	ASSERT_EQ(0, WRITEF(self->tree.child, "checmate.policy",
			    "attach %d mode=permissive\n", self->deny));
	EXPECT_EQ(0, go(self->tree.child, self->sibling, BY_USER));
}

/* --- threads ------------------------------------------------------------------- */

TEST_F(delegation, no_leaving_of_threads)
{
	const char *child = self->tree.child;
	struct writing writing = {
		.dir = self->sibling, .file = "cgroup.threads", .text = "0",
		.way = BY_USER,
	};

	ASSERT_EQ(0, write_text(child, "cgroup.type", "threaded"));
	ASSERT_EQ(0, write_text(self->leaf, "cgroup.type", "threaded"));
	ASSERT_EQ(0, write_text(self->sibling, "cgroup.type", "threaded"));
	EXPECT_EQ(0, run_in(child, do_write, &writing));
	ASSERT_EQ(0, attach(child, self->deny));
	EXPECT_EQ(EPERM, run_in(child, do_write, &writing));
	writing.way = OPENED_BY_USER;
	EXPECT_EQ(EPERM, run_in(child, do_write, &writing));
	writing.dir = self->leaf;
	EXPECT_EQ(0, run_in(child, do_write, &writing));
	writing.dir = self->sibling;
	writing.way = BY_ROOT;
	EXPECT_EQ(0, run_in(child, do_write, &writing));
}

/* --- clone3() ------------------------------------------------------------------ */

struct cloning {
	const char *dir;
	bool by_user;
};

/* Returns an errno if there is no child, and 0 after it has ended. */
static int clone_into(void *arg)
{
	const struct cloning *cloning = arg;
	int fd = open(cloning->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD,
		.cgroup = fd,
	};
	int status;
	pid_t pid;

	if (fd < 0 || (cloning->by_user && setresuid(USER, USER, USER)))
		return BROKEN;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return errno;
	if (!pid)
		_exit(0);
	return waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) :
						 BROKEN + 1;
}

TEST_F(delegation, no_clone_to_outside)
{
	const char *child = self->tree.child;
	struct cloning cloning = { .dir = self->sibling, .by_user = true };

	EXPECT_EQ(0, run_in(child, clone_into, &cloning));
	ASSERT_EQ(0, attach(child, self->deny));
	EXPECT_EQ(EPERM, run_in(child, clone_into, &cloning));
	EXPECT_EQ(EPERM, run_in(self->leaf, clone_into, &cloning));
	cloning.dir = self->leaf;
	EXPECT_EQ(0, run_in(child, clone_into, &cloning));
	cloning.dir = child;
	EXPECT_EQ(0, run_in(self->sibling, clone_into, &cloning));
	cloning.dir = self->sibling;
	cloning.by_user = false;
	EXPECT_EQ(0, run_in(child, clone_into, &cloning));
}

/* --- staging ------------------------------------------------------------------- */

static int go_then_exec(void *arg)
{
	char *const argv[] = { "checmate-exec", NULL };
	int err = do_write(arg);

	if (err)
		return err;
	execv("/proc/self/exe", argv);
	return BROKEN;
}

/* The program that go_then_exec() runs is this one, which tries and ends. */
static __attribute__((constructor)) void end_if_executed(int argc, char **argv)
{
	if (argc > 0 && !strcmp(argv[0], "checmate-exec"))
		_exit(do_bind(NULL));
}

/* To leave before the exec would be to leave what the exec puts in force. */
TEST_F(delegation, no_leaving_what_is_staged)
{
	const char *child = self->tree.child;
	struct writing away = {
		.dir = self->sibling, .file = "cgroup.procs", .text = "0",
		.way = BY_USER,
	};
	struct writing inside = {
		.dir = self->leaf, .file = "cgroup.procs", .text = "0",
		.way = BY_USER,
	};
	struct actor actor;
	int status;

	/* For whoever is the first. */
	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "when=exec\nattach %d\n",
			    self->deny));
	EXPECT_EQ(EPERM, run_in(child, go_then_exec, &away));
	away.way = BY_ROOT;
	EXPECT_EQ(0, run_in(child, go_then_exec, &away));
	EXPECT_EQ(EUSERS, run_in(child, go_then_exec, &inside));
	ASSERT_EQ(0, write_text(child, "checmate.policy", "clear\n"));

	/* For one process; others may go. */
	away.way = BY_USER;
	ASSERT_TRUE(start(&actor, child, go_then_exec, &away));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "when=exec pid=%d\nattach %d\n", actor.pid,
			    self->deny));
	EXPECT_EQ(0, go(child, self->sibling, BY_USER));
	ASSERT_EQ(1, write(actor.channel, "", 1));
	ASSERT_EQ(actor.pid, waitpid(actor.pid, &status, 0));
	EXPECT_EQ(EPERM, WEXITSTATUS(status));
	close(actor.channel);

	/* Another cookie that an exec brings may deny more. */
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "attach %d mode=permissive cookie=1\n",
			    self->deny));
	EXPECT_EQ(0, go(child, self->sibling, BY_USER));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "when=exec\ncookie %llu 2\n", nth_id(child, 0)));
	EXPECT_EQ(EPERM, go(child, self->sibling, BY_USER));
	ASSERT_EQ(0, write_text(child, "checmate.policy", "clear\n"));

	/* What only loosens, or is permissive, keeps nobody. */
	ASSERT_TRUE(start(&actor, child, go_then_exec, &away));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "when=exec pid=%d\nattach %d mode=permissive\n",
			    actor.pid, self->deny));
	ASSERT_EQ(1, write(actor.channel, "", 1));
	ASSERT_EQ(actor.pid, waitpid(actor.pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
	close(actor.channel);
}

TEST_HARNESS_MAIN
