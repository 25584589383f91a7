// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Samples - A program in a cgroup, under BPF programs from its exec on, by hand
 *
 *	launch [-s] OBJECT CGROUP PROGRAM [ARGUMENT...]
 *
 * What an orchestrator does that loads its own programs and writes their descriptors
 * itself, without libchecmate: docs/orchestrator.md goes through it. CGROUP is made,
 * below one in which the controller is enabled, and removed at the end; with -s it
 * is sealed before the program starts. Ends with the program's status.
 */
#include <bpf/libbpf.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *path;
static pid_t child;

/* Nothing that went wrong may let the program run, or leave anything. */
static void give_up(void)
{
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	rmdir(path);
}

#define fail(...)                  \
	do {                       \
		warn(__VA_ARGS__); \
		give_up();         \
		exit(125);         \
	} while (0)

/* The child waits for one byte; if none comes, this program is gone. */
static pid_t start(int go[2], char **argv)
{
	char byte;
	pid_t pid;

	pid = fork();
	if (pid != 0)
		return pid;
	close(go[1]);
	if (read(go[0], &byte, 1) == 1)
		execvp(argv[0], argv);
	err(127, "%s", argv[0]);
}

/* One write(2): a control file takes what one write brings as a whole. */
static int write_at(int dir, const char *name, const char *text)
{
	ssize_t n;
	int fd, r;

	fd = openat(dir, name, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	r = n < 0 ? -errno : (size_t)n == strlen(text) ? 0 : -EIO;
	close(fd);
	return r;
}

/* The generation, and how many programs are staged there. */
static int read_policy(int dir, unsigned long *ret_generation, unsigned int *ret_staged)
{
	unsigned long generation = 0;
	unsigned int staged = 0;
	char line[512];
	FILE *file;
	int fd;

	fd = openat(dir, "checmate.policy", O_RDONLY | O_CLOEXEC);
	file = fd < 0 ? NULL : fdopen(fd, "r");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "generation %lu", &generation);
		staged += strstr(line, " staged\n") != NULL;
	}
	fclose(file);
	*ret_generation = generation;
	*ret_staged = staged;
	return 0;
}

/* All programs of the object, in one transaction, for the exec of the child. */
static int stage(int dir, struct bpf_object *object, pid_t pid)
{
	unsigned int programs, staged;
	struct bpf_program *program;
	unsigned long generation;
	char text[4096];
	int n, r;

	do {
		r = read_policy(dir, &generation, &staged);
		if (r < 0)
			return r;
		n = snprintf(text, sizeof(text), "generation %lu\nwhen=exec pid=%d\n", generation,
			     pid);
		programs = 0;
		bpf_object__for_each_program(program, object) {
			n += snprintf(text + n, sizeof(text) - n, "attach %d\n",
				      bpf_program__fd(program));
			if ((size_t)n >= sizeof(text))
				return -E2BIG;
			programs++;
		}
		r = write_at(dir, "checmate.policy", text);
	} while (r == -ESTALE); /* Somebody else was faster: look again. */
	if (r < 0)
		return r;

	/* What counts is what the kernel says. */
	r = read_policy(dir, &generation, &staged);
	if (r < 0)
		return r;
	return staged == programs ? 0 : -EIO;
}

int main(int argc, char **argv)
{
	int c, dir, go[2], r, status;
	struct bpf_object *object;
	bool seal = false;
	char pid[16];

	while ((c = getopt(argc, argv, "+s")) != -1) {
		if (c != 's')
			return 125;
		seal = true;
	}
	if (argc - optind < 3)
		errx(125, "usage: launch [-s] OBJECT CGROUP PROGRAM [ARGUMENT...]");
	path = argv[optind + 1];

	/* Loaded first: the verifier may take its time, and may refuse. */
	object = bpf_object__open_file(argv[optind], NULL);
	if (!object || bpf_object__load(object) < 0)
		err(125, "%s", argv[optind]);

	if (pipe2(go, O_CLOEXEC) < 0 || mkdir(path, 0755) < 0)
		err(125, "%s", path);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		fail("%s", path);
	child = start(go, argv + optind + 2);
	if (child < 0)
		fail("fork");
	close(go[0]);

	snprintf(pid, sizeof(pid), "%d", child);
	errno = -(r = write_at(dir, "cgroup.procs", pid));
	if (r < 0)
		fail("cgroup.procs of %s", path);
	errno = -(r = stage(dir, object, child));
	if (r < 0)
		fail("checmate.policy of %s", path);
	errno = seal ? -(r = write_at(dir, "checmate.seal", "1")) : 0;
	if (r < 0)
		fail("checmate.seal of %s", path);
	/* The cgroup holds its programs: neither descriptor nor pin has to be kept. */
	bpf_object__close(object);

	if (write(go[1], "", 1) != 1)
		fail("%s", argv[optind + 2]);
	if (waitpid(child, &status, 0) < 0)
		fail("%s", argv[optind + 2]);
	close(dir);
	if (rmdir(path) < 0)
		warn("%s", path);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
