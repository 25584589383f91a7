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
#include <linux/io_uring.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
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

FIXTURE_SETUP(accepted)
{
	int fd = socket(variant->family, SOCK_STREAM, variant->protocol);

	if (fd < 0 && errno == EPROTONOSUPPORT)
		SKIP(return, "the kernel has no such protocol");
	close(fd);
	ASSERT_EQ(0, make_places(&self->places, "accepted"));
	ASSERT_EQ(0, set_target(&self->target, variant->family,
				variant->protocol));
}

FIXTURE_TEARDOWN(accepted)
{
	remove_places(&self->places);
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

TEST_HARNESS_MAIN
