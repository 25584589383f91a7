// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libchecmate - Bindings made, changed and removed at random, and what they deny
 *
 * Several processes each have cgroups of their own and do to them what a model says. All of
 * these bindings share their programs. After each operation the denials in some cgroups
 * are compared with the model: a binding that read the parameters of another one would deny
 * something else. Needs a kernel that enforces; run as root.
 *
 * usage: test-random PROCESSES OPERATIONS SEED
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "checmate.h"
#include "cleanup.h"

#define ROOT "/sys/fs/cgroup/test-random"
#define POLICY "net-bind"
/* Cgroups of a process, and ports that are tried in each. */
#define CGROUPS 24
#define PORTS 8
#define FIRST_PORT 7000
/* How many cgroups are looked at after an operation, besides the one that it was about. */
#define LOOKS 2

static const struct {
	const char *name;
	int number;
} errors[] = { { "EPERM", EPERM }, { "EACCES", EACCES }, { "EBUSY", EBUSY }, { "EROFS", EROFS } };

/* What a cgroup is to do. */
struct model {
	bool bound;
	bool permissive;
	unsigned int allowed; /* a bit for each port */
	unsigned int error; /* of errors */
};

struct run {
	unsigned int process;
	unsigned int state; /* of the random numbers */
	struct model models[CGROUPS];
	int back; /* the cgroup to go back to */
};

/* The same numbers for the same seed, wherever it runs. */
static unsigned int draw(struct run *run, unsigned int n)
{
	run->state = run->state * 1664525u + 1013904223u;
	return (run->state >> 8) % n;
}

static void format_path(const struct run *run, unsigned int index, char path[128])
{
	snprintf(path, 128, ROOT "/%u/%u", run->process, index);
}

static void format_ports(unsigned int allowed, char text[256])
{
	char *end = text;

	*text = '\0';
	for (unsigned int i = 0; i < PORTS; i++)
		if (allowed & (1U << i))
			end += sprintf(end, "%s127.0.0.1:%u", end == text ? "" : ",",
				       FIRST_PORT + i);
}

static int complain(const struct run *run, unsigned int index, const char *what, int r,
		    struct checmate_error *error)
{
	printf("# process %u, cgroup %u: %s: %d: %s\n", run->process, index, what, r,
	       checmate_error_text(error));
	return -1;
}

/* --- what is denied ------------------------------------------------------------ */

