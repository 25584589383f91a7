// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * test-limit-connections - What limit_connections lets a cgroup do
 *
 *	test-limit-connections limited	within a cgroup that is limited to 10
 *	test-limit-connections none	within one that is limited to 0
 *	test-limit-connections free	outside, or after the limit was lifted
 *
 * The protocols free a sock some time after its last descriptor was closed
 * (UDP after an RCU grace period), so a place that is to come free is waited
 * for. That none is free is never waited for: it has to be so at once.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../test-tap.h"

#define LIMIT 10

/* Places that are waited for come within this many tries, 10 ms apart. */
#define PATIENCE 1000

/* Each test has destinations of its own. */
static in_port_t next_port = 20000;

static void fatal(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static int new_socket(int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fatal("socket");
	return fd;
}

static struct sockaddr_in in_address(in_addr_t host, in_port_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(host),
	};
}

/* All functions below that connect return 0 or a positive errno. */

static int connect_to(int fd, in_addr_t host, in_port_t port)
{
	struct sockaddr_in in = in_address(host, port);

	return connect(fd, (struct sockaddr *)&in, sizeof(in)) < 0 ? errno : 0;
}

static int connect_port(int fd, in_port_t port)
{
	return connect_to(fd, INADDR_LOOPBACK, port);
}

static int disconnect(int fd)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };

	return connect(fd, &unspec, sizeof(unspec)) < 0 ? errno : 0;
}

static int connect_in6(int fd, const char *host, in_port_t port)
{
	struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(port),
	};

	if (inet_pton(AF_INET6, host, &in6.sin6_addr) != 1)
		fatal(host);
	return connect(fd, (struct sockaddr *)&in6, sizeof(in6)) < 0 ? errno : 0;
}

static int send_byte(int fd)
{
	return send(fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? errno : 0;
}

static int receive_byte(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 ? errno : 0;
}

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000 * 1000 }, NULL);
}

/* Connects as soon as a place has come free. */
static int connect_when_free(int fd, in_port_t port)
{
	int r = EUSERS;

	for (int i = 0; i < PATIENCE && r == EUSERS; i++) {
		if (i > 0)
			nap();
		r = connect_port(fd, port);
	}
	return r;
}

static in_port_t new_port(void)
{
	return next_port++;
}

/* A server that lets the kernel accept; returns its descriptor. */
static int new_server(in_port_t port)
{
	struct sockaddr_in in = in_address(INADDR_ANY, port);
	int fd = new_socket(AF_INET, SOCK_STREAM);

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) < 0 ||
	    bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0 || listen(fd, 128) < 0)
		fatal("server");
	return fd;
}

/* How many of @n new sockets can be connected. */
static int connect_many(int *fds, int n, int type, in_port_t port)
{
	int connected = 0;

	for (int i = 0; i < n; i++) {
		fds[i] = new_socket(AF_INET, type);
		if (connect_port(fds[i], port) == 0)
			connected++;
	}
	return connected;
}

static void close_many(const int *fds, int n)
{
	for (int i = 0; i < n; i++)
		close(fds[i]);
}

/* Whether exactly the limit of new UDP sockets finds a place, now or soon. */
static bool has_all_places(in_port_t port)
{
	int fds[LIMIT + 1], r = 0;

	for (int i = 0; i < LIMIT; i++) {
		fds[i] = new_socket(AF_INET, SOCK_DGRAM);
		if (r == 0)
			r = connect_when_free(fds[i], port);
	}
	fds[LIMIT] = new_socket(AF_INET, SOCK_DGRAM);
	if (r == 0)
		r = connect_port(fds[LIMIT], port);
	close_many(fds, LIMIT + 1);
	return r == EUSERS;
}

