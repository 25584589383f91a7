// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Selftests: what is told of denials, and to whom
 */

#include "common.h"

#include <linux/audit.h>
#include <linux/netlink.h>
#include <sys/inotify.h>

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

static bool tells(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLPRI };

	return poll(&pfd, 1, 30000) == 1 && pfd.revents & POLLPRI;
}

#define NR_MANY	24

/* Many at once, and again: each is told, and those above. */
TEST_F(events, poll_many)
{
	char dir[NR_MANY][PATH_MAX];
	int events[NR_MANY], local[NR_MANY], above, root, round, i;
	char want[64];

	ASSERT_EQ(0, enable_controller(self->tree.child));
	for (i = 0; i < NR_MANY; i++) {
		snprintf(dir[i], sizeof(dir[i]), "%s/%d", self->tree.child, i);
		ASSERT_EQ(0, mkdir(dir[i], 0755));
	}
	ASSERT_EQ(0, attach(self->tree.top, self->deny));
	for (round = 1; round <= 3; round++) {
		for (i = 0; i < NR_MANY; i++) {
			events[i] = open_read(dir[i], "checmate.events");
			local[i] = open_read(dir[i], "checmate.events.local");
			ASSERT_LE(0, events[i]);
			ASSERT_LE(0, local[i]);
		}
		above = open_read(self->tree.child, "checmate.events");
		root = open_read(CGROUPFS, "checmate.events");
		for (i = 0; i < NR_MANY; i++)
			EXPECT_EQ(EUSERS, run_in(dir[i], do_bind, NULL));
		for (i = 0; i < NR_MANY; i++) {
			EXPECT_TRUE(tells(events[i]));
			EXPECT_TRUE(tells(local[i]));
			close(events[i]);
			close(local[i]);
		}
		EXPECT_TRUE(tells(above));
		EXPECT_TRUE(tells(root));
		close(above);
		close(root);

		snprintf(want, sizeof(want), "denied %d\npermissive 0\n", round);
		EXPECT_STREQ(want, read_text(dir[0], "checmate.events"));
		snprintf(want, sizeof(want), "denied %d\npermissive 0\n",
			 round * NR_MANY);
		EXPECT_STREQ(want, read_text(self->tree.top, "checmate.events"));
	}
	for (i = 0; i < NR_MANY; i++)
		ASSERT_EQ(0, rmdir(dir[i]));
	EXPECT_STREQ(want, read_text(self->tree.child, "checmate.events"));
	EXPECT_STREQ("denied 0\npermissive 0\n",
		     read_text(self->tree.child, "checmate.events.local"));
}

static int send_socket(void *channel)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 || send_fd(*(int *)channel, fd) ? 1 : 0;
}

/* A cgroup that is gone, and whose sockets are not, is counted and told above. */
TEST_F(events, gone)
{
	int channel[2], sock, fd, i;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, channel));
	ASSERT_EQ(0, attach(self->tree.top, self->deny));
	ASSERT_EQ(0, run_in(self->tree.child, send_socket, &channel[1]));
	sock = receive_fd(channel[0]);
	ASSERT_LE(0, sock);
	/* On its way to be told of while it goes, and long after. */
	EXPECT_EQ(EUSERS, bind_fd(sock));
	ASSERT_EQ(0, rmdir(self->tree.child));
	for (i = 2; i <= 4; i++) {
		fd = open_read(self->tree.top, "checmate.events");
		ASSERT_LE(0, fd);
		EXPECT_EQ(EUSERS, bind_fd(sock));
		EXPECT_TRUE(tells(fd));
		close(fd);
	}
	close(sock);
	EXPECT_STREQ("denied 4\npermissive 0\n",
		     read_text(self->tree.top, "checmate.events"));
	EXPECT_STREQ("denied 0\npermissive 0\n",
		     read_text(self->tree.top, "checmate.events.local"));
	close(channel[0]);
	close(channel[1]);
}

