// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Selftests: whose a socket is
 *
 * A socket is judged by the cgroup in which it was made, wherever it goes, and
 * for as long as it lives.  It is made in the cgroup of the task that asked for
 * it; one that comes out of a listening socket is made where that one was.
 *
 * Here every cgroup has its own mark: the errno with which getsockname(2) fails
 * on its sockets.
 */

#include "common.h"

#include <dirent.h>
#include <linux/genetlink.h>
#include <linux/io_uring.h>
#include <linux/netlink.h>
#include <linux/smc.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif
#ifndef IPPROTO_SMC
#define IPPROTO_SMC	256
#endif
#ifndef AF_SMC
#define AF_SMC		43
#endif

/* The marks; a socket of none of these cgroups is nobody's. */
#define OF_CHILD		EUSERS
#define OF_OTHER		EBADSLT
#define OF_THIRD		EBADR
#define OF_NOBODY		0

static int whose(int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	return getsockname(fd, (struct sockaddr *)&addr, &len) ? errno : 0;
}

struct places {
	struct tree tree;
	/* Beside @tree.child. */
	char other[PATH_MAX];
	char third[PATH_MAX];
};

/* Mark a cgroup's sockets; the program stays for as long as the cgroup. */
static int mark(const char *dir, int err)
{
	int prog = load_mac("socket_getsockname", err), ret;

	if (prog < 0)
		return prog;
	ret = attach(dir, prog);
	close(prog);
	return ret;
}

static int unmark(const char *dir)
{
	return write_text(dir, "checmate.policy", "clear");
}

/* Deny with the cgroup's own errno at a hook. */
static int deny(const char *dir, const char *hook, int err)
{
	int prog = load_mac(hook, err), ret;

	if (prog < 0)
		return prog;
	ret = attach(dir, prog);
	close(prog);
	return ret;
}

static int make_places(struct places *places, const char *name)
{
	int err = make_tree(&places->tree, name);

	if (err)
		return err;
	snprintf(places->other, sizeof(places->other), "%s/other",
		 places->tree.top);
	snprintf(places->third, sizeof(places->third), "%s/third",
		 places->tree.top);
	if (mkdir(places->other, 0755) || mkdir(places->third, 0755))
		return -errno;
	return mark(places->tree.child, OF_CHILD) ?:
	       mark(places->other, OF_OTHER) ?: mark(places->third, OF_THIRD);
}

static void remove_places(struct places *places)
{
	rmdir(places->third);
	rmdir(places->other);
	remove_tree(&places->tree);
}

/*
 * What @make returns, a descriptor or -errno, when it is called by a task of
 * cgroup @dir that is gone when this returns.
 */
static int made_in(const char *dir, int (*make)(void *), void *arg)
{
	int channel[2], fd, status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, channel))
		return -errno;
	pid = fork();
	if (!pid) {
		close(channel[0]);
		if (join(dir))
			_exit(254);
		fd = make(arg);
		if (fd < 0)
			_exit(-fd);
		_exit(send_fd(channel[1], fd) ? 253 : 0);
	}
	close(channel[1]);
	fd = receive_fd(channel[0]);
	close(channel[0]);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -EIO;
	return WEXITSTATUS(status) ? -WEXITSTATUS(status) : fd;
}

static int make_datagram(void *arg)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)arg;
	return fd < 0 ? -errno : fd;
}

/* Where to connect to. */
struct target {
	int family;
	int protocol;
	struct sockaddr_storage addr;
	socklen_t len;
};

static int make_listener(void *arg)
{
	struct target *target = arg;
	int fd = socket(target->family, SOCK_STREAM, target->protocol);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&target->addr, target->len) ||
	    listen(fd, 8))
		return -errno;
	return fd;
}

static int make_client(void *arg)
{
	struct target *target = arg;
	int fd = socket(target->family, SOCK_STREAM, target->protocol);

	if (fd < 0 ||
	    connect(fd, (struct sockaddr *)&target->addr, target->len))
		return -errno;
	return fd;
}

static int make_accepted(void *arg)
{
	int fd = accept4(*(int *)arg, NULL, NULL, SOCK_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/*
 * A free address.  AF_UNIX has names of our own; elsewhere the kernel chooses a
 * port, which is then free for the listener.
 */
static int set_target(struct target *target, int family, int protocol)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&target->addr;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&target->addr;
	struct sockaddr_in *in = (struct sockaddr_in *)&target->addr;
	static int serial;
	int fd, one = 1;

	memset(target, 0, sizeof(*target));
	target->family = family;
	target->protocol = protocol;
	/* SMC has addresses of IP, and finds its peers by TCP. */
	if (family == AF_SMC)
		family = AF_INET;
	target->addr.ss_family = family;
	switch (family) {
	case AF_UNIX:
		target->len = offsetof(struct sockaddr_un, sun_path) + 1 +
			      sprintf(un->sun_path + 1, "checmate.%d.%d",
				      getpid(), serial++);
		return 0;
	case AF_INET6:
		in6->sin6_addr = in6addr_loopback;
		target->len = sizeof(*in6);
		break;
	default:
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		target->len = sizeof(*in);
		break;
	}
	fd = socket(family, SOCK_STREAM, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&target->addr, target->len) ||
	    getsockname(fd, (struct sockaddr *)&target->addr, &target->len))
		return -errno;
	close(fd);
	return 0;
}

/* --- SMC ------------------------------------------------------------------- */

/* An id has 32 characters, of which the last may be blanks. */
#define SMC_ID	"CHECMATE                        "

/* One message of generic netlink with one attribute that is a string. */
struct genl_message {
	struct nlmsghdr head;
	struct genlmsghdr genl;
	struct nlattr attr;
	char text[SMC_MAX_EID_LEN + 1];
};