static void test_tcp(void)
{
	in_port_t port = new_port(), other = new_port();
	int server = new_server(port), fds[LIMIT], fd = new_socket(AF_INET, SOCK_STREAM);
	int second = new_server(other), elsewhere = new_socket(AF_INET, SOCK_STREAM);

	is(connect_many(fds, LIMIT, SOCK_STREAM, port), LIMIT, "10 TCP connections are made");
	is(connect_port(fd, port), EUSERS, "the 11th is refused");
	is(connect_port(fd, port), EUSERS, "and refused again");
	is(send_byte(fds[0]), 0, "the others can send");
	is(connect_port(elsewhere, other), 0, "another port is another destination");

	is(connect_port(fds[0], port), EISCONN, "a connected socket says so at the limit");
	is(connect_port(fds[0], other), EISCONN, "and when it is to connect elsewhere");
	is(connect_port(fd, port), EUSERS, "neither has freed a place");

	close(fds[0]);
	is(connect_when_free(fd, port), 0, "closing frees a place");
	fds[0] = new_socket(AF_INET, SOCK_STREAM);
	is(connect_port(fds[0], port), EUSERS, "it frees one only");

	is(disconnect(fd), 0, "a stream is disconnected");
	is(connect_port(fds[0], port), 0, "which frees its place");

	close_many(fds, LIMIT);
	close(fd);
	close(elsewhere);
	close(server);
	close(second);
}

static void test_failed_connect(void)
{
	in_port_t port = new_port();
	int fds[LIMIT], fd = new_socket(AF_INET, SOCK_STREAM);

	/* No one listens. */
	is(connect_many(fds, LIMIT, SOCK_STREAM, port), 0, "10 TCP connections are refused");
	is(connect_port(fd, port), EUSERS, "their sockets keep their places");
	is(connect_port(fds[0], port), ECONNREFUSED, "such a socket may try again");
	close(fds[0]);
	is(connect_when_free(fd, port), ECONNREFUSED, "until it is closed");
	close_many(fds + 1, LIMIT - 1);
	close(fd);
}

static void test_udp(void)
{
	in_port_t a = new_port(), b = new_port();
	int at_a[LIMIT], at_b[LIMIT], fd = new_socket(AF_INET, SOCK_DGRAM);
	int server = new_server(a), stream = new_socket(AF_INET, SOCK_STREAM);

	is(connect_many(at_a, LIMIT, SOCK_DGRAM, a), LIMIT, "10 UDP sockets are connected");
	is(connect_port(fd, a), EUSERS, "the 11th is refused");
	is(connect_port(stream, a), 0, "another protocol is another destination");
	is(connect_port(at_a[0], a), 0, "a socket may connect again to where it is");
	is(connect_port(fd, a), EUSERS, "which changes nothing");

	is(connect_port(at_a[0], b), 0, "a socket connects elsewhere");
	is(connect_port(fd, a), 0, "which frees its old place");
	is(connect_port(at_a[0], a), EUSERS, "to which it cannot come back");
	is(connect_many(at_b, LIMIT - 1, SOCK_DGRAM, b), LIMIT - 1, "9 more join it");
	at_b[LIMIT - 1] = new_socket(AF_INET, SOCK_DGRAM);
	is(connect_port(at_b[LIMIT - 1], b), EUSERS, "the 11th there is refused: it was counted");

	is(connect_port(fd, b), EUSERS, "a socket with a place cannot move there either");
	is(connect_port(at_b[LIMIT - 1], a), EUSERS, "it has kept the place that it had");

	is(disconnect(fd), 0, "a socket is disconnected");
	is(connect_port(at_b[LIMIT - 1], a), 0, "which frees its place at once");
	is(disconnect(fd), 0, "it is disconnected again");
	is(connect_port(fd, a), EUSERS, "which frees nothing");

	close_many(at_a, LIMIT);
	close_many(at_b, LIMIT);
	close(fd);
	close(stream);
	close(server);
	ok(has_all_places(a) && has_all_places(b), "closing frees all places, and no more");
}