/* What needs no state of its own has none: it reads as if it had, and is empty. */
TEST_F(events, untouched)
{
	EXPECT_STREQ("generation 0\n",
		     read_text(self->tree.child, "checmate.policy"));
	EXPECT_STREQ("0\n", read_text(self->tree.child, "checmate.seal"));
	EXPECT_STREQ("0\n", read_text(self->tree.child, "checmate.socket_bind"));
	EXPECT_STREQ("", read_text(self->tree.child, "checmate.stat"));
	/* A failed write changes nothing of that. */
	EXPECT_EQ(-EBADF, write_text(self->tree.child, "checmate.policy",
				     "attach 1000000"));
	EXPECT_STREQ("generation 0\n",
		     read_text(self->tree.child, "checmate.policy"));
	/* Nor does what an ancestor denies. */
	ASSERT_EQ(0, attach(self->tree.top, self->deny));
	EXPECT_EQ(EUSERS, run_in(self->tree.child, do_bind, NULL));
	EXPECT_STREQ("generation 0\n",
		     read_text(self->tree.child, "checmate.policy"));
	EXPECT_STREQ("denied 1\npermissive 0\n",
		     read_text(self->tree.child, "checmate.events"));
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
	int i;

	ASSERT_EQ(0, attach(self->tree.top, self->deny));
	ASSERT_EQ(0, write_text(TRACING, "trace", "\n"));
	ASSERT_EQ(0, write_text(event, "enable", "1"));
	EXPECT_EQ(EUSERS, run_in(self->tree.child, do_bind, NULL));
	ASSERT_EQ(0, WRITEF(self->tree.top, "checmate.policy",
			    "mode %llu permissive\n",
			    nth_id(self->tree.top, 0)));
	EXPECT_EQ(0, run_in(self->tree.child, do_bind, NULL));
	ASSERT_EQ(0, write_text(event, "enable", "0"));
	for (i = 0; i < 2; i++) {
		snprintf(want, sizeof(want),
			 "checmate_denied: cgroup=%llu hook=socket_bind id=%llu prog=%u errno=87 mode=%s\n",
			 inode_of(self->tree.child), nth_id(self->tree.top, 0),
			 prog_id(self->deny), i ? "permissive" : "enforce");
		EXPECT_NE(NULL, strstr(read_text(TRACING, "trace"), want)) {
			TH_LOG("not there: %s", want);
		}
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

/* Get audit's records as they come. */
static int listen_to_audit(void)
{
	struct sockaddr_nl group = {
		.nl_family = AF_NETLINK, .nl_groups = 1 << (AUDIT_NLGRP_READLOG - 1),
	};
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&group, sizeof(group)))
		return -errno;
	return fd;
}

/* Wait for a record that has @want in it, to its end if that ends a line. */
static bool record_comes(int fd, const char *want)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char record[8192], *text = record + NLMSG_HDRLEN, *end;
	ssize_t len;

	while (poll(&pfd, 1, 30000) == 1) {
		len = recv(fd, record, sizeof(record) - 2, 0);
		if (len < NLMSG_HDRLEN)
			break;
		end = text + strnlen(text, len - NLMSG_HDRLEN);
		end[0] = '\n';
		end[1] = '\0';
		if (strstr(text, want))
			return true;
	}
	return false;
}

/* With all its fields, for what is enforced and what is not. */
TEST_F(events, audit)
{
	const char *top = self->tree.top, *child = self->tree.child;
	int fd = listen_to_audit(), permissive, status;
	char want[256], comm[32] = "";
	pid_t pid;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, set_audit(true));
	ASSERT_EQ(0, attach(top, self->deny));
	ASSERT_EQ(0, prctl(PR_GET_NAME, comm));
	for (permissive = 0; permissive < 2; permissive++) {
		if (permissive)
			ASSERT_EQ(0, WRITEF(top, "checmate.policy",
					    "mode %llu permissive\n",
					    nth_id(top, 0)));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			_exit(join(child) ? 255 : do_bind(NULL));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(permissive ? 0 : EUSERS, WEXITSTATUS(status));
		snprintf(want, sizeof(want),
			 "lsm=checmate hook=socket_bind res=%d mode=%s errno=87 cgroup=%llu owner=%llu id=%llu prog-id=%u pid=%d comm=\"%s\"\n",
			 permissive, permissive ? "permissive" : "enforce",
			 inode_of(child), inode_of(top), nth_id(top, 0),
			 prog_id(self->deny), pid, comm);
		EXPECT_TRUE(record_comes(fd, want)) {
			TH_LOG("no record with: %s", want);
		}
	}
	EXPECT_EQ(0, set_audit(false));
	close(fd);
}

/* A packet that is delivered before sendto() returns, and dropped. */
static int send_to_self(void *arg)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in addr = loopback(0);
	socklen_t len = sizeof(addr);
	char byte;

	(void)arg;
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    getsockname(fd, (struct sockaddr *)&addr, &len) ||
	    sendto(fd, "x", 1, 0, (struct sockaddr *)&addr, len) != 1)
		return 252;
	return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 ? errno : 0;
}