/* Send a message; its answer goes to @answer, of which the length is returned. */
static ssize_t ask_genl(int fd, int family, int cmd, int attr, const char *text,
			void *answer, size_t size)
{
	struct genl_message message = {
		.head.nlmsg_type = family,
		.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		.genl = { .cmd = cmd, .version = 1 },
		.attr = {
			.nla_type = attr,
			.nla_len = NLA_HDRLEN + strlen(text) + 1,
		},
	};

	message.head.nlmsg_len = offsetof(struct genl_message, attr) +
				 NLA_ALIGN(message.attr.nla_len);
	memcpy(message.text, text, strlen(text) + 1);
	if (send(fd, &message, message.head.nlmsg_len, 0) < 0)
		return -errno;
	return recv(fd, answer, size, 0);
}

/*
 * SMC finds a device that both ends have by an id, which is the machine's own on
 * some machines only.  Without one it goes over to TCP.
 */
static int set_smc_id(void)
{
	char answer[4096];
	struct nlmsghdr *head = (struct nlmsghdr *)answer;
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC), err = -ENOENT;
	struct nlattr *attr;
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = ask_genl(fd, GENL_ID_CTRL, CTRL_CMD_GETFAMILY,
		       CTRL_ATTR_FAMILY_NAME, SMC_GENL_FAMILY_NAME, answer,
		       sizeof(answer));
	if (len < (ssize_t)sizeof(*head) || head->nlmsg_type == NLMSG_ERROR)
		goto out;
	attr = (struct nlattr *)(answer + NLMSG_HDRLEN + GENL_HDRLEN);
	while ((char *)attr < answer + head->nlmsg_len &&
	       attr->nla_type != CTRL_ATTR_FAMILY_ID)
		attr = (struct nlattr *)((char *)attr +
					 NLA_ALIGN(attr->nla_len));
	if ((char *)attr >= answer + head->nlmsg_len)
		goto out;
	err = *(__u16 *)((char *)attr + NLA_HDRLEN);
	/* The acknowledgment of the first message. */
	len = recv(fd, answer, sizeof(answer), 0);
	if (len > 0)
		len = ask_genl(fd, err, SMC_NETLINK_ADD_UEID,
			       SMC_NLA_EID_TABLE_ENTRY, SMC_ID, answer,
			       sizeof(answer));
	err = len < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)) ? -EIO :
	      ((struct nlmsgerr *)NLMSG_DATA(head))->error;
out:
	close(fd);
	return err == -EEXIST ? 0 : err;
}

/* --- sockets that listen --------------------------------------------------- */

FIXTURE(accepted)
{
	struct places places;
	struct target target;
};

FIXTURE_VARIANT(accepted)
{
	int family;
	int protocol;
};

FIXTURE_VARIANT_ADD(accepted, inet) { .family = AF_INET };
FIXTURE_VARIANT_ADD(accepted, inet6) { .family = AF_INET6 };
FIXTURE_VARIANT_ADD(accepted, unix) { .family = AF_UNIX };
FIXTURE_VARIANT_ADD(accepted, mptcp) {
	.family = AF_INET, .protocol = IPPROTO_MPTCP,
};

/* These two make the accepted sock in an interrupt and in a kernel thread. */
FIXTURE_VARIANT_ADD(accepted, sctp) {
	.family = AF_INET, .protocol = IPPROTO_SCTP,
};

FIXTURE_VARIANT_ADD(accepted, smc) { .family = AF_SMC };
FIXTURE_VARIANT_ADD(accepted, inet_smc) {
	.family = AF_INET, .protocol = IPPROTO_SMC,
};

FIXTURE_SETUP(accepted)
{
	int fd = socket(variant->family, SOCK_STREAM, variant->protocol);

	if (fd < 0 && (errno == EPROTONOSUPPORT || errno == EAFNOSUPPORT))
		SKIP(return, "the kernel has no such protocol");
	close(fd);
	if (variant->family == AF_SMC || variant->protocol == IPPROTO_SMC)
		ASSERT_EQ(0, set_smc_id());
	ASSERT_EQ(0, make_places(&self->places, "accepted"));
	ASSERT_EQ(0, set_target(&self->target, variant->family,
				variant->protocol));
}

FIXTURE_TEARDOWN(accepted)
{
	remove_places(&self->places);
}

/* The protocol that a descriptor leads to: SMC may have gone over to TCP. */
static int protocol_of(int fd)
{
	int protocol = -1;
	socklen_t len = sizeof(protocol);

	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len);
	return protocol;
}

/* What is accepted is its listener's, whoever connects, and whoever accepts. */
TEST_F(accepted, is_its_listeners)
{
	const char *child = self->places.tree.child;
	const char *const acceptors[] = {
		self->places.third, self->places.other, child,
		self->places.tree.top,
	};
	int listener, client, fd;
	size_t i;

	listener = made_in(child, make_listener, &self->target);
	ASSERT_LE(0, listener);
	EXPECT_EQ(OF_CHILD, whose(listener));
	for (i = 0; i < ARRAY_LEN(acceptors); i++) {
		client = made_in(self->places.other, make_client,
				 &self->target);
		ASSERT_LE(0, client);
		EXPECT_EQ(OF_OTHER, whose(client));
		fd = made_in(acceptors[i], make_accepted, &listener);
		ASSERT_LE(0, fd);
		EXPECT_EQ(protocol_of(listener), protocol_of(fd));
		EXPECT_EQ(OF_CHILD, whose(fd));
		close(client);
		close(fd);
	}
	close(listener);
}

