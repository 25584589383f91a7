// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Benches - What a policy at the root costs by the number of cgroups below it
 *
 *	bench-scale attach N…
 *	bench-scale mkdir [ARM CONTROLLER BASE]…
 *
 * "attach" attaches at the root while N cgroups are below it, by each backend.
 * "mkdir" makes and removes cgroups for each arm, where CONTROLLER is on; "-" is none.
 */
#include <err.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../common/cleanup.h"
#include "count.h"
#include "tree.h"

#define RUNS 7
#define CGROUPS 500

static const struct timespec pause_between = { .tv_nsec = 50000000 };

/* What something took each time, in order. */
struct figures {
	uint64_t value[CGROUPS];
	unsigned int n;
};

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/*
 * Count one call. One in which this thread gave the processor away is no figure:
 * what others did, or nobody, would count.
 */
static void count(int (*call)(struct target *), struct target *target, const char *what,
		  struct figures *figures)
{
	struct rusage before, after;
	uint64_t start, end;
	int r;

	getrusage(RUSAGE_THREAD, &before);
	start = count_now();
	r = call(target);
	end = count_now();
	getrusage(RUSAGE_THREAD, &after);
	if (r < 0)
		errx(1, "%s: %s: %s", backend_arm[target->backend], what, strerror(-r));
	if (before.ru_nvcsw == after.ru_nvcsw && before.ru_nivcsw == after.ru_nivcsw)
		figures->value[figures->n++] = end - start - count_overhead();
}

enum {
	ATTACHING,
	REPLACING,
	DETACHING,
	N_CALLS
};

static const struct {
	const char *name;
	int (*call)(struct target *);
} calls[N_CALLS] = {
	[ATTACHING] = { "attach", target_attach },
	[REPLACING] = { "replace", target_replace },
	[DETACHING] = { "detach", target_detach },
};

/* The least of several times, and how far the greatest is off. */
static uint64_t least(struct figures *figures, const char *arm, const char *op, unsigned int n)
{
	if (figures->n < RUNS / 2)
		errx(1, "%s: %s over %u: interrupted too often", arm, op, n);
	qsort(figures->value, figures->n, sizeof(figures->value[0]), compare);
	printf("# %s, %s over %u cgroups, %u times:", arm, op, n, figures->n);
	for (unsigned int i = 0; i < figures->n; i++)
		printf(" %llu", (unsigned long long)figures->value[i]);
	putchar('\n');
	return figures->value[0];
}

/* Attach, replace and detach at the root, over @n cgroups. */
static void at_root(enum backend backend, unsigned int n, uint64_t ret_value[N_CALLS])
{
	struct figures figures[N_CALLS] = { 0 };
	struct target target;

	target.prog[0] = load_allowing();
	target.prog[1] = load_allowing();
	target_open(&target, backend, CGROUPFS);
	/* The first time, things are made that stay. */
	for (int run = -1; run < RUNS; run++)
		for (int i = 0; i < N_CALLS; i++) {
			if (run < 0)
				figures[i].n = 0;
			count(calls[i].call, &target, calls[i].name, &figures[i]);
			if (run < 0)
				figures[i].n = 0;
			/* Nothing of it is still under way next time. */
			nanosleep(&pause_between, NULL);
		}
	for (int i = 0; i < N_CALLS; i++)
		ret_value[i] = least(&figures[i], backend_arm[backend], calls[i].name, n);
	target_close(&target);
	close(target.prog[0]);
	close(target.prog[1]);
}

/* The hook stays in use, here and there, whatever is detached at the root. */
static void keep_hook(void)
{
	static struct target keeper[2];
	char path[256];

	tree_path(0, path, sizeof(path));
	for (int i = 0; i < 2; i++) {
		keeper[i].prog[0] = load_allowing();
		target_open(&keeper[i], i ? LINK : CHECMATE, path);
		if (target_attach(&keeper[i]) < 0)
			errx(1, "%s: attaching to %s failed", backend_arm[keeper[i].backend], path);
	}
}

static int attach_over(int argc, char *argv[])
{
	static const enum backend backends[] = { CHECMATE, LINK, ATTACH };
	uint64_t first[ARRAY_SIZE(backends)][N_CALLS], last[ARRAY_SIZE(backends)][N_CALLS];
	unsigned int n = 0, first_n = 0;
	char op[64];

	for (int i = 0; i < argc; i++) {
		unsigned int to = (unsigned int)atoi(argv[i]);

		if (to <= n)
			errx(2, "%s: must be more than the number before it", argv[i]);
		tree_grow(n, to);
		if (!n)
			keep_hook();
		n = to;
		tree_settle();
		for (unsigned int b = 0; b < ARRAY_SIZE(backends); b++) {
			at_root(backends[b], n, last[b]);
			for (int c = 0; c < N_CALLS; c++) {
				snprintf(op, sizeof(op), "%s over %u", calls[c].name, n);
				count_row(backend_arm[backends[b]], op, last[b][c], NULL,
					  b ? NULL : backend_arm[LINK]);
			}
		}
		if (!first_n) {
			first_n = n;
			memcpy(first, last, sizeof(first));
		}
	}
	for (unsigned int b = 0; n > first_n && b < ARRAY_SIZE(backends); b++)
		for (int c = 0; c < N_CALLS; c++) {
			snprintf(op, sizeof(op), "%s, each cgroup", calls[c].name);
			count_row(backend_arm[backends[b]], op,
				  (last[b][c] - first[b][c] + (n - first_n) / 2) / (n - first_n),
				  NULL, b ? NULL : backend_arm[LINK]);
		}
	printf("note\tattach, replace and detach: the least of %d times\n", RUNS);
	return 0;
}

