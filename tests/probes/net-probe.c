// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Checmate policies - Make one socket call and say what came of it
 *
 *	net-probe CALL SOCKET ADDRESS [family=N] [len=N] [worker|polled] [OPTION...]
 *
 * CALL is one of
 *	bind, connect, sendto, sendmsg, sendmmsg, fastopen
 *	listen		without a bind; there is no ADDRESS then
 *	bind-listen, reconnect-listen, connect-listen
 *			bind, or reconnect, or connect by whatever comes of it, then listen
 *	reconnect-sendto
 *			reconnect, then sendto
 *	sendfile	without an ADDRESS
 *	send		connect first, then a send that names nobody
 *	reconnect	connect, then connect to AF_UNSPEC
 *	deferred	connect by TCP_FASTOPEN_CONNECT, then a send
 *	bound, peer	bind or connect, and print the address that came of it
 *	option		set the socket option option=LEVEL:NAME to 1
 *	header		a send that brings its own IPv4 header, to header=A.B.C.D
 *	header-later	set IP_HDRINCL, print "ready", wait for SIGUSR1, and do the same
 *	control		sendmsg with the control message option=LEVEL:NAME, of zeros
 *	bindx, connectx	SCTP's calls for ADDRESS and also=ADDRESS
 *	bind-bindx	bind to ADDRESS, then SCTP's call for also=ADDRESS
 *	uring-bind, uring-listen, uring-connect, uring-send, uring-sendzc, uring-sendmsg
 *			the same by io_uring: in the call, by a worker thread, or by
 *			a polling one
 *	socket, socketpair, uring-socket
 *			make it; there is no ADDRESS then
 *	fill		connect one socket after the other, or what via=CALL says, and
 *			print how many it were until one failed, and how; 100 at most.
 *			With "ports" each to the next port; with "hold" they stay open
 *			until it is killed
 *	serve		bind, print "ready", then "got" for each connection or
 *			datagram, until killed
 *	answers		send to ADDRESS, print the port that was taken, then "got" for each
 *			datagram, until killed
 *
 * SOCKET is a name of the table below or FAMILY:TYPE:PROTOCOL in numbers. ADDRESS
 * is "A.B.C.D:PORT", "[IPV6]:PORT", a path, or "@" and an abstract name. family=
 * and len= replace what the call is told of the address.
 *
 * Prints "ok" or the name of the errno. Exit status 0 either way, 2 for wrong
 * usage, 1 when there is no such socket.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "net-probe-uring.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* Since Linux 6.11. */
#define OP_BIND 56
#define OP_LISTEN 57

#define SCTP_BINDX_ADD 100
#define SCTP_CONNECTX 110
#define SCTP_DSTADDRV4 7

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

struct kind {
	const char *name;
	int family;
	int type;
	int protocol;
};

static const struct kind kinds[] = {
	{ "tcp4", AF_INET, SOCK_STREAM, 0 },
	{ "tcp6", AF_INET6, SOCK_STREAM, 0 },
	{ "mptcp4", AF_INET, SOCK_STREAM, IPPROTO_MPTCP },
	{ "udp4", AF_INET, SOCK_DGRAM, 0 },
	{ "udp6", AF_INET6, SOCK_DGRAM, 0 },
	{ "udplite4", AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE },
	{ "raw4", AF_INET, SOCK_RAW, IPPROTO_ICMP },
	{ "raw6", AF_INET6, SOCK_RAW, IPPROTO_ICMPV6 },
	{ "unix", AF_UNIX, SOCK_DGRAM, 0 },
	{ "unix-stream", AF_UNIX, SOCK_STREAM, 0 },
	{ "unix-seqpacket", AF_UNIX, SOCK_SEQPACKET, 0 },
};

#define FILL_MAX 100

static enum uring_way way = URING_INLINE;
static const char *via = "connect";
static bool ports, hold;
static int option_level, option_name;
static struct in_addr header;
static struct address also;

static bool find_kind(const char *name, struct kind *ret_kind)
{
	struct kind kind = { .name = name };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, name))
			continue;
		*ret_kind = kinds[i];
		return true;
	}
	if (sscanf(name, "%d:%d:%d", &kind.family, &kind.type, &kind.protocol) != 3)
		return false;
	*ret_kind = kind;
	return true;
}