/* A listener from outside makes sockets of the outside, also for those inside. */
TEST_F(accepted, from_outside)
{
	int listener = make_listener(&self->target), client, fd;

	ASSERT_LE(0, listener);
	EXPECT_EQ(OF_NOBODY, whose(listener));
	client = made_in(self->places.other, make_client, &self->target);
	ASSERT_LE(0, client);
	fd = made_in(self->places.tree.child, make_accepted, &listener);
	ASSERT_LE(0, fd);
	EXPECT_EQ(OF_NOBODY, whose(fd));
	close(client);
	close(fd);
	close(listener);
}

/* So is the question whether to accept at all. */
TEST_F(accepted, accepting)
{
	const char *child = self->places.tree.child;
	const char *third = self->places.third;
	int listener, client, fd;

	listener = made_in(child, make_listener, &self->target);
	ASSERT_LE(0, listener);
	client = made_in(self->places.other, make_client, &self->target);
	ASSERT_LE(0, client);
	ASSERT_EQ(0, deny(child, "socket_accept", OF_CHILD));
	EXPECT_EQ(-OF_CHILD, made_in(third, make_accepted, &listener));
	ASSERT_EQ(0, unmark(child));
	ASSERT_EQ(0, deny(third, "socket_accept", OF_THIRD));
	fd = made_in(third, make_accepted, &listener);
	EXPECT_LE(0, fd);
	close(fd);
	close(client);
	close(listener);
}

/*
 * A listener that is older than the controller is found to be of its cgroup,
 * and so are connections that were made before and after.
 */
TEST_F(accepted, before_controller)
{
	const char *top = self->places.tree.top, *child = self->places.tree.child;
	int listener, client[2], fd, i;

	ASSERT_EQ(0, write_text(top, "cgroup.subtree_control", "-checmate"));
	listener = made_in(child, make_listener, &self->target);
	ASSERT_LE(0, listener);
	client[0] = made_in(self->places.other, make_client, &self->target);
	ASSERT_LE(0, client[0]);
	EXPECT_EQ(OF_NOBODY, whose(listener));

	ASSERT_EQ(0, enable_controller(top));
	ASSERT_EQ(0, mark(child, OF_CHILD));
	ASSERT_EQ(0, mark(self->places.other, OF_OTHER));
	client[1] = made_in(self->places.other, make_client, &self->target);
	ASSERT_LE(0, client[1]);
	for (i = 0; i < 2; i++) {
		fd = made_in(self->places.third, make_accepted, &listener);
		ASSERT_LE(0, fd);
		EXPECT_EQ(OF_CHILD, whose(fd));
		EXPECT_EQ(OF_OTHER, whose(client[i]));
		close(fd);
		close(client[i]);
	}
	close(listener);
}

/*
 * A listener goes on after its cgroup, and what it makes then is under the
 * policy that the cgroup had, and under what its ancestors get.
 */
TEST_F(accepted, after_removal)
{
	const char *top = self->places.tree.top, *child = self->places.tree.child;
	int listener, client, fd;

	listener = made_in(child, make_listener, &self->target);
	ASSERT_LE(0, listener);
	ASSERT_EQ(0, rmdir(child));
	/* One of the same name is another cgroup. */
	ASSERT_EQ(0, mkdir(child, 0755));
	ASSERT_EQ(0, mark(child, OF_THIRD));

	client = made_in(child, make_client, &self->target);
	ASSERT_LE(0, client);
	EXPECT_EQ(OF_THIRD, whose(client));
	fd = made_in(child, make_accepted, &listener);
	ASSERT_LE(0, fd);
	EXPECT_EQ(OF_CHILD, whose(fd));
	ASSERT_EQ(0, deny(top, "socket_shutdown", EDOM));
	EXPECT_EQ(-1, shutdown(fd, SHUT_WR));
	EXPECT_EQ(EDOM, errno);
	ASSERT_EQ(0, unmark(top));
	EXPECT_EQ(0, shutdown(fd, SHUT_WR));
	EXPECT_EQ(OF_CHILD, whose(fd));
	close(fd);
	close(client);
	close(listener);
}

/* --- sockets that travel --------------------------------------------------- */

FIXTURE(socket)
{
	struct places places;
};

FIXTURE_SETUP(socket)
{
	ASSERT_EQ(0, make_places(&self->places, "socket"));
}

FIXTURE_TEARDOWN(socket)
{
	remove_places(&self->places);
}

static int look_at(void *arg)
{
	return whose(*(int *)arg);
}

/* Handed on by SCM_RIGHTS, a socket stays its maker's, in both directions. */
TEST_F(socket, passed)
{
	const char *child = self->places.tree.child;
	const char *other = self->places.other;
	int fd;

	fd = made_in(child, make_datagram, NULL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(OF_CHILD, whose(fd));
	EXPECT_EQ(OF_CHILD, run_in(other, look_at, &fd));
	EXPECT_EQ(OF_CHILD, run_in(child, look_at, &fd));
	close(fd);

	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(OF_NOBODY, run_in(child, look_at, &fd));
	close(fd);
}

/* On its way, with nobody to hold it, and its cgroup gone meanwhile. */
TEST_F(socket, in_flight)
{
	const char *child = self->places.tree.child;
	int channel[2], status, fd;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, channel));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (join(child))
			_exit(1);
		fd = make_datagram(NULL);
		_exit(fd < 0 || send_fd(channel[1], fd));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	ASSERT_EQ(0, rmdir(child));
	fd = receive_fd(channel[0]);
	ASSERT_LE(0, fd);
	EXPECT_EQ(OF_CHILD, whose(fd));
	EXPECT_EQ(OF_CHILD, run_in(self->places.other, look_at, &fd));
	close(fd);
	close(channel[0]);
	close(channel[1]);
}

