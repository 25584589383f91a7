// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Benches - What memory a cgroup takes, and an attachment
 *
 *	bench-memory cgroup [ARM CONTROLLER BACKEND BASE]…
 *	bench-memory attach N…
 *
 * "cgroup" makes cgroups for each arm, where CONTROLLER is on, and attaches a program
 * to each by BACKEND; "-" is none of them. "attach" attaches at the root while N
 * cgroups are below it.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../common/cleanup.h"
#include "alloc.h"
#include "count.h"
#include "tree.h"

#define CGROUPS 500
#define MAX_SITES 200

/*
 * What of a cgroup is told apart, by the functions that allocate it. What a name ends
 * in is any function of that ending.
 */
static const struct {
	const char *op;
	const char *functions[8];
} kinds[] = {
	{ "css", { "*_css_alloc" } },
	{ "nodes and names of files", { "__kernfs_new_node", "kernfs_new_node" } },
	{ "dentries and inodes", { "__d_alloc", "alloc_inode", "security_inode_alloc" } },
};

static bool matches(const char *name, const char *pattern)
{
	size_t length = strlen(name), ending = strlen(pattern) - 1;

	if (*pattern != '*')
		return !strcmp(name, pattern);
	return length >= ending && !strcmp(name + length - ending, pattern + 1);
}

static long long of_kind(const struct alloc_site *sites, unsigned int n,
			 const char *const *functions)
{
	long long held = 0;

	for (; *functions; functions++)
		for (unsigned int i = 0; i < n; i++)
			if (matches(sites[i].name, *functions))
				held += sites[i].sum.held;
	return held;
}

static void row(const char *arm, const char *op, long long bytes, const char *base)
{
	count_row(arm, op, (uint64_t)(bytes + CGROUPS / 2) / CGROUPS, base, NULL);
}

/* Bytes that the slab and the per-CPU allocator say they have. */
static long long taken_pages(void)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/meminfo", "re");
	long long sum = 0, kb;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Slab: %lld", &kb) == 1 || sscanf(line, "Percpu: %lld", &kb) == 1)
			sum += kb * 1024;
	return sum;
}

static void cgroup_path(int i, char *ret_path, size_t size)
{
	snprintf(ret_path, size, CGROUPFS "/bench/member%03d", i);
}

static void make(int i, const char *backend, int prog, struct target *ret_target)
{
	struct target target = { .prog = { prog, prog } };
	char path[256];
	int r;

	cgroup_path(i, path, sizeof(path));
	if (mkdir(path, 0755) < 0)
		err(1, "%s", path);
	if (!backend)
		return;
	target_open(&target, strcmp(backend, "link") ? CHECMATE : LINK, path);
	r = target_attach(&target);
	if (r < 0)
		errx(1, "%s: %s", path, strerror(-r));
	/* Nothing of it needs the directory. */
	close(target.fd);
	target.fd = -1;
	*ret_target = target;
}

static void cgroups(const char *arm, const char *controller, const char *backend, const char *base)
{
	struct alloc_site sites[MAX_SITES];
	static struct target target[CGROUPS];
	struct alloc_sum total, percpu;
	int prog = backend ? load_allowing() : -1;
	long long before, grown, kind, rest;
	unsigned int n;
	char path[256];

	if (mkdir(CGROUPFS "/bench", 0755) < 0)
		err(1, CGROUPFS "/bench");
	if (controller)
		tree_control(CGROUPFS "/bench", controller, '+');
	tree_settle();
	before = taken_pages();
	alloc_start();
	for (int i = 0; i < CGROUPS; i++)
		make(i, backend, prog, &target[i]);
	alloc_stop();
	tree_settle();
	grown = taken_pages() - before;

	alloc_total(&total, &percpu);
	n = alloc_sites(sites, MAX_SITES);
	printf("# %s: %lld bytes held, %llu allocated by %llu calls; slabs and per-CPU memory "
	       "grew by %lld; each of %d:\n",
	       arm, total.held, total.bytes, total.nr, grown, CGROUPS);
	for (unsigned int i = 0; i < n && sites[i].sum.held > CGROUPS; i++)
		printf("#   %-32s %8.1f bytes in %.2f\n", sites[i].name,
		       (double)sites[i].sum.held / CGROUPS, (double)sites[i].sum.nr / CGROUPS);
	row(arm, "all", total.held, base);
	rest = total.held - percpu.held;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		kind = of_kind(sites, n, kinds[i].functions);
		row(arm, kinds[i].op, kind, base);
		rest -= kind;
	}
	row(arm, "per-CPU, of one CPU", percpu.held, base);
	row(arm, "everything else", rest, base);

	for (int i = 0; i < CGROUPS; i++) {
		if (backend && target[i].link >= 0)
			close(target[i].link);
		cgroup_path(i, path, sizeof(path));
		if (rmdir(path) < 0)
			err(1, "%s", path);
	}
	if (backend)
		close(prog);
	if (controller)
		tree_control(CGROUPFS "/bench", controller, '-');
	if (rmdir(CGROUPFS "/bench") < 0)
		err(1, CGROUPFS "/bench");
	tree_settle();
}

