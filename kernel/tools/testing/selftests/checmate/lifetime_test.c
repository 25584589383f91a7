// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Selftests: sockets, cgroups, programs and hooks over time
 */

#include "common.h"

FIXTURE(lifetime)
{
	struct tree tree;
	int deny;
};

FIXTURE_SETUP(lifetime)
{
	ASSERT_EQ(0, make_tree(&self->tree, "lifetime"));
	self->deny = load_mac("socket_bind", EUSERS);
	ASSERT_LE(0, self->deny);
}

FIXTURE_TEARDOWN(lifetime)
{
	if (self->deny >= 0)
		close(self->deny);
	remove_tree(&self->tree);
}

/*
 * A datagram socket made by a task of cgroup @dir, which is gone when this
 * returns.
 */
static int socket_of(const char *dir)
{
	int channel[2], fd, status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, channel))
		return -errno;
	pid = fork();
	if (!pid) {
		if (join(dir))
			_exit(1);
		fd = socket(AF_INET, SOCK_DGRAM, 0);
		_exit(fd < 0 || send_fd(channel[1], fd));
	}
	fd = receive_fd(channel[0]);
	waitpid(pid, &status, 0);
	close(channel[0]);
	close(channel[1]);
	return fd;
}

/* Bound once, a socket cannot be bound again: EINVAL, but judged before. */
TEST_F(lifetime, passed_socket)
{
	int fd = socket_of(self->tree.child);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, attach(self->tree.child, self->deny));
	EXPECT_EQ(EUSERS, bind_fd(fd));
	EXPECT_EQ(0, do_bind(NULL));
	ASSERT_EQ(0, write_text(self->tree.child, "checmate.policy", "clear"));
	EXPECT_EQ(0, bind_fd(fd));
	close(fd);
}

/* A socket from outside is used under its creator's policy. */
TEST_F(lifetime, socket_brought_along)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int status;
	pid_t pid;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, attach(self->tree.child, self->deny));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (join(self->tree.child) || do_bind(NULL) != EUSERS)
			_exit(255);
		_exit(bind_fd(fd));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(fd);
}

/* The policy of a cgroup outlives it for as long as a socket does. */
TEST_F(lifetime, socket_outlives_cgroup)
{
	__u32 id = prog_id(self->deny);
	int fd = socket_of(self->tree.child);

	ASSERT_LE(0, fd);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, attach(self->tree.child, self->deny));
	close(self->deny);
	self->deny = -1;
	ASSERT_EQ(0, rmdir(self->tree.child));
	EXPECT_EQ(EUSERS, bind_fd(fd));
	close(fd);
	/* Its last socket gone, so is the program. */
	EXPECT_TRUE(prog_goes(id));
}

/* How many removed cgroups a transaction of an ancestor rebuilds at most. */
#define MAX_REMOVED	512

/*
 * Sockets keep any number of removed cgroups.  Where there are more than a
 * transaction rebuilds, the sockets of those that were bound first are denied
 * everything, rather than left with programs that are out of date.
 */
