// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - events: the denials that policies tell of */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio_ext.h>
#include <sys/signalfd.h>
#include <time.h>

#include "command.h"
#include "output.h"
#include "parse.h"

#define _cleanup_events_ _cleanup_(checmate_events_freep)

#define ERRNO_MAX 4095
#define NS_PER_S 1000000000

/* --- what is asked for ----------------------------------------------------- */

/**
 * struct filter - Which events to show.
 * @options: policy, hook, process, mode.
 * @error: the errno, 0 for any.
 * @cgroup_id: the cgroup, 0 for any.
 * @cgroup_path: its path with a '/' at its end, by which one below it is known;
 *               NULL when it is gone.
 * @left: how many to show.
 */
struct filter {
	const struct options *options;
	int error;
	uint64_t cgroup_id;
	char *cgroup_path;
	uint64_t left;
};

static void filter_done(struct filter *filter)
{
	free(filter->cgroup_path);
}

/* By name or number; 0: neither. */
static int parse_errno(const char *text)
{
	uint64_t number;

	if (!parse_u64(text, ERRNO_MAX, &number))
		return number;
	if (streq(text, "EWOULDBLOCK"))
		return EWOULDBLOCK;
	if (streq(text, "ENOTSUP"))
		return ENOTSUP;
	for (int i = 1; i <= ERRNO_MAX; i++) {
		const char *name = strerrorname_np(i);

		if (name && streq(text, name))
			return i;
	}
	return 0;
}

/* Returns an exit status. */
static int choose_cgroup(struct filter *filter, const char *argument)
{
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	const char *path;
	int r;

	/* One that is gone has events, too. */
	if (parse_cgroup_id(argument, &filter->cgroup_id)) {
		r = checmate_cgroup_open_id(filter->cgroup_id, &cgroup, &error);
		if (r == -ENOENT)
			return EXIT_DONE;
		if (r < 0)
			return fail(error);
	} else {
		r = open_cgroup(argument, &cgroup);
		if (r)
			return r;
	}

	filter->cgroup_id = checmate_cgroup_id(cgroup);
	path = checmate_cgroup_path(cgroup);
	if (asprintf(&filter->cgroup_path, "%s%s", path, path[1] ? "/" : "") < 0) {
		filter->cgroup_path = NULL;
		return fail(NULL);
	}
	return EXIT_DONE;
}

/* Returns an exit status. */
static int choose(struct filter *filter, const struct options *options)
{
	filter->options = options;
	filter->left = UINT64_MAX;
	if (options->count &&
	    (parse_u64(options->count, UINT64_MAX, &filter->left) || !filter->left))
		return usage("events: -n %s: not a number of events", options->count);
	if (options->error) {
		filter->error = parse_errno(options->error);
		if (!filter->error)
			return usage("events: --errno=%s: not an errno", options->error);
	}
	return options->cgroup ? choose_cgroup(filter, options->cgroup) : EXIT_DONE;
}

/* The path of a cgroup, NULL when it is gone. */
static char *path_of(uint64_t id)
{
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;

	if (checmate_cgroup_open_id(id, &cgroup, NULL) < 0)
		return NULL;
	return strdup(checmate_cgroup_path(cgroup));
}

static bool is_within(const struct filter *filter, uint64_t id, const char *path)
{
	if (id == filter->cgroup_id)
		return true;
	return filter->cgroup_path && path && startswith(path, filter->cgroup_path);
}

/**
 * struct place - The cgroups of an event.
 * @bound: path of the policy's, NULL when it is gone.
 * @task: path of the task's.
 */
struct place {
	char *bound;
	char *task;
};

static void place_done(struct place *place)
{
	free(place->bound);
	free(place->task);
}

static bool is_wanted(const struct filter *filter, const struct checmate_event *event,
		      const struct place *place)
{
	const struct options *options = filter->options;

	if (options->policy && !streq(options->policy, event->policy))
		return false;
	if (options->hook && !streq(options->hook, event->hook))
		return false;
	if (options->pid && (uint32_t)options->pid != event->pid)
		return false;
	if (filter->error && filter->error != event->error)
		return false;
	if (options->permissive != options->enforced && options->permissive != event->permissive)
		return false;
	return !filter->cgroup_id || is_within(filter, event->cgroup_id, place->bound) ||
	       is_within(filter, event->task_cgroup_id, place->task);
}

/* --- how it is shown ------------------------------------------------------- */

/* The name of a cgroup may have been chosen to confuse a terminal. */
static char *printable(const char *path)
{
	char *text = malloc(4 * strlen(path) + 1), *to = text;

	for (; text && *path; path++) {
		unsigned char c = *path;

		if (c >= ' ' && c < 0x7f)
			*to++ = c;
		else
			to += sprintf(to, "\\%03o", c);
	}
	if (text)
		*to = '\0';
	return text;
}