static uint64_t bytes_of(int (*call)(struct target *), struct target *target)
{
	struct alloc_sum total, percpu;
	int r;

	alloc_start();
	r = call(target);
	alloc_stop();
	if (r < 0)
		errx(1, "%s: %s", backend_arm[target->backend], strerror(-r));
	alloc_total(&total, &percpu);
	tree_settle();
	return total.bytes;
}

static const struct {
	const char *name;
	int (*call)(struct target *);
} calls[] = {
	{ "attach", target_attach },
	{ "replace", target_replace },
	{ "detach", target_detach },
};

/* The second time, since what the first one makes and keeps is of no interest. */
static void at_root(enum backend backend, uint64_t ret_bytes[ARRAY_SIZE(calls)])
{
	struct target target = { .prog = { load_allowing(), load_allowing() } };

	target_open(&target, backend, CGROUPFS);
	for (int run = 0; run < 2; run++)
		for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
			ret_bytes[i] = bytes_of(calls[i].call, &target);
	target_close(&target);
	close(target.prog[0]);
	close(target.prog[1]);
}

static int attach_over(int argc, char *argv[])
{
	static const enum backend backends[] = { CHECMATE, LINK, ATTACH };
	uint64_t first[ARRAY_SIZE(backends)][ARRAY_SIZE(calls)];
	uint64_t last[ARRAY_SIZE(backends)][ARRAY_SIZE(calls)];
	unsigned int n = 0, first_n = 0;
	char op[64];

	for (int i = 0; i < argc; i++) {
		unsigned int to = (unsigned int)atoi(argv[i]);

		if (to <= n)
			errx(2, "%s: must be more than the number before it", argv[i]);
		tree_grow(n, to);
		n = to;
		tree_settle();
		/* To be watched costs: only now. */
		alloc_load();
		for (size_t b = 0; b < ARRAY_SIZE(backends); b++) {
			at_root(backends[b], last[b]);
			for (size_t c = 0; c < ARRAY_SIZE(calls); c++) {
				snprintf(op, sizeof(op), "%s over %u", calls[c].name, n);
				count_row(backend_arm[backends[b]], op, last[b][c], NULL, NULL);
			}
		}
		alloc_unload();
		if (!first_n) {
			first_n = n;
			memcpy(first, last, sizeof(first));
		}
	}
	for (size_t b = 0; n > first_n && b < ARRAY_SIZE(backends); b++)
		for (size_t c = 0; c < ARRAY_SIZE(calls); c++) {
			snprintf(op, sizeof(op), "%s, each cgroup", calls[c].name);
			count_row(backend_arm[backends[b]], op,
				  (last[b][c] - first[b][c] + (n - first_n) / 2) / (n - first_n),
				  NULL, NULL);
		}
	return 0;
}

static const char *unless_none(const char *argument)
{
	return strcmp(argument, "-") ? argument : NULL;
}

int main(int argc, char *argv[])
{
	bool attach = argc > 2 && !strcmp(argv[1], "attach");

	if (!attach && (argc < 6 || (argc - 2) % 4 || strcmp(argv[1], "cgroup"))) {
		fputs("usage: bench-memory cgroup [ARM CONTROLLER BACKEND BASE]…\n"
		      "       bench-memory attach N…\n",
		      stderr);
		return 2;
	}
	if (attach)
		return attach_over(argc - 2, argv + 2);
	alloc_load();
	for (char **arm = argv + 2; *arm; arm += 4)
		cgroups(arm[0], unless_none(arm[1]), unless_none(arm[2]), unless_none(arm[3]));
	alloc_unload();
	return 0;
}