/* Taken by pidfd_getfd(2), which the maker need not know of. */
TEST_F(socket, taken)
{
	int ready[2], end[2], fd = -1, taken, pidfd, status;
	pid_t pid;

	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(end));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		char byte;

		close(end[1]);
		if (join(self->places.tree.child))
			_exit(1);
		fd = make_datagram(NULL);
		_exit(write(ready[1], &fd, sizeof(fd)) != sizeof(fd) ||
		      read(end[0], &byte, 1));
	}
	close(ready[1]);
	ASSERT_EQ(sizeof(fd), read(ready[0], &fd, sizeof(fd)));
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	ASSERT_LE(0, pidfd);
	taken = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	ASSERT_LE(0, taken);
	EXPECT_EQ(OF_CHILD, whose(taken));
	close(end[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(taken);
	close(pidfd);
	close(ready[0]);
	close(end[0]);
}

/*
 * Inherited over fork(2) by a process that then moves, and kept by one that
 * moves itself: what they make from then on is of where they are.
 */
TEST_F(socket, inherited)
{
	const char *child = self->places.tree.child;
	const char *other = self->places.other;
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int fd, made, pair[2];

		if (join(child))
			_exit(1);
		fd = make_datagram(NULL);
		if (fd < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
			_exit(2);
		pid = fork();
		if (pid < 0)
			_exit(3);
		if (!pid) {
			if (whose(fd) != OF_CHILD)
				_exit(4);
			if (join(other) || whose(fd) != OF_CHILD ||
			    whose(pair[0]) != OF_CHILD ||
			    whose(pair[1]) != OF_CHILD)
				_exit(5);
			made = make_datagram(NULL);
			_exit(whose(made) == OF_OTHER ? 0 : 6);
		}
		if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
			_exit(7);
		if (status)
			_exit(WEXITSTATUS(status));
		if (join(self->places.third) || whose(fd) != OF_CHILD)
			_exit(8);
		made = make_datagram(NULL);
		_exit(whose(made) == OF_THIRD ? 0 : 9);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_TRUE(WIFEXITED(status));
}

struct messages {
	int port[3];
};

static int send_messages(void *arg)
{
	const struct messages *messages = arg;
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct sockaddr_in addr[3];
	struct mmsghdr msg[3] = {};
	int fd = make_datagram(NULL), i;

	for (i = 0; i < 3; i++) {
		addr[i] = loopback(messages->port[i]);
		msg[i].msg_hdr = (struct msghdr){
			.msg_name = &addr[i], .msg_namelen = sizeof(addr[i]),
			.msg_iov = &iov, .msg_iovlen = 1,
		};
	}
	return sendmmsg(fd, msg, 3, 0) == 3 ? 0 : errno;
}

/*
 * Of several messages that one call sends to the same address, only the first
 * is asked about; that is for all LSMs so.  Another address is another question.
 */
TEST_F(socket, messages)
{
	const char *child = self->places.tree.child;
	struct messages same = { .port = { 1, 1, 1 } };
	struct messages different = { .port = { 1, 2, 1 } };
	int map = make_counters(), prog;

	prog = load_counter("socket_sendmsg", BPF_LSM_MAC, map, 0, 0);
	ASSERT_LE(0, prog);
	ASSERT_EQ(0, attach(child, prog));
	EXPECT_EQ(0, run_in(child, send_messages, &same));
	EXPECT_EQ(1, counter(map, 0));
	EXPECT_EQ(0, run_in(child, send_messages, &different));
	EXPECT_EQ(4, counter(map, 0));
	ASSERT_EQ(0, deny(child, "socket_sendmsg", EDOM));
	EXPECT_EQ(EDOM, run_in(child, send_messages, &same));
	close(prog);
	close(map);
}

/* --- packets --------------------------------------------------------------- */

static int make_receiver(void *arg)
{
	struct target *target = arg;
	int fd = socket(target->family, SOCK_DGRAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&target->addr, target->len))
		return -errno;
	return fd;
}

static int send_one(void *arg)
{
	struct target *target = arg;
	int fd = socket(target->family, SOCK_DGRAM, 0);

	if (fd < 0)
		return 252;
	return sendto(fd, "x", 1, 0, (struct sockaddr *)&target->addr,
		      target->len) == 1 ? 0 : errno;
}

/*
 * A packet is judged by the socket it is for.  Loopback delivers it in softirq,
 * on top of the task that sends; AF_UNIX in that task itself.
 */
TEST_F(socket, packets)
{
	static const int families[] = { AF_INET, AF_INET6, AF_UNIX };
	const char *child = self->places.tree.child;
	const char *other = self->places.other;
	int prog = load_mac("socket_sock_rcv_skb", EPERM);
	struct target target;
	size_t i;
	int fd;

	ASSERT_LE(0, prog);
	for (i = 0; i < ARRAY_LEN(families); i++) {
		char byte;

		ASSERT_EQ(0, set_target(&target, families[i], 0));
		fd = made_in(child, make_receiver, &target);
		ASSERT_LE(0, fd);

		/* The sender's cgroup has no say. */
		ASSERT_EQ(0, attach(other, prog));
		EXPECT_EQ(0, run_in(other, send_one, &target));
		EXPECT_EQ(1, recv(fd, &byte, 1, MSG_DONTWAIT));
		ASSERT_EQ(0, WRITEF(other, "checmate.policy", "detach %llu\n",
				    nth_id(other, 1)));

		/* The receiver's has, whoever sends; nobody is told. */
		ASSERT_EQ(0, attach(child, prog));
		EXPECT_EQ(0, run_in(other, send_one, &target));
		EXPECT_EQ(0, send_one(&target));
		EXPECT_EQ(-1, recv(fd, &byte, 1, MSG_DONTWAIT));
		EXPECT_EQ(EAGAIN, errno);
		ASSERT_EQ(0, WRITEF(child, "checmate.policy", "detach %llu\n",
				    nth_id(child, 1)));
		EXPECT_EQ(0, send_one(&target));
		EXPECT_EQ(1, recv(fd, &byte, 1, MSG_DONTWAIT));
		close(fd);
	}
	close(prog);
}

static int make_association(void *arg)
{
	struct target *target = arg;
	int fd = socket(target->family, SOCK_SEQPACKET, IPPROTO_SCTP);

	if (fd < 0 ||
	    connect(fd, (struct sockaddr *)&target->addr, target->len))
		return -errno;
	return fd;
}

/* SCTP asks in an interrupt, about an association: that is its socket's. */
TEST_F(socket, associations)
{
	const char *child = self->places.tree.child;
	const char *other = self->places.other;
	int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
	int map = make_counters(), listener, client;
	struct target target;
	int prog[4];
	size_t i;

	if (fd < 0 && errno == EPROTONOSUPPORT)
		SKIP(return, "the kernel has no such protocol");
	close(fd);
	/* The one end is asked about the request, the other about the answer. */
	for (i = 0; i < ARRAY_LEN(prog); i++) {
		prog[i] = load_counter(i % 2 ? "sctp_assoc_established" :
					       "sctp_assoc_request",
				       BPF_LSM_MAC, map, i, 0);
		ASSERT_LE(0, prog[i]);
		ASSERT_EQ(0, attach(i / 2 ? other : child, prog[i]));
	}
	ASSERT_EQ(0, set_target(&target, AF_INET, IPPROTO_SCTP));
	listener = made_in(child, make_listener, &target);
	ASSERT_LE(0, listener);
	client = made_in(other, make_association, &target);
	ASSERT_LE(0, client);
	EXPECT_LE(1, counter(map, 0));
	EXPECT_EQ(0, counter(map, 1));
	EXPECT_EQ(0, counter(map, 2));
	EXPECT_EQ(1, counter(map, 3));
	for (i = 0; i < ARRAY_LEN(prog); i++)
		close(prog[i]);
	close(listener);
	close(client);
	close(map);
}

/*
 * The same on an accepted TCP socket.  What was dropped comes again, when it
 * is allowed in.
 */
TEST_F(socket, packets_of_connection)
{
	const char *child = self->places.tree.child;
	int prog = load_mac("socket_sock_rcv_skb", EPERM);
	struct pollfd pfd = { .events = POLLIN };
	int listener, client;
	struct target target;
	char byte;

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, set_target(&target, AF_INET, 0));
	listener = made_in(child, make_listener, &target);
	ASSERT_LE(0, listener);
	client = make_client(&target);
	ASSERT_LE(0, client);
	pfd.fd = accept(listener, NULL, NULL);
	ASSERT_LE(0, pfd.fd);
	ASSERT_EQ(0, attach(child, prog));
	ASSERT_EQ(1, send(client, "x", 1, 0));
	EXPECT_EQ(-1, recv(pfd.fd, &byte, 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "detach %llu\n",
			    nth_id(child, 1)));
	EXPECT_EQ(1, poll(&pfd, 1, 120000));
	EXPECT_EQ(1, recv(pfd.fd, &byte, 1, MSG_DONTWAIT));
	close(pfd.fd);
	close(client);
	close(listener);
	close(prog);
}

