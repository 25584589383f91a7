// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - The reader of denial events, and their subscribers
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "cleanup.h"
#include "denial-reader.h"
#include "jsondoc.h"
#include "parse.h"
#include "ratelimit.h"

/* Behind all that has the normal priority, before what is done when idle. */
#define PRIORITY (SD_EVENT_PRIORITY_NORMAL + 50)

/* The most events that one turn of the loop reads. */
#define EVENTS_PER_TURN 64

/* Cgroups whose path is remembered. */
#define PATHS 1024

#define SUBSCRIBERS_MAX 64
/* Of users other than root; and of one of them. */
#define SUBSCRIBERS_MAX_USERS 56
#define SUBSCRIBERS_MAX_PER_UID 8
/* Of those that see denials of their own cgroups only, which takes no authorization. */
#define SUBSCRIBERS_MAX_OWN 32

static const struct ratelimit_limits limits = {
	.interval_usec = 10 * 1000 * 1000,
	.each = 5,
	.all = 200,
	.keys = 4096,
};

struct subscriber {
	struct denial_reader *reader;
	struct subscriber *next;
	sd_event_source *source;
	uid_t uid;
	bool all; /* else only what is denied in cgroups of @uid */
	int fd;
	uint64_t lost; /* and not yet told */
};

/* Ids of cgroups are not used again, so what was once found stays right. */
struct known_path {
	uint64_t cgroup_id;
	char *path; /* NULL: it is gone */
};

#define UID_NONE ((uid_t)-1)

/* The owner of a cgroup's directory, which holds for one turn: root can change it. */
struct known_owner {
	uint64_t cgroup_id; /* 0: none is known */
	uid_t uid; /* UID_NONE: the cgroup is gone, or its owner cannot be read */
};

struct denial_reader {
	sd_event *event;
	const struct denial_reader_ops *ops;
	void *userdata;
	struct checmate_events *events; /* NULL: not the reader */
	char *reason; /* why not */
	sd_event_source *source;
	sd_event_source *timer; /* on while a rest is to be told */
	struct ratelimit *ratelimit;
	struct subscriber *subscribers;
	struct known_path paths[PATHS];
	struct known_owner owner; /* of the last cgroup that was looked at */
	uint64_t n_read;
	uint64_t n_lost; /* of former readers of this process, too */
	uint64_t n_lost_told; /* of this reader */
};

static void json_putp(struct json_object **object)
{
	json_object_put(*object);
}

/* --- subscribers ------------------------------------------------------------- */

static struct subscriber *subscriber_free(struct subscriber *subscriber)
{
	if (!subscriber)
		return NULL;
	sd_event_source_disable_unref(subscriber->source);
	if (subscriber->fd >= 0)
		close(subscriber->fd);
	free(subscriber);
	return NULL;
}

static void subscriber_freep(struct subscriber **subscriber)
{
	subscriber_free(*subscriber);
}

static void subscriber_drop(struct subscriber *subscriber)
{
	struct subscriber **link = &subscriber->reader->subscribers;

	while (*link != subscriber)
		link = &(*link)->next;
	*link = subscriber->next;
	subscriber_free(subscriber);
}

/* Never waits. Returns -EAGAIN when there is no room. */
static int send_text(const struct subscriber *subscriber, const char *text)
{
	return send(subscriber->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno :
											   0;
}

/* -ENOBUFS: the kernel is short of memory for it; room may come. */
static bool is_full(int r)
{
	return r == -EAGAIN || r == -ENOBUFS || r == -ENOMEM;
}

/* Tells what this one has lost, if there is room, or else when there is. */
static int tell_lost(struct subscriber *subscriber)
{
	_cleanup_(json_putp) struct json_object *document = NULL;
	int r;

	if (!subscriber->lost)
		return 0;
	r = jsondoc_lost(subscriber->lost, &document);
	if (r >= 0)
		r = send_text(subscriber, jsondoc_text(document, false));
	if (r >= 0)
		subscriber->lost = 0;
	/* EPOLLHUP is told in any case. */
	(void)sd_event_source_set_io_events(subscriber->source, is_full(r) ? EPOLLOUT : 0);
	return r;
}

/* @text is NULL for want of memory. Returns an error when the subscriber is gone. */
static int tell_event(struct subscriber *subscriber, const char *text)
{
	int r;

	r = tell_lost(subscriber);
	if (r >= 0)
		r = text ? send_text(subscriber, text) : -ENOMEM;
	if (!is_full(r))
		return r;
	subscriber->lost++;
	return sd_event_source_set_io_events(subscriber->source, EPOLLOUT);
}

static int on_subscriber(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct subscriber *subscriber = userdata;
	int r;

	(void)source;
	(void)fd;
	r = revents & (EPOLLHUP | EPOLLERR) ? -EPIPE : tell_lost(subscriber);
	if (r < 0 && !is_full(r))
		subscriber_drop(subscriber);
	return 0;
}

static uid_t read_owner(uint64_t cgroup_id)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	struct stat st;

	if (checmate_cgroup_open_id(cgroup_id, &cgroup, NULL) < 0 ||
	    fstat(checmate_cgroup_fd(cgroup), &st) < 0)
		return UID_NONE;
	return st.st_uid;
}