TEST_F_TIMEOUT(lifetime, removed_are_bounded, 300)
{
	int shut = load_mac("socket_shutdown", EUSERS);
	int allow = load_mac("socket_bind", 0);
	int fd[MAX_REMOVED + 1];
	__u32 id = prog_id(shut);
	char dir[PATH_MAX];
	size_t i;

	ASSERT_LE(0, shut);
	ASSERT_LE(0, allow);
	for (i = 0; i < ARRAY_LEN(fd); i++) {
		snprintf(dir, sizeof(dir), "%s/%zu", self->tree.top, i);
		ASSERT_EQ(0, mkdir(dir, 0755));
		ASSERT_EQ(0, join(dir));
		fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		ASSERT_LE(0, fd[i]);
		ASSERT_EQ(0, join(CGROUPFS));
		ASSERT_EQ(0, attach(dir, shut));
		ASSERT_EQ(0, rmdir(dir));
	}
	EXPECT_EQ(0, bind_fd(fd[0]));
	EXPECT_EQ(-1, shutdown(fd[0], SHUT_RDWR));
	EXPECT_EQ(EUSERS, errno);

	ASSERT_EQ(0, attach(self->tree.top, allow));
	EXPECT_EQ(EPERM, bind_fd(fd[0]));
	EXPECT_EQ(-1, shutdown(fd[0], SHUT_RDWR));
	EXPECT_EQ(EPERM, errno);
	for (i = 1; i < ARRAY_LEN(fd); i++)
		ASSERT_EQ(0, bind_fd(fd[i]));
	EXPECT_STREQ("denied 3\npermissive 0\n",
		     read_text(self->tree.top, "checmate.events"));

	/* It stays so, and what is denied by others reaches the rest. */
	ASSERT_EQ(0, WRITEF(self->tree.top, "checmate.policy",
			    "clear\nattach %d\n", self->deny));
	EXPECT_EQ(EPERM, bind_fd(fd[0]));
	EXPECT_EQ(EUSERS, bind_fd(fd[1]));
	EXPECT_EQ(EUSERS, bind_fd(fd[MAX_REMOVED]));
	EXPECT_EQ(-1, shutdown(fd[1], SHUT_RDWR));
	EXPECT_EQ(EUSERS, errno);

	for (i = 0; i < ARRAY_LEN(fd); i++)
		close(fd[i]);
	close(shut);
	close(allow);
	/* All of them go with their sockets. */
	EXPECT_TRUE(prog_goes(id));
}

/* Ancestors still have their say over the sockets of a removed cgroup. */
TEST_F(lifetime, ancestor_of_removed)
{
	int fd = socket_of(self->tree.child);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, rmdir(self->tree.child));
	EXPECT_EQ(0, attach(self->tree.top, self->deny));
	EXPECT_EQ(EUSERS, bind_fd(fd));
	EXPECT_EQ(0, write_text(self->tree.top, "checmate.policy", "clear"));
	EXPECT_EQ(0, bind_fd(fd));
	close(fd);
}

/* Sockets made before the controller was enabled fall under it. */
TEST_F(lifetime, controller_comes_later)
{
	int fd, removed;

	ASSERT_EQ(0, write_text(self->tree.top, "cgroup.subtree_control",
				"-checmate"));
	fd = socket_of(self->tree.child);
	removed = socket_of(self->tree.child);
	ASSERT_LE(0, fd);
	ASSERT_LE(0, removed);
	ASSERT_EQ(0, enable_controller(self->tree.top));
	ASSERT_EQ(0, attach(self->tree.child, self->deny));
	EXPECT_EQ(EUSERS, bind_fd(fd));
	EXPECT_EQ(EUSERS, bind_fd(removed));

	/* Once found, the cgroup stays known after its removal. */
	ASSERT_EQ(0, rmdir(self->tree.child));
	EXPECT_EQ(EUSERS, bind_fd(removed));
	close(fd);
	close(removed);
}

/* A stream socket that listens at an address the kernel chose. */
static int listen_at(int family)
{
	struct sockaddr_in in = loopback(0);
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	bool is_unix = family == AF_UNIX;
	int fd = socket(family, SOCK_STREAM, 0);

	if (fd < 0 ||
	    bind(fd, is_unix ? (struct sockaddr *)&un : (struct sockaddr *)&in,
		 is_unix ? sizeof(un.sun_family) : sizeof(in)) ||
	    listen(fd, 1))
		return -errno;
	return fd;
}

/* The same, made by a task of cgroup @dir, which is gone when this returns. */
static int listener_of(const char *dir, int family)
{
	int channel[2], fd, status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, channel))
		return -errno;
	pid = fork();
	if (!pid) {
		if (join(dir))
			_exit(1);
		fd = listen_at(family);
		_exit(fd < 0 || send_fd(channel[1], fd));
	}
	fd = receive_fd(channel[0]);
	waitpid(pid, &status, 0);
	close(channel[0]);
	close(channel[1]);
	return fd;
}

