// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * bench-control - Instructions of the control plane
 *
 * For a guest with one processor whose clock counts instructions (tests/vm/run
 * --icount): there a nanosecond is one of them.
 *
 *	bench-control policies		of opening, loading and applying each policy
 *	bench-control event		of a denial, and of reading the event of it
 *	bench-control spend COMMAND…	of a command, and of all that it makes others do
 *
 * The first two print rows of a bench, the last one its figure.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "checmate.h"
#include "cleanup.h"
#include "file.h"

extern char **environ;

#define CGROUPS "/sys/fs/cgroup"
#define PLACE "/bench-control"

/* How often something is done of which the median is told. */
#define TIMES 3

/* Two seconds of the guest's, in which nothing costs what is idle. */
#define NAPS 20
#define NAP_NSEC (100 * 1000 * 1000)

static _printf_(1, 2) __attribute__((noreturn)) void fail(const char *format, ...)
{
	va_list ap;

	fputs("bench-control: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

/* --- counting ------------------------------------------------------------- */

static uint64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* Of this process, in user space and in the kernel. */
static uint64_t own(void)
{
	return now(CLOCK_PROCESS_CPUTIME_ID);
}

/* Of the whole machine but for its idle time. */
static uint64_t busy(void)
{
	static const char key[] = ".idle_sleeptime";
	_cleanup_free_ char *text = NULL;
	const char *at;
	int r;

	r = file_read(AT_FDCWD, "/proc/timer_list", SIZE_MAX, &text, NULL);
	if (r < 0)
		fail("/proc/timer_list: %s", strerror(-r));
	at = strstr(text, key);
	at = at ? strchr(at, ':') : NULL;
	if (!at)
		fail("/proc/timer_list does not tell of idle time");
	return now(CLOCK_MONOTONIC) - strtoull(at + 1, NULL, 10);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t median(uint64_t *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n / 2];
}

static void row(const char *arm, const char *op, uint64_t value, const char *over)
{
	printf("%s\t%s\t%" PRIu64 "\t-\t%s\n", arm, op, value, over);
	fflush(stdout);
}

/*
 * What the machine has done after @begun, beside what it does all the time: others still have
 * to do with a command when that is over. It naps, and what more was done during a nap than
 * during most of them counts.
 */
static uint64_t settle(uint64_t begun)
{
	struct timespec ts = { .tv_nsec = NAP_NSEC };
	uint64_t cost[NAPS], sorted[NAPS], sum = 0;

	for (int i = 0; i < NAPS; i++) {
		uint64_t now;

		nanosleep(&ts, NULL);
		now = busy();
		sorted[i] = cost[i] = now - begun;
		begun = now;
	}
	for (int i = 0; i < NAPS; i++)
		if (cost[i] > median(sorted, NAPS))
			sum += cost[i] - median(sorted, NAPS);
	return sum;
}

/* --- policies ------------------------------------------------------------- */

struct cost {
	uint64_t open;
	uint64_t load;
	uint64_t apply;
};

static void must(int r, const char *what, struct checmate_error *e)
{
	if (r < 0)
		fail("%s: %s", what, checmate_error_text(e));
}

static void unbind(const char *policy, const char *path)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	char place[256];

	must(checmate_cgroup_open(path, &cgroup, &e), path, e);
	must(checmate_binding_remove(cgroup, policy, &e), policy, e);
	snprintf(place, sizeof(place), CGROUPS "%s", path);
	(void)rmdir(place);
}

static struct cost bind_once(const char *policy, const char *path)
{
	_cleanup_(checmate_policy_freep) struct checmate_policy *opened = NULL;
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	struct checmate_apply_opts opts = { .sz = sizeof(opts) };
	uint64_t begun, is_open, loaded, applied;
	char *place;

	if (asprintf(&place, CGROUPS "%s", path) < 0)
		fail("out of memory");
	if (mkdir(place, 0755) < 0)
		fail("%s: %m", place);
	must(checmate_cgroup_open(path, &cgroup, &e), path, e);
	must(checmate_cgroup_enable(cgroup, NULL, &e), path, e);

	begun = own();
	must(checmate_policy_open(policy, &opened, &e), policy, e);
	is_open = own();
	must(checmate_policy_load(opened, &e), policy, e);
	loaded = own();
	must(checmate_binding_apply(cgroup, &opened, 1, &opts, &e), policy, e);
	applied = own();

	free(place);
	return (struct cost){
		.open = is_open - begun,
		.load = loaded - is_open,
		.apply = applied - loaded,
	};
}

/* A process of its own for each policy. The first binding stays while further ones are made. */
static void measure_policy(const char *policy)
{
	uint64_t open[TIMES], load[TIMES], apply[TIMES], all[TIMES];
	struct cost first = bind_once(policy, PLACE "/first");

	row("first", policy, first.open + first.load + first.apply, "-");
	for (int i = 0; i < TIMES; i++) {
		struct cost cost = bind_once(policy, PLACE "/again");

		unbind(policy, PLACE "/again");
		open[i] = cost.open;
		load[i] = cost.load;
		apply[i] = cost.apply;
		all[i] = cost.open + cost.load + cost.apply;
	}
	unbind(policy, PLACE "/first");
	row("again", policy, median(all, TIMES), "first");
	row("open", policy, median(open, TIMES), "-");
	row("load", policy, median(load, TIMES), "-");
	row("apply", policy, median(apply, TIMES), "-");
}

static void wait_for(pid_t pid, const char *what)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status)
		fail("%s: failed", what);
}

