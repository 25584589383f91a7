// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Selftests: what a cgroup inherits, and from when on
 */

#include "common.h"

FIXTURE(inherit)
{
	struct tree tree;
	int deny_bind;
	int deny_other;
};

FIXTURE_SETUP(inherit)
{
	ASSERT_EQ(0, make_tree(&self->tree, "inherit"));
	self->deny_bind = load_mac("socket_bind", EUSERS);
	ASSERT_LE(0, self->deny_bind);
	self->deny_other = load_cgroup("socket_bind", EACCES);
	ASSERT_LE(0, self->deny_other);
}

FIXTURE_TEARDOWN(inherit)
{
	close(self->deny_bind);
	close(self->deny_other);
	/* Should a test have ended with something there. */
	write_text(CGROUPFS, "checmate.policy", "clear");
	remove_tree(&self->tree);
}

TEST_F(inherit, below)
{
	char deep[PATH_MAX];

	ASSERT_EQ(0, enable_controller(self->tree.child));
	snprintf(deep, sizeof(deep), "%s/deep", self->tree.child);
	ASSERT_EQ(0, mkdir(deep, 0755));
	ASSERT_EQ(0, attach(self->tree.top, self->deny_bind));
	EXPECT_EQ(EUSERS, run_in(self->tree.top, do_bind, NULL));
	EXPECT_EQ(EUSERS, run_in(deep, do_bind, NULL));
	EXPECT_STREQ("generation 0\n", read_text(deep, "checmate.policy"));
	EXPECT_EQ(1, count_lines(read_text(deep, "checmate.effective")));
	ASSERT_EQ(0, write_text(self->tree.top, "checmate.policy", "clear"));
	EXPECT_EQ(0, run_in(deep, do_bind, NULL));
	EXPECT_STREQ("", read_text(deep, "checmate.effective"));
	EXPECT_EQ(0, rmdir(deep));
}

TEST_F(inherit, created_later)
{
	char later[PATH_MAX];

	ASSERT_EQ(0, attach(self->tree.top, self->deny_bind));
	snprintf(later, sizeof(later), "%s/later", self->tree.top);
	ASSERT_EQ(0, mkdir(later, 0755));
	EXPECT_EQ(EUSERS, run_in(later, do_bind, NULL));
	EXPECT_EQ(0, rmdir(later));
}

/* A cgroup below which the controller is off is its ancestor's. */
TEST_F(inherit, without_controller)
{
	char deep[PATH_MAX];

	snprintf(deep, sizeof(deep), "%s/deep", self->tree.child);
	ASSERT_EQ(0, mkdir(deep, 0755));
	ASSERT_EQ(0, attach(self->tree.child, self->deny_bind));
	EXPECT_EQ(EUSERS, run_in(deep, do_bind, NULL));
	EXPECT_EQ(0, rmdir(deep));
}

/* The leaf is asked first, whatever was attached first. */
TEST_F(inherit, leaf_first)
{
	const char *text;
	char want[64];

	ASSERT_EQ(0, attach(self->tree.top, self->deny_bind));
	ASSERT_EQ(0, attach(self->tree.child, self->deny_other));
	EXPECT_EQ(EACCES, run_in(self->tree.child, do_bind, NULL));
	EXPECT_EQ(EUSERS, run_in(self->tree.top, do_bind, NULL));

	text = read_text(self->tree.child, "checmate.effective");
	EXPECT_EQ(2, count_lines(text));
	snprintf(want, sizeof(want), "path=/inherit.%d/child\n", getpid());
	EXPECT_EQ(strstr(text, "path="), strstr(text, want));
	snprintf(want, sizeof(want), "path=/inherit.%d\n", getpid());
	EXPECT_NE(NULL, strstr(text, want));

	/* An ancestor's change keeps what is attached below it. */
	ASSERT_EQ(0, write_text(self->tree.top, "checmate.policy", "clear"));
	EXPECT_EQ(EACCES, run_in(self->tree.child, do_bind, NULL));
	ASSERT_EQ(0, attach(self->tree.top, self->deny_bind));
	ASSERT_EQ(0, write_text(self->tree.child, "checmate.policy", "clear"));
	EXPECT_EQ(EUSERS, run_in(self->tree.child, do_bind, NULL));
}

/* One program may be attached at several levels; it then runs at each. */
TEST_F(inherit, same_program_twice)
{
	int map = make_counters();
	int prog = load_counter("socket_bind", BPF_LSM_MAC, map, 0, 0);

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, attach(self->tree.top, prog));
	ASSERT_EQ(0, attach(self->tree.child, prog));
	EXPECT_EQ(-EEXIST, attach(self->tree.child, prog));
	EXPECT_EQ(0, run_in(self->tree.child, do_bind, NULL));
	EXPECT_EQ(2, counter(map, 0));
	close(prog);
	close(map);
}

/* The root judges everybody, a cgroup without any policy included. */
TEST_F(inherit, root)
{
	unsigned long long id;

	ASSERT_EQ(0, attach(CGROUPFS, self->deny_bind));
	id = nth_id(CGROUPFS, 0);
	EXPECT_EQ(EUSERS, run_in(self->tree.child, do_bind, NULL));
	EXPECT_EQ(EUSERS, do_bind(NULL));
	ASSERT_EQ(0, WRITEF(CGROUPFS, "checmate.policy", "detach %llu", id));
	EXPECT_EQ(0, do_bind(NULL));
}

/* What a task may do goes by the cgroup it is in now. */
TEST_F(inherit, migration)
{
	char other[PATH_MAX];
	int status;
	pid_t pid;

	snprintf(other, sizeof(other), "%s/other", self->tree.top);
	ASSERT_EQ(0, mkdir(other, 0755));
	ASSERT_EQ(0, attach(self->tree.child, self->deny_bind));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (join(other) || do_bind(NULL))
			_exit(1);
		if (join(self->tree.child))
			_exit(2);
		if (do_bind(NULL) != EUSERS)
			_exit(3);
		if (join(other))
			_exit(4);
		_exit(do_bind(NULL));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, rmdir(other));
}

/* A child is born into its parent's policy. */
TEST_F(inherit, fork)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, attach(self->tree.child, self->deny_bind));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (join(self->tree.child))
			_exit(1);
		pid = fork();
		if (pid < 0)
			_exit(2);
		if (!pid)
			_exit(do_bind(NULL));
		if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
			_exit(3);
		_exit(WEXITSTATUS(status));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(EUSERS, WEXITSTATUS(status));
}

/* Turning the controller off below a cgroup hands its children to it. */
TEST_F(inherit, disable)
{
	ASSERT_EQ(0, attach(self->tree.top, self->deny_bind));
	ASSERT_EQ(0, attach(self->tree.child, self->deny_other));
	EXPECT_EQ(EACCES, run_in(self->tree.child, do_bind, NULL));
	ASSERT_EQ(0, write_text(self->tree.top, "cgroup.subtree_control",
				"-checmate"));
	EXPECT_EQ(EUSERS, run_in(self->tree.child, do_bind, NULL));
	ASSERT_EQ(0, enable_controller(self->tree.top));
	EXPECT_EQ(EUSERS, run_in(self->tree.child, do_bind, NULL));
	EXPECT_STREQ("generation 0\n",
		     read_text(self->tree.child, "checmate.policy"));
}

TEST_HARNESS_MAIN