/* Connect to a listener and accept that; @client, if given, gets that end. */
static int accept_one(int listener, int *client)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	int fd, end;

	if (getsockname(listener, (struct sockaddr *)&addr, &len))
		return -errno;
	end = socket(addr.ss_family, SOCK_STREAM, 0);
	if (connect(end, (struct sockaddr *)&addr, len))
		return -errno;
	fd = accept(listener, NULL, NULL);
	if (client)
		*client = end;
	else
		close(end);
	return fd < 0 ? -errno : fd;
}

/*
 * An accepted socket is made in softirq, or in AF_UNIX by the client; it is its
 * listener's.
 */
TEST_F(lifetime, accepted_socket)
{
	static const int families[] = { AF_INET, AF_UNIX };
	int prog = load_mac("socket_shutdown", EUSERS);
	size_t i;

	ASSERT_LE(0, prog);
	for (i = 0; i < ARRAY_LEN(families); i++) {
		int inside = listener_of(self->tree.child, families[i]);
		int outside = listen_at(families[i]);
		int fd, client;

		ASSERT_LE(0, inside);
		ASSERT_LE(0, outside);
		ASSERT_EQ(0, attach(self->tree.child, prog));
		fd = accept_one(inside, &client);
		ASSERT_LE(0, fd);
		EXPECT_EQ(-1, shutdown(fd, SHUT_WR));
		EXPECT_EQ(EUSERS, errno);
		EXPECT_EQ(0, shutdown(client, SHUT_WR));
		close(client);
		close(fd);

		fd = accept_one(outside, NULL);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, shutdown(fd, SHUT_WR));
		close(fd);
		close(inside);
		close(outside);
		ASSERT_EQ(0, write_text(self->tree.child, "checmate.policy",
					"clear"));
	}
	close(prog);
}

/* A client from inside does not bring its policy to a server outside. */
TEST_F(lifetime, accepted_from_inside)
{
	int prog = load_mac("socket_shutdown", EUSERS);
	int listener = listen_at(AF_UNIX);
	int status, fd;
	pid_t pid;

	ASSERT_LE(0, prog);
	ASSERT_LE(0, listener);
	ASSERT_EQ(0, attach(self->tree.child, prog));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		struct sockaddr_un addr;
		socklen_t len = sizeof(addr);

		fd = -1;
		if (!join(self->tree.child))
			fd = socket(AF_UNIX, SOCK_STREAM, 0);
		_exit(fd < 0 ||
		      getsockname(listener, (struct sockaddr *)&addr, &len) ||
		      connect(fd, (struct sockaddr *)&addr, len) ||
		      !shutdown(fd, SHUT_WR) || errno != EUSERS);
	}
	fd = accept(listener, NULL, NULL);
	ASSERT_LE(0, fd);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, shutdown(fd, SHUT_WR));
	close(fd);
	close(listener);
	close(prog);
}

/*
 * A socket made while the controller is being enabled and a policy attached is
 * under that policy afterwards, at whatever moment it was made.
 */
TEST_F_TIMEOUT(lifetime, made_meanwhile, 300)
{
	int round;

	for (round = 0; round < 20; round++) {
		int channel[2], fd, status, made = 0;
		char go;
		pid_t pid;

		ASSERT_EQ(0, write_text(self->tree.top,
					"cgroup.subtree_control", "-checmate"));
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, channel));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			if (join(self->tree.child))
				_exit(1);
			do {
				fd = socket(AF_INET, SOCK_DGRAM, 0);
				if (fd < 0 || send_fd(channel[1], fd))
					_exit(2);
				close(fd);
				made++;
			} while (made < 10 || recv(channel[1], &go, 1,
						   MSG_DONTWAIT) != 1);
			_exit(0);
		}
		close(channel[1]);
		fd = receive_fd(channel[0]);
		ASSERT_LE(0, fd);
		close(fd);
		ASSERT_EQ(0, enable_controller(self->tree.top));
		ASSERT_EQ(0, attach(self->tree.child, self->deny));
		ASSERT_EQ(1, send(channel[0], "x", 1, 0));
		while ((fd = receive_fd(channel[0])) >= 0) {
			EXPECT_EQ(EUSERS, bind_fd(fd));
			close(fd);
		}
		close(channel[0]);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status);
	}
}