static void measure_policies(void)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	char **names;

	must(checmate_policy_list(&names, &e), "policies", e);
	for (char **name = names; *name; name++) {
		pid_t pid = fork();

		if (pid < 0)
			fail("fork: %m");
		if (!pid) {
			measure_policy(*name);
			exit(EXIT_SUCCESS);
		}
		wait_for(pid, *name);
	}
	checmate_strv_free(names);
}

/* --- events --------------------------------------------------------------- */

static int try_bind(int fd)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(80) };

	return bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

static void enter(const char *path)
{
	char file[256], pid[32];
	int r;

	snprintf(file, sizeof(file), CGROUPS "%s/cgroup.procs", path);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	r = file_write(AT_FDCWD, file, pid);
	if (r < 0)
		fail("%s: %s", file, strerror(-r));
}

static uint64_t bind_cost(int fd)
{
	uint64_t begun = now(CLOCK_MONOTONIC);

	if (try_bind(fd) != -EPERM)
		fail("bind: not denied");
	return now(CLOCK_MONOTONIC) - begun;
}

static void measure_event(void)
{
	_cleanup_(checmate_policy_freep) struct checmate_policy *policy = NULL;
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	_cleanup_(checmate_events_freep) struct checmate_events *events = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	struct checmate_apply_opts opts = { .sz = sizeof(opts) };
	uint64_t denial[TIMES], reading[TIMES];
	const struct checmate_event *event;
	_cleanup_close_ int fd = -1;

	if (mkdir(CGROUPS PLACE "/event", 0755) < 0)
		fail("%s: %m", PLACE "/event");
	must(checmate_cgroup_open(PLACE "/event", &cgroup, &e), PLACE, e);
	must(checmate_cgroup_enable(cgroup, NULL, &e), PLACE, e);
	must(checmate_policy_open("net-bind", &policy, &e), "net-bind", e);
	must(checmate_binding_apply(cgroup, &policy, 1, &opts, &e), "net-bind", e);
	must(checmate_events_open(&events, &e), "events", e);
	enter(PLACE "/event");
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fail("socket: %m");

	for (int i = -1; i < TIMES; i++) {
		struct pollfd poller = { .fd = checmate_events_fd(events), .events = POLLIN };
		uint64_t begun, cost = bind_cost(fd);

		if (poll(&poller, 1, 1000) != 1)
			fail("events: none");
		begun = now(CLOCK_MONOTONIC);
		if (checmate_events_read(events, &event, &e) != 1)
			fail("events: none is read");
		if (i < 0)
			continue;
		reading[i] = now(CLOCK_MONOTONIC) - begun;
		denial[i] = cost;
	}
	if (!event->policy || strcmp(event->policy, "net-bind"))
		fail("events: of %s", event->policy ? event->policy : "nothing");
	row("again", "denial that is told", median(denial, TIMES), "-");
	row("again", "its event read", median(reading, TIMES), "-");

	enter("");
	must(checmate_binding_remove(cgroup, NULL, &e), PLACE, e);
	(void)rmdir(CGROUPS PLACE "/event");
}

/* --- commands ------------------------------------------------------------- */

static int spend(char *argv[])
{
	uint64_t begun, done, reading;
	posix_spawn_file_actions_t actions;
	int status, r;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);

	begun = busy();
	reading = busy() - begun;
	begun = busy();
	r = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (r)
		fail("%s: %s", argv[0], strerror(r));
	if (waitpid(pid, &status, 0) != pid)
		fail("%s: %m", argv[0]);
	done = busy();
	printf("%" PRIu64 "\n", done - begun - reading + settle(done));
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

int main(int argc, char *argv[])
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "spend") && argc > 2)
		return spend(argv + 2);
	if (argc != 2)
		fail("see its source");
	if (mkdir(CGROUPS PLACE, 0755) < 0 && errno != EEXIST)
		fail("%s: %m", CGROUPS PLACE);
	if (!strcmp(what, "policies"))
		measure_policies();
	else if (!strcmp(what, "event"))
		measure_event();
	else
		fail("%s: unknown", what);
	(void)rmdir(CGROUPS PLACE);
	return EXIT_SUCCESS;
}