static void median(struct figures *figures, const char *arm, const char *op, const char *base)
{
	uint64_t *value = figures->value;

	qsort(value, figures->n, sizeof(*value), compare);
	printf("# %s, %s: a quarter at most %llu, half %llu, three quarters %llu\n", arm, op,
	       (unsigned long long)value[figures->n / 4], (unsigned long long)value[figures->n / 2],
	       (unsigned long long)value[3 * figures->n / 4]);
	count_row(arm, op, value[figures->n / 2], base, NULL);
}

/*
 * The instructions of everybody else, while a process that has nothing to do but
 * count its own keeps the processor from being idle.
 */
static pid_t start_idler(volatile uint64_t *own)
{
	const struct sched_param param = { 0 };
	uint64_t last, now;
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid)
		return pid;
	if (sched_setscheduler(0, SCHED_IDLE, &param) < 0)
		err(1, "SCHED_IDLE");
	/* A round takes a few instructions, an interruption hundreds. */
	for (last = count_now();; last = now) {
		now = count_now();
		if (now - last < 100)
			*own += now - last;
	}
}

/* What making and removing a cgroup comes to with all that is done later. */
static uint64_t whole(void)
{
	volatile uint64_t *idle;
	uint64_t start, own, end;
	char path[256];
	pid_t idler;

	idle = mmap(NULL, sizeof(*idle), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (idle == MAP_FAILED)
		err(1, "mmap");
	idler = start_idler(idle);
	tree_settle();
	start = count_now();
	own = *idle;
	for (int i = 0; i < CGROUPS; i++) {
		snprintf(path, sizeof(path), CGROUPFS "/bench/member%03d", i);
		if (mkdir(path, 0755) < 0)
			err(1, "%s", path);
	}
	for (int i = 0; i < CGROUPS; i++) {
		snprintf(path, sizeof(path), CGROUPFS "/bench/member%03d", i);
		if (rmdir(path) < 0)
			err(1, "%s", path);
	}
	tree_settle();
	end = count_now();
	own = *idle - own;
	kill(idler, SIGKILL);
	waitpid(idler, NULL, 0);
	munmap((void *)idle, sizeof(*idle));
	return (end - start - own) / CGROUPS;
}

static void make_and_remove(const char *arm, const char *controller, const char *base)
{
	struct figures made = { 0 }, removed = { 0 };
	uint64_t start, end;
	char path[256];

	if (mkdir(CGROUPFS "/bench", 0755) < 0)
		err(1, CGROUPFS "/bench");
	if (controller)
		tree_control(CGROUPFS "/bench", controller, '+');
	for (int i = 0; i < CGROUPS; i++) {
		snprintf(path, sizeof(path), CGROUPFS "/bench/member%03d", i);
		start = count_now();
		if (mkdir(path, 0755) < 0)
			err(1, "%s", path);
		end = count_now();
		made.value[made.n++] = end - start - count_overhead();
	}
	tree_settle();
	for (int i = 0; i < CGROUPS; i++) {
		snprintf(path, sizeof(path), CGROUPFS "/bench/member%03d", i);
		start = count_now();
		if (rmdir(path) < 0)
			err(1, "%s", path);
		end = count_now();
		removed.value[removed.n++] = end - start - count_overhead();
	}
	tree_settle();
	median(&made, arm, "mkdir", base);
	median(&removed, arm, "rmdir", base);
	count_row(arm, "both, and what follows", whole(), base, NULL);
	if (controller)
		tree_control(CGROUPFS "/bench", controller, '-');
	if (rmdir(CGROUPFS "/bench") < 0)
		err(1, CGROUPFS "/bench");
	tree_settle();
}

static const char *unless_none(const char *argument)
{
	return strcmp(argument, "-") ? argument : NULL;
}

int main(int argc, char *argv[])
{
	const struct sched_param first = { .sched_priority = 1 };
	bool attach = argc > 2 && !strcmp(argv[1], "attach");

	if (!attach && (argc < 5 || (argc - 2) % 3 || strcmp(argv[1], "mkdir"))) {
		fputs("usage: bench-scale attach N…\n"
		      "       bench-scale mkdir [ARM CONTROLLER BASE]…\n",
		      stderr);
		return 2;
	}
	if (count_calibrate() < 0)
		return 1;
	/* What others do meanwhile does not count: they wait. */
	if (attach && sched_setscheduler(0, SCHED_FIFO, &first) < 0)
		err(1, "SCHED_FIFO");
	if (attach)
		return attach_over(argc - 2, argv + 2);
	for (char **arm = argv + 2; *arm; arm += 3)
		make_and_remove(arm[0], unless_none(arm[1]), unless_none(arm[2]));
	return 0;
}