/* Reading what is in force and changing the tree do not wait for each other. */
TEST_F_TIMEOUT(lifetime, reading_races_removal, 300)
{
	pid_t reader;
	int i;

	ASSERT_EQ(0, attach(self->tree.top, self->deny));
	reader = fork();
	ASSERT_LE(0, reader);
	if (!reader) {
		for (;;)
			read_text(self->tree.child, "checmate.effective");
	}
	for (i = 0; i < 200; i++) {
		EXPECT_EQ(0, rmdir(self->tree.child));
		ASSERT_EQ(0, mkdir(self->tree.child, 0755));
	}
	for (i = 0; i < 50; i++) {
		EXPECT_EQ(0, write_text(self->tree.top,
					"cgroup.subtree_control", "-checmate"));
		EXPECT_EQ(0, enable_controller(self->tree.top));
	}
	kill(reader, SIGKILL);
	ASSERT_EQ(reader, waitpid(reader, NULL, 0));
}

/*
 * Sockets of removed cgroups close while an ancestor's policy changes: the
 * programs of neither are kept.
 */
TEST_F_TIMEOUT(lifetime, ancestor_races_release, 300)
{
	__u32 id = prog_id(self->deny);
	int own = load_mac("socket_listen", 0);
	__u32 own_id = prog_id(own);
	int i, fd, status;
	pid_t writer;

	ASSERT_LE(0, own);
	writer = fork();
	ASSERT_LE(0, writer);
	if (!writer) {
		for (;;)
			if (WRITEF(self->tree.top, "checmate.policy",
				   "clear\nattach %d\n", self->deny))
				_exit(1);
	}
	for (i = 0; i < 200; i++) {
		fd = socket_of(self->tree.child);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, attach(self->tree.child, own));
		EXPECT_EQ(0, rmdir(self->tree.child));
		close(fd);
		ASSERT_EQ(0, mkdir(self->tree.child, 0755));
	}
	kill(writer, SIGKILL);
	ASSERT_EQ(writer, waitpid(writer, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	ASSERT_EQ(0, write_text(self->tree.top, "checmate.policy", "clear"));
	close(own);
	close(self->deny);
	self->deny = -1;
	EXPECT_TRUE(prog_goes(own_id));
	EXPECT_TRUE(prog_goes(id));
}

/* Received packets are judged by the socket they are for, in softirq. */
TEST_F(lifetime, received_packet)
{
	int prog = load_mac("socket_sock_rcv_skb", EPERM);
	int fd = socket_of(self->tree.child);
	int sender = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	char byte;

	ASSERT_LE(0, prog);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, bind_fd(fd));
	ASSERT_EQ(0, getsockname(fd, (struct sockaddr *)&addr, &len));
	ASSERT_EQ(0, attach(self->tree.child, prog));
	/* Loopback delivers before sendto() returns. */
	ASSERT_EQ(1, sendto(sender, "x", 1, 0, (struct sockaddr *)&addr, len));
	EXPECT_EQ(-1, recv(fd, &byte, 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, write_text(self->tree.child, "checmate.policy", "clear"));
	ASSERT_EQ(1, sendto(sender, "x", 1, 0, (struct sockaddr *)&addr, len));
	EXPECT_EQ(1, recv(fd, &byte, 1, MSG_DONTWAIT));
	close(fd);
	close(sender);
	close(prog);
}

/* Each socket of the cgroup is seen to go, once, also after the cgroup. */
TEST_F(lifetime, sk_free)
{
	int map = make_counters();
	int prog = load_counter("sk_free_security", BPF_LSM_CGROUP, map, 0, 1);
	const struct timespec pause = { .tv_nsec = 10000000 };
	int fd[8], i;
	__u32 id;

	ASSERT_LE(0, prog);
	for (i = 0; i < 8; i++) {
		fd[i] = socket_of(self->tree.child);
		ASSERT_LE(0, fd[i]);
	}
	ASSERT_EQ(0, attach(self->tree.child, prog));
	for (i = 0; i < 4; i++)
		close(fd[i]);
	for (i = 0; i < 3000 && counter(map, 0) < 4; i++)
		nanosleep(&pause, NULL);
	EXPECT_EQ(4, counter(map, 0));
	ASSERT_EQ(0, rmdir(self->tree.child));
	for (i = 4; i < 8; i++)
		close(fd[i]);
	for (i = 0; i < 3000 && counter(map, 0) < 8; i++)
		nanosleep(&pause, NULL);
	EXPECT_EQ(8, counter(map, 0));
	/* None is counted twice: once the program is gone, none can come. */
	id = prog_id(prog);
	close(prog);
	EXPECT_TRUE(prog_goes(id));
	EXPECT_EQ(8, counter(map, 0));
	close(map);
}

/* Detached or with its cgroup removed, a program is let go. */
TEST_F(lifetime, program_goes)
{
	__u32 id;
	int prog;

	id = prog_id(self->deny);
	ASSERT_EQ(0, attach(self->tree.child, self->deny));
	close(self->deny);
	self->deny = -1;
	prog = bpf_prog_get_fd_by_id(id);
	EXPECT_LE(0, prog);
	close(prog);
	ASSERT_EQ(0, write_text(self->tree.child, "checmate.policy", "clear"));
	EXPECT_TRUE(prog_goes(id));

	prog = load_mac("socket_bind", EUSERS);
	id = prog_id(prog);
	ASSERT_EQ(0, attach(self->tree.child, prog));
	close(prog);
	ASSERT_EQ(0, rmdir(self->tree.child));
	EXPECT_TRUE(prog_goes(id));
}

/* Disabling the controller lets go as well. */
TEST_F(lifetime, controller_goes)
{
	__u32 id = prog_id(self->deny);

	ASSERT_EQ(0, attach(self->tree.child, self->deny));
	close(self->deny);
	self->deny = -1;
	ASSERT_EQ(0, write_text(self->tree.top, "cgroup.subtree_control",
				"-checmate"));
	EXPECT_TRUE(prog_goes(id));
}

/* A hook is off, on with its first program, and off again after its last. */
TEST_F_TIMEOUT(lifetime, hook_state, 300)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	int prog = load_mac("syslog", 0);
	int i;

	ASSERT_LE(0, prog);
	EXPECT_EQ(0, hook_state("syslog", "active"));
	EXPECT_EQ(0, hook_state("syslog", "programs"));
	ASSERT_EQ(0, attach(self->tree.top, prog));
	ASSERT_EQ(0, attach(self->tree.child, prog));
	EXPECT_EQ(1, hook_state("syslog", "active"));
	EXPECT_EQ(2, hook_state("syslog", "programs"));
	ASSERT_EQ(0, write_text(self->tree.top, "checmate.policy", "clear"));
	EXPECT_EQ(1, hook_state("syslog", "programs"));

	/* The last one gone, it lingers; then it goes off. */
	ASSERT_EQ(0, write_text(self->tree.child, "checmate.policy", "clear"));
	EXPECT_EQ(0, hook_state("syslog", "programs"));
	EXPECT_EQ(1, hook_state("syslog", "active"));
	for (i = 0; i < 6000 && hook_state("syslog", "active"); i++)
		nanosleep(&pause, NULL);
	EXPECT_EQ(0, hook_state("syslog", "active"));

	/* And on again. */
	ASSERT_EQ(0, attach(self->tree.top, prog));
	EXPECT_EQ(1, hook_state("syslog", "active"));
	close(prog);
}

