// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Benches - The operations whose cost is counted
 *
 * Each takes the same path through the kernel every time: ports are fixed, nothing is
 * sent, no page is touched for the first time.
 */
#include "operations.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chain.h"
#include "cleanup.h"

#define TEST_FILE "/tmp/bench-file"
#define TEST_PORT 4000
#define PEER_PORT 4001
#define EXEC "bench-exec"

/* Asks a datagram's path, and sends nothing. Not in every <sys/socket.h>. */
#ifndef MSG_PROBE
#define MSG_PROBE 0x10
#endif

struct state {
	int fd;
	pid_t pid;
	void *page;
	bool denied;
};

static struct sockaddr_in loopback(unsigned short port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

/* What a call returned, judged by whether it is to be denied. */
static int judge(const struct state *state, long r)
{
	if (!state->denied)
		return r < 0 ? -errno : 0;
	if (r >= 0)
		return -ENOTRECOVERABLE;
	return errno == EPERM ? 0 : -errno;
}

/* Nothing of libc between the counter and the system call. */
#define CALL(state, ...) judge(state, syscall(__VA_ARGS__))

static int new_socket(void *data)
{
	struct state *state = data;

	state->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return state->fd < 0 ? -errno : 0;
}

static int close_fd(void *data)
{
	struct state *state = data;

	if (state->fd >= 0)
		close(state->fd);
	state->fd = -1;
	return 0;
}

static int run_bind(void *data)
{
	struct state *state = data;
	struct sockaddr_in address = loopback(TEST_PORT);

	return CALL(state, SYS_bind, state->fd, &address, sizeof(address));
}

static int run_connect(void *data)
{
	struct state *state = data;
	struct sockaddr_in address = loopback(PEER_PORT);

	return CALL(state, SYS_connect, state->fd, &address, sizeof(address));
}

static int run_sendmsg(void *data)
{
	struct state *state = data;
	struct sockaddr_in address = loopback(PEER_PORT);
	struct msghdr message = { .msg_name = &address, .msg_namelen = sizeof(address) };

	return CALL(state, SYS_sendmsg, state->fd, &message, MSG_CONFIRM | MSG_PROBE);
}

static int run_socket_close(void *data)
{
	struct state *state = data;
	long fd;

	fd = syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0);
	if (fd >= 0)
		syscall(SYS_close, (int)fd);
	return judge(state, fd);
}

static int run_openat(void *data)
{
	struct state *state = data;

	state->fd = (int)syscall(SYS_openat, AT_FDCWD, TEST_FILE, O_RDONLY);
	return judge(state, state->fd);
}

static int run_read(void *data)
{
	struct state *state = data;

	return CALL(state, SYS_read, state->fd, state, 0);
}

static int run_kill(void *data)
{
	struct state *state = data;

	return CALL(state, SYS_kill, state->pid, 0);
}

/*
 * Below everything else, and given: to find a place takes more steps the more
 * mappings there are above it.
 */
#define LOWEST_PAGE 0x10000

static int run_mmap(void *data)
{
	struct state *state = data;

	state->page = (void *)syscall(SYS_mmap, LOWEST_PAGE, 4096, PROT_READ,
				      MAP_PRIVATE | MAP_FIXED, state->fd, 0);
	if (state->page == MAP_FAILED) {
		state->page = NULL;
		return judge(state, -1);
	}
	return judge(state, 0);
}

static int unmap(void *data)
{
	struct state *state = data;

	if (state->page)
		munmap(state->page, 4096);
	state->page = NULL;
	return 0;
}

/* Whether its time of access is due takes more steps in one second than in the next. */
static int test_file(void)
{
	int fd;

	fd = open(TEST_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOATIME, 0644);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, 4096) < 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

/* Counts with a descriptor that is the same for each iteration, or one for each. */
static int count_bind(unsigned int iterations, struct count *ret_count)
{
	struct state state = { .fd = -1 };
	const struct count_operation operation = { new_socket, run_bind, close_fd, &state };

	return count_run(&operation, iterations, ret_count);
}