/*
 * The user to whom the cgroup's directory belongs may see what is denied to the
 * processes in it, as that user may have containers there. Only the directory of the
 * task's own cgroup counts: below a cgroup of a user, root can have cgroups of its own.
 * While the owner is unknown, the subscriber is told nothing.
 */
static bool may_see(const struct subscriber *subscriber, const struct checmate_event *event)
{
	struct denial_reader *reader = subscriber->reader;

	if (subscriber->all)
		return true;
	if (!event->task_cgroup_id)
		return false;
	if (reader->owner.cgroup_id != event->task_cgroup_id)
		reader->owner = (struct known_owner){
			.cgroup_id = event->task_cgroup_id,
			.uid = read_owner(event->task_cgroup_id),
		};
	return reader->owner.uid != UID_NONE && reader->owner.uid == subscriber->uid;
}

static void tell_subscribers(struct denial_reader *reader, const struct checmate_event *event,
			     const char *text)
{
	struct subscriber *next;

	for (struct subscriber *s = reader->subscribers; s; s = next) {
		next = s->next;
		if (may_see(s, event) && tell_event(s, text) < 0)
			subscriber_drop(s);
	}
}

static void tell_subscribers_lost(struct denial_reader *reader, uint64_t n)
{
	struct subscriber *next;
	int r;

	for (struct subscriber *s = reader->subscribers; s; s = next) {
		next = s->next;
		s->lost += n;
		r = tell_lost(s);
		if (r < 0 && !is_full(r))
			subscriber_drop(s);
	}
}

/*
 * Users cannot take the place of root, nor one that of all the others, nor those without
 * an authorization that of those with one.
 */
static bool has_room(const struct denial_reader *reader, uid_t uid, bool all)
{
	size_t n = 0, n_users = 0, n_own = 0, n_uid = 0;

	for (const struct subscriber *s = reader->subscribers; s; s = s->next) {
		n++;
		n_users += s->uid != 0;
		n_own += !s->all;
		n_uid += s->uid == uid;
	}
	if (n >= SUBSCRIBERS_MAX || (!all && n_own >= SUBSCRIBERS_MAX_OWN))
		return false;
	return !uid || (n_users < SUBSCRIBERS_MAX_USERS && n_uid < SUBSCRIBERS_MAX_PER_UID);
}

/**
 * denial_reader_subscribe() - Add a subscriber
 * @reader: the reader
 * @uid: the subscriber's user; each user has a limited number of subscriptions
 * @all: send every event; else those of processes in cgroups whose directory @uid owns
 * @ret_fd: receives the other end of a SOCK_SEQPACKET pair, from which each message
 *          is one document; closing it ends the subscription
 *
 * A slow subscriber loses events. The reader sends their number as a document of its
 * own, before the next event or when there is room again.
 *
 * Return: 0; -EUSERS if there are too many subscribers; -EBUSY, -errno if the reader
 * cannot read events, see denial_reader_reason().
 */
int denial_reader_subscribe(struct denial_reader *reader, uid_t uid, bool all, int *ret_fd)
{
	_cleanup_(subscriber_freep) struct subscriber *subscriber = NULL;
	_cleanup_close_ int peer = -1;
	int fds[2], r;

	r = denial_reader_retry(reader);
	if (r < 0)
		return r;
	if (!has_room(reader, uid, all))
		return -EUSERS;

	subscriber = calloc(1, sizeof(*subscriber));
	if (!subscriber)
		return -ENOMEM;
	subscriber->reader = reader;
	subscriber->uid = uid;
	subscriber->all = all;
	subscriber->fd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return -errno;
	subscriber->fd = fds[0];
	peer = fds[1];
	/* Nothing is read of what the peer says. */
	if (shutdown(subscriber->fd, SHUT_RD) < 0)
		return -errno;

	r = sd_event_add_io(reader->event, &subscriber->source, subscriber->fd, 0, on_subscriber,
			    subscriber);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(subscriber->source, "subscriber");
	r = sd_event_source_set_priority(subscriber->source, PRIORITY);
	if (r < 0)
		return r;

	subscriber->next = reader->subscribers;
	reader->subscribers = TAKE_PTR(subscriber);
	*ret_fd = TAKE_FD(peer);
	return 0;
}

