// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Samples - An orchestrator: a program in a cgroup of its own, under a policy
 *
 *	orchestrator NAME PORT PROGRAM [ARGUMENT...]
 *
 * Makes the cgroup /NAME and runs the program in it. From its exec on, it may bind
 * PORT on any IPv4 address and nothing else. Each denial is printed, and what was
 * denied last is allowed as well from then on. Ends with the program's status.
 *
 * Whatever fails, the program does not run without its policy: it waits for a
 * byte before its exec, which comes when the policy is staged. What is left in
 * the kernel then goes by "checmatectl gc" when the cgroup is removed.
 */
#include <checmate.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct checmate_error *error;

/* A failure of the library explains itself, one of the system by errno. */
static void __attribute__((noreturn)) explain(const char *call)
{
	if (error)
		errx(125, "%s", checmate_error_text(error));
	err(125, "%s", call);
}

/* Ends the program unless the call succeeded. */
#define need(call)                      \
	do {                            \
		if ((call) < 0)         \
			explain(#call); \
	} while (0)

int main(int argc, char **argv)
{
	struct checmate_apply_opts opts = { .sz = sizeof(opts), .when_exec = true };
	struct pollfd fds[2] = { { .events = POLLIN }, { .events = POLLIN } };
	char path[256], allow[256], port[64], byte = 0;
	const struct checmate_event *event;
	struct checmate_binding *binding;
	struct checmate_policy *policy;
	struct checmate_cgroup *cgroup;
	struct checmate_events *events;
	int go[2], procs, status, r;

	if (argc < 4)
		errx(125, "usage: orchestrator NAME PORT PROGRAM [ARGUMENT...]");
	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", argv[1]);
	snprintf(port, sizeof(port), "0.0.0.0/0:%s", argv[2]);
	if (pipe2(go, O_CLOEXEC) < 0 || mkdir(path, 0755) < 0)
		err(125, "%s", path);
	opts.pid = fork();
	if (opts.pid == 0) {
		close(go[1]);
		if (read(go[0], &byte, 1) == 1)
			execvp(argv[3], argv + 3);
		err(127, "%s", argv[3]);
	}

	/* --- the whole use of libchecmate begins here --- */
	need(checmate_cgroup_open(path, &cgroup, &error));
	need(checmate_cgroup_enable(cgroup, NULL, &error));
	need(procs = openat(checmate_cgroup_fd(cgroup), "cgroup.procs", O_WRONLY));
	need(dprintf(procs, "%d", opts.pid));

	/* In force from the exec on: what is before it, is this program's business. */
	need(checmate_policy_open("net-bind", &policy, &error));
	need(checmate_policy_set(policy, "allow", port, &error));
	need(checmate_binding_apply(cgroup, &policy, 1, &opts, &error));
	need(checmate_binding_open(cgroup, "net-bind", &binding, &error));
	need(checmate_events_open(&events, &error));
	need(write(go[1], &byte, 1));

	/* What it is denied is told, and allowed from then on, until it ends. */
	fds[0].fd = checmate_events_fd(events);
	need(fds[1].fd = pidfd_open(opts.pid, 0));
	while (poll(fds, 2, -1) > 0 && !fds[1].revents) {
		if (checmate_events_read(events, &event, &error) != 1 ||
		    event->task_cgroup_id != checmate_cgroup_id(cgroup))
			continue;
		printf("%s: %s is denied\n", event->comm, event->object);
		snprintf(allow, sizeof(allow), "%s,%s", port, strchr(event->object, ' ') + 1);
		need(checmate_binding_set(binding, "allow", allow, &error));
	}
	need(waitpid(opts.pid, &status, 0));
	/* Without an exec it never took force, and was dropped with its process. */
	r = checmate_binding_remove(cgroup, "net-bind", &error);
	need(r == -ENOENT ? 0 : r);
	/* --- and ends here --- */

	error = checmate_error_free(error);
	binding = checmate_binding_free(binding);
	policy = checmate_policy_free(policy);
	events = checmate_events_free(events);
	cgroup = checmate_cgroup_free(cgroup);
	need(rmdir(path));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