/*
 * What an interrupt makes is not of the task that it interrupts: the server's
 * end of a connection is allocated on top of the client.
 */
TEST_F(socket, made_in_softirq)
{
	const char *other = self->places.other;
	struct target target;
	int map = make_counters(), prog, listener, client, fd;

	prog = load_counter("sk_alloc_security", BPF_LSM_MAC, map, 0, 0);
	ASSERT_LE(0, prog);
	ASSERT_EQ(0, set_target(&target, AF_INET, 0));
	listener = made_in(self->places.tree.child, make_listener, &target);
	ASSERT_LE(0, listener);
	ASSERT_EQ(0, attach(other, prog));
	client = made_in(other, make_client, &target);
	ASSERT_LE(0, client);
	fd = accept(listener, NULL, NULL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, counter(map, 0));
	EXPECT_EQ(OF_CHILD, whose(fd));
	close(fd);
	close(client);
	close(listener);
	close(prog);
	close(map);
}

/* --- sockets that the kernel makes ------------------------------------------ */

/*
 * Counts sockets, those made for tasks as 0 and those that the kernel makes for
 * itself as 1, and answers each with an errno of its own.
 */
static int load_creation(int map, int task_err, int kernel_err)
{
	const struct bpf_insn insn[] = {
		LOAD(BPF_DW, 6, 1, 24),
		STORE_IMM(BPF_W, 10, -4, 0),
		MOV_IMM(7, -task_err),
		JUMP32_IF(BPF_JEQ, 6, 0, 2),
		STORE_IMM(BPF_W, 10, -4, 1),
		MOV_IMM(7, -kernel_err),
		MOV_REG(2, 10), ADD_IMM(2, -4),
		LOAD_MAP(1, map),
		CALL(BPF_FUNC_map_lookup_elem),
		JUMP_IF(BPF_JEQ, 0, 0, 2),
		MOV_IMM(1, 1),
		ATOMIC_ADD(0, 1, 0),
		MOV_REG(0, 7),
		EXIT(),
	};

	return load_prog("socket_create", BPF_LSM_MAC, 0, insn, ARRAY_LEN(insn));
}

/* A network namespace of one's own: the kernel makes sockets to go with it. */
static int do_unshare(void *arg)
{
	(void)arg;
	return unshare(CLONE_NEWNET) ? errno : 0;
}

FIXTURE(kernel)
{
	struct places places;
	int map;
};