/* Attaching and removing meet: neither hangs, neither leaks a program. */
TEST_F_TIMEOUT(lifetime, attach_races_removal, 300)
{
	__u32 id = prog_id(self->deny);
	int i;

	for (i = 0; i < 50; i++) {
		char path[PATH_MAX], text[32];
		int fd, status;
		pid_t pid;

		snprintf(path, sizeof(path), "%s/checmate.policy",
			 self->tree.child);
		fd = open(path, O_WRONLY);
		ASSERT_LE(0, fd);
		snprintf(text, sizeof(text), "clear\nattach %d\n", self->deny);
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			int err;

			do {
				err = write_fd(fd, text, strlen(text));
			} while (!err);
			_exit(err != -ENODEV);
		}
		while (policy_generation(self->tree.child) < 2)
			sched_yield();
		EXPECT_EQ(0, rmdir(self->tree.child));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status);
		close(fd);
		ASSERT_EQ(0, mkdir(self->tree.child, 0755));
	}
	close(self->deny);
	self->deny = -1;
	EXPECT_TRUE(prog_goes(id));
}

/* --- memory ----------------------------------------------------------------- */

/* Charged to a cgroup, in bytes; the kernel charges up to 256 kB at a time. */
static long long memory_of(const char *dir)
{
	return strtoll(read_text(dir, "memory.current"), NULL, 10);
}