/* One host by all its names. */
static void test_names(void)
{
	in_port_t port = new_port();
	int fds[LIMIT], fd = new_socket(AF_INET, SOCK_DGRAM);
	int in6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	connect_many(fds, LIMIT, SOCK_DGRAM, port);
	is(connect_to(fd, INADDR_ANY, port), EUSERS, "0.0.0.0 is this host");
	if (in6 < 0) {
		skip("a mapped address is the address", "no IPv6");
	} else {
		is(connect_in6(in6, "::ffff:127.0.0.1", port), EUSERS,
		   "a mapped address is the address");
		is(connect_in6(in6, "::ffff:0.0.0.0", port), EUSERS, "0.0.0.0 mapped is this host");
		is(connect_port(in6, port), EUSERS, "an IPv6 socket with an IPv4 address");
		is(connect_in6(in6, "::1", port), 0, "::1 is another destination");
		close(in6);
	}
	close_many(fds, LIMIT);
	close(fd);

	for (int i = 0; i < LIMIT; i++) {
		fds[i] = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (fds[i] < 0) {
			skip(":: is ::1", "no IPv6");
			close_many(fds, i);
			return;
		}
		connect_in6(fds[i], i % 2 ? "::" : "::1", port + 10000);
	}
	fd = new_socket(AF_INET6, SOCK_DGRAM);
	is(connect_in6(fd, "::1", port + 10000), EUSERS, ":: is ::1");
	is(connect_in6(fd, "::", port + 10000), EUSERS, "::1 is ::");
	close_many(fds, LIMIT);
	close(fd);
}

static void test_fast_open(void)
{
	in_port_t port = new_port();
	struct sockaddr_in in = in_address(INADDR_LOOPBACK, port);
	int server = new_server(port), fds[LIMIT], n = 0, fd;

	for (int i = 0; i < LIMIT; i++) {
		fds[i] = new_socket(AF_INET, SOCK_STREAM);
		if (sendto(fds[i], "x", 1, MSG_FASTOPEN, (struct sockaddr *)&in, sizeof(in)) == 1)
			n++;
	}
	is(n, LIMIT, "10 connections are made by sending");
	fd = new_socket(AF_INET, SOCK_STREAM);
	ok(sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&in, sizeof(in)) < 0 &&
		   errno == EUSERS,
	   "the 11th is refused");
	is(connect_port(fd, port), EUSERS, "and cannot be made by connect() either");
	close_many(fds, LIMIT);
	is(connect_when_free(fd, port), 0, "closing frees their places");
	close(fd);
	close(server);
}

/* A connect() that fails after it was judged, and leaves the old peer. */
static void test_lost_peer(void)
{
	in_port_t port = new_port();
	int fds[LIMIT], fd = new_socket(AF_INET, SOCK_DGRAM), r;

	connect_many(fds, LIMIT, SOCK_DGRAM, port);
	is(send_byte(fds[0]), 0, "a connected socket sends");
	r = connect_to(fds[0], INADDR_BROADCAST, port);
	if (!ok(r != 0 && r != EUSERS, "connect() to the broadcast address fails"))
		goto out;
	is(connect_port(fd, port), 0, "another takes the place that it gave up");
	is(send_byte(fds[0]), EUSERS, "it cannot send to the peer that it still has");
	is(receive_byte(fds[0]), EUSERS, "nor receive from it");
	is(send_byte(fd), 0, "the other can");
	is(disconnect(fd), 0, "the other is disconnected");
	/* The error of the refused datagrams may come first. */
	r = send_byte(fds[0]);
	ok(r == 0 || r == ECONNREFUSED, "so it has a place again and can send");
	is(connect_port(fd, port), EUSERS, "and the other has none");
out:
	close_many(fds, LIMIT);
	close(fd);
	ok(has_all_places(port), "the sum is right in the end");
}

/* An accepted socket is its client's connection, not one of its own. */
static void test_accepted(void)
{
	in_port_t port = new_port();
	int server = new_server(port), clients[LIMIT], accepted[LIMIT], n = 0;

	connect_many(clients, LIMIT, SOCK_STREAM, port);
	for (int i = 0; i < LIMIT; i++) {
		accepted[i] = accept(server, NULL, NULL);
		if (accepted[i] < 0)
			fatal("accept");
		if (send_byte(accepted[i]) == 0 && receive_byte(accepted[i]) == EAGAIN)
			n++;
	}
	is(n, LIMIT, "accepted sockets are not counted");
	close_many(accepted, LIMIT);
	close_many(clients, LIMIT);
	close(server);
}