FIXTURE_SETUP(kernel)
{
	int err = run_in(CGROUPFS, do_unshare, NULL);

	if (err == EINVAL)
		SKIP(return, "the kernel has no network namespaces");
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, make_places(&self->places, "kernel"));
	self->map = make_counters();
	ASSERT_LE(0, self->map);
}

FIXTURE_TEARDOWN(kernel)
{
	close(self->map);
	remove_places(&self->places);
}

/*
 * It is the task's cgroup that is asked, and programs are told whom the socket
 * is for: they can leave the kernel's alone.
 */
TEST_F(kernel, told)
{
	const char *child = self->places.tree.child;
	int prog = load_creation(self->map, EDOM, 0);

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, attach(child, prog));
	EXPECT_EQ(EDOM, run_in(child, do_socket, NULL));
	EXPECT_EQ(1, counter(self->map, 0));
	EXPECT_EQ(0, counter(self->map, 1));
	EXPECT_EQ(0, run_in(child, do_unshare, NULL));
	EXPECT_EQ(1, counter(self->map, 0));
	EXPECT_LT(0, counter(self->map, 1));

	/* What others let the kernel make is none of its business. */
	ASSERT_EQ(0, unmark(child));
	ASSERT_EQ(0, attach(self->places.third, prog));
	EXPECT_EQ(EDOM, run_in(self->places.third, do_socket, NULL));
	EXPECT_EQ(2, counter(self->map, 0));
	EXPECT_EQ(0, run_in(self->places.other, do_unshare, NULL));
	EXPECT_EQ(2, counter(self->map, 0));
	close(prog);
}

/* A program that does not look denies what the kernel needs the socket for. */
TEST_F(kernel, denied)
{
	const char *child = self->places.tree.child;
	int prog = load_creation(self->map, 0, EDOM);

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, attach(child, prog));
	EXPECT_EQ(0, run_in(child, do_socket, NULL));
	EXPECT_NE(0, run_in(child, do_unshare, NULL));
	EXPECT_LT(0, counter(self->map, 1));
	EXPECT_EQ(0, run_in(self->places.other, do_unshare, NULL));
	close(prog);
}

/*
 * The kernel's sockets, too, are of the cgroup for whose task they were made,
 * to the end, which comes from a worker of the kernel after the cgroup's.
 */
TEST_F(kernel, owned)
{
	const char *child = self->places.tree.child;
	int made = load_counter("sk_alloc_security", BPF_LSM_MAC, self->map, 0, 0);
	int freed = load_counter("sk_free_security", BPF_LSM_CGROUP, self->map,
				 1, 1);
	const struct timespec pause = { .tv_nsec = 10000000 };
	__u32 id = prog_id(freed);
	int i;

	ASSERT_LE(0, made);
	ASSERT_LE(0, freed);
	ASSERT_EQ(0, attach(child, made));
	ASSERT_EQ(0, attach(child, freed));
	EXPECT_EQ(0, run_in(child, do_unshare, NULL));
	ASSERT_EQ(0, rmdir(child));
	close(made);
	close(freed);
	EXPECT_LT(0, counter(self->map, 0));
	for (i = 0; i < 3000 &&
	     counter(self->map, 1) < counter(self->map, 0); i++)
		nanosleep(&pause, NULL);
	EXPECT_EQ(counter(self->map, 0), counter(self->map, 1));
	/* The last of them lets go of the cgroup's policy. */
	EXPECT_TRUE(prog_goes(id));
}

/* --- io_uring --------------------------------------------------------------- */

#define RING_SIZE	8

struct ring {
	int fd;
	unsigned int flags;
	unsigned int *sq_tail, *sq_mask, *sq_flags, *sq_array;
	unsigned int *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

/* A ring with one slot for a direct descriptor. */
static int make_ring(struct ring *ring, unsigned int flags)
{
	struct io_uring_params params = { .flags = flags };
	struct io_uring_rsrc_register slots = {
		.nr = 1, .flags = IORING_RSRC_REGISTER_SPARSE,
	};
	size_t size;
	char *rings;

	ring->flags = flags;
	ring->fd = syscall(SYS_io_uring_setup, RING_SIZE, &params);
	if (ring->fd < 0)
		return -errno;
	/* Kernels that have IORING_OP_SOCKET map both rings at once. */
	size = params.cq_off.cqes +
	       params.cq_entries * sizeof(struct io_uring_cqe);
	rings = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
		     IORING_OFF_SQ_RING);
	ring->sqes = mmap(NULL, params.sq_entries * sizeof(*ring->sqes),
			  PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
			  IORING_OFF_SQES);
	if (rings == MAP_FAILED || ring->sqes == MAP_FAILED)
		return -errno;
	ring->sq_tail = (unsigned int *)(rings + params.sq_off.tail);
	ring->sq_mask = (unsigned int *)(rings + params.sq_off.ring_mask);
	ring->sq_flags = (unsigned int *)(rings + params.sq_off.flags);
	ring->sq_array = (unsigned int *)(rings + params.sq_off.array);
	ring->cq_head = (unsigned int *)(rings + params.cq_off.head);
	ring->cq_tail = (unsigned int *)(rings + params.cq_off.tail);
	ring->cq_mask = (unsigned int *)(rings + params.cq_off.ring_mask);
	ring->cqes = (struct io_uring_cqe *)(rings + params.cq_off.cqes);
	if (syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_FILES2,
		    &slots, sizeof(slots)))
		return -errno;
	return 0;
}

