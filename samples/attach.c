// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Samples - Attach BPF programs to a cgroup through its control files
 */
#include "attach.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int complain(const struct sample *sample, int err, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", sample->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	if (err)
		fprintf(stderr, ": %s", strerror(-err));
	fputc('\n', stderr);
	return err ?: -EINVAL;
}

/* One write(2), for a control file takes what one write brings as a whole. */
static int write_at(int dir, const char *name, const char *text)
{
	ssize_t n;
	int fd, r = 0;

	fd = openat(dir, name, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	if (n < 0)
		r = -errno;
	else if ((size_t)n != strlen(text))
		r = -EIO;
	close(fd);
	return r;
}

/* What an errno of a control file means here, where that is not obvious. */
static const char *explain(int err, bool attach)
{
	switch (err) {
	case -ENOENT:
		return attach ? " (is the checmate controller enabled for this cgroup?)" :
				" (it is not attached there any more)";
	case -EPERM:
		return " (CAP_MAC_ADMIN is needed)";
	case -EEXIST:
		return " (the program is attached there already)";
	case -ENOSPC:
		return " (too many programs for this hook here and above)";
	case -EOPNOTSUPP:
		return " (is checmate in the kernel's lsm= list?)";
	default:
		return "";
	}
}

static int write_program(const struct sample *sample, int cgroup, struct bpf_program *program,
			 bool attach)
{
	const char *hook;
	char file[64], text[16];
	int r;

	/* The part after the slash of SEC("lsm_cgroup/HOOK"). */
	hook = strchr(bpf_program__section_name(program), '/');
	if (!hook)
		return complain(sample, 0, "%s is for no hook", bpf_program__name(program));

	snprintf(file, sizeof(file), "checmate.%s", hook + 1);
	snprintf(text, sizeof(text), "%s%d\n", attach ? "" : "-", bpf_program__fd(program));
	r = write_at(cgroup, file, text);
	if (r < 0)
		return complain(sample, r, "cannot %s %s%s", attach ? "attach to" : "detach from",
				file, explain(r, attach));
	return 0;
}

/* Detaches the first @n programs, last first. Goes on after a failure. */
static int detach(const struct sample *sample, int cgroup, struct bpf_object *object, size_t n)
{
	int r = 0;

	while (n--) {
		struct bpf_program *program;
		int k;

		program = bpf_object__find_program_by_name(object, sample->programs[n]);
		k = write_program(sample, cgroup, program, false);
		if (k < 0 && r == 0)
			r = k;
	}
	return r;
}

static int attach(const struct sample *sample, int cgroup, struct bpf_object *object, size_t *ret_n)
{
	size_t n;
	int r;

	for (n = 0; sample->programs[n]; n++) {
		struct bpf_program *program;

		program = bpf_object__find_program_by_name(object, sample->programs[n]);
		if (!program)
			r = complain(sample, 0, "%s has no program %s", sample->object,
				     sample->programs[n]);
		else
			r = write_program(sample, cgroup, program, true);
		if (r < 0) {
			detach(sample, cgroup, object, n);
			return r;
		}
	}
	*ret_n = n;
	return 0;
}

static struct bpf_object *load(const struct sample *sample)
{
	struct bpf_object *object;
	int r;

	object = bpf_object__open_file(sample->object, NULL);
	if (!object) {
		complain(sample, -errno, "cannot open %s", sample->object);
		return NULL;
	}
	if (sample->prepare && sample->prepare(object) < 0)
		goto fail;
	/* What the verifier has to say, libbpf has printed. */
	r = bpf_object__load(object);
	if (r < 0) {
		complain(sample, r, "the kernel does not accept %s", sample->object);
		goto fail;
	}
	return object;

fail:
	bpf_object__close(object);
	return NULL;
}

/* In the child: joins the cgroup and becomes the command. */
static void start(const struct sample *sample, int cgroup, char *const *command,
		  const sigset_t *signals)
{
	int r;

	/* 0 stands for the writer. */
	r = write_at(cgroup, "cgroup.procs", "0");
	if (r < 0) {
		complain(sample, r, "cannot move into the cgroup");
		_exit(1);
	}
	sigprocmask(SIG_SETMASK, signals, NULL);
	execvp(command[0], command);
	complain(sample, -errno, "cannot run %s", command[0]);
	_exit(errno == ENOENT ? 127 : 126);
}

static int run(const struct sample *sample, int cgroup, char *const *command,
	       const sigset_t *wanted, const sigset_t *before)
{
	pid_t pid;

	pid = fork();
	if (pid < 0) {
		complain(sample, -errno, "cannot start %s", command[0]);
		return 1;
	}
	if (pid == 0)
		start(sample, cgroup, command, before);

	for (;;) {
		int caught, status;

		if (sigwait(wanted, &caught) != 0)
			continue;
		if (caught != SIGCHLD) {
			kill(pid, caught);
			continue;
		}
		if (waitpid(pid, &status, WNOHANG) != pid)
			continue;
		if (WIFSIGNALED(status))
			return 128 + WTERMSIG(status);
		return WEXITSTATUS(status);
	}
}

int run_sample(const struct sample *sample, const char *cgroup, char *const *command)
{
	struct bpf_object *object = NULL;
	sigset_t wanted, before;
	int status = 1, dir, caught;
	size_t n;

	dir = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		complain(sample, -errno, "cannot open %s", cgroup);
		return 1;
	}

	/* Nothing may end this program between attaching and detaching. */
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGINT);
	sigaddset(&wanted, SIGTERM);
	if (command[0]) {
		/* Who started this may have left it ignored: it would not come. */
		signal(SIGCHLD, SIG_DFL);
		sigaddset(&wanted, SIGCHLD);
	}
	sigprocmask(SIG_BLOCK, &wanted, &before);

	object = load(sample);
	if (!object || attach(sample, dir, object, &n) < 0)
		goto out;

	if (command[0]) {
		status = run(sample, dir, command, &wanted, &before);
	} else {
		printf("attached to %s\n", cgroup);
		fflush(stdout);
		while (sigwait(&wanted, &caught) != 0)
			;
		status = 0;
	}

	if (detach(sample, dir, object, n) < 0)
		status = 1;
out:
	bpf_object__close(object);
	close(dir);
	return status;
}