/* --- paths ------------------------------------------------------------------- */

/* NULL: the cgroup is gone. Belongs to @reader, until the next call. */
static const char *path_of(struct denial_reader *reader, uint64_t cgroup_id)
{
	struct known_path *known = &reader->paths[(cgroup_id ^ cgroup_id >> 32) % PATHS];

	if (!cgroup_id)
		return NULL;
	if (known->cgroup_id != cgroup_id) {
		free(known->path);
		known->path = jsondoc_cgroup_path(cgroup_id);
		known->cgroup_id = cgroup_id;
	}
	return known->path;
}

/* --- people ------------------------------------------------------------------ */

static void on_rest(const struct ratelimit_key *key, uint64_t n, void *userdata)
{
	struct denial_reader *reader = userdata;

	if (reader->ops->rest)
		reader->ops->rest(key->cgroup_id, path_of(reader, key->cgroup_id), key->policy,
				  key->hook, n, reader->userdata);
}

static uint64_t loop_usec(struct denial_reader *reader)
{
	uint64_t now = 0;

	(void)sd_event_now(reader->event, CLOCK_MONOTONIC, &now);
	return now;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct denial_reader *reader = userdata;
	uint64_t next;
	int r;

	(void)usec;
	next = ratelimit_flush(reader->ratelimit, loop_usec(reader), on_rest, reader);
	if (!next)
		return 0;
	r = sd_event_source_set_time(source, next);
	return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* There is a rest now; if no other comes, the timer tells. */
static void start_timer(struct denial_reader *reader, uint64_t now)
{
	int enabled = SD_EVENT_OFF;

	(void)sd_event_source_get_enabled(reader->timer, &enabled);
	if (enabled != SD_EVENT_OFF)
		return;
	(void)sd_event_source_set_time(reader->timer, now + limits.interval_usec);
	(void)sd_event_source_set_enabled(reader->timer, SD_EVENT_ONESHOT);
}

/* A program without a binding of the library is known by the task's cgroup. */
static uint64_t place_of(const struct checmate_event *event)
{
	return event->cgroup_id ?: event->task_cgroup_id;
}

static void tell_people(struct denial_reader *reader, const struct checmate_event *event)
{
	const struct ratelimit_key key = {
		.cgroup_id = place_of(event),
		.policy = event->policy,
		.hook = event->hook,
	};
	uint64_t now = loop_usec(reader), suppressed = 0;

	if (!ratelimit_admit(reader->ratelimit, &key, now, &suppressed)) {
		start_timer(reader, now);
		return;
	}
	if (reader->ops->denied)
		reader->ops->denied(event, path_of(reader, key.cgroup_id), suppressed,
				    reader->userdata);
}

/* --- reading ----------------------------------------------------------------- */

static int make_document(struct denial_reader *reader, const struct checmate_event *event,
			 struct json_object **ret_document)
{
	_cleanup_free_ char *bound = NULL;
	const char *path = path_of(reader, event->cgroup_id);

	/* The second may take the place of the first. */
	if (path) {
		bound = strdup(path);
		if (!bound)
			return -ENOMEM;
	}
	return jsondoc_event(event, bound, path_of(reader, event->task_cgroup_id), ret_document);
}

static void take_event(struct denial_reader *reader, const struct checmate_event *event)
{
	_cleanup_(json_putp) struct json_object *document = NULL;

	reader->n_read++;
	if (reader->ops->counted)
		reader->ops->counted(event, reader->userdata);
	tell_people(reader, event);
	if (!reader->subscribers)
		return;
	(void)make_document(reader, event, &document);
	tell_subscribers(reader, event, document ? jsondoc_text(document, false) : NULL);
}

static void take_lost(struct denial_reader *reader)
{
	uint64_t n = checmate_events_lost(reader->events) - reader->n_lost_told;

	if (!n)
		return;
	reader->n_lost_told += n;
	reader->n_lost += n;
	if (reader->ops->lost)
		reader->ops->lost(n, reader->userdata);
	tell_subscribers_lost(reader, n);
}

static int fail(struct denial_reader *reader, int r, const struct checmate_error *e)
{
	const char *reason = e ? checmate_error_text(e) : strerror(-r);
	bool is_news = !reader->reason || !streq(reader->reason, reason);

	reader->source = sd_event_source_disable_unref(reader->source);
	reader->events = checmate_events_free(reader->events);
	if (!is_news)
		return r;
	free(reader->reason);
	reader->reason = strdup(reason);
	if (reader->ops->failed)
		reader->ops->failed(-r, reason, reader->userdata);
	return r;
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	struct denial_reader *reader = userdata;
	int r = 1;

	(void)source;
	(void)fd;
	(void)revents;
	reader->owner = (struct known_owner){};
	for (int i = 0; r > 0 && i < EVENTS_PER_TURN; i++) {
		const struct checmate_event *event;

		r = checmate_events_read(reader->events, &event, &e);
		if (r >= 0)
			take_lost(reader);
		if (r > 0)
			take_event(reader, event);
	}
	if (r < 0)
		(void)fail(reader, r, e);
	return 0;
}

/**
 * denial_reader_retry() - Try to become the reader of the kernel's buffer
 * @reader: the reader
 *
 * The kernel does not report that another reader has ended. checmated therefore tries
 * at its start, at each reload and for each new subscriber.
 *
 * Return: 0, also if it is the reader already; -EBUSY if another process is the reader;
 * -errno.
 */
int denial_reader_retry(struct denial_reader *reader)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	int r;

	if (reader->events)
		return 0;
	r = checmate_events_open(&reader->events, &e);
	if (r < 0)
		return fail(reader, r, e);
	reader->n_lost_told = 0;

	r = sd_event_add_io(reader->event, &reader->source, checmate_events_fd(reader->events),
			    EPOLLIN, on_readable, reader);
	if (r >= 0)
		r = sd_event_source_set_priority(reader->source, PRIORITY);
	if (r < 0)
		return fail(reader, r, NULL);
	(void)sd_event_source_set_description(reader->source, "denials");
	free(reader->reason);
	reader->reason = NULL;
	take_lost(reader);
	return 0;
}