static void test_many_destinations(void)
{
	enum {
		HELD = 500,
		MOVES = 20000
	};
	static int fds[HELD];
	int fd = new_socket(AF_INET, SOCK_DGRAM), n = 0;

	for (int i = 0; i < HELD; i++) {
		fds[i] = new_socket(AF_INET, SOCK_DGRAM);
		if (connect_to(fds[i], 0x7f010000 + i, 9) == 0)
			n++;
	}
	is(n, HELD, "500 destinations are held at once");
	n = 0;
	for (int i = 0; i < MOVES; i++) {
		if (connect_to(fd, 0x7f020000 + i, 9) == 0)
			n++;
	}
	is(n, MOVES, "20000 destinations are held one after the other");
	close_many(fds, HELD);
	close(fd);
}

static atomic_int held;
static atomic_bool over, stop;

static void *storm(void *arg)
{
	in_port_t port = *(in_port_t *)arg;
	int fd = new_socket(AF_INET, SOCK_DGRAM);

	for (int i = 0; i < 2000; i++) {
		if (i % 100 == 0) {
			close(fd);
			fd = new_socket(AF_INET, SOCK_DGRAM);
		}
		if (connect_port(fd, port) != 0)
			continue;
		if (atomic_fetch_add(&held, 1) >= LIMIT)
			over = true;
		sched_yield();
		atomic_fetch_sub(&held, 1);
		disconnect(fd);
	}
	close(fd);
	return NULL;
}

static void test_storm(void)
{
	in_port_t port = new_port();
	pthread_t threads[2 * LIMIT];

	for (int i = 0; i < 2 * LIMIT; i++) {
		if (pthread_create(&threads[i], NULL, storm, &port))
			fatal("pthread_create");
	}
	for (int i = 0; i < 2 * LIMIT; i++)
		pthread_join(threads[i], NULL);
	ok(!over, "20 threads never hold more than 10 places");
	ok(has_all_places(port), "the sum is right in the end");
}

struct shared {
	int fd;
	in_port_t ports[2];
};

static void *share(void *arg)
{
	const struct shared *shared = arg;

	while (!stop) {
		connect_port(shared->fd, shared->ports[0]);
		connect_port(shared->fd, shared->ports[1]);
		disconnect(shared->fd);
	}
	return NULL;
}

/* Threads that connect one and the same socket. */
static void test_shared_socket(void)
{
	struct shared shared = {
		.fd = new_socket(AF_INET, SOCK_DGRAM),
		.ports = { new_port(), new_port() },
	};
	pthread_t threads[4];

	for (int i = 0; i < 4; i++) {
		if (pthread_create(&threads[i], NULL, share, &shared))
			fatal("pthread_create");
	}
	for (int i = 0; i < 3000; i++) {
		send_byte(shared.fd);
		sched_yield();
	}
	stop = true;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	close(shared.fd);
	ok(has_all_places(shared.ports[0]) && has_all_places(shared.ports[1]),
	   "the sum is right after threads have shared a socket");
}

static void test_free(void)
{
	in_port_t port = new_port();
	int server = new_server(port), fds[3 * LIMIT];

	is(connect_many(fds, 3 * LIMIT, SOCK_STREAM, port), 3 * LIMIT, "30 TCP connections");
	close_many(fds, 3 * LIMIT);
	close(server);
	is(connect_many(fds, 3 * LIMIT, SOCK_DGRAM, port), 3 * LIMIT, "30 connected UDP sockets");
	close_many(fds, 3 * LIMIT);
}

static void test_none(void)
{
	int fd = new_socket(AF_INET, SOCK_DGRAM);

	is(connect_port(fd, new_port()), EUSERS, "no connection is made");
	is(disconnect(fd), 0, "a socket without one can be disconnected");
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "none") == 0) {
		test_none();
		return done_testing();
	}
	if (argc == 2 && strcmp(argv[1], "free") == 0) {
		test_free();
		return done_testing();
	}
	if (argc != 2 || strcmp(argv[1], "limited") != 0) {
		fputs("Usage: test-limit-connections limited|none|free\n", stderr);
		return 2;
	}

	test_tcp();
	test_failed_connect();
	test_udp();
	test_names();
	test_fast_open();
	test_lost_peer();
	test_accepted();
	test_many_destinations();
	test_storm();
	test_shared_socket();
	return done_testing();
}
