// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * storm - As many denied calls as can be made, by several processes
 *
 *	storm PROCESSES CALLS FILE
 *
 * Each process binds a TCP socket to port 80 until all together have been denied it
 * CALLS times and FILE exists.  Then the number of denials is printed.  That a call
 * is not denied, or otherwise than with EPERM, is a failure.
 */

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* How often FILE is looked for. */
#define CALLS_PER_LOOK 256

static const struct sockaddr_in address = {
	.sin_family = AF_INET,
	.sin_port = __builtin_bswap16(80),
};

static unsigned long long *denied;

static int call(int fd)
{
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
		fputs("storm: a call was not denied\n", stderr);
		return -1;
	}
	if (errno != EPERM) {
		perror("storm: bind");
		return -1;
	}
	__atomic_add_fetch(denied, 1, __ATOMIC_RELAXED);
	return 0;
}

static int run(unsigned long long calls, const char *file)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		perror("storm: socket");
		return EXIT_FAILURE;
	}
	while (__atomic_load_n(denied, __ATOMIC_RELAXED) < calls || access(file, F_OK) < 0)
		for (int i = 0; i < CALLS_PER_LOOK; i++)
			if (call(fd) < 0)
				return EXIT_FAILURE;
	return EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	int n_processes, status, result = EXIT_SUCCESS;
	unsigned long long calls;

	if (argc != 4) {
		fputs("usage: storm PROCESSES CALLS FILE\n", stderr);
		return 2;
	}
	n_processes = atoi(argv[1]);
	calls = strtoull(argv[2], NULL, 10);
	denied = mmap(NULL, sizeof(*denied), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (denied == MAP_FAILED) {
		perror("storm: mmap");
		return EXIT_FAILURE;
	}
	for (int i = 0; i < n_processes; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("storm: fork");
			result = EXIT_FAILURE;
		}
		if (pid == 0)
			_exit(run(calls, argv[3]));
	}
	while (wait(&status) > 0)
		if (status)
			result = EXIT_FAILURE;
	printf("%llu\n", *denied);
	return result;
}
