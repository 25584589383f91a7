// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - events: the denials that policies tell of */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio_ext.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "cgroup-ref.h"
#include "command.h"
#include "daemon-client.h"
#include "output.h"
#include "parse.h"
#include "target.h"

#define _cleanup_events_ _cleanup_(checmate_events_freep)

#define ERRNO_MAX 4095

/* Of a message of the daemon: two paths, each byte of which may be written in octal. */
#define DOCUMENT_MAX (128 * 1024)

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
static int find_cgroup(const struct options *options, const char *argument,
		       struct cgroup_ref *ret_ref)
{
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	_cleanup_(cgroup_ref_done) struct cgroup_ref found = {};
	int r;

	/* One that is gone has events, too. */
	if (!target_is_id(argument, &ret_ref->id)) {
		r = cgroup_ref_open(argument, &cgroup);
		if (r)
			return r;
	} else if (daemon_client_is_wanted(options)) {
		cgroup_ref_find(options, argument, &found);
		if (found.id)
			ret_ref->path = TAKE_PTR(found.path);
		return EXIT_DONE;
	} else {
		r = checmate_cgroup_open_id(ret_ref->id, &cgroup, &error);
		if (r < 0)
			return r == -ENOENT ? EXIT_DONE : fail(error);
	}
	ret_ref->id = checmate_cgroup_id(cgroup);
	ret_ref->path = text_new("%s", checmate_cgroup_path(cgroup));
	return EXIT_DONE;
}

/* Returns an exit status. */
static int choose_cgroup(struct filter *filter, const char *argument)
{
	_cleanup_(cgroup_ref_done) struct cgroup_ref ref = {};
	_cleanup_free_ char *path = NULL;
	int status;

	status = find_cgroup(filter->options, argument, &ref);
	if (status)
		return status;
	filter->cgroup_id = ref.id;
	if (!ref.path)
		return EXIT_DONE;
	path = jsondoc_printable(ref.path);
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
	if (options->pid && (uint64_t)options->pid != jsondoc_get_number(event, "pid"))
		return false;
	if (filter->error && (uint64_t)filter->error != jsondoc_get_number(event, "errno"))
		return false;
	if (options->permissive != options->enforced &&
	    options->permissive != jsondoc_get_bool(event, "permissive"))
		return false;
	return !filter->cgroup_id ||
	       is_within(filter, jsondoc_get_number(event, "bound_id"),
			 jsondoc_get_text(event, "bound")) ||
	       is_within(filter, jsondoc_get_number(event, "cgroup_id"),
			 jsondoc_get_text(event, "cgroup"));
}

/* --- how it is shown ------------------------------------------------------- */

static void print_text(const struct json_object *event)
{
	const char *error = jsondoc_get_text(event, "error");
	const char *cgroup = jsondoc_get_text(event, "cgroup");
	const char *object = text_of(event, "object");
	char number[24], id[32];

	snprintf(number, sizeof(number), "%llu", number_of(event, "errno"));
	snprintf(id, sizeof(id), "id:%llu", number_of(event, "cgroup_id"));
	printf("%s %s %s %s%s %llu (%s) %s%s%s\n", text_of(event, "time"), text_of(event, "policy"),
	       text_of(event, "hook"), error ?: number,
	       jsondoc_get_bool(event, "permissive") ? " (permissive)" : "", number_of(event, "pid"),
	       text_of(event, "comm"), cgroup ?: id, *object ? ": " : "", object);
}

static void show_lost(const struct options *options, struct json_object *document)
{
	unsigned long long lost = number_of(document, "lost");

	if (options->json) {
		json_print_line(document);
		return;
	}
	fflush(stdout);
	say("%llu record%s lost: there was no room; follow the events", lost, lost == 1 ? "" : "s");
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
	_cleanup_free_ char *bound = jsondoc_cgroup_path(event->cgroup_id);
	_cleanup_free_ char *task = jsondoc_cgroup_path(event->task_cgroup_id);
	_cleanup_json_ struct json_object *document = NULL;

	if (jsondoc_event(event, bound, task, &document) < 0)
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
	if (jsondoc_lost(lost, &document) < 0)
		return fail(NULL);
	show(filter, document);
	*told += lost;
	return EXIT_DONE;
}

/* --- reading --------------------------------------------------------------- */

/**
 * struct reader - Where they come from.
 * @events: the library's reader; or NULL.
 * @told: of what it lost, so much was told.
 * @fd: becomes readable.
 * @own: what is to be closed: the daemon's, each message one document; or -1.
 */
struct reader {
	struct checmate_events *events;
	uint64_t told;
	int fd;
	int own;
};

static void reader_done(struct reader *reader)
{
	checmate_events_free(reader->events);
	if (reader->own >= 0)
		close(reader->own);
}

