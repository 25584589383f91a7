// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Selftests: the oracles of the torture test
 *
 * Each tries one thing over and over that can never succeed, or never fail,
 * however the policies and cgroups around it change.
 */

#include <pthread.h>
#include <sys/resource.h>

#include "torture.h"

static const char *const names[NR_ORACLES] = {
	[ORACLE_BIND] = "bind",
	[ORACLE_CREATE] = "create",
	[ORACLE_OPEN] = "open",
	[ORACLE_KILL] = "kill",
	[ORACLE_OLD_SOCKET] = "old-socket",
	[ORACLE_ACCEPTED] = "accepted-socket",
	[ORACLE_PASSED] = "passed-socket",
	[ORACLE_INHERITED] = "inherited-socket",
	[ORACLE_PACKET] = "packet",
	[ORACLE_THREADS] = "threads",
	[ORACLE_STAGED] = "staged",
	[ORACLE_SEALED] = "sealed",
	[ORACLE_SEALED_THREAD] = "sealed-thread",
	[ORACLE_WORKERS] = "workers",
	[ORACLE_ALLOWED] = "allowed",
	[ORACLE_ALLOWED_WORKERS] = "allowed-workers",
};

const char *oracle_name(enum oracle oracle)
{
	return names[oracle];
}

/**
 * judge - Take note of how a deed ended
 * @oracle: on whose account
 * @zone: whose policy it is under
 * @err: 0, an errno, or negative if it could not even be tried
 * @what: what was done
 *
 * Return: true if it ended as it has to.
 */
bool judge(enum oracle oracle, enum zone zone, int err, const char *what)
{
	struct oracle_tally *tally = &shared->oracle[oracle];

	if (err < 0 && zone >= ZONE_GUARD) {
		add_to(tally->hindered);
		return true;
	}
	add_to(tally->tries);
	if (zone >= ZONE_GUARD) {
		if (err == STAYING_ERRNO || err == PASSING_ERRNO)
			return true;
		if (!err) {
			add_to(tally->successes);
			fail("oracle %s: %s succeeded", names[oracle], what);
			return false;
		}
	} else if (!err) {
		add_to(tally->successes);
		return true;
	}
	add_to(tally->wrong);
	fail("oracle %s: %s: %d (%s)", names[oracle], what, err,
	     strerror(abs(err)));
	return false;
}

static const char *const deed_names[NR_DEEDS] = {
	"bind", "create", "open", "kill", "shutdown", "packet",
};

/**
 * bind_socket - Bind a socket to any address of its family
 * @fd: the socket
 *
 * Return: 0 or an errno.
 */
int bind_socket(int fd)
{
	struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
	const sa_family_t unnamed = AF_UNIX;
	socklen_t len = sizeof(int);
	int family, err;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len))
		return errno;
	if (family == AF_INET)
		return bind_fd(fd);
	if (family == AF_INET6)
		err = bind(fd, (struct sockaddr *)&in6, sizeof(in6));
	else
		err = bind(fd, (struct sockaddr *)&unnamed, sizeof(unnamed));
	return err ? errno : 0;
}

/**
 * make_internet_socket - Make a socket that guard does not let bind
 * @random: chooses family and type
 *
 * Return: the socket, or -1 with errno set.
 */