static bool parse_address(char *text, struct address *address)
{
	char *colon = strrchr(text, ':');

	memset(address, 0, sizeof(*address));
	if (text[0] == '/' || text[0] == '@') {
		address->un.sun_family = AF_UNIX;
		strncpy(address->un.sun_path, text, sizeof(address->un.sun_path) - 1);
		address->len = offsetof(struct sockaddr_un, sun_path) + strlen(text);
		if (text[0] == '@')
			address->un.sun_path[0] = '\0';
		else
			address->len++;
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

static void print_address(const struct address *address)
{
	char text[INET6_ADDRSTRLEN];

	if (address->any.sa_family == AF_INET)
		printf("%s:%u\n", inet_ntop(AF_INET, &address->in.sin_addr, text, sizeof(text)),
		       ntohs(address->in.sin_port));
	else
		printf("[%s]:%u\n", inet_ntop(AF_INET6, &address->in6.sin6_addr, text, sizeof(text)),
		       ntohs(address->in6.sin6_port));
}

/* --- calls, each as bind(2) and connect(2) return -------------------------- */

static int do_bind(int fd, struct address *address)
{
	return bind(fd, &address->any, address->len);
}

static int do_connect(int fd, struct address *address)
{
	return connect(fd, &address->any, address->len);
}

static int do_listen(int fd, struct address *address)
{
	(void)address;
	return listen(fd, 1);
}

static int do_bind_listen(int fd, struct address *address)
{
	return do_bind(fd, address) ?: listen(fd, 1);
}

static int do_connect_listen(int fd, struct address *address)
{
	(void)do_connect(fd, address);
	return listen(fd, 1);
}

static int do_reconnect(int fd, struct address *address)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };

	(void)do_connect(fd, address);
	return connect(fd, &unspec, sizeof(unspec));
}

static int do_reconnect_listen(int fd, struct address *address)
{
	return do_reconnect(fd, address) ?: listen(fd, 1);
}

static int do_send(int fd, struct address *address)
{
	return do_connect(fd, address) ?: (int)send(fd, "x", 1, MSG_NOSIGNAL);
}

static int do_deferred(int fd, struct address *address)
{
	int one = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one)))
		return -1;
	return do_send(fd, address);
}

static int do_sendto(int fd, struct address *address)
{
	return sendto(fd, "x", 1, MSG_NOSIGNAL, &address->any, address->len);
}

static int do_reconnect_sendto(int fd, struct address *address)
{
	return do_reconnect(fd, address) ?: do_sendto(fd, address);
}

static int do_sendfile(int fd, struct address *address)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)address;
	return file < 0 ? -1 : (int)sendfile(fd, file, NULL, 1);
}

static int do_option(int fd, struct address *address)
{
	int one = 1;

	(void)address;
	return setsockopt(fd, option_level, option_name, &one, sizeof(one));
}

static int do_header(int fd, struct address *address)
{
	struct iphdr packet = {
		.version = 4,
		.ihl = sizeof(packet) / 4,
		.ttl = 1,
		.protocol = IPPROTO_RAW,
		.daddr = header.s_addr,
	};

	return sendto(fd, &packet, sizeof(packet), 0, &address->any, address->len);
}

static int do_header_later(int fd, struct address *address)
{
	int one = 1, sig;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &set, NULL) ||
	    setsockopt(fd, IPPROTO_IP, IP_HDRINCL, &one, sizeof(one)))
		return -1;
	puts("ready");
	fflush(stdout);
	sigwait(&set, &sig);
	return do_header(fd, address);
}

static int do_control(int fd, struct address *address)
{
	char control[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(16)] = {};
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr message = {
		.msg_name = address->len ? &address->any : NULL,
		.msg_namelen = address->len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);

	/* One that is never refused goes before it. */
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SO_MARK;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	cmsg = CMSG_NXTHDR(&message, cmsg);
	cmsg->cmsg_level = option_level;
	cmsg->cmsg_type = option_name;
	/* Of SCTP it is an address, and the kernel insists on the size. */
	cmsg->cmsg_len = CMSG_LEN(
		option_level == IPPROTO_SCTP && option_name == SCTP_DSTADDRV4 ? 4 : 16);
	return sendmsg(fd, &message, MSG_NOSIGNAL);
}

/* Both addresses, one behind the other. */
static int sctp_option(int fd, int option, const struct address *address)
{
	char both[2 * sizeof(struct sockaddr_in6)];

	memcpy(both, &address->any, address->len);
	memcpy(both + address->len, &also.any, also.len);
	return setsockopt(fd, IPPROTO_SCTP, option, both, address->len + also.len);
}

static int do_bindx(int fd, struct address *address)
{
	return sctp_option(fd, SCTP_BINDX_ADD, address);
}

static int do_bind_bindx(int fd, struct address *address)
{
	return do_bind(fd, address) ?:
		       setsockopt(fd, IPPROTO_SCTP, SCTP_BINDX_ADD, &also.any, also.len);
}

static int do_connectx(int fd, struct address *address)
{
	return sctp_option(fd, SCTP_CONNECTX, address);
}

static int do_fastopen(int fd, struct address *address)
{
	return sendto(fd, "x", 1, MSG_NOSIGNAL | MSG_FASTOPEN, &address->any, address->len);
}

