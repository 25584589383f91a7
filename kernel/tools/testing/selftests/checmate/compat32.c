// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Selftests: a 32-bit process
 *
 * Run by compat_test.  It has no C library, since there may be none for 32 bits
 * where the tests are built, and makes its system calls by int $0x80.
 *
 *	compat32 read FILE SIZE		print a file, read in pieces
 *	compat32 pread FILE SIZE	the same, with an offset for each piece
 *	compat32 poll FILE		wait for news of a file, then print it
 *	compat32 write FILE TEXT
 *	compat32 DEED [socketcall]	see below
 *
 * It exits with 0 or an errno.  Before a deed, and before it waits, it prints a
 * line; the deed is done when something comes in.
 */

#include <asm/ioctls.h>
#include <asm/poll.h>
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/in.h>
#include <linux/net.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <linux/stddef.h>
#include <linux/uio.h>

#define EAGAIN		11
#define EINVAL		22
#define ENOTCONN	107

#define AF_UNIX		1
#define AF_INET		2
#define SOCK_STREAM	1
#define SOCK_DGRAM	2
#define SOCK_NONBLOCK	04000
#define MSG_DONTWAIT	0x40
#define SOL_SOCKET	1
#define SO_REUSEADDR	2

/* As a 32-bit process has them. */
struct msghdr {
	void *name;
	int namelen;
	struct iovec *iov;
	unsigned long iovlen;
	void *control;
	unsigned long controllen;
	unsigned int flags;
};

struct mmsghdr {
	struct msghdr hdr;
	unsigned int len;
};

static long call(long nr, long a, long b, long c, long d, long e)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a" (ret)
			 : "a" (nr), "b" (a), "c" (b), "d" (c), "S" (d), "D" (e)
			 : "memory");
	return ret;
}

#define CALL1(NR, A)			call(NR, (long)(A), 0, 0, 0, 0)
#define CALL2(NR, A, B)			call(NR, (long)(A), (long)(B), 0, 0, 0)
#define CALL3(NR, A, B, C) \
	call(NR, (long)(A), (long)(B), (long)(C), 0, 0)
#define CALL4(NR, A, B, C, D) \
	call(NR, (long)(A), (long)(B), (long)(C), (long)(D), 0)
#define CALL5(NR, A, B, C, D, E) \
	call(NR, (long)(A), (long)(B), (long)(C), (long)(D), (long)(E))

/* The compiler may ask for these. */
void *memset(void *to, int value, unsigned long size)
{
	char *byte = to;

	while (size--)
		*byte++ = value;
	return to;
}

void *memcpy(void *to, const void *from, unsigned long size)
{
	const char *source = from;
	char *byte = to;

	while (size--)
		*byte++ = *source++;
	return to;
}

static int same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static unsigned long length(const char *text)
{
	unsigned long len = 0;

	while (text[len])
		len++;
	return len;
}

static unsigned long number(const char *text)
{
	unsigned long value = 0;

	while (*text >= '0' && *text <= '9')
		value = 10 * value + (*text++ - '0');
	return value;
}

static long wait_to_go(void)
{
	char byte;

	CALL3(__NR_write, 1, "ready\n", 6);
	return CALL3(__NR_read, 0, &byte, 1) == 1 ? 0 : -EINVAL;
}

static long print(int fd, unsigned long size, int with_offset)
{
	static char buf[8192];
	unsigned long offset = 0;
	long len;

	if (!size || size > sizeof(buf))
		return -EINVAL;
	for (;;) {
		if (with_offset)
			len = CALL5(__NR_pread64, fd, buf, size, offset, 0);
		else
			len = CALL3(__NR_read, fd, buf, size);
		if (len <= 0)
			return len;
		offset += len;
		if (CALL3(__NR_write, 1, buf, len) != len)
			return -EINVAL;
	}
}

/* From the start, as text. */
static void read_again(int fd, char *text, unsigned long size)
{
	long len = CALL5(__NR_pread64, fd, text, size - 1, 0, 0);

	text[len < 0 ? 0 : len] = '\0';
}