/* Do one thing and wait for its result. */
static int do_one(struct ring *ring, const struct io_uring_sqe *sqe)
{
	unsigned int tail = *ring->sq_tail, head = *ring->cq_head;
	unsigned int enter = IORING_ENTER_GETEVENTS, nr = 1;
	int ret;

	ring->sqes[tail & *ring->sq_mask] = *sqe;
	ring->sq_array[tail & *ring->sq_mask] = tail & *ring->sq_mask;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_SEQ_CST);
	if (ring->flags & IORING_SETUP_SQPOLL) {
		nr = 0;
		if (__atomic_load_n(ring->sq_flags, __ATOMIC_SEQ_CST) &
		    IORING_SQ_NEED_WAKEUP)
			enter |= IORING_ENTER_SQ_WAKEUP;
	}
	while (__atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) == head) {
		ret = syscall(SYS_io_uring_enter, ring->fd, nr, 1, enter, NULL,
			      0);
		if (ret < 0 && errno != EINTR)
			return -errno;
		nr = 0;
	}
	ret = ring->cqes[head & *ring->cq_mask].res;
	__atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
	return ret;
}

/* How a test has its requests carried out. */
struct manner {
	unsigned int setup;
	__u8 sqe;
	bool direct;
};

static int take_direct(struct ring *ring)
{
	const struct io_uring_sqe sqe = {
		.opcode = IORING_OP_FIXED_FD_INSTALL, .flags = IOSQE_FIXED_FILE,
	};

	return do_one(ring, &sqe);
}

/* If @sqe makes a descriptor: an ordinary one, by way of a direct one. */
static int make_by(struct ring *ring, const struct manner *manner,
		   struct io_uring_sqe *sqe)
{
	int ret;

	sqe->flags |= manner->sqe;
	if (!manner->direct)
		return do_one(ring, sqe);
	sqe->file_index = 1;
	ret = do_one(ring, sqe);
	return ret < 0 ? ret : take_direct(ring);
}

static int ring_socket(struct ring *ring, const struct manner *manner, int type)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_SOCKET, .fd = AF_INET, .off = type,
	};

	return make_by(ring, manner, &sqe);
}

static int ring_accept(struct ring *ring, const struct manner *manner,
		       int listener)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_ACCEPT, .fd = listener };

	return make_by(ring, manner, &sqe);
}

/* Threads of the process, those that io_uring has made included. */
static int count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	int nr = 0;

	while (dir && readdir(dir))
		nr++;
	if (dir)
		closedir(dir);
	return nr - 2;
}

FIXTURE(uring)
{
	struct places places;
	struct manner manner;
};

FIXTURE_VARIANT(uring)
{
	struct manner manner;
};

/* By the task that calls, */
FIXTURE_VARIANT_ADD(uring, inlined) {};
FIXTURE_VARIANT_ADD(uring, inlined_direct) { .manner.direct = true };
/* by a worker, */
FIXTURE_VARIANT_ADD(uring, worker) { .manner.sqe = IOSQE_ASYNC };
FIXTURE_VARIANT_ADD(uring, worker_direct) {
	.manner = { .sqe = IOSQE_ASYNC, .direct = true },
};

/* and by a thread that looks for requests by itself. */
FIXTURE_VARIANT_ADD(uring, sqpoll) { .manner.setup = IORING_SETUP_SQPOLL };
FIXTURE_VARIANT_ADD(uring, sqpoll_direct) {
	.manner = { .setup = IORING_SETUP_SQPOLL, .direct = true },
};

FIXTURE_SETUP(uring)
{
	struct ring ring;

	if (access("/proc/sys/kernel/io_uring_disabled", F_OK))
		SKIP(return, "the kernel has no io_uring");
	ASSERT_EQ(0, make_ring(&ring, 0));
	close(ring.fd);
	self->manner = variant->manner;
	ASSERT_EQ(0, make_places(&self->places, "uring"));
}

FIXTURE_TEARDOWN(uring)
{
	remove_places(&self->places);
}

static int make_by_ring(void *arg)
{
	const struct manner *manner = arg;
	struct ring ring;
	int err = make_ring(&ring, manner->setup), fd;

	if (err)
		return err;
	fd = ring_socket(&ring, manner, SOCK_DGRAM);
	/* The thread that was asked for has done it. */
	if (fd >= 0 && (manner->setup || manner->sqe) && count_threads() < 2)
		return -ECHILD;
	return fd;
}

/* A socket is of the cgroup of the process that submits, whoever makes it. */
TEST_F(uring, made)
{
	const char *child = self->places.tree.child;
	int fd;

	fd = made_in(child, make_by_ring, &self->manner);
	ASSERT_LE(0, fd);
	EXPECT_EQ(OF_CHILD, whose(fd));
	close(fd);

	/* And what denies to make one is asked in all cases. */
	ASSERT_EQ(0, deny(child, "socket_create", EDOM));
	EXPECT_EQ(-EDOM, made_in(child, make_by_ring, &self->manner));
	fd = made_in(self->places.other, make_by_ring, &self->manner);
	EXPECT_EQ(OF_OTHER, whose(fd));
	close(fd);
}

struct accepting {
	struct manner manner;
	int listener;
};

static int accept_by_ring(void *arg)
{
	const struct accepting *accepting = arg;
	struct ring ring;
	int err = make_ring(&ring, accepting->manner.setup);

	return err ?: ring_accept(&ring, &accepting->manner,
				  accepting->listener);
}

TEST_F(uring, accepted)
{
	struct accepting accepting = { .manner = self->manner };
	const char *child = self->places.tree.child;
	struct target target;
	int client, fd;

	ASSERT_EQ(0, set_target(&target, AF_INET, 0));
	accepting.listener = made_in(child, make_listener, &target);
	ASSERT_LE(0, accepting.listener);
	client = made_in(self->places.other, make_client, &target);
	ASSERT_LE(0, client);

	ASSERT_EQ(0, deny(child, "socket_accept", EDOM));
	EXPECT_EQ(-EDOM, made_in(self->places.third, accept_by_ring,
				 &accepting));
	ASSERT_EQ(0, WRITEF(child, "checmate.policy", "detach %llu\n",
			    nth_id(child, 1)));
	fd = made_in(self->places.third, accept_by_ring, &accepting);
	ASSERT_LE(0, fd);
	EXPECT_EQ(OF_CHILD, whose(fd));
	close(fd);
	close(client);
	close(accepting.listener);
}