/**
 * denial_reader_new() - Start to read denial events
 * @event: the loop
 * @ops: the callbacks; must outlive the reader
 * @userdata: for @ops
 * @ret_reader: receives the reader
 *
 * Another process as the reader is no error: @ops.failed is called with its name. See
 * denial_reader_retry().
 */
int denial_reader_new(sd_event *event, const struct denial_reader_ops *ops, void *userdata,
		      struct denial_reader **ret_reader)
{
	_cleanup_(denial_reader_freep) struct denial_reader *reader = NULL;
	int r;

	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	reader->event = sd_event_ref(event);
	reader->ops = ops;
	reader->userdata = userdata;
	r = ratelimit_new(&limits, &reader->ratelimit);
	if (r < 0)
		return r;
	/* Late is soon enough: nobody waits for it. */
	r = sd_event_add_time(event, &reader->timer, CLOCK_MONOTONIC, 0, limits.interval_usec / 10,
			      on_timer, reader);
	if (r >= 0)
		r = sd_event_source_set_enabled(reader->timer, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_source_set_priority(reader->timer, PRIORITY);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(reader->timer, "denials-rest");

	(void)denial_reader_retry(reader);
	*ret_reader = TAKE_PTR(reader);
	return 0;
}

struct denial_reader *denial_reader_free(struct denial_reader *reader)
{
	if (!reader)
		return NULL;
	/* The fd goes before what it belongs to. */
	sd_event_source_disable_unref(reader->source);
	checmate_events_free(reader->events);
	sd_event_source_disable_unref(reader->timer);
	while (reader->subscribers)
		subscriber_drop(reader->subscribers);
	ratelimit_free(reader->ratelimit);
	for (size_t i = 0; i < PATHS; i++)
		free(reader->paths[i].path);
	sd_event_unref(reader->event);
	free(reader->reason);
	free(reader);
	return NULL;
}

void denial_reader_freep(struct denial_reader **reader)
{
	denial_reader_free(*reader);
}

/* Whether this process is the reader. */
bool denial_reader_is_active(const struct denial_reader *reader)
{
	return reader->events;
}

/* Why this process is not the reader; names the reader. */
const char *denial_reader_reason(const struct denial_reader *reader)
{
	return reader->reason ?: "out of memory";
}

/* The number of events read. */
uint64_t denial_reader_n_read(const struct denial_reader *reader)
{
	return reader->n_read;
}

/* The number of events lost. */
uint64_t denial_reader_n_lost(const struct denial_reader *reader)
{
	return reader->n_lost;
}

/* The number of subscribers. */
size_t denial_reader_n_subscribers(const struct denial_reader *reader)
{
	size_t n = 0;

	for (const struct subscriber *s = reader->subscribers; s; s = s->next)
		n++;
	return n;
}