/* Whom an interrupt has interrupted has nothing to do with it. */
TEST_F(events, audit_of_interrupt)
{
	const char *top = self->tree.top, *child = self->tree.child;
	int prog = load_mac("socket_sock_rcv_skb", EUSERS);
	int fd = listen_to_audit();
	char want[256];

	ASSERT_LE(0, prog);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, set_audit(true));
	ASSERT_EQ(0, attach(top, prog));
	EXPECT_EQ(EAGAIN, run_in(child, send_to_self, NULL));
	snprintf(want, sizeof(want),
		 "lsm=checmate hook=socket_sock_rcv_skb res=0 mode=enforce errno=87 cgroup=%llu owner=%llu id=%llu prog-id=%u pid=0 comm=?\n",
		 inode_of(child), inode_of(top), nth_id(top, 0), prog_id(prog));
	EXPECT_TRUE(record_comes(fd, want)) {
		TH_LOG("no record with: %s", want);
	}
	EXPECT_EQ(0, set_audit(false));
	close(prog);
	close(fd);
}

/* A flood in one cgroup does not hide what is denied in another. */
TEST_F(events, audit_of_flood)
{
	const char *top = self->tree.top, *child = self->tree.child;
	int fd = listen_to_audit(), size = 1 << 20, status, i;
	char want[256];
	pid_t pid;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
				sizeof(size)));
	ASSERT_EQ(0, set_audit(true));
	ASSERT_EQ(0, attach(top, self->deny));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (join(child))
			_exit(255);
		for (i = 0; i < 500; i++)
			if (do_bind(NULL) != EUSERS)
				_exit(1);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	EXPECT_EQ(EUSERS, run_in(top, do_bind, NULL));
	snprintf(want, sizeof(want),
		 "lsm=checmate hook=socket_bind res=0 mode=enforce errno=87 cgroup=%llu ",
		 inode_of(top));
	EXPECT_TRUE(record_comes(fd, want)) {
		TH_LOG("no record with: %s", want);
	}
	EXPECT_EQ(0, set_audit(false));
	close(fd);
}

/* Who turns the controller off leaves word of what goes with it. */
TEST_F(events, dropped)
{
	const char *const event = TRACING "/events/checmate/checmate_dropped";
	const char *top = self->tree.top, *child = self->tree.child;
	int staged = load_mac("socket_listen", EUSERS);
	unsigned long long id[2];
	int fd = listen_to_audit(), i;
	char want[256], comm[32] = "";

	ASSERT_LE(0, staged);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, prctl(PR_GET_NAME, comm));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy",
			    "attach %d mode=permissive\n", self->deny));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "when=exec\nattach %d\n",
			    staged));
	for (i = 0; i < 2; i++)
		id[i] = nth_id(child, i);
	ASSERT_EQ(0, set_audit(true));
	ASSERT_EQ(0, write_text(TRACING, "trace", "\n"));
	ASSERT_EQ(0, write_text(event, "enable", "1"));
	ASSERT_EQ(0, write_text(top, "cgroup.subtree_control", "-checmate"));
	ASSERT_EQ(0, write_text(event, "enable", "0"));
	for (i = 0; i < 2; i++) {
		const char *hook = i ? "socket_listen" : "socket_bind";
		const char *mode = i ? "enforce" : "permissive";
		const char *state = i ? "staged" : "attached";
		int prog = i ? staged : self->deny;

		snprintf(want, sizeof(want),
			 "checmate_dropped: cgroup=%llu hook=%s id=%llu prog=%u mode=%s state=%s\n",
			 inode_of(child), hook, id[i], prog_id(prog), mode,
			 state);
		EXPECT_NE(NULL, strstr(read_text(TRACING, "trace"), want)) {
			TH_LOG("not there: %s", want);
		}
		snprintf(want, sizeof(want),
			 "lsm=checmate op=disable hook=%s mode=%s state=%s cgroup=%llu id=%llu prog-id=%u pid=%d comm=\"%s\"\n",
			 hook, mode, state, inode_of(child), id[i],
			 prog_id(prog), getpid(), comm);
		EXPECT_TRUE(record_comes(fd, want)) {
			TH_LOG("no record with: %s", want);
		}
	}

	/* What goes with its cgroup is not dropped by anybody. */
	ASSERT_EQ(0, enable_controller(top));
	ASSERT_EQ(0, attach(child, self->deny));
	snprintf(want, sizeof(want), "hook=socket_bind id=%llu ",
		 nth_id(child, 0));
	ASSERT_EQ(0, write_text(event, "enable", "1"));
	ASSERT_EQ(0, rmdir(child));
	ASSERT_EQ(0, write_text(event, "enable", "0"));
	EXPECT_EQ(NULL, strstr(read_text(TRACING, "trace"), want));
	EXPECT_EQ(0, set_audit(false));
	close(staged);
	close(fd);
}

