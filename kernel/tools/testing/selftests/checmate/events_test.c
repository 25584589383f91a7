// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Selftests: what is told of denials, and to whom
 */

#include <linux/audit.h>
#include <linux/netlink.h>
#include <sys/inotify.h>

#include "common.h"

#define TRACING	"/sys/kernel/tracing"

FIXTURE(events)
{
	struct tree tree;
	int deny;
};

FIXTURE_SETUP(events)
{
	ASSERT_EQ(0, make_tree(&self->tree, "events"));
	self->deny = load_mac("socket_bind", EUSERS);
	ASSERT_LE(0, self->deny);
}

FIXTURE_TEARDOWN(events)
{
	close(self->deny);
	/* Should a test have ended with something there. */
	write_text(CGROUPFS, "checmate.policy", "clear");
	remove_tree(&self->tree);
}

TEST_F(events, counters)
{
	const char *top = self->tree.top, *child = self->tree.child;
	const char *none = "denied 0\npermissive 0\n";

	EXPECT_STREQ(none, read_text(child, "checmate.events"));
	EXPECT_STREQ(none, read_text(child, "checmate.events.local"));
	EXPECT_STREQ("", read_text(child, "checmate.stat"));

	/* A denial is its subject's, and all ancestors'. */
	ASSERT_EQ(0, attach(top, self->deny));
	EXPECT_STREQ("socket_bind denied=0 permissive=0\n",
		     read_text(top, "checmate.stat"));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	EXPECT_EQ(EUSERS, run_in(child, do_bind, NULL));
	EXPECT_STREQ("denied 2\npermissive 0\n",
		     read_text(child, "checmate.events"));
	EXPECT_STREQ("denied 2\npermissive 0\n",
		     read_text(child, "checmate.events.local"));
	EXPECT_STREQ("denied 2\npermissive 0\n",
		     read_text(top, "checmate.events"));
	EXPECT_STREQ(none, read_text(top, "checmate.events.local"));
	/* The program that said so is the owner's. */
	EXPECT_STREQ("socket_bind denied=2 permissive=0\n",
		     read_text(top, "checmate.stat"));
	EXPECT_STREQ("", read_text(child, "checmate.stat"));

	/* What is allowed is not told. */
	EXPECT_EQ(0, run_in(child, do_connect, NULL));
	EXPECT_STREQ("denied 2\npermissive 0\n",
		     read_text(child, "checmate.events"));

	/* Permissive ones apart; those of cgroups that are gone stay. */
	ASSERT_EQ(0, WRITEF(top, "checmate.policy", "mode %llu permissive\n",
			    nth_id(top, 0)));
	EXPECT_EQ(0, run_in(child, do_bind, NULL));
	ASSERT_EQ(0, rmdir(child));
	EXPECT_STREQ("denied 2\npermissive 1\n",
		     read_text(top, "checmate.events"));
	EXPECT_STREQ("socket_bind denied=2 permissive=1\n",
		     read_text(top, "checmate.stat"));
}

/* Open a file of a cgroup and read it, so that poll() waits for news. */
static int open_read(const char *dir, const char *file)
{
	char path[PATH_MAX], text[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_RDONLY);
	if (fd >= 0 && read(fd, text, sizeof(text)) < 0)
		return -errno;
	return fd;
}

TEST_F(events, poll)
{
	const char *const dirs[] = { self->tree.child, self->tree.top };
	struct pollfd pfd[3] = {
		{ .events = POLLPRI }, { .events = POLLPRI },
		{ .events = POLLPRI },
	};

	ASSERT_EQ(0, attach(self->tree.top, self->deny));
	pfd[0].fd = open_read(dirs[0], "checmate.events.local");
	pfd[1].fd = open_read(dirs[1], "checmate.events");
	pfd[2].fd = open_read(dirs[1], "checmate.events.local");
	EXPECT_EQ(0, poll(pfd, 3, 0));
	EXPECT_EQ(EUSERS, run_in(dirs[0], do_bind, NULL));
	/* Each file by itself: they are notified one after the other. */
	EXPECT_EQ(1, poll(&pfd[0], 1, 30000));
	EXPECT_EQ(1, poll(&pfd[1], 1, 30000));
	EXPECT_EQ(0, poll(&pfd[2], 1, 0));
	EXPECT_NE(0, pfd[0].revents & POLLPRI);
	EXPECT_NE(0, pfd[1].revents & POLLPRI);
	close(pfd[0].fd);
	close(pfd[1].fd);
	close(pfd[2].fd);
}

