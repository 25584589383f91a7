// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - events: the denials that policies tell of */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio_ext.h>
#include <sys/signalfd.h>

#include "command.h"
#include "output.h"
#include "parse.h"
#include "target.h"

#define _cleanup_events_ _cleanup_(checmate_events_freep)

#define ERRNO_MAX 4095

/* --- what is asked for ----------------------------------------------------- */

/**
 * struct filter - Which events to show.
 * @options: policy, hook, process, mode.
 * @error: the errno, 0 for any.
 * @cgroup_id: the cgroup, 0 for any.
 * @cgroup_path: its path, as documents have it, with a '/' at its end, by which one
 *               below it is known; NULL when it is gone.
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
	_cleanup_free_ char *path = NULL;
	int r;

	/* One that is gone has events, too. */
	if (target_is_id(argument, &filter->cgroup_id)) {
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
	path = report_printable(checmate_cgroup_path(cgroup));
	if (!path)
		return fail(NULL);
	filter->cgroup_path = text_new("%s%s", path, path[1] ? "/" : "");
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

static bool is_within(const struct filter *filter, uint64_t id, const char *path)
{
	if (id == filter->cgroup_id)
		return true;
	return filter->cgroup_path && path && startswith(path, filter->cgroup_path);
}

static bool is_wanted(const struct filter *filter, const struct json_object *event)
{
	const struct options *options = filter->options;

	if (options->policy && !streq(options->policy, text_of(event, "policy")))
		return false;
	if (options->hook && !streq(options->hook, text_of(event, "hook")))
		return false;
	if (options->pid && (uint64_t)options->pid != report_get_number(event, "pid"))
		return false;
	if (filter->error && (uint64_t)filter->error != report_get_number(event, "errno"))
		return false;
	if (options->permissive != options->enforced &&
	    options->permissive != report_get_bool(event, "permissive"))
		return false;
	return !filter->cgroup_id ||
	       is_within(filter, report_get_number(event, "bound_id"),
			 report_get_text(event, "bound")) ||
	       is_within(filter, report_get_number(event, "cgroup_id"),
			 report_get_text(event, "cgroup"));
}

/* --- how it is shown ------------------------------------------------------- */

static void print_text(const struct json_object *event)
{
	const char *error = report_get_text(event, "error");
	const char *cgroup = report_get_text(event, "cgroup");
	const char *subject = text_of(event, "subject");
	char number[24], id[32];

	snprintf(number, sizeof(number), "%llu", number_of(event, "errno"));
	snprintf(id, sizeof(id), "id:%llu", number_of(event, "cgroup_id"));
	printf("%s %s %s %s%s %llu (%s) %s%s%s\n", text_of(event, "time"), text_of(event, "policy"),
	       text_of(event, "hook"), error ?: number,
	       report_get_bool(event, "permissive") ? " (permissive)" : "", number_of(event, "pid"),
	       text_of(event, "comm"), cgroup ?: id, *subject ? ": " : "", subject);
}

static void show_lost(const struct options *options, struct json_object *document)
{
	unsigned long long lost = number_of(document, "lost");

	if (options->json) {
		json_print_line(document);
		return;
	}
	fflush(stdout);
	fprintf(stderr, "checmate: %llu record%s lost: there was no room; follow the events\n",
		lost, lost == 1 ? "" : "s");
}

/* A document of events.json: an event, or that some were lost. */
static void show(struct filter *filter, struct json_object *document)
{
	if (number_of(document, "lost")) {
		show_lost(filter->options, document);
		return;
	}
	if (!is_wanted(filter, document))
		return;
	if (filter->options->json)
		json_print_line(document);
	else
		print_text(document);
	filter->left--;
}

static int show_event(struct filter *filter, const struct checmate_event *event)
{
	_cleanup_free_ char *bound = report_cgroup_path(event->cgroup_id);
	_cleanup_free_ char *task = report_cgroup_path(event->task_cgroup_id);
	_cleanup_json_ struct json_object *document = NULL;

	if (report_event(event, bound, task, &document) < 0)
		return fail(NULL);
	show(filter, document);
	return EXIT_DONE;
}

/* Tells what was lost since @told. */
static int show_more_lost(struct filter *filter, const struct checmate_events *events,
			  uint64_t *told)
{
	_cleanup_json_ struct json_object *document = NULL;
	uint64_t lost = checmate_events_lost(events) - *told;

	if (!lost)
		return EXIT_DONE;
	if (report_lost(lost, &document) < 0)
		return fail(NULL);
	show(filter, document);
	*told += lost;
	return EXIT_DONE;
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
	int r = 1, status;

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
		status = show_more_lost(filter, events, &told);
		if (!status && r)
			status = show_event(filter, event);
		if (status)
			return status;
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