int make_internet_socket(__u64 random)
{
	return socket(random & 1 ? AF_INET : AF_INET6,
		      (random & 2 ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC,
		      0);
}

static int deed_bind(__u64 random)
{
	int fd = make_internet_socket(random);
	int err;

	if (fd < 0)
		return errno;
	err = bind_socket(fd);
	close(fd);
	return err;
}

static int deed_create(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int deed_shutdown(void)
{
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return errno;
	err = shutdown(pair[0], SHUT_RD) ? errno : 0;
	close(pair[0]);
	close(pair[1]);
	return err;
}

/* A socket that can be sent to, which binding it might be denied. */
static int make_receiver(struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in nowhere = loopback(9);
	socklen_t len = sizeof(*address);

	if (fd < 0)
		return -1;
	if (sendto(fd, "", 0, 0, (struct sockaddr *)&nowhere,
		   sizeof(nowhere)) < 0 ||
	    getsockname(fd, (struct sockaddr *)address, &len)) {
		close(fd);
		return -1;
	}
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return fd;
}

/* Send, and see what comes: in guard nothing, which needs no waiting. */
static int send_packet(int from, int to, const struct sockaddr_in *address,
		       int timeout)
{
	struct pollfd pfd = { .fd = to, .events = POLLIN };
	char byte;

	if (sendto(from, "x", 1, 0, (const struct sockaddr *)address,
		   sizeof(*address)) != 1)
		return errno == PASSING_ERRNO ? -errno : errno;
	poll(&pfd, 1, timeout);
	if (recv(to, &byte, 1, MSG_DONTWAIT) == 1)
		return 0;
	return errno == EAGAIN ? STAYING_ERRNO : errno;
}

/* The answer to a datagram that nobody wants may come in between. */
static int deed_packet(void)
{
	struct sockaddr_in address;
	int to = make_receiver(&address);
	int from, err;

	if (to < 0)
		return -errno;
	from = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	err = from < 0 ? errno : send_packet(from, to, &address, 60000);
	close(from);
	close(to);
	return err;
}

/**
 * try_deed - Do what guard denies and free allows
 * @deed: what
 * @random: chooses among the ways to do it
 *
 * Return: 0, an errno, or negative if it could not even be tried.
 */
int try_deed(enum deed deed, __u64 random)
{
	switch (deed) {
	case DEED_BIND:
		return deed_bind(random);
	case DEED_CREATE:
		return deed_create();
	case DEED_OPEN:
		return do_open(denied_path);
	case DEED_KILL:
		return kill(getpid(), SIGURG) ? errno : 0;
	case DEED_SHUTDOWN:
		return deed_shutdown();
	case DEED_PACKET:
		return deed_packet();
	default:
		return -EINVAL;
	}
}

/**
 * send_labelled - Send a descriptor without waiting
 * @channel: where to
 * @fd: what
 * @label: what to say of it
 *
 * Return: 0 or a negative errno.
 */
int send_labelled(int channel, int fd, char label)
{
	char space[CMSG_SPACE(sizeof(fd))] = {};
	struct iovec iov = { .iov_base = &label, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = sizeof(space),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(channel, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 ?
	       0 : -errno;
}

/**
 * receive_labelled - Receive a descriptor without waiting
 * @channel: where from
 * @label: set to what was said of it
 *
 * Return: the descriptor or a negative errno.
 */
int receive_labelled(int channel, char *label)
{
	char space[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { .iov_base = label, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = sizeof(space),
	};
	struct cmsghdr *cmsg;
	int fd = -EBADMSG;

	if (recvmsg(channel, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg)
		memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

/* --- processes ----------------------------------------------------------- */

static pid_t oracle_pid[32];
static unsigned int nr_oracles, nr_movable;
static __u64 oracle_random;
static const int *old_sockets;
static unsigned int nr_old_sockets;

static bool going_on(void)
{
	return !look_at(shared->stop);
}

/* Move within a zone; its home is always there. */
static void move_to(enum zone zone)
{
	unsigned int first = zone_root(zone);
	__u64 random = next_random(&oracle_random);

	if (!join(slots[first + random % TREE_SLOTS].path))
		return;
	if (join(slots[HOME(first)].path))
		fail("an oracle cannot go home");
}

/* Now and then the page that sleeping programs read has to be brought in. */
static void drop_page(void)
{
	if (next_random(&oracle_random) % 64 == 0)
		madvise(shared_page, sysconf(_SC_PAGESIZE), MADV_DONTNEED);
}

/**
 * struct oracle_process - A process of an oracle
 * @oracle: on whose account
 * @zone: where it begins
 * @movable: whether workers may move it
 * @begin: what to do in that zone before all others begin, or NULL
 * @step: what to do again and again
 */
struct oracle_process {
	enum oracle oracle;
	enum zone zone;
	bool movable;
	void (*begin)(void);
	void (*step)(const struct oracle_process *process);
};

static void step_deed(const struct oracle_process *process)
{
	static const enum deed deeds[] = {
		[ORACLE_BIND] = DEED_BIND, [ORACLE_CREATE] = DEED_CREATE,
		[ORACLE_OPEN] = DEED_OPEN, [ORACLE_KILL] = DEED_KILL,
	};
	enum deed deed = deeds[process->oracle];

	judge(process->oracle, ZONE_GUARD,
	      try_deed(deed, next_random(&oracle_random)), deed_names[deed]);
}

static void step_allowed(const struct oracle_process *process)
{
	__u64 random = next_random(&oracle_random);
	enum deed deed = random % NR_DEEDS;

	judge(process->oracle, ZONE_FREE, try_deed(deed, random >> 8),
	      deed_names[deed]);
}

/*
 * Sockets that were made before there was a cgroup with the controller.  And
 * from time to time, sockets that are made while the controller is off, of a
 * cgroup that gets a policy afterwards.
 */
static char rounds_dir[256], round_dir[320];
static int round_socket[8];

static void begin_old_socket(void)
{
	size_t i;

	if (mkdir(rounds_dir, 0755) || mkdir(round_dir, 0755) ||
	    join(round_dir))
		fail("%s: %s", round_dir, strerror(errno));
	for (i = 0; i < ARRAY_LEN(round_socket); i++)
		round_socket[i] = -1;
}

static void play_round(void)
{
	size_t i;
	int err;

	err = write_text(rounds_dir, "cgroup.subtree_control", "-checmate");
	for (i = 0; i < ARRAY_LEN(round_socket); i++) {
		__u64 random = next_random(&oracle_random);

		/* Half of them live on into the next round. */
		if (round_socket[i] >= 0 && random % 16 < 8)
			continue;
		close(round_socket[i]);
		round_socket[i] = make_internet_socket(random >> 8);
	}
	err = err ?: enable_controller(rounds_dir);
	err = err ?: attach(round_dir, staying[DEED_BIND][0].fd);
	if (err)
		fail("oracle old-socket: %s", strerror(-err));
}

static void step_old_socket(const struct oracle_process *process)
{
	static unsigned int steps;
	size_t i;

	if (steps++ % 64 == 0) {
		play_round();
		for (i = 0; i < ARRAY_LEN(round_socket); i++)
			judge(process->oracle, ZONE_GUARD,
			      bind_socket(round_socket[i]),
			      "bind, the socket made while it was off,");
	}
	i = next_random(&oracle_random) % nr_old_sockets;
	judge(process->oracle, ZONE_GUARD, bind_socket(old_sockets[i]),
	      "bind");
}

/* Guard's listener, a client from outside, an accepted socket outside. */
static int listener[3] = { -1, -1, -1 };
static int accepted[16];

static void make_listeners(void)
{
	static const int families[] = { AF_INET, AF_INET6, AF_UNIX };
	const sa_family_t unnamed = AF_UNIX;
	size_t i;

	for (i = 0; i < ARRAY_LEN(listener); i++) {
		close(listener[i]);
		do {
			move_to(ZONE_GUARD);
			listener[i] = socket(families[i],
					     SOCK_STREAM | SOCK_CLOEXEC, 0);
			/* A program that comes and goes may deny this. */
			if (families[i] != AF_UNIX ||
			    !bind(listener[i], (struct sockaddr *)&unnamed,
				  sizeof(unnamed)))
				break;
			close(listener[i]);
			listener[i] = -1;
		} while (going_on());
		if (listener[i] >= 0 && listen(listener[i], 4))
			fail("oracle accepted-socket: listen: %s",
			     strerror(errno));
	}
	move_to(ZONE_FREE);
}

static void begin_accepted(void)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(accepted); i++)
		accepted[i] = -1;
}

static void connect_and_accept(int from, int *ret)
{
	const struct linger linger = { .l_onoff = 1 };
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	int client;

	if (getsockname(from, (struct sockaddr *)&address, &len)) {
		fail("oracle accepted-socket: %s", strerror(errno));
		return;
	}
	if (address.ss_family == AF_INET)
		((struct sockaddr_in *)&address)->sin_addr.s_addr =
			htonl(INADDR_LOOPBACK);
	else if (address.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&address)->sin6_addr =
			in6addr_loopback;
	client = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	judge(ORACLE_ALLOWED, ZONE_FREE,
	      connect(client, (struct sockaddr *)&address, len) ? errno : 0,
	      "connect");
	close(*ret);
	*ret = accept4(from, NULL, NULL, SOCK_CLOEXEC);
	if (*ret < 0)
		fail("oracle accepted-socket: accept: %s", strerror(errno));
	setsockopt(*ret, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	judge(ORACLE_ALLOWED, ZONE_FREE,
	      shutdown(client, SHUT_RD) ? errno : 0, "client's shutdown");
	close(client);
}

static void step_accepted(const struct oracle_process *process)
{
	static unsigned int steps;
	__u64 random = next_random(&oracle_random);
	unsigned int i = random % ARRAY_LEN(accepted);

	if (steps++ % 1024 == 0)
		make_listeners();
	if (!going_on())
		return;
	if (accepted[i] < 0 || (random >> 8) % 4 == 0)
		connect_and_accept(listener[steps % ARRAY_LEN(listener)],
				   &accepted[i]);
	if (accepted[i] < 0)
		return;
	judge(process->oracle, ZONE_GUARD,
	      shutdown(accepted[i], SHUT_RD) ? errno : 0, "shutdown");
	if ((random >> 16) % 32 == 0)
		move_to(ZONE_FREE);
}

/* Made in guard, used in free: both may be moved about there. */
static int channel[2];

static void step_maker(const struct oracle_process *process)
{
	struct pollfd pfd = { .fd = channel[1], .events = POLLOUT };
	int fd = make_internet_socket(next_random(&oracle_random));
	int err;

	if (fd < 0) {
		fail("oracle passed-socket: socket: %s", strerror(errno));
		return;
	}
	do {
		poll(&pfd, 1, 100);
		err = send_labelled(channel[1], fd, 0);
	} while (err == -EAGAIN && going_on());
	if (err && going_on())
		fail("oracle passed-socket: send: %s", strerror(-err));
	close(fd);
}

static void step_taker(const struct oracle_process *process)
{
	struct pollfd pfd = { .fd = channel[0], .events = POLLIN };
	char label;
	int i, fd;

	poll(&pfd, 1, 100);
	fd = receive_labelled(channel[0], &label);
	if (fd == -EAGAIN)
		return;
	if (fd < 0) {
		fail("oracle passed-socket: receive: %s", strerror(-fd));
		return;
	}
	for (i = 0; i < 4; i++)
		judge(process->oracle, ZONE_GUARD, bind_socket(fd), "bind");
	close(fd);
}

/* The child of a task in guard takes its sockets out with it. */
static void step_inherited(const struct oracle_process *process)
{
	int fd[4], i, status;
	pid_t pid;

	move_to(ZONE_GUARD);
	for (i = 0; i < 4; i++)
		fd[i] = make_internet_socket(i);
	pid = fork();
	if (pid < 0) {
		fail("oracle inherited-socket: fork: %s", strerror(errno));
		return;
	}
	if (!pid) {
		move_to(ZONE_FREE);
		for (i = 0; i < 64 && going_on(); i++) {
			judge(process->oracle, ZONE_GUARD,
			      bind_socket(fd[i % 4]), "bind");
			sched_yield();
		}
		_exit(0);
	}
	for (i = 0; i < 4; i++)
		close(fd[i]);
	if (waitpid(pid, &status, 0) != pid || status)
		fail("oracle inherited-socket: its child ended with %#x",
		     status);
}

/* Sent from free to a socket of guard, where it must not arrive. */
static void step_packet(const struct oracle_process *process)
{
	static struct sockaddr_in address;
	static int from = -1, to = -1;
	static unsigned int steps;

	if (steps++ % 256 == 0) {
		close(to);
		close(from);
		move_to(ZONE_GUARD);
		to = make_receiver(&address);
		move_to(ZONE_FREE);
		from = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	}
	if (to < 0) {
		/* Sending is denied at times. */
		judge(process->oracle, ZONE_GUARD, -1, "packet");
		steps = 0;
		return;
	}
	judge(process->oracle, ZONE_GUARD, send_packet(from, to, &address, 0),
	      "packet");
}

static void *run_thread(void *arg)
{
	__u64 random = (unsigned long)arg;

	set_to(shared->thread[(unsigned long)arg], gettid());
	while (going_on())
		judge(ORACLE_THREADS, ZONE_GUARD,
		      try_deed(DEED_BIND, next_random(&random)), "bind");
	set_to(shared->thread[(unsigned long)arg], 0);
	return NULL;
}

/* Threads of one process that are moved one by one. */
static void step_threads(const struct oracle_process *process)
{
	static pthread_t thread[MAX_THREADS];
	unsigned long i;

	if (join(slots[SLOT_THREADS + 1].path))
		fail("oracle threads: cannot join");
	for (i = 0; i < MAX_THREADS; i++)
		if (pthread_create(&thread[i], NULL, run_thread, (void *)i))
			fail("oracle threads: cannot start");
	for (i = 0; i < MAX_THREADS; i++)
		pthread_join(thread[i], NULL);
}

/*
 * A cgroup of its own, in which nothing is denied until something staged takes
 * force, and that deed from then on.
 */
static char staged_dir[256];

static void begin_staged(void)
{
	if (mkdir(staged_dir, 0755) || join(staged_dir))
		fail("%s: %s", staged_dir, strerror(errno));
}

static void exec_and_expect(void)
{
	int err = exec_junk();

	if (err != ENOEXEC)
		fail("oracle staged: exec: %d (%s)", err, strerror(err));
}

static int exec_in_child(void)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return errno;
	if (!pid) {
		exec_and_expect();
		_exit(0);
	}
	return waitpid(pid, &status, 0) != pid || status ? EIO : 0;
}

static void step_staged(const struct oracle_process *process)
{
	__u64 random = next_random(&oracle_random);
	enum deed deed = random % DEED_PACKET;
	bool by_pid = random >> 8 & 1;
	bool by_child = random >> 9 & 1;
	const int fd = staying[deed][random >> 10 & 1].fd;
	char when[64] = "when=exec";
	int i, err;

	if (by_pid)
		snprintf(when, sizeof(when), "when=exec pid=%d", getpid());
	err = write_text(staged_dir, "checmate.policy", "clear\n");
	err = err ?: WRITEF(staged_dir, "checmate.policy", "%s\nattach %d\n",
			    when, fd);
	if (!err && random >> 11 & 1)
		err = WRITEF(staged_dir, "checmate.policy", "%s\n%sattach %d\n",
			     when, random >> 12 & 1 ? "clear\n" : "", fd);
	judge(ORACLE_ALLOWED, ZONE_FREE, try_deed(deed, random >> 16),
	      "what is only staged");
	if (!err && (random >> 13 & 7) == 0) {
		/* Withdrawn, it does not take force. */
		err = WRITEF(staged_dir, "checmate.policy", "%s\n", when);
		exec_and_expect();
		judge(ORACLE_ALLOWED, ZONE_FREE, try_deed(deed, random >> 16),
		      "what was withdrawn");
		goto out;
	}
	if (by_child && !err) {
		/* Another process than the one that it may wait for. */
		err = exec_in_child();
		if (by_pid)
			judge(ORACLE_ALLOWED, ZONE_FREE,
			      try_deed(deed, random >> 16),
			      "what another process does not arm");
	}
	if (by_pid || !by_child)
		exec_and_expect();
	for (i = 0; i < 4 && !err; i++)
		judge(process->oracle, ZONE_GUARD,
		      try_deed(deed, random >> (16 + i)), deed_names[deed]);
out:
	if (err)
		fail("oracle staged: %d (%s)", err, strerror(abs(err)));
}

/* Whatever a process in there does, it stays there and under the policy. */
static void step_sealed(const struct oracle_process *process)
{
	const char *dir = slots[SLOT_SEALED].path;
	__u64 random = next_random(&oracle_random);
	const struct program *program;
	enum deed deed = (random >> 32) % NR_DEEDS;
	const char *way = "move";
	bool must_be_sealed = true;
	pid_t pid;
	int err;

	program = &staying[deed][deed % NR_STAYING];
	switch (random % 16) {
	case 0:
		way = "clear";
		err = write_text(dir, "checmate.policy", "clear");
		break;
	case 1:
		way = "detach";
		err = WRITEF(dir, "checmate.policy", "detach %llu",
			     shared->sealed_id[deed]);
		break;
	case 2:
		way = "permissive";
		err = WRITEF(dir, "checmate.policy", "mode %llu permissive",
			     shared->sealed_id[deed]);
		break;
	case 3:
		way = "unseal";
		err = write_text(dir, "checmate.seal", "0");
		break;
	case 4:
		way = "disable here";
		err = write_text(dir, "cgroup.subtree_control", "-checmate");
		/* While it is on farther down, that is what is told first. */
		must_be_sealed = err != -EBUSY;
		break;
	case 5:
		way = "disable above";
		err = write_text(top_dir, "cgroup.subtree_control",
				 "-checmate");
		must_be_sealed = err != -EBUSY;
		break;
	case 6:
		way = "hook file";
		if (!program->file)
			return;
		err = random >> 8 & 1 ?
		      WRITEF(dir, program->file, "-%d", program->fd) :
		      write_text(dir, program->file, "0");
		break;
	case 7 ... 8:
		way = "clone3";
		pid = clone_into(slots[(random >> 8) % SLOT_SEALED].path);
		if (!pid)
			_exit(0);
		if (pid > 0)
			waitpid(pid, NULL, 0);
		err = pid > 0 ? 0 : pid;
		must_be_sealed = false;
		break;
	case 9:
		way = "exec";
		err = exec_junk() == ENOEXEC ? -EROFS : 0;
		break;
	default:
		err = try_to_leave(0, random >> 8);
		must_be_sealed = false;
		break;
	}
	if (!err) {
		add_to(shared->oracle[process->oracle].successes);
		fail("oracle sealed: %s succeeded", way);
	} else if (err != -EROFS && must_be_sealed) {
		add_to(shared->oracle[process->oracle].wrong);
		fail("oracle sealed: %s: %d (%s)", way, -err, strerror(-err));
	}
	judge(process->oracle, ZONE_SEALED,
	      try_deed(deed, random >> 40), deed_names[deed]);
}

/* A thread in a sealed cgroup, while the others of its process are outside. */
static char domain_dir[256], inner_dir[320], outer_dir[320];

static void begin_sealed_thread(void)
{
	int err = 0;

	if (mkdir(domain_dir, 0755) || mkdir(inner_dir, 0755) ||
	    mkdir(outer_dir, 0755))
		err = -errno;
	err = err ?: write_text(inner_dir, "cgroup.type", "threaded");
	err = err ?: write_text(outer_dir, "cgroup.type", "threaded");
	err = err ?: enable_controller(domain_dir);
	err = err ?: attach(inner_dir, staying[DEED_BIND][0].fd);
	err = err ?: join(outer_dir);
	if (err)
		fail("%s: %s", domain_dir, strerror(-err));
}

static void *run_sealed_thread(void *arg)
{
	const struct oracle_process *process = arg;
	int err;

	err = write_text(inner_dir, "cgroup.threads", "0") ?:
	      write_text(inner_dir, "checmate.seal", "1");
	if (err) {
		fail("oracle sealed-thread: %s", strerror(-err));
		return NULL;
	}
	set_to(shared->sealed_thread, gettid());
	while (going_on()) {
		__u64 random = next_random(&oracle_random);

		if (random & 4)
			err = write_text(domain_dir, "cgroup.subtree_control",
					 "-checmate");
		else
			err = write_text(random & 1 ? outer_dir : domain_dir,
					 random & 2 ? "cgroup.threads" :
						      "cgroup.procs", "0");
		if (err != -EROFS) {
			add_to(shared->oracle[process->oracle].wrong);
			fail("oracle sealed-thread: left by %llu: %d",
			     random & 7, -err);
		}
		judge(process->oracle, ZONE_SEALED,
		      try_deed(DEED_BIND, random >> 8), "bind");
	}
	set_to(shared->sealed_thread, 0);
	return NULL;
}

/* The other thread stays where it is allowed, for as long. */
static void step_sealed_thread(const struct oracle_process *process)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run_sealed_thread, (void *)process)) {
		fail("oracle sealed-thread: cannot start");
		return;
	}
	pthread_join(thread, NULL);
	judge(ORACLE_ALLOWED, ZONE_FREE, try_deed(DEED_BIND, 0), "bind");
}

static const struct oracle_process processes[] = {
	{ ORACLE_BIND, ZONE_GUARD, true, NULL, step_deed },
	{ ORACLE_BIND, ZONE_GUARD, true, NULL, step_deed },
	{ ORACLE_CREATE, ZONE_GUARD, true, NULL, step_deed },
	{ ORACLE_OPEN, ZONE_GUARD, true, NULL, step_deed },
	{ ORACLE_KILL, ZONE_GUARD, true, NULL, step_deed },
	{ ORACLE_ALLOWED, ZONE_FREE, true, NULL, step_allowed },
	{ ORACLE_ALLOWED, ZONE_FREE, true, NULL, step_allowed },
	{ ORACLE_OLD_SOCKET, ZONE_OUT, false, begin_old_socket,
	  step_old_socket },
	{ ORACLE_ACCEPTED, ZONE_FREE, false, begin_accepted, step_accepted },
	{ ORACLE_PASSED, ZONE_GUARD, true, NULL, step_maker },
	{ ORACLE_PASSED, ZONE_FREE, true, NULL, step_taker },
	{ ORACLE_INHERITED, ZONE_GUARD, false, NULL, step_inherited },
	{ ORACLE_PACKET, ZONE_FREE, false, NULL, step_packet },
	{ ORACLE_THREADS, ZONE_GUARD, false, NULL, step_threads },
	{ ORACLE_STAGED, ZONE_OUT, false, begin_staged, step_staged },
	{ ORACLE_SEALED, ZONE_SEALED, true, NULL, step_sealed },
	{ ORACLE_SEALED, ZONE_SEALED, true, NULL, step_sealed },
	{ ORACLE_SEALED_THREAD, ZONE_OUT, false, begin_sealed_thread,
	  step_sealed_thread },
};

static void __noreturn run_oracle(const struct oracle_process *process)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* What they try matters at many moments, but workers make those. */
	setpriority(PRIO_PROCESS, 0, 10);
	if (process->zone != ZONE_OUT &&
	    join(slots[HOME(zone_root(process->zone))].path))
		fail("oracle %s: cannot join", names[process->oracle]);
	if (process->begin)
		process->begin();
	add_to(shared->ready);
	while (going_on()) {
		drop_page();
		process->step(process);
	}
	_exit(0);
}

/**
 * start_oracles - Start all oracles and wait until they are there
 * @old_socket: sockets that guard's programs are in force for, made before
 *	their cgroup had the controller
 * @nr_old: how many
 * @seed: for what oracles do at random
 *
 * Return: 0 or a negative errno.
 */
int start_oracles(const int *old_socket, unsigned int nr_old, __u64 seed)
{
	size_t i;

	old_sockets = old_socket;
	nr_old_sockets = nr_old;
	snprintf(rounds_dir, sizeof(rounds_dir), "%s/rounds", top_dir);
	snprintf(round_dir, sizeof(round_dir), "%s/x", rounds_dir);
	snprintf(staged_dir, sizeof(staged_dir), "%s/staged", top_dir);
	snprintf(domain_dir, sizeof(domain_dir), "%s/threads", top_dir);
	snprintf(inner_dir, sizeof(inner_dir), "%s/inner", domain_dir);
	snprintf(outer_dir, sizeof(outer_dir), "%s/outer", domain_dir);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel))
		return -errno;
	for (i = 0; i < ARRAY_LEN(processes); i++) {
		pid_t pid = fork();

		if (pid < 0)
			return -errno;
		if (!pid) {
			oracle_random = seed ^ (i + 1) << 32;
			run_oracle(&processes[i]);
		}
		oracle_pid[nr_oracles++] = pid;
	}
	while (look_at(shared->ready) < nr_oracles) {
		if (look_at(shared->failures))
			return -ECHILD;
		sched_yield();
	}
	for (i = 0; i < ARRAY_LEN(processes); i++) {
		if (!processes[i].movable)
			continue;
		shared->movable[nr_movable].zone = processes[i].zone;
		set_to(shared->movable[nr_movable++].pid, oracle_pid[i]);
	}
	return 0;
}

/**
 * stop_oracles - Have all oracles end
 *
 * Return: true if they ended by themselves and well.
 */
bool stop_oracles(void)
{
	bool well = true;
	unsigned int i;
	int status;

	set_to(shared->stop, 1);
	for (i = 0; i < nr_oracles; i++) {
		if (waitpid(oracle_pid[i], &status, 0) == oracle_pid[i] &&
		    !status)
			continue;
		ksft_print_msg("oracle %s ended with %#x\n",
			       names[processes[i].oracle], status);
		well = false;
	}
	rmdir(round_dir);
	rmdir(rounds_dir);
	rmdir(staged_dir);
	rmdir(inner_dir);
	rmdir(outer_dir);
	rmdir(domain_dir);
	return well;
}