/* --- listings -------------------------------------------------------------- */

/* The line of a program as it is in checmate.policy, without its end. */
static void line_of(char *text, size_t size, unsigned long long id,
		    const char *hook, int prog, const char *mode)
{
	struct bpf_prog_info info = {};
	char tag[2 * BPF_TAG_SIZE + 1] = "";
	__u32 len = sizeof(info);
	int i;

	if (bpf_obj_get_info_by_fd(prog, &info, &len))
		info.id = 0;
	for (i = 0; i < BPF_TAG_SIZE; i++)
		sprintf(tag + 2 * i, "%02x", info.tag[i]);
	snprintf(text, size, "%llu hook=%s name=%s tag=%s prog=%u mode=%s", id,
		 hook, info.name, tag, info.id, mode);
}

/* Every field of every line; the order is that in which programs are asked. */
TEST_F(events, effective)
{
	char strange[PATH_MAX], want[4096], line[4][256];
	const char *top = self->tree.top;
	unsigned long long id[4];
	int prog[4], i;

	/* A name with what separates fields in it; a line it cannot end. */
	snprintf(strange, sizeof(strange), "%s/a b\tc\\d", top);
	ASSERT_EQ(0, mkdir(strange, 0755));
	prog[0] = load_mac("socket_bind", 0);
	prog[1] = load_cgroup("socket_bind", 0);
	prog[2] = load_mac("socket_listen", EUSERS);
	prog[3] = load_mac("socket_bind", EACCES);
	for (i = 0; i < 4; i++)
		ASSERT_LE(0, prog[i]);
	ASSERT_EQ(0, WRITEF(top, "checmate.policy",
			    "attach %d\nattach %d mode=permissive\n", prog[3],
			    prog[2]));
	ASSERT_EQ(0, WRITEF(strange, "checmate.policy",
			    "attach %d\nattach %d mode=permissive\n", prog[0],
			    prog[1]));
	id[0] = nth_id(strange, 0);
	id[1] = nth_id(strange, 1);
	id[2] = nth_id(top, 1);
	id[3] = nth_id(top, 0);
	line_of(line[0], sizeof(line[0]), id[0], "socket_bind", prog[0],
		"enforce");
	line_of(line[1], sizeof(line[1]), id[1], "socket_bind", prog[1],
		"permissive");
	line_of(line[2], sizeof(line[2]), id[2], "socket_listen", prog[2],
		"permissive");
	line_of(line[3], sizeof(line[3]), id[3], "socket_bind", prog[3],
		"enforce");

	snprintf(want, sizeof(want),
		 "%s cgroup=%llu path=%s/a\\040b\\011c\\134d\n"
		 "%s cgroup=%llu path=%s/a\\040b\\011c\\134d\n"
		 "%s cgroup=%llu path=%s\n"
		 "%s cgroup=%llu path=%s\n",
		 line[0], inode_of(strange), top + strlen(CGROUPFS),
		 line[1], inode_of(strange), top + strlen(CGROUPFS),
		 line[3], inode_of(top), top + strlen(CGROUPFS),
		 line[2], inode_of(top), top + strlen(CGROUPFS));
	EXPECT_STREQ(want, read_text(strange, "checmate.effective"));

	/* A cgroup with nothing of its own has its parent's. */
	snprintf(want, sizeof(want),
		 "%s cgroup=%llu path=%s\n%s cgroup=%llu path=%s\n",
		 line[3], inode_of(top), top + strlen(CGROUPFS),
		 line[2], inode_of(top), top + strlen(CGROUPFS));
	EXPECT_STREQ(want, read_text(self->tree.child, "checmate.effective"));
	EXPECT_STREQ("generation 0\n",
		     read_text(self->tree.child, "checmate.policy"));
	snprintf(want, sizeof(want), "generation 1\n%s\n%s\n", line[3],
		 line[2]);
	EXPECT_STREQ(want, read_text(top, "checmate.policy"));
	for (i = 0; i < 4; i++)
		close(prog[i]);
	EXPECT_EQ(0, rmdir(strange));
}