/* "2026-01-31T23:59:59.123456+01:00", of a time since boot. */
static void format_time(uint64_t since_boot, char *text, size_t size)
{
	struct timespec boot, real;
	char day[32], zone[8] = "";
	struct tm tm;
	time_t s;
	int64_t ns;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	ns = (real.tv_sec - boot.tv_sec) * (int64_t)NS_PER_S + real.tv_nsec - boot.tv_nsec;
	if (__builtin_add_overflow(ns, since_boot, &ns) || ns < 0)
		ns = 0;
	s = ns / NS_PER_S;
	localtime_r(&s, &tm);
	strftime(day, sizeof(day), "%FT%T", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	snprintf(text, size, "%s.%06d%.3s:%s", day, (int)(ns % NS_PER_S / 1000), zone,
		 zone[0] ? zone + 3 : "");
}

#define TIME_TEXT_MAX 64

static void print_text(const struct checmate_event *event, const struct place *place)
{
	const char *error = strerrorname_np(event->error);
	char time[TIME_TEXT_MAX], number[16], id[32];

	format_time(event->time_ns, time, sizeof(time));
	snprintf(number, sizeof(number), "%d", event->error);
	snprintf(id, sizeof(id), "id:%llu", (unsigned long long)event->task_cgroup_id);
	printf("%s %s %s %s%s %u (%s) %s%s%s\n", time, event->policy, event->hook, error ?: number,
	       event->permissive ? " (permissive)" : "", event->pid, event->comm, place->task ?: id,
	       *event->subject ? ": " : "", event->subject);
}

static void print_line(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
							    JSON_C_TO_STRING_NOSLASHESCAPE));
}

static void print_json(const struct checmate_event *event, const struct place *place)
{
	_cleanup_json_ struct json_object *object = json_new();
	char time[TIME_TEXT_MAX];

	format_time(event->time_ns, time, sizeof(time));
	json_add_text(object, "time", time);
	json_add_number(object, "boottime_ns", event->time_ns);
	json_add_text(object, "policy", event->policy);
	json_add_text(object, "hook", event->hook);
	json_add_text(object, "error", strerrorname_np(event->error));
	json_add_number(object, "errno", event->error);
	json_add_bool(object, "permissive", event->permissive);
	json_add_number(object, "pid", event->pid);
	json_add_number(object, "tid", event->tid);
	json_add_number(object, "uid", event->uid);
	json_add_number(object, "gid", event->gid);
	json_add_text(object, "comm", event->comm);
	json_add_text(object, "cgroup", place->task);
	json_add_number(object, "cgroup_id", event->task_cgroup_id);
	json_add_text(object, "bound", place->bound);
	json_add_number(object, "bound_id", event->cgroup_id);
	json_add_text(object, "subject_type", event->subject_type);
	json_add_text(object, "subject", event->subject);
	print_line(object);
}

static void show(struct filter *filter, const struct checmate_event *event)
{
	_cleanup_(place_done) struct place place = {
		.bound = path_of(event->cgroup_id),
		.task = path_of(event->task_cgroup_id),
	};
	char *shown;

	if (!is_wanted(filter, event, &place))
		return;
	shown = place.bound ? printable(place.bound) : NULL;
	free(place.bound);
	place.bound = shown;
	shown = place.task ? printable(place.task) : NULL;
	free(place.task);
	place.task = shown;

	if (filter->options->json)
		print_json(event, &place);
	else
		print_text(event, &place);
	filter->left--;
}

/* Tells what was lost since @told; returns what is told then. */
static uint64_t show_lost(const struct options *options, const struct checmate_events *events,
			  uint64_t told)
{
	uint64_t lost = checmate_events_lost(events) - told;

	if (!lost)
		return told;
	if (options->json) {
		_cleanup_json_ struct json_object *object = json_new();

		json_add_number(object, "lost", lost);
		print_line(object);
	} else {
		fflush(stdout);
		fprintf(stderr,
			"checmate: %llu record%s lost: there was no room; follow the events\n",
			(unsigned long long)lost, lost == 1 ? "" : "s");
	}
	return told + lost;
}

/* --- reading --------------------------------------------------------------- */

/*
 * Waits for more. Returns 1 when there may be some, 0 when the time has come to end:
 * by a signal, or because nobody reads the output any more.
 */
static int wait_for_more(const struct checmate_events *events, int signals)
{
	struct pollfd fds[] = {
		{ .fd = checmate_events_fd(events), .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
		{ .fd = STDOUT_FILENO },
	};

	while (poll(fds, ARRAY_SIZE(fds), -1) < 0)
		if (errno != EINTR)
			return -errno;
	return !fds[1].revents && !fds[2].revents;
}

/* A reader of the output that has gone is an end like another. */
static bool output_is_open(void)
{
	if (fflush(stdout) != EOF)
		return true;
	if (errno == EPIPE) {
		__fpurge(stdout);
		clearerr(stdout);
	}
	return false;
}

/* Returns an exit status. */
static int read_all(struct filter *filter, struct checmate_events *events, int signals)
{
	const struct options *options = filter->options;
	_cleanup_error_ struct checmate_error *error = NULL;
	const struct checmate_event *event;
	uint64_t told = 0;
	int r = 1;

	for (;;) {
		if (options->follow)
			r = wait_for_more(events, signals);
		if (r < 0)
			return fail_text("events: they cannot be waited for: %s; try again",
					 strerror(-r));
		if (!r)
			return EXIT_DONE;
		r = checmate_events_read(events, &event, &error);
		if (r < 0)
			return fail(error);
		told = show_lost(options, events, told);
		if (r)
			show(filter, event);
		if (!output_is_open() || !filter->left || (!r && !options->follow))
			return EXIT_DONE;
	}
}

int command_events(const struct options *options, int argc, char **argv)
{
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_events_ struct checmate_events *events = NULL;
	_cleanup_(filter_done) struct filter filter = {};
	_cleanup_close_ int signals = -1;
	sigset_t set;
	int status;

	(void)argc;
	(void)argv;
	status = choose(&filter, options);
	if (status)
		return status;

	/* They end it between two events. */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (options->follow) {
		sigprocmask(SIG_BLOCK, &set, NULL);
		signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
		if (signals < 0)
			return fail_text("events: signals cannot be waited for: %m; try again");
	}

	if (checmate_events_open(&events, &error) < 0)
		return fail(error);
	return read_all(&filter, events, signals);
}