static long wait_for_news(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLPRI };
	char was[64], is[64];
	long ret;

	/* What there is, is no news, be it told a little late. */
	do {
		read_again(fd, was, sizeof(was));
		ret = CALL3(__NR_poll, &pfd, 1, 0);
	} while (ret > 0);
	if (ret)
		return ret;
	wait_to_go();
	do {
		ret = CALL3(__NR_poll, &pfd, 1, 30000);
		if (ret != 1 || !(pfd.revents & POLLPRI))
			return ret < 0 ? ret : -EAGAIN;
		read_again(fd, is, sizeof(is));
	} while (same(was, is));
	return print(fd, 16, 0);
}

/* --- deeds ------------------------------------------------------------------- */

/* By way of the multiplexer, or of the system call itself. */
static int multiplex;

static long net(int sub, long nr, long a, long b, long c, long d, long e)
{
	long args[6] = { a, b, c, d, e, 0 };

	return multiplex ? CALL2(__NR_socketcall, sub, args) :
	       call(nr, a, b, c, d, e);
}

#define NET(NAME, A, B, C, D, E)					\
	net(SYS_ ## NAME, NR_ ## NAME, (long)(A), (long)(B), (long)(C),	\
	    (long)(D), (long)(E))

#define NR_SOCKET	__NR_socket
#define NR_BIND		__NR_bind
#define NR_CONNECT	__NR_connect
#define NR_LISTEN	__NR_listen
#define NR_ACCEPT4	__NR_accept4
#define NR_GETSOCKNAME	__NR_getsockname
#define NR_GETPEERNAME	__NR_getpeername
#define NR_SOCKETPAIR	__NR_socketpair
#define NR_SHUTDOWN	__NR_shutdown
#define NR_SETSOCKOPT	__NR_setsockopt
#define NR_GETSOCKOPT	__NR_getsockopt
#define NR_SENDMSG	__NR_sendmsg
#define NR_RECVMSG	__NR_recvmsg
#define NR_SENDMMSG	__NR_sendmmsg
/* Has one argument more than call(), which is read as NULL then. */
#define NR_RECVFROM	__NR_recvfrom

static char byte[1];
static struct iovec iov = { .iov_base = byte, .iov_len = 1 };
static struct sockaddr_in discard, any;
static struct msghdr msg = {
	.name = &discard, .namelen = sizeof(discard), .iov = &iov, .iovlen = 1,
};

