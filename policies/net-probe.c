// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Checmate policies - Make one socket call and say what came of it
 *
 *	net-probe CALL SOCKET ADDRESS [family=N] [len=N]
 *
 * CALL is bind, connect, sendto, sendmsg, sendmmsg, fastopen, send (connect
 * first, then a send that names nobody) or reconnect (connect, then connect to
 * AF_UNSPEC). SOCKET is tcp4, tcp6, udp4, udp6, raw4, raw6 or unix. ADDRESS is
 * "A.B.C.D:PORT", "[IPV6]:PORT", or a path for unix. family= and len= replace
 * what the call is told of the address.
 *
 * Prints "ok" or the name of the errno. Exit status 0 either way, 2 for wrong
 * usage, 1 when there is no such socket.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	};
	socklen_t len;
};

static const struct {
	const char *name;
	int family;
	int type;
	int protocol;
} sockets[] = {
	{ "tcp4", AF_INET, SOCK_STREAM, 0 },	     { "tcp6", AF_INET6, SOCK_STREAM, 0 },
	{ "udp4", AF_INET, SOCK_DGRAM, 0 },	     { "udp6", AF_INET6, SOCK_DGRAM, 0 },
	{ "raw4", AF_INET, SOCK_RAW, IPPROTO_ICMP }, { "raw6", AF_INET6, SOCK_RAW, IPPROTO_ICMPV6 },
	{ "unix", AF_UNIX, SOCK_DGRAM, 0 },
};

static int open_socket(const char *name)
{
	for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
		int one = 1, fd;

		if (strcmp(sockets[i].name, name))
			continue;
		fd = socket(sockets[i].family, sockets[i].type | SOCK_CLOEXEC, sockets[i].protocol);
		if (fd < 0) {
			perror(name);
			exit(1);
		}
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		return fd;
	}
	return -1;
}

static bool parse_address(char *text, struct address *address)
{
	char *colon = strrchr(text, ':');

	memset(address, 0, sizeof(*address));
	if (text[0] == '/') {
		address->un.sun_family = AF_UNIX;
		strncpy(address->un.sun_path, text, sizeof(address->un.sun_path) - 1);
		address->len = sizeof(address->un);
		return true;
	}
	if (!colon)
		return false;
	*colon = '\0';
	if (text[0] == '[' && colon[-1] == ']') {
		colon[-1] = '\0';
		address->in6.sin6_family = AF_INET6;
		address->in6.sin6_port = htons(atoi(colon + 1));
		address->len = sizeof(address->in6);
		return inet_pton(AF_INET6, text + 1, &address->in6.sin6_addr) == 1;
	}
	address->in.sin_family = AF_INET;
	address->in.sin_port = htons(atoi(colon + 1));
	address->len = sizeof(address->in);
	return inet_pton(AF_INET, text, &address->in.sin_addr) == 1;
}

/* What connects is not waited for: the verdict comes before. */
static int do_connect(int fd, const struct address *address)
{
	return connect(fd, &address->any, address->len);
}

static int do_sendmsg(int fd, struct address *address, bool many)
{
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct mmsghdr messages[2] = {};

	for (int i = 0; i < 2; i++) {
		messages[i].msg_hdr.msg_name = &address->any;
		messages[i].msg_hdr.msg_namelen = address->len;
		messages[i].msg_hdr.msg_iov = &iov;
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	return many ? sendmmsg(fd, messages, 2, MSG_NOSIGNAL) :
		      (int)sendmsg(fd, &messages[0].msg_hdr, MSG_NOSIGNAL);
}

static int do_reconnect(int fd, const struct address *address)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };

	(void)do_connect(fd, address);
	return connect(fd, &unspec, sizeof(unspec));
}

static int call(const char *name, int fd, struct address *address)
{
	if (!strcmp(name, "bind"))
		return bind(fd, &address->any, address->len);
	if (!strcmp(name, "connect"))
		return do_connect(fd, address);
	if (!strcmp(name, "reconnect"))
		return do_reconnect(fd, address);
	if (!strcmp(name, "send"))
		return do_connect(fd, address) ?: (int)send(fd, "x", 1, MSG_NOSIGNAL);
	if (!strcmp(name, "sendto"))
		return sendto(fd, "x", 1, MSG_NOSIGNAL, &address->any, address->len);
	if (!strcmp(name, "fastopen"))
		return sendto(fd, "x", 1, MSG_NOSIGNAL | MSG_FASTOPEN, &address->any, address->len);
	if (!strcmp(name, "sendmsg"))
		return do_sendmsg(fd, address, false);
	if (!strcmp(name, "sendmmsg"))
		return do_sendmsg(fd, address, true);
	return -2;
}

int main(int argc, char **argv)
{
	struct address address;
	int fd, r;

	if (argc < 4)
		return 2;
	fd = open_socket(argv[2]);
	if (fd < 0 || !parse_address(argv[3], &address))
		return 2;
	for (int i = 4; i < argc; i++) {
		if (!strncmp(argv[i], "family=", 7))
			address.any.sa_family = atoi(argv[i] + 7);
		else if (!strncmp(argv[i], "len=", 4))
			address.len = atoi(argv[i] + 4);
		else
			return 2;
	}

	r = call(argv[1], fd, &address);
	if (r == -2)
		return 2;
	puts(r < 0 ? strerrorname_np(errno) : "ok");
	close(fd);
	return 0;
}
