// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * test-remap-bind - What remap_bind does to a cgroup
 *
 *	test-remap-bind remapped	within a cgroup to which it is attached
 *	test-remap-bind free		outside, or after it was detached
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../test-tap.h"

#define ASKED 6789
#define GIVEN 12345

static int new_socket(int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		printf("Bail out! socket: %s\n", strerror(errno));
		exit(1);
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
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

/* Returns 0 or a positive errno, as connect_port() does. */
static int bind_port(int fd, sa_family_t family, in_addr_t host, in_port_t port, socklen_t len)
{
	struct sockaddr_in in = in_address(host, port);

	in.sin_family = family;
	return bind(fd, (struct sockaddr *)&in, len) < 0 ? errno : 0;
}

static int connect_port(in_port_t port)
{
	struct sockaddr_in in = in_address(INADDR_LOOPBACK, port);
	int fd = new_socket(AF_INET, SOCK_STREAM), r;

	r = connect(fd, (struct sockaddr *)&in, sizeof(in)) < 0 ? errno : 0;
	close(fd);
	return r;
}

static struct sockaddr_in get_name(int fd)
{
	struct sockaddr_in in = {};
	socklen_t len = sizeof(in);

	if (getsockname(fd, (struct sockaddr *)&in, &len) < 0)
		in.sin_family = AF_UNSPEC;
	return in;
}

static int get_port(int fd)
{
	return ntohs(get_name(fd).sin_port);
}

static void test_remapped(int type, const char *name)
{
	int fd = new_socket(AF_INET, type);
	struct sockaddr_in in;

	printf("# %s\n", name);
	is(bind_port(fd, AF_INET, INADDR_LOOPBACK, ASKED, sizeof(in)), 0, "port 6789 is bound");
	in = get_name(fd);
	is(ntohs(in.sin_port), GIVEN, "getsockname() tells port 12345");
	ok(in.sin_addr.s_addr == htonl(INADDR_LOOPBACK), "and the address that was asked for");
	if (type == SOCK_STREAM) {
		is(listen(fd, 1), 0, "the socket listens");
		is(connect_port(GIVEN), 0, "a client finds it at 12345");
		is(connect_port(ASKED), ECONNREFUSED, "and not at 6789");
	}
	close(fd);

	fd = new_socket(AF_INET, type);
	is(bind_port(fd, AF_INET, INADDR_ANY, ASKED, sizeof(in)), 0, "6789 of any address");
	is(get_port(fd), GIVEN, "is 12345 too");
	close(fd);

	fd = new_socket(AF_INET, type);
	is(bind_port(fd, AF_INET, INADDR_LOOPBACK, ASKED + 1, sizeof(in)), 0, "port 6790 is bound");
	is(get_port(fd), ASKED + 1, "it stays what it is");
	close(fd);

	fd = new_socket(AF_INET, type);
	is(bind_port(fd, AF_UNSPEC, INADDR_ANY, ASKED, sizeof(in)), EACCES,
	   "AF_UNSPEC is no way to 6789");
	is(get_port(fd), 0, "nothing was bound");
	close(fd);
}

static void test_untouched(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t len = offsetof(struct sockaddr_un, sun_path) + 4;
	struct sockaddr_in in = in_address(INADDR_LOOPBACK, ASKED);
	int fd;

	fd = new_socket(AF_INET, SOCK_STREAM);
	is(bind(fd, (struct sockaddr *)&in, sizeof(in) - 1) < 0 ? errno : 0, EINVAL,
	   "an address that is too short is refused as ever");
	is(bind(fd, (struct sockaddr *)&in, 0) < 0 ? errno : 0, EINVAL, "so is an empty one");
	is(ntohs(in.sin_port), ASKED, "the caller's own copy of the address is not changed");
	close(fd);

	/* An abstract name with the bytes of the port where AF_INET has it. */
	memcpy(un.sun_path, (char[]){ 0, ASKED >> 8, ASKED & 0xff, 1 }, 4);
	fd = new_socket(AF_UNIX, SOCK_STREAM);
	is(bind(fd, (struct sockaddr *)&un, len) < 0 ? errno : 0, 0, "a Unix socket is bound");
	close(fd);
}

static void test_in6(void)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(ASKED) };
	socklen_t len = sizeof(in6);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		skip("an IPv6 socket", "no IPv6");
		return;
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){ 1 }, sizeof(int));
	is(bind(fd, (struct sockaddr *)&in6, len) < 0 ? errno : 0, 0, "an IPv6 socket binds 6789");
	getsockname(fd, (struct sockaddr *)&in6, &len);
	is(ntohs(in6.sin6_port), ASKED, "it is not concerned");
	close(fd);
}

static void test_free(void)
{
	int fd = new_socket(AF_INET, SOCK_STREAM);

	is(bind_port(fd, AF_INET, INADDR_LOOPBACK, ASKED, sizeof(struct sockaddr_in)), 0,
	   "port 6789 is bound");
	is(get_port(fd), ASKED, "and is 6789");
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "free") == 0) {
		test_free();
		return done_testing();
	}
	if (argc != 2 || strcmp(argv[1], "remapped") != 0) {
		fputs("Usage: test-remap-bind remapped|free\n", stderr);
		return 2;
	}

	test_remapped(SOCK_STREAM, "TCP");
	test_remapped(SOCK_DGRAM, "UDP");
	test_untouched();
	test_in6();
	return done_testing();
}