static long deed(const char *name, int datagram, int stream)
{
	static char *const argv[] = { "compat32", "nothing", 0 };
	struct mmsghdr messages[2] = { { .hdr = msg }, { .hdr = msg } };
	struct open_how how = { .flags = O_RDONLY };
	int pair[2], len = sizeof(any), one = 1;
	const char *file = "/proc/self/status";
	long ret;

	if (same(name, "socket"))
		return NET(SOCKET, AF_INET, SOCK_DGRAM, 0, 0, 0);
	if (same(name, "socketpair"))
		return NET(SOCKETPAIR, AF_UNIX, SOCK_DGRAM, 0, pair, 0);
	if (same(name, "bind"))
		return NET(BIND, datagram, &any, sizeof(any), 0, 0);
	if (same(name, "connect"))
		return NET(CONNECT, datagram, &discard, sizeof(discard), 0, 0);
	if (same(name, "listen"))
		return NET(LISTEN, stream, 1, 0, 0, 0);
	if (same(name, "accept")) {
		CALL2(__NR_listen, stream, 1);
		ret = NET(ACCEPT4, stream, 0, 0, 0, 0);
		return ret == -EAGAIN ? 0 : ret;
	}
	if (same(name, "getsockname"))
		return NET(GETSOCKNAME, datagram, &any, &len, 0, 0);
	if (same(name, "getpeername")) {
		ret = NET(GETPEERNAME, datagram, &any, &len, 0, 0);
		return ret == -ENOTCONN ? 0 : ret;
	}
	if (same(name, "setsockopt"))
		return NET(SETSOCKOPT, datagram, SOL_SOCKET, SO_REUSEADDR, &one,
			   sizeof(one));
	if (same(name, "getsockopt"))
		return NET(GETSOCKOPT, datagram, SOL_SOCKET, SO_REUSEADDR, &one,
			   &len);
	if (same(name, "shutdown")) {
		ret = NET(SHUTDOWN, stream, 2, 0, 0, 0);
		return ret == -ENOTCONN ? 0 : ret;
	}
	if (same(name, "sendmsg"))
		return NET(SENDMSG, datagram, &msg, 0, 0, 0);
	if (same(name, "sendmmsg"))
		return NET(SENDMMSG, datagram, messages, 2, 0, 0);
	if (same(name, "recvmsg")) {
		ret = NET(RECVMSG, datagram, &msg, MSG_DONTWAIT, 0, 0);
		return ret == -EAGAIN ? 0 : ret;
	}
	if (same(name, "recvfrom")) {
		ret = NET(RECVFROM, datagram, byte, 1, MSG_DONTWAIT, 0);
		return ret == -EAGAIN ? 0 : ret;
	}
	if (same(name, "open"))
		return CALL2(__NR_open, file, O_RDONLY);
	if (same(name, "openat"))
		return CALL3(__NR_openat, AT_FDCWD, file, O_RDONLY);
	if (same(name, "openat2"))
		return CALL4(__NR_openat2, AT_FDCWD, file, &how, sizeof(how));
	if (same(name, "execve"))
		return CALL3(__NR_execve, "/proc/self/exe", argv, 0);
	if (same(name, "execveat"))
		return CALL5(__NR_execveat, AT_FDCWD, "/proc/self/exe", argv, 0,
			     0);
	if (same(name, "prctl"))
		return CALL1(__NR_prctl, PR_GET_DUMPABLE);
	if (same(name, "kill"))
		return CALL2(__NR_kill, CALL1(__NR_getpid, 0), 0);
	if (same(name, "getpgid"))
		return CALL1(__NR_getpgid, CALL1(__NR_getpid, 0));
	if (same(name, "ioctl"))
		return CALL3(__NR_ioctl, 0, FIONREAD, &one);
	return -EINVAL;
}

static long run(int argc, char **argv)
{
	int datagram, stream;
	long fd;

	if (argc < 2)
		return -EINVAL;
	if (same(argv[1], "nothing"))
		return 0;
	if (argc == 4 || same(argv[1], "poll")) {
		int writes = same(argv[1], "write");

		fd = CALL2(__NR_open, argv[2], writes ? O_WRONLY : O_RDONLY);
		if (fd < 0)
			return fd;
		if (writes)
			return CALL3(__NR_write, fd, argv[3], length(argv[3]));
		if (same(argv[1], "poll"))
			return wait_for_news(fd);
		return print(fd, number(argv[3]), same(argv[1], "pread"));
	}

	multiplex = argc == 3;
	any.sin_family = AF_INET;
	discard.sin_family = AF_INET;
	discard.sin_port = __builtin_bswap16(9);
	discard.sin_addr.s_addr = __builtin_bswap32(INADDR_LOOPBACK);
	/* Of before: what is denied afterwards is the deed alone. */
	datagram = CALL3(__NR_socket, AF_INET, SOCK_DGRAM, 0);
	stream = CALL3(__NR_socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (datagram < 0 || stream < 0 || wait_to_go())
		return -EINVAL;
	return deed(argv[1], datagram, stream);
}

void start(long *stack);

/* Called from below. */
void start(long *stack)
{
	long ret = run(stack[0], (char **)(stack + 1));

	CALL1(__NR_exit, ret < 0 ? -ret : 0);
	__builtin_unreachable();
}

__asm__(".globl _start\n"
	"_start:\n"
	"	mov %esp, %eax\n"
	"	and $-16, %esp\n"
	"	sub $12, %esp\n"
	"	push %eax\n"
	"	call start\n");