#define NR_CHARGED	800

struct charged {
	const char *top;
	const char *dir;
	int prog;
	long long before, after;
};

/* Attach to cgroups that are there already. */
static int attach_many(void *arg)
{
	struct charged *charged = arg;
	char dir[PATH_MAX];
	int i;

	charged->before = memory_of(charged->dir);
	for (i = 0; i < NR_CHARGED; i++) {
		snprintf(dir, sizeof(dir), "%s/%d", charged->top, i);
		if (attach(dir, charged->prog))
			return 1;
	}
	charged->after = memory_of(charged->dir);
	return 0;
}

/* What a write makes the kernel keep is charged to the writer's memory cgroup. */
TEST_F_TIMEOUT(lifetime, charged_to_writer, 300)
{
	int prog = load_mac("socket_bind", EUSERS), i;
	struct charged *charged = mmap(NULL, sizeof(*charged),
				       PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char dir[PATH_MAX];

	ASSERT_LE(0, prog);
	ASSERT_NE(MAP_FAILED, charged);
	ASSERT_EQ(0, write_text(CGROUPFS, "cgroup.subtree_control", "+memory"));
	ASSERT_EQ(0, write_text(self->tree.top, "cgroup.subtree_control",
				"+memory"));
	for (i = 0; i < NR_CHARGED; i++) {
		snprintf(dir, sizeof(dir), "%s/%d", self->tree.top, i);
		ASSERT_EQ(0, mkdir(dir, 0755));
		/* Names and inodes of files are charged to who needs them first. */
		ASSERT_EQ(0, policy_generation(dir));
	}
	*charged = (struct charged){
		.top = self->tree.top, .dir = self->tree.child, .prog = prog,
	};
	EXPECT_EQ(0, run_in(self->tree.child, attach_many, charged));
	EXPECT_LT(0, charged->before);
	/* A ruleset alone has an index of more than 250 bytes. */
	EXPECT_LE(charged->before + NR_CHARGED * 600, charged->after);
	for (i = 0; i < NR_CHARGED; i++) {
		snprintf(dir, sizeof(dir), "%s/%d", self->tree.top, i);
		EXPECT_EQ(0, rmdir(dir));
	}
	write_text(self->tree.top, "cgroup.subtree_control", "-memory");
	close(prog);
}

TEST_HARNESS_MAIN