static int count_bound(int (*run)(void *), unsigned int iterations, struct count *ret_count)
{
	struct sockaddr_in address = loopback(TEST_PORT);
	struct state state = { .fd = -1 };
	const struct count_operation operation = { .run = run, .data = &state };
	int r;

	r = new_socket(&state);
	if (r >= 0 && bind(state.fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		r = -errno;
	if (r >= 0)
		r = count_run(&operation, iterations, ret_count);
	close_fd(&state);
	return r;
}

static int count_connect(unsigned int iterations, struct count *ret_count)
{
	return count_bound(run_connect, iterations, ret_count);
}

static int count_sendmsg(unsigned int iterations, struct count *ret_count)
{
	return count_bound(run_sendmsg, iterations, ret_count);
}

static int count_socket_close(unsigned int iterations, struct count *ret_count)
{
	struct state state = { .fd = -1 };
	const struct count_operation operation = { .run = run_socket_close, .data = &state };

	return count_run(&operation, iterations, ret_count);
}

static int count_openat(unsigned int iterations, struct count *ret_count)
{
	struct state state = { .fd = test_file() };
	const struct count_operation operation = { .run = run_openat,
						   .finish = close_fd,
						   .data = &state };

	if (state.fd < 0)
		return state.fd;
	close_fd(&state);
	return count_run(&operation, iterations, ret_count);
}

static int count_file(int (*run)(void *), unsigned int iterations, struct count *ret_count)
{
	struct state state = { .fd = test_file() };
	const struct count_operation operation = { .run = run, .finish = unmap, .data = &state };
	int r;

	if (state.fd < 0)
		return state.fd;
	r = count_run(&operation, iterations, ret_count);
	close_fd(&state);
	return r;
}

static int count_read(unsigned int iterations, struct count *ret_count)
{
	return count_file(run_read, iterations, ret_count);
}

static int count_mmap(unsigned int iterations, struct count *ret_count)
{
	return count_file(run_mmap, iterations, ret_count);
}

static int count_kill(unsigned int iterations, struct count *ret_count)
{
	struct state state = { .fd = -1, .pid = getpid() };
	const struct count_operation operation = { .run = run_kill, .data = &state };

	return count_run(&operation, iterations, ret_count);
}

/* The program that is executed is beside this one. */
static int find_exec(char *path, size_t size)
{
	ssize_t n;
	char *slash;

	n = readlink("/proc/self/exe", path, size);
	if (n < 0)
		return -errno;
	path[(size_t)n < size ? (size_t)n : size - 1] = '\0';
	slash = strrchr(path, '/');
	if (!slash || slash + 1 + sizeof(EXEC) > path + size)
		return -ENAMETOOLONG;
	memcpy(slash + 1, EXEC, sizeof(EXEC));
	return 0;
}

static int run_chain(int fd, const struct chain *chain)
{
	char path[256], number[16];
	char *argv[] = { path, number, NULL };
	int status, r;
	pid_t pid;

	r = find_exec(path, sizeof(path));
	if (r < 0)
		return r;
	snprintf(number, sizeof(number), "%d", fd);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		/* The stack begins at the same address each time. */
		personality(ADDR_NO_RANDOMIZE);
		execve(path, argv, NULL);
		_exit(1);
	}
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return status || chain->done != chain->wanted ? -ECHILD : 0;
}

/*
 * The kernel's memory management has a few states that last for hundreds of iterations,
 * and which of them most iterations find is chance. So the lowest that many have counts.
 */
static void take_lowest(struct count *count)
{
	for (int i = 0; i < COUNT_TOP; i++)
		if (count->top[i].n >= count->iterations / 5 && count->top[i].value < count->value)
			count->value = count->top[i].value;
}

static int count_execve(unsigned int iterations, struct count *ret_count)
{
	/* A few to begin with do not count. */
	unsigned int first = iterations / 10 + 1, wanted = first + 2 * iterations;
	size_t size = CHAIN_HEADER + wanted * sizeof(uint64_t);
	_cleanup_close_ int fd = -1;
	struct chain *chain;
	uint64_t *samples;
	int r = -EAGAIN;

	fd = memfd_create("chain", 0);
	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		return -errno;
	chain = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (chain == MAP_FAILED)
		return -errno;
	samples = (uint64_t *)((char *)chain + CHAIN_HEADER);
	for (int i = 0; i < 3 && r == -EAGAIN; i++) {
		*chain = (struct chain){ .wanted = wanted };
		r = run_chain(fd, chain);
		if (r >= 0)
			r = count_samples(samples + first, iterations, 100, ret_count);
	}
	munmap(chain, size);
	if (r >= 0)
		take_lowest(ret_count);
	return r;
}

const struct bench_operation bench_operations[] = {
	{ "bind", "socket_bind", count_bind },
	{ "connect", "socket_connect", count_connect },
	{ "sendmsg", "socket_sendmsg", count_sendmsg },
	{ "socket+close", "socket_create", count_socket_close },
	{ "openat", "file_open", count_openat },
	{ "read 0", "file_permission", count_read },
	{ "execve", "bprm_check_security", count_execve },
	{ "kill 0", "task_kill", count_kill },
	{ "mmap", "mmap_file", count_mmap },
	{ 0 },
};

static int count_bind_denied(unsigned int iterations, struct count *ret_count)
{
	struct state state = { .fd = -1, .denied = true };
	const struct count_operation operation = { new_socket, run_bind, close_fd, &state };

	return count_run(&operation, iterations, ret_count);
}

static int count_openat_denied(unsigned int iterations, struct count *ret_count)
{
	struct state state = { .fd = test_file(), .denied = true };
	const struct count_operation operation = { .run = run_openat,
						   .finish = close_fd,
						   .data = &state };

	close_fd(&state);
	return count_run(&operation, iterations, ret_count);
}

static int count_kill_denied(unsigned int iterations, struct count *ret_count)
{
	struct state state = { .fd = -1, .pid = getpid(), .denied = true };
	const struct count_operation operation = { .run = run_kill, .data = &state };

	return count_run(&operation, iterations, ret_count);
}

const struct bench_operation bench_denied_operations[] = {
	{ "bind", "socket_bind", count_bind_denied },
	{ "openat", "file_open", count_openat_denied },
	{ "kill 0", "task_kill", count_kill_denied },
	{ 0 },
};

const struct bench_operation *bench_find_operation(const char *name)
{
	for (const struct bench_operation *op = bench_operations; op->name; op++)
		if (!strcmp(op->name, name))
			return op;
	return NULL;
}