TEST_F(events, inotify)
{
	struct pollfd pfd = { .events = POLLIN };
	char path[PATH_MAX], event[512];

	snprintf(path, sizeof(path), "%s/checmate.events", self->tree.top);
	ASSERT_EQ(0, attach(self->tree.top, self->deny));
	pfd.fd = inotify_init1(IN_CLOEXEC);
	ASSERT_LE(0, pfd.fd);
	ASSERT_LE(0, inotify_add_watch(pfd.fd, path, IN_MODIFY));
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	EXPECT_EQ(EUSERS, run_in(self->tree.child, do_bind, NULL));
	ASSERT_EQ(1, poll(&pfd, 1, 30000));
	ASSERT_LT(0, read(pfd.fd, event, sizeof(event)));
	EXPECT_NE(0, ((struct inotify_event *)event)->mask & IN_MODIFY);
	close(pfd.fd);
}

/* A storm is counted to the last denial. */
TEST_F_TIMEOUT(events, storm, 300)
{
	int i;

	ASSERT_EQ(0, attach(CGROUPFS, self->deny));
	for (i = 0; i < 2000; i++)
		ASSERT_EQ(EUSERS, do_bind(NULL));
	EXPECT_STREQ("socket_bind denied=2000 permissive=0\n",
		     read_text(CGROUPFS, "checmate.stat"));
	ASSERT_EQ(0, write_text(CGROUPFS, "checmate.policy", "clear"));
}

static unsigned long long inode_of(const char *dir)
{
	struct stat st;

	return stat(dir, &st) ? 0 : st.st_ino;
}

TEST_F(events, tracepoint)
{
	const char *const event = TRACING "/events/checmate/checmate_denied";
	char want[256];

	ASSERT_EQ(0, attach(self->tree.top, self->deny));
	ASSERT_EQ(0, write_text(TRACING, "trace", "\n"));
	ASSERT_EQ(0, write_text(event, "enable", "1"));
	EXPECT_EQ(EUSERS, run_in(self->tree.child, do_bind, NULL));
	ASSERT_EQ(0, write_text(event, "enable", "0"));
	snprintf(want, sizeof(want),
		 "checmate_denied: cgroup=%llu hook=socket_bind id=%llu prog=%u errno=87 mode=enforce\n",
		 inode_of(self->tree.child), nth_id(self->tree.top, 0),
		 prog_id(self->deny));
	EXPECT_NE(NULL, strstr(read_text(TRACING, "trace"), want)) {
		TH_LOG("not there: %s", want);
	}
}

/* Turn auditing on or off; the answer says whether that went well. */
static int set_audit(bool on)
{
	struct {
		struct nlmsghdr head;
		struct audit_status status;
	} request = {
		.head = {
			.nlmsg_len = sizeof(request), .nlmsg_type = AUDIT_SET,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		},
		.status = { .mask = AUDIT_STATUS_ENABLED, .enabled = on },
	};
	char answer[1024];
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT);
	int err = -EIO;

	if (fd < 0)
		return -errno;
	if (send(fd, &request, sizeof(request), 0) == sizeof(request) &&
	    recv(fd, answer, sizeof(answer), 0) >=
	    (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)))
		err = ((struct nlmsgerr *)NLMSG_DATA(answer))->error;
	close(fd);
	return err;
}

TEST_F(events, audit)
{
	struct sockaddr_nl group = {
		.nl_family = AF_NETLINK, .nl_groups = 1 << (AUDIT_NLGRP_READLOG - 1),
	};
	struct pollfd pfd = {
		.fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT),
		.events = POLLIN,
	};
	char want[256], record[8192];
	bool found = false;
	ssize_t len;

	ASSERT_LE(0, pfd.fd);
	ASSERT_EQ(0, bind(pfd.fd, (struct sockaddr *)&group, sizeof(group)));
	ASSERT_EQ(0, set_audit(true));
	ASSERT_EQ(0, attach(self->tree.top, self->deny));
	EXPECT_EQ(EUSERS, run_in(self->tree.child, do_bind, NULL));
	snprintf(want, sizeof(want),
		 "lsm=checmate hook=socket_bind res=0 mode=enforce errno=87 cgroup=%llu owner=%llu id=%llu prog-id=%u pid=",
		 inode_of(self->tree.child), inode_of(self->tree.top),
		 nth_id(self->tree.top, 0), prog_id(self->deny));
	while (!found && poll(&pfd, 1, 30000) == 1) {
		len = recv(pfd.fd, record, sizeof(record) - 1, 0);
		if (len < NLMSG_HDRLEN)
			break;
		record[len] = '\0';
		found = strstr(record + NLMSG_HDRLEN, want);
	}
	EXPECT_TRUE(found) {
		TH_LOG("no record with: %s", want);
	}
	EXPECT_EQ(0, set_audit(false));
	close(pfd.fd);
}

TEST_HARNESS_MAIN