static int try_port(unsigned int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int one = 1;

	/* The others bind the same ports. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) < 0)
		return -errno;
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

static int look(const struct run *run, unsigned int index)
{
	const struct model *model = &run->models[index];
	_cleanup_close_ int procs = -1;
	char path[160];
	int wrong = 0;

	format_path(run, index, path);
	strcat(path, "/cgroup.procs");
	procs = open(path, O_WRONLY | O_CLOEXEC);
	if (procs < 0 || write(procs, "0", 1) != 1)
		return complain(run, index, "cannot be entered", -errno, NULL);
	for (unsigned int i = 0; i < PORTS; i++) {
		bool allowed = !model->bound || model->permissive || model->allowed & (1U << i);
		int expected = allowed ? 0 : -errors[model->error].number;
		int found = try_port(FIRST_PORT + i);

		if (found == expected)
			continue;
		printf("# process %u, cgroup %u, port %u: %d, not %d\n", run->process, index,
		       FIRST_PORT + i, found, expected);
		wrong = -1;
	}
	if (write(run->back, "0", 1) != 1)
		return complain(run, index, "cannot be left", -errno, NULL);
	return wrong;
}

/* --- what is done --------------------------------------------------------------- */

static int open_cgroup(const struct run *run, unsigned int index,
		       struct checmate_cgroup **ret_cgroup, struct checmate_error **ret_error)
{
	char path[128];

	format_path(run, index, path);
	return checmate_cgroup_open(path, ret_cgroup, ret_error);
}

static int apply(struct run *run, unsigned int index, struct checmate_error **ret_error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	_cleanup_(checmate_policy_freep) struct checmate_policy *policy = NULL;
	const struct model model = {
		.bound = true,
		.permissive = !draw(run, 4),
		.allowed = draw(run, 1U << PORTS),
		.error = draw(run, sizeof(errors) / sizeof(*errors)),
	};
	struct checmate_apply_opts opts = {
		.sz = sizeof(opts),
		.replace = true,
		.permissive = model.permissive,
	};
	char ports[256];
	int r;

	format_ports(model.allowed, ports);
	r = open_cgroup(run, index, &cgroup, ret_error);
	if (!r)
		r = checmate_policy_open(POLICY, &policy, ret_error);
	if (!r)
		r = checmate_policy_set(policy, "allow", ports, ret_error);
	if (!r)
		r = checmate_policy_set(policy, "deny-errno", errors[model.error].name, ret_error);
	if (!r)
		r = checmate_binding_apply(cgroup, &policy, 1, &opts, ret_error);
	if (!r)
		run->models[index] = model;
	return r;
}

static int change(struct run *run, unsigned int index, struct checmate_error **ret_error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	struct model model = run->models[index];
	char ports[256];
	int r;

	r = open_cgroup(run, index, &cgroup, ret_error);
	if (!r)
		r = checmate_binding_open(cgroup, POLICY, &binding, ret_error);
	if (r < 0)
		return r;
	if (draw(run, 2)) {
		model.allowed = draw(run, 1U << PORTS);
		format_ports(model.allowed, ports);
		r = checmate_binding_set(binding, "allow", ports, ret_error);
	} else {
		model.error = draw(run, sizeof(errors) / sizeof(*errors));
		r = checmate_binding_set(binding, "deny-errno", errors[model.error].name, ret_error);
	}
	if (!r)
		run->models[index] = model;
	return r;
}

static int set_mode(struct run *run, unsigned int index, struct checmate_error **ret_error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	bool permissive = !run->models[index].permissive;
	int r;

	r = open_cgroup(run, index, &cgroup, ret_error);
	if (!r)
		r = checmate_binding_set_mode(cgroup, POLICY, permissive, ret_error);
	if (!r)
		run->models[index].permissive = permissive;
	return r;
}

static int drop(struct run *run, unsigned int index, struct checmate_error **ret_error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	int r;

	r = open_cgroup(run, index, &cgroup, ret_error);
	if (!r)
		r = checmate_binding_remove(cgroup, POLICY, ret_error);
	if (!r)
		run->models[index] = (struct model){};
	return r;
}

static int make(const struct run *run, unsigned int index, struct checmate_error **ret_error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	char path[128];
	int r;

	format_path(run, index, path);
	if (mkdir(path, 0755) < 0)
		return -errno;
	r = open_cgroup(run, index, &cgroup, ret_error);
	return r < 0 ? r : checmate_cgroup_enable(cgroup, NULL, ret_error);
}

/* A cgroup that goes takes along what was bound; one of the same name has nothing. */
static int renew(struct run *run, unsigned int index, struct checmate_error **ret_error)
{
	char path[128];
	int r;

	format_path(run, index, path);
	if (rmdir(path) < 0)
		return -errno;
	run->models[index] = (struct model){};
	r = draw(run, 2) ? checmate_binding_gc(NULL, ret_error) : 0;
	return r < 0 ? r : make(run, index, ret_error);
}

static int operate(struct run *run, unsigned int index)
{
	_cleanup_(checmate_error_freep) struct checmate_error *error = NULL;
	unsigned int what = draw(run, 10);
	const char *name;
	int r;

	if (!run->models[index].bound || what < 3) {
		name = "apply";
		r = apply(run, index, &error);
	} else if (what < 6) {
		name = "set";
		r = change(run, index, &error);
	} else if (what < 7) {
		name = "mode";
		r = set_mode(run, index, &error);
	} else if (what < 9) {
		name = "remove";
		r = drop(run, index, &error);
	} else {
		name = "a new cgroup";
		r = renew(run, index, &error);
	}
	return r < 0 ? complain(run, index, name, r, error) : 0;
}

/* --- processes ------------------------------------------------------------------ */

static int run_operations(struct run *run, unsigned int operations)
{
	for (unsigned int i = 0; i < operations; i++) {
		unsigned int index = draw(run, CGROUPS);
		int r;

		r = operate(run, index);
		if (!r)
			r = look(run, index);
		for (unsigned int j = 0; !r && j < LOOKS; j++)
			r = look(run, draw(run, CGROUPS));
		if (r < 0)
			return r;
	}
	return 0;
}

static int run_process(unsigned int process, unsigned int operations, unsigned int seed)
{
	_cleanup_close_ int back = open("/sys/fs/cgroup/cgroup.procs", O_WRONLY | O_CLOEXEC);
	struct run run = { .process = process, .state = seed + process * 7919, .back = back };
	_cleanup_(checmate_error_freep) struct checmate_error *error = NULL;
	char path[128];
	int r = 0;

	snprintf(path, sizeof(path), ROOT "/%u", process);
	if (back < 0 || mkdir(path, 0755) < 0)
		return complain(&run, 0, path, -errno, NULL);
	for (unsigned int i = 0; !r && i < CGROUPS; i++)
		r = make(&run, i, &error);
	if (r < 0)
		return complain(&run, 0, "made", r, error);
	r = run_operations(&run, operations);
	for (unsigned int i = 0; i < CGROUPS; i++) {
		format_path(&run, i, path);
		(void)rmdir(path);
	}
	snprintf(path, sizeof(path), ROOT "/%u", process);
	(void)rmdir(path);
	return r;
}

int main(int argc, char *argv[])
{
	unsigned int processes = argc == 4 ? atoi(argv[1]) : 0, failed = 0;
	int status;

	if (!processes) {
		fputs("usage: test-random PROCESSES OPERATIONS SEED\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("# %s operations of %s processes, seed %s\n", argv[2], argv[1], argv[3]);
	if (mkdir(ROOT, 0755) < 0)
		return 1;
	for (unsigned int i = 0; i < processes; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(run_process(i, atoi(argv[2]), atoi(argv[3])) < 0);
		failed += pid < 0;
	}
	while (wait(&status) > 0)
		failed += status != 0;
	(void)rmdir(ROOT);
	if (checmate_binding_gc(NULL, NULL) < 0)
		failed++;
	return failed ? 1 : 0;
}