/* What a reader in a namespace of its own is told of cgroups above it. */
struct seen {
	char path[PATH_MAX];
	char text[4096];
};

static int read_in_namespace(void *arg)
{
	struct seen *seen = arg;

	if (unshare(CLONE_NEWCGROUP))
		return errno;
	snprintf(seen->text, sizeof(seen->text), "%s",
		 read_text(seen->path, "checmate.effective"));
	return 0;
}

TEST_F(events, effective_in_namespace)
{
	const char *top = self->tree.top, *child = self->tree.child;
	struct seen *seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char want[64];

	ASSERT_NE(MAP_FAILED, seen);
	ASSERT_EQ(0, attach(top, self->deny));
	ASSERT_EQ(0, attach(child, self->deny));
	snprintf(seen->path, sizeof(seen->path), "%s", child);
	ASSERT_EQ(0, run_in(child, read_in_namespace, seen));
	EXPECT_EQ(2, count_lines(seen->text));
	snprintf(want, sizeof(want), " cgroup=%llu path=/\n", inode_of(child));
	EXPECT_NE(NULL, strstr(seen->text, want));
	snprintf(want, sizeof(want), " cgroup=%llu path=/..\n", inode_of(top));
	EXPECT_NE(NULL, strstr(seen->text, want));
	munmap(seen, sizeof(*seen));
}

/* A line for each hook that is used here, for as long as it is. */
TEST_F(events, stat)
{
	const char *top = self->tree.top, *child = self->tree.child;
	int again = load_cgroup("socket_bind", EACCES);
	int other = load_mac("socket_connect", EDOM);

	ASSERT_LE(0, again);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, WRITEF(top, "checmate.policy",
			    "attach %d mode=permissive\nattach %d\nattach %d\n",
			    self->deny, again, other));
	EXPECT_EQ(EACCES, run_in(child, do_bind, NULL));
	EXPECT_EQ(EACCES, run_in(child, do_bind, NULL));
	EXPECT_EQ(EDOM, run_in(child, do_connect, NULL));
	EXPECT_STREQ("socket_bind denied=2 permissive=2\n"
		     "socket_connect denied=1 permissive=0\n",
		     read_text(top, "checmate.stat"));
	EXPECT_STREQ("denied 3\npermissive 2\n",
		     read_text(top, "checmate.events"));

	/* What was counted goes with the program, not with its mode. */
	ASSERT_EQ(0, WRITEF(top, "checmate.policy",
			    "mode %llu enforce\ndetach %llu\n", nth_id(top, 0),
			    nth_id(top, 1)));
	EXPECT_STREQ("socket_bind denied=0 permissive=2\n"
		     "socket_connect denied=1 permissive=0\n",
		     read_text(top, "checmate.stat"));
	ASSERT_EQ(0, WRITEF(top, "checmate.policy", "clear\nattach %d\n",
			    other));
	EXPECT_STREQ("socket_connect denied=0 permissive=0\n",
		     read_text(top, "checmate.stat"));
	EXPECT_STREQ("denied 3\npermissive 2\n",
		     read_text(top, "checmate.events"));
	close(again);
	close(other);
}

/*
 * Wait until a line of the hooks is that: what a cgroup has attached counts until
 * nobody knows the cgroup anymore, be it the one of a test before.
 */
static bool hook_is(const char *line)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	int i;

	for (i = 0; i < 3000; i++) {
		if (strstr(read_text("", HOOKS_FILE), line))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* The line of a hook is nothing but its five fields. */
TEST_F(events, hooks)
{
	EXPECT_STREQ("1\n", read_text("/sys/kernel/security/checmate",
				      "version"));
	EXPECT_NE(NULL, strstr(read_text("", HOOKS_FILE),
			       "\nsyslog sleepable=1 active=0 programs=0 direct=0\n"));
	EXPECT_NE(NULL, strstr(read_text("", HOOKS_FILE),
			       "\nsocket_sock_rcv_skb sleepable=0 active="));
	ASSERT_EQ(0, attach(self->tree.top, self->deny));
	ASSERT_EQ(0, attach(self->tree.child, self->deny));
	EXPECT_TRUE(hook_is("\nsocket_bind sleepable=1 active=1 programs=2 direct=1\n"));
}

TEST_HARNESS_MAIN