/* Returns 1, 0 when there is none now; or -1, and why was said. */
static int read_library(struct filter *filter, struct reader *reader)
{
	_cleanup_error_ struct checmate_error *error = NULL;
	const struct checmate_event *event;
	int r;

	r = checmate_events_read(reader->events, &event, &error);
	if (r < 0) {
		fail(error);
		return -1;
	}
	if (show_more_lost(filter, reader->events, &reader->told) ||
	    (r && show_event(filter, event)))
		return -1;
	return r;
}

/* The same. */
static int read_daemon(struct filter *filter, struct reader *reader)
{
	static char text[DOCUMENT_MAX];
	_cleanup_json_ struct json_object *document = NULL;
	ssize_t n;

	do
		n = recv(reader->fd, text, sizeof(text), MSG_DONTWAIT | MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n <= 0) {
		fail_text("events: checmated has ended; what is denied is kept, begin again when "
			  "it is there");
		return -1;
	}
	document = (size_t)n <= sizeof(text) ? daemon_client_parse(text, n) : NULL;
	if (!document) {
		fail_text("events: what checmated tells is not understood; have it and "
			  "checmatectl of one version");
		return -1;
	}
	show(filter, document);
	return 1;
}

/*
 * Waits for more. Returns 1 when there may be some, 0 when the time has come to end:
 * by a signal, or because nobody reads the output any more.
 */
static int wait_for_more(const struct reader *reader, int signals)
{
	struct pollfd fds[] = {
		{ .fd = reader->fd, .events = POLLIN },
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
static int read_all(struct filter *filter, struct reader *reader, int signals)
{
	const struct options *options = filter->options;
	int r = 1;

	for (;;) {
		if (options->follow)
			r = wait_for_more(reader, signals);
		if (r < 0)
			return fail_text("events: they cannot be waited for: %s; try again",
					 strerror(-r));
		if (!r)
			return EXIT_DONE;
		r = reader->events ? read_library(filter, reader) : read_daemon(filter, reader);
		if (r < 0)
			return EXIT_FAILED;
		if (!output_is_open() || !filter->left || (!r && !options->follow))
			return EXIT_DONE;
	}
}

/* --- the command ----------------------------------------------------------- */

/* Takes what OpenEvents has answered. @ret_all: not only of the user's own cgroups. */
static int take_reply(sd_bus_message *reply, struct reader *reader, bool *ret_all)
{
	int all, fd, r;

	r = sd_bus_message_read(reply, "hb", &fd, &all);
	if (r < 0)
		return daemon_client_failed(r);
	if (reader->own >= 0)
		close(reader->own);
	reader->own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (reader->own < 0)
		return fail_text("events: %m; close some files and try again");
	reader->fd = reader->own;
	*ret_all = all;
	return EXIT_DONE;
}

/* Returns an exit status, or USE_LIBRARY. */
static int open_daemon(const struct options *options, struct reader *reader)
{
	_cleanup_message_ sd_bus_message *message = NULL, *reply = NULL, *again = NULL;
	bool all = false;
	int status;

	status = daemon_client_new(options, "OpenEvents", &message);
	if (!status)
		status = daemon_client_send(options, message, &reply);
	if (status)
		return status;
	/* It has been reading all the time: nothing waits for somebody to come by. */
	if (!options->follow)
		return fail_text("events: checmated reads them as they come; --follow shows those "
				 "from now on, and \"journalctl -u checmated\" has those before");
	status = take_reply(reply, reader, &all);
	if (!status && !all && options->daemon && !options->no_ask_password) {
		status = daemon_client_send_again(options, message, &again);
		if (!status)
			status = take_reply(again, reader, &all);
	}
	if (status || all)
		return status;
	if (options->daemon)
		return fail_text("events: polkit does not grant org.checmate1.events to user %u; "
				 "run as root, or without --daemon for those of your own cgroups",
				 (unsigned int)geteuid());
	fail_text("events: shown are those of cgroups that belong to user %u; --daemon asks for a "
		  "password to show all",
		  (unsigned int)geteuid());
	return EXIT_DONE;
}

/* Returns an exit status. One that may read here does, unless the daemon does already. */
static int open_reader(const struct options *options, struct reader *reader)
{
	_cleanup_error_ struct checmate_error *error = NULL;
	struct options daemon = *options;
	int r, status;

	status = open_daemon(options, reader);
	if (status != USE_LIBRARY)
		return status;
	r = checmate_events_open(&reader->events, &error);
	if (r == -EBUSY && !options->direct && daemon_client_is_running()) {
		daemon.daemon = true;
		return open_daemon(&daemon, reader);
	}
	if (r < 0)
		return fail(error);
	reader->fd = checmate_events_fd(reader->events);
	return EXIT_DONE;
}

int command_events(const struct options *options, int argc, char **argv)
{
	_cleanup_(reader_done) struct reader reader = { .fd = -1, .own = -1 };
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
	status = open_reader(options, &reader);
	if (status)
		return status;
	return read_all(&filter, &reader, signals);
}