static int do_sendmsg(int fd, struct address *address)
{
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr message = {
		.msg_name = &address->any,
		.msg_namelen = address->len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};

	return sendmsg(fd, &message, MSG_NOSIGNAL);
}

static int do_sendmmsg(int fd, struct address *address)
{
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct mmsghdr messages[3] = {};
	int sent;

	for (int i = 0; i < 3; i++) {
		messages[i].msg_hdr.msg_name = &address->any;
		messages[i].msg_hdr.msg_namelen = address->len;
		messages[i].msg_hdr.msg_iov = &iov;
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	sent = sendmmsg(fd, messages, 3, MSG_NOSIGNAL);
	if (sent >= 0 && sent != 3) {
		errno = EMSGSIZE;
		return -1;
	}
	return sent;
}

/* As a system call would have returned it. */
static int uring(const struct io_uring_sqe *request)
{
	int r = uring_do(request, way);

	if (r >= 0)
		return r;
	errno = -r;
	return -1;
}

static int do_uring_bind(int fd, struct address *address)
{
	struct io_uring_sqe request = {
		.opcode = OP_BIND,
		.fd = fd,
		.addr = (uintptr_t)&address->any,
		.addr2 = address->len,
	};

	return uring(&request);
}

static int do_uring_listen(int fd, struct address *address)
{
	struct io_uring_sqe request = {
		.opcode = OP_LISTEN,
		.fd = fd,
		.len = 1,
	};

	(void)address;
	return uring(&request);
}

static int do_uring_connect(int fd, struct address *address)
{
	struct io_uring_sqe request = {
		.opcode = IORING_OP_CONNECT,
		.fd = fd,
		.addr = (uintptr_t)&address->any,
		.addr2 = address->len,
	};

	return uring(&request);
}

static int uring_send(int fd, struct address *address, int opcode)
{
	struct io_uring_sqe request = {
		.opcode = opcode,
		.fd = fd,
		.addr = (uintptr_t) "x",
		.len = 1,
		.msg_flags = MSG_NOSIGNAL,
		.addr2 = (uintptr_t)&address->any,
		.addr_len = address->len,
	};

	return uring(&request);
}

static int do_uring_send(int fd, struct address *address)
{
	return uring_send(fd, address, IORING_OP_SEND);
}

static int do_uring_sendzc(int fd, struct address *address)
{
	return uring_send(fd, address, IORING_OP_SEND_ZC);
}

static int do_uring_sendmsg(int fd, struct address *address)
{
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr message = {
		.msg_name = &address->any,
		.msg_namelen = address->len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	struct io_uring_sqe request = {
		.opcode = IORING_OP_SENDMSG,
		.fd = fd,
		.addr = (uintptr_t)&message,
		.len = 1,
		.msg_flags = MSG_NOSIGNAL,
	};

	return uring(&request);
}

static const struct {
	const char *name;
	int (*call)(int fd, struct address *address);
} calls[] = {
	{ "bind", do_bind },
	{ "listen", do_listen },
	{ "bind-listen", do_bind_listen },
	{ "connect", do_connect },
	{ "connect-listen", do_connect_listen },
	{ "reconnect", do_reconnect },
	{ "reconnect-listen", do_reconnect_listen },
	{ "reconnect-sendto", do_reconnect_sendto },
	{ "sendfile", do_sendfile },
	{ "option", do_option },
	{ "header", do_header },
	{ "header-later", do_header_later },
	{ "control", do_control },
	{ "bindx", do_bindx },
	{ "bind-bindx", do_bind_bindx },
	{ "connectx", do_connectx },
	{ "send", do_send },
	{ "deferred", do_deferred },
	{ "sendto", do_sendto },
	{ "fastopen", do_fastopen },
	{ "sendmsg", do_sendmsg },
	{ "sendmmsg", do_sendmmsg },
	{ "uring-bind", do_uring_bind },
	{ "uring-listen", do_uring_listen },
	{ "uring-connect", do_uring_connect },
	{ "uring-send", do_uring_send },
	{ "uring-sendzc", do_uring_sendzc },
	{ "uring-sendmsg", do_uring_sendmsg },
};

/* The call @name, or -2 if there is none. */
static int call(const char *name, int fd, struct address *address)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (!strcmp(calls[i].name, name))
			return calls[i].call(fd, address);
	}
	return -2;
}

static int say(int r)
{
	puts(r < 0 ? strerrorname_np(errno) : "ok");
	return 0;
}

