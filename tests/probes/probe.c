// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * probe - One system call, and what came of it
 *
 * For the test cases: small, static, and put into containers.  Prints "ok" or
 * the name of the error, and exits with 0 or 1.
 *
 *	probe bind ADDRESS PORT		a TCP socket, closed at once
 *	probe connect ADDRESS PORT	a TCP connection, closed at once
 *	probe send ADDRESS PORT		a datagram from an unconnected UDP socket
 *	probe insist CALL ADDRESS PORT	one of the above again and again until SIGTERM; then
 *					prints how often, and how often it succeeded
 *	probe pause			wait for a signal
 *	probe listen ADDRESS PORT	accept TCP connections until a signal
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t size;
};

static int usage(void)
{
	fputs("usage: probe [insist] bind|connect|send ADDRESS PORT\n"
	      "       probe listen ADDRESS PORT\n"
	      "       probe pause\n",
	      stderr);
	return 2;
}

static int parse_address(const char *address, const char *port, struct address *ret)
{
	struct address a = {};
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(port, &end, 10);
	if (errno || end == port || *end || number > 65535)
		return -EINVAL;

	if (inet_pton(AF_INET, address, &a.in.sin_addr) == 1) {
		a.in.sin_family = AF_INET;
		a.in.sin_port = htons(number);
		a.size = sizeof(a.in);
	} else if (inet_pton(AF_INET6, address, &a.in6.sin6_addr) == 1) {
		a.in6.sin6_family = AF_INET6;
		a.in6.sin6_port = htons(number);
		a.size = sizeof(a.in6);
	} else {
		return -EINVAL;
	}
	*ret = a;
	return 0;
}

static int new_socket(const struct address *address, int type)
{
	int one = 1;
	int fd, r;

	fd = socket(address->any.sa_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* Connections of earlier probes must not hold the port. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

static int try(const char *what, const struct address *address)
{
	int fd, r;

	fd = new_socket(address, strcmp(what, "send") == 0 ? SOCK_DGRAM : SOCK_STREAM);
	if (fd < 0)
		return fd;

	if (strcmp(what, "bind") == 0)
		r = bind(fd, &address->any, address->size);
	else if (strcmp(what, "connect") == 0)
		r = connect(fd, &address->any, address->size);
	else
		r = sendto(fd, "probe", 5, 0, &address->any, address->size);
	r = r < 0 ? -errno : 0;
	close(fd);
	return r;
}

static int report(int r)
{
	const char *name = strerrorname_np(-r);

	if (r >= 0)
		puts("ok");
	else if (name)
		puts(name);
	else
		printf("errno %d\n", -r);
	fflush(stdout);
	return r < 0;
}

static int serve(const struct address *address)
{
	int fd, r;

	fd = new_socket(address, SOCK_STREAM);
	if (fd < 0)
		return report(fd);
	if (bind(fd, &address->any, address->size) < 0 || listen(fd, 16) < 0) {
		r = report(-errno);
		close(fd);
		return r;
	}
	report(0);

	for (;;) {
		int peer = accept(fd, NULL, NULL);

		if (peer >= 0)
			close(peer);
		else if (errno != EINTR && errno != ECONNABORTED)
			return report(-errno);
	}
}

static volatile sig_atomic_t ended;

static void on_term(int signal)
{
	(void)signal;
	ended = 1;
}

/* 0 when it never succeeded. */
static int insist(const char *what, const struct address *address)
{
	unsigned long n = 0, n_ok = 0;

	signal(SIGTERM, on_term);
	while (!ended) {
		n++;
		if (try(what, address) >= 0)
			n_ok++;
		usleep(1000);
	}
	printf("%lu tries, %lu succeeded\n", n, n_ok);
	return n_ok != 0;
}

static bool is_call(const char *what)
{
	return strcmp(what, "bind") == 0 || strcmp(what, "connect") == 0 ||
	       strcmp(what, "send") == 0;
}

int main(int argc, char *argv[])
{
	struct address address;

	if (argc == 2 && strcmp(argv[1], "pause") == 0) {
		pause();
		return 0;
	}
	if (argc == 5 && strcmp(argv[1], "insist") == 0 && is_call(argv[2]) &&
	    parse_address(argv[3], argv[4], &address) >= 0)
		return insist(argv[2], &address);
	if (argc != 4 || parse_address(argv[2], argv[3], &address) < 0)
		return usage();
	if (strcmp(argv[1], "listen") == 0)
		return serve(&address);
	if (!is_call(argv[1]))
		return usage();
	return report(try(argv[1], &address));
}
