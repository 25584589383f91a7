// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Benches - What coming and going containers make the kernel patch in its own text
 *
 *	bench-churn [checmate|link CONTAINERS ALIVE PAUSE NAME]…
 *
 * For each five arguments, makes CONTAINERS cgroups, one after the other, of which ALIVE are there at a time;
 * each has a program of its own attached, in force for a task that is born in it and
 * binds a socket, and stays for so many turns of PAUSE milliseconds each. With ALIVE 1
 * nothing uses the hook between two of them, during the pause.
 *
 * Counted are the changes of static keys and the times that text was patched, from when
 * the first container is gone until the last one is there.
 */
#include <bpf/bpf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../common/cleanup.h"
#include "count.h"
#include "tree.h"

#define TRACEFS "/sys/kernel/tracing"
#define MAX_ALIVE 64

/*
 * Every change of a static key goes through the one, all patching of text that may
 * be running through the other.
 */
static const char *const watched[] = { "jump_label_update", "text_poke_bp_batch" };
static const char *const figure_name[] = { "keys flipped", "text patched" };

static void watch(void)
{
	char line[128];

	for (size_t i = 0; i < ARRAY_SIZE(watched); i++) {
		snprintf(line, sizeof(line), "p:bench/%s %s", watched[i], watched[i]);
		write_file(TRACEFS "/kprobe_events", line);
	}
	write_file(TRACEFS "/events/bench/enable", "1");
}

static void unwatch(void)
{
	char line[128];

	write_file(TRACEFS "/events/bench/enable", "0");
	for (size_t i = 0; i < ARRAY_SIZE(watched); i++) {
		snprintf(line, sizeof(line), "-:bench/%s", watched[i]);
		write_file(TRACEFS "/kprobe_events", line);
	}
}

static void read_hits(unsigned long ret_hits[ARRAY_SIZE(watched)])
{
	_cleanup_fclose_ FILE *file = fopen(TRACEFS "/kprobe_profile", "re");
	unsigned int found = 0;
	unsigned long hits, missed;
	char line[256], name[128];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%127s %lu %lu", name, &hits, &missed) != 3)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(watched); i++) {
			if (strcmp(name, watched[i]))
				continue;
			if (missed)
				errx(1, "%s: %lu hits were missed", name, missed);
			ret_hits[i] = hits;
			found++;
		}
	}
	if (found != ARRAY_SIZE(watched))
		errx(1, TRACEFS "/kprobe_profile: lacks what is watched");
}

/* See that a change is seen: an idle hook is taken into use. */
static void check_watching(void)
{
	unsigned long before[ARRAY_SIZE(watched)], after[ARRAY_SIZE(watched)];
	struct target target = { .prog = { load_allowing(), load_allowing() } };

	if (mkdir(CGROUPFS "/proof", 0755) < 0)
		err(1, CGROUPFS "/proof");
	read_hits(before);
	target_open(&target, LINK, CGROUPFS "/proof");
	if (target_attach(&target) < 0)
		errx(1, "a link cannot be attached");
	read_hits(after);
	for (size_t i = 0; i < ARRAY_SIZE(watched); i++)
		if (after[i] == before[i])
			errx(1, "%s: was not seen being called", watched[i]);
	target_close(&target);
	if (rmdir(CGROUPFS "/proof") < 0)
		err(1, CGROUPFS "/proof");
	tree_settle();
}

static void container_path(unsigned int i, char *ret_path, size_t size)
{
	snprintf(ret_path, size, CGROUPFS "/bench/container%04u", i);
}

/* A task that is born in the cgroup binds a socket. */
static void act(const char *path)
{
	_cleanup_close_ int cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)cgroup,
	};
	int status;
	long pid;

	if (cgroup < 0)
		err(1, "%s", path);
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		err(1, "clone3");
	if (!pid) {
		int fd = socket(AF_INET, SOCK_DGRAM, 0);

		_exit(fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0);
	}
	if (waitpid((pid_t)pid, &status, 0) < 0 || status)
		errx(1, "%s: a task in it could not bind", path);
}

static void begin(unsigned int i, enum backend backend, int map, struct target *ret_target)
{
	int prog = load_counting(map), r;
	struct target target = { .prog = { prog, prog } };
	char path[256];

	container_path(i, path, sizeof(path));
	if (mkdir(path, 0755) < 0)
		err(1, "%s", path);
	target_open(&target, backend, path);
	r = target_attach(&target);
	if (r < 0)
		errx(1, "%s: %s", path, strerror(-r));
	close(prog);
	act(path);
	*ret_target = target;
}

static void end(unsigned int i, struct target *target)
{
	char path[256];

	/* Else the program would go some time after the cgroup. */
	if (target_detach(target) < 0)
		err(1, "detaching");
	target_close(target);
	container_path(i, path, sizeof(path));
	if (rmdir(path) < 0)
		err(1, "%s", path);
}

static void churn(enum backend backend, unsigned int containers, unsigned int alive,
		  unsigned int pause, const char *op)
{
	const struct timespec turn = { .tv_sec = pause / 1000, .tv_nsec = pause % 1000 * 1000000L };
	unsigned long before[ARRAY_SIZE(watched)] = { 0 }, after[ARRAY_SIZE(watched)];
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "bound", 4, 8, 1, NULL);
	struct target target[MAX_ALIVE];
	unsigned int i, zero = 0;
	uint64_t bound;
	char arm[128];

	if (!alive || alive > MAX_ALIVE || containers <= alive)
		errx(2, "one to %d are alive, and more are made", MAX_ALIVE);
	if (map < 0)
		err(1, "making a map");
	for (i = 0; i < containers; i++) {
		if (i >= alive)
			end(i - alive, &target[i % alive]);
		nanosleep(&turn, NULL);
		if (i == alive)
			read_hits(before);
		begin(i, backend, map, &target[i % alive]);
	}
	read_hits(after);
	for (; i < containers + alive; i++)
		end(i - alive, &target[i % alive]);
	if (bpf_map_lookup_elem(map, &zero, &bound) < 0)
		err(1, "the count of binds");
	if (bound != containers)
		errx(1, "the programs saw %llu binds, not %u", (unsigned long long)bound,
		     containers);
	close(map);
	tree_settle();
	for (size_t what = 0; what < ARRAY_SIZE(watched); what++) {
		snprintf(arm, sizeof(arm), "%s, %s", backend_arm[backend], figure_name[what]);
		count_row(arm, op, after[what] - before[what], NULL, NULL);
	}
}

int main(int argc, char *argv[])
{
	if (argc < 6 || (argc - 1) % 5) {
		fputs("usage: bench-churn [checmate|link CONTAINERS ALIVE PAUSE NAME]…\n", stderr);
		return 2;
	}
	if (mkdir(CGROUPFS "/bench", 0755) < 0)
		err(1, CGROUPFS "/bench");
	tree_control(CGROUPFS "/bench", "checmate", '+');
	watch();
	check_watching();
	for (char **form = argv + 1; *form; form += 5)
		churn(strcmp(form[0], "link") ? CHECMATE : LINK, (unsigned int)atoi(form[1]),
		      (unsigned int)atoi(form[2]), (unsigned int)atoi(form[3]), form[4]);
	unwatch();
	return 0;
}