/* The calls that only make a socket; false if @name is none of them. */
static bool make(const char *name, const struct kind *kind)
{
	struct io_uring_sqe request = {
		.opcode = IORING_OP_SOCKET,
		.fd = kind->family,
		.off = kind->type,
		.len = kind->protocol,
	};
	int pair[2];

	if (!strcmp(name, "socket"))
		return !say(socket(kind->family, kind->type, kind->protocol));
	if (!strcmp(name, "socketpair"))
		return !say(socketpair(kind->family, kind->type, kind->protocol, pair));
	if (!strcmp(name, "uring-socket"))
		return !say(uring(&request));
	return false;
}

static int fill(const struct kind *kind, struct address *address)
{
	int made = 0, r = 0;

	while (made < FILL_MAX) {
		int fd = socket(kind->family, kind->type, kind->protocol);

		if (fd < 0) {
			perror(kind->name);
			return 1;
		}
		r = call(via, fd, address);
		if (r == -2)
			return 2;
		if (r < 0)
			break;
		made++;
		/* IPv4 and IPv6 have the port at the same place. */
		if (ports)
			address->in.sin_port = htons(ntohs(address->in.sin_port) + 1);
	}
	printf("%d %s\n", made, r < 0 ? strerrorname_np(errno) : "ok");
	fflush(stdout);
	if (hold)
		pause();
	return 0;
}

/* Does not return unless it fails. */
static int serve(int fd, const struct kind *kind, struct address *address)
{
	bool connects = kind->type == SOCK_STREAM || kind->type == SOCK_SEQPACKET;
	char byte;

	if (do_bind(fd, address) || (connects && listen(fd, 100)))
		return say(-1);
	setlinebuf(stdout);
	puts("ready");
	for (;;) {
		int r = connects ? accept(fd, NULL, NULL) : (int)recv(fd, &byte, 1, 0);

		if (r < 0)
			return say(-1);
		/* A Unix peer that is about to send would be told that it is closed. */
		if (connects && kind->family != AF_UNIX)
			close(r);
		puts("got");
	}
}

/* Does not return unless it fails. */
static int answers(int fd, struct address *address)
{
	char byte;

	if (do_sendto(fd, address) < 0)
		return say(-1);
	address->len = sizeof(address->storage);
	if (getsockname(fd, &address->any, &address->len))
		return say(-1);
	setlinebuf(stdout);
	/* IPv4 and IPv6 have the port at the same place. */
	printf("%u\n", ntohs(address->in.sin_port));
	while (recv(fd, &byte, 1, 0) >= 0)
		puts("got");
	return say(-1);
}

/* Binds or connects, and prints where to. */
static int print_name(int fd, struct address *address, bool peer)
{
	if (peer ? do_connect(fd, address) : do_bind(fd, address))
		return say(-1);
	address->len = sizeof(address->storage);
	if (peer ? getpeername(fd, &address->any, &address->len) :
		   getsockname(fd, &address->any, &address->len))
		return say(-1);
	print_address(address);
	return 0;
}

int main(int argc, char **argv)
{
	struct address address = {};
	const char *name;
	struct kind kind;
	int fd, r, one = 1;

	if (argc < 3 || !find_kind(argv[2], &kind))
		return 2;
	name = argv[1];
	for (int i = 3; i < argc; i++) {
		if (!strncmp(argv[i], "family=", 7))
			address.any.sa_family = atoi(argv[i] + 7);
		else if (!strncmp(argv[i], "len=", 4))
			address.len = atoi(argv[i] + 4);
		else if (!strcmp(argv[i], "worker"))
			way = URING_WORKER;
		else if (!strcmp(argv[i], "polled"))
			way = URING_POLLED;
		else if (!strcmp(argv[i], "ports"))
			ports = true;
		else if (!strcmp(argv[i], "hold"))
			hold = true;
		else if (!strncmp(argv[i], "via=", 4))
			via = argv[i] + 4;
		else if (!strncmp(argv[i], "option=", 7) &&
			 sscanf(argv[i] + 7, "%d:%d", &option_level, &option_name) == 2)
			continue;
		else if (!strncmp(argv[i], "header=", 7) && inet_aton(argv[i] + 7, &header))
			continue;
		else if (!strncmp(argv[i], "also=", 5) && parse_address(argv[i] + 5, &also))
			continue;
		else if (i != 3 || !parse_address(argv[i], &address))
			return 2;
	}
	if (make(name, &kind))
		return 0;
	if (!strcmp(name, "fill"))
		return fill(&kind, &address);

	fd = socket(kind.family, kind.type | SOCK_CLOEXEC, kind.protocol);
	if (fd < 0) {
		perror(argv[2]);
		return 1;
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));

	if (!strcmp(name, "serve"))
		return serve(fd, &kind, &address);
	if (!strcmp(name, "answers"))
		return answers(fd, &address);
	if (!strcmp(name, "bound") || !strcmp(name, "peer"))
		return print_name(fd, &address, !strcmp(name, "peer"));
	r = call(name, fd, &address);
	return r == -2 ? 2 : say(r);
}