/* What else a ring can do with a socket, it does under the socket's policy. */
TEST_F(uring, used)
{
	const char *child = self->places.tree.child;
	struct sockaddr_in addr = loopback(0), discard = loopback(9);
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr msg = {
		.msg_name = &discard, .msg_namelen = sizeof(discard),
		.msg_iov = &iov, .msg_iovlen = 1,
	};
	struct {
		const char *hook;
		struct io_uring_sqe sqe;
	} deeds[] = {
		{ "socket_bind", { .opcode = IORING_OP_BIND,
				   .addr = (unsigned long)&addr,
				   .addr2 = sizeof(addr) } },
		{ "socket_connect", { .opcode = IORING_OP_CONNECT,
				      .addr = (unsigned long)&discard,
				      .addr2 = sizeof(discard) } },
		{ "socket_sendmsg", { .opcode = IORING_OP_SENDMSG,
				      .addr = (unsigned long)&msg, .len = 1 } },
		{ "socket_recvmsg", { .opcode = IORING_OP_RECV,
				      .addr = (unsigned long)&addr, .len = 1,
				      .msg_flags = MSG_DONTWAIT } },
		{ "socket_shutdown", { .opcode = IORING_OP_SHUTDOWN,
				       .len = SHUT_RDWR } },
		{ "socket_listen", { .opcode = IORING_OP_LISTEN, .len = 1 } },
	};
	int mine = make_datagram(NULL), fd;
	struct ring ring;
	size_t i;

	ASSERT_EQ(0, make_ring(&ring, self->manner.setup));
	fd = made_in(child, make_datagram, NULL);
	ASSERT_LE(0, fd);
	for (i = 0; i < ARRAY_LEN(deeds); i++) {
		deeds[i].sqe.fd = fd;
		deeds[i].sqe.flags = self->manner.sqe;
		ASSERT_EQ(0, deny(child, deeds[i].hook, EDOM));
		EXPECT_EQ(-EDOM, do_one(&ring, &deeds[i].sqe)) {
			TH_LOG("%s", deeds[i].hook);
		}
		deeds[i].sqe.fd = mine;
		EXPECT_NE(-EDOM, do_one(&ring, &deeds[i].sqe)) {
			TH_LOG("%s", deeds[i].hook);
		}
	}
	close(mine);
	close(fd);
	close(ring.fd);
}

/*
 * Workers and the polling thread are threads of the process: moving it moves
 * them, and with them what they make.
 */
TEST_F(uring, moved)
{
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		struct ring ring;

		if (join(self->places.tree.child) ||
		    make_ring(&ring, self->manner.setup))
			_exit(1);
		if (whose(ring_socket(&ring, &self->manner, SOCK_DGRAM)) !=
		    OF_CHILD)
			_exit(2);
		if (join(self->places.other))
			_exit(3);
		if (self->manner.direct) {
			__s32 none[1] = { -1 };
			struct io_uring_files_update update = {
				.fds = (unsigned long)none,
			};

			if (syscall(SYS_io_uring_register, ring.fd,
				    IORING_REGISTER_FILES_UPDATE, &update,
				    1) != 1)
				_exit(4);
		}
		_exit(whose(ring_socket(&ring, &self->manner, SOCK_DGRAM)) ==
		      OF_OTHER ? 0 : 5);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/*
 * A thread that is moved alone leaves the polling thread where it was.  Workers
 * stay as well, but come and go: new ones are made where the thread is now.
 */
TEST_F(uring, thread_moved)
{
	const char *child = self->places.tree.child;
	const char *other = self->places.other;
	const bool polling = self->manner.setup & IORING_SETUP_SQPOLL;
	int status;
	pid_t pid;

	ASSERT_EQ(0, write_text(child, "cgroup.type", "threaded"));
	ASSERT_EQ(0, write_text(other, "cgroup.type", "threaded"));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		struct ring ring;

		if (join(child) || make_ring(&ring, self->manner.setup))
			_exit(255);
		if (write_text(other, "cgroup.threads", "0"))
			_exit(254);
		_exit(whose(ring_socket(&ring, &self->manner, SOCK_DGRAM)));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	if (!self->manner.sqe || WEXITSTATUS(status) != OF_CHILD)
		EXPECT_EQ(polling ? OF_CHILD : OF_OTHER, WEXITSTATUS(status));
}

/*
 * A ring that is used by a child process.  What the child itself carries out,
 * or a worker of its own, is the child's; a polling thread is the maker's, and
 * so is what it makes.
 */
TEST_F(uring, inherited)
{
	const struct manner direct = {
		.setup = self->manner.setup, .sqe = self->manner.sqe,
	};
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_SOCKET, .fd = AF_INET, .off = SOCK_DGRAM,
		.file_index = 1, .flags = direct.sqe,
	};
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		struct ring ring;

		if (join(self->places.other) ||
		    make_ring(&ring, direct.setup))
			_exit(1);
		pid = fork();
		if (pid < 0)
			_exit(2);
		if (!pid) {
			if (join(self->places.tree.child))
				_exit(3);
			_exit(do_one(&ring, &sqe) ? 4 : 0);
		}
		if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
		    status)
			_exit(5);
		_exit(whose(take_direct(&ring)));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(direct.setup & IORING_SETUP_SQPOLL ? OF_OTHER : OF_CHILD,
		  WEXITSTATUS(status));
}

TEST_HARNESS_MAIN
