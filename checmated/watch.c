// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - The reader of denials, and who else is told of them
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "cleanup.h"
#include "jsondoc.h"
#include "parse.h"
#include "ratelimit.h"
#include "watch.h"

/* Behind all that has the normal priority, before what is done when idle. */
#define PRIORITY (SD_EVENT_PRIORITY_NORMAL + 50)

/* So many denials are read before the loop looks at everything else again. */
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
	struct watch *watch;
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

struct watch {
	sd_event *event;
	const struct watch_ops *ops;
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
	struct subscriber **link = &subscriber->watch->subscribers;

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
	struct watch *watch = subscriber->watch;

	if (subscriber->all)
		return true;
	if (!event->task_cgroup_id)
		return false;
	if (watch->owner.cgroup_id != event->task_cgroup_id)
		watch->owner = (struct known_owner){
			.cgroup_id = event->task_cgroup_id,
			.uid = read_owner(event->task_cgroup_id),
		};
	return watch->owner.uid != UID_NONE && watch->owner.uid == subscriber->uid;
}

static void tell_subscribers(struct watch *watch, const struct checmate_event *event,
			     const char *text)
{
	struct subscriber *next;

	for (struct subscriber *s = watch->subscribers; s; s = next) {
		next = s->next;
		if (may_see(s, event) && tell_event(s, text) < 0)
			subscriber_drop(s);
	}
}

static void tell_subscribers_lost(struct watch *watch, uint64_t n)
{
	struct subscriber *next;
	int r;

	for (struct subscriber *s = watch->subscribers; s; s = next) {
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
static bool has_room(const struct watch *watch, uid_t uid, bool all)
{
	size_t n = 0, n_users = 0, n_own = 0, n_uid = 0;

	for (const struct subscriber *s = watch->subscribers; s; s = s->next) {
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
 * watch_subscribe() - Have somebody told of denials from now on
 * @watch: the watch
 * @uid: whose it is; one uid has a limited number of them
 * @all: every denial; else those of processes in cgroups whose directory belongs to @uid
 * @ret_fd: receives the other end of a SOCK_SEQPACKET pair, from which each message
 *          is one document; closing it ends the subscription
 *
 * Who is too slow loses denials, and is told how many: as a document of its own,
 * before the next denial or when there is room again.
 *
 * Return: 0; -EUSERS there are too many; -EBUSY, -errno denials cannot be read: see
 * watch_reason().
 */
int watch_subscribe(struct watch *watch, uid_t uid, bool all, int *ret_fd)
{
	_cleanup_(subscriber_freep) struct subscriber *subscriber = NULL;
	_cleanup_close_ int peer = -1;
	int fds[2], r;

	r = watch_retry(watch);
	if (r < 0)
		return r;
	if (!has_room(watch, uid, all))
		return -EUSERS;

	subscriber = calloc(1, sizeof(*subscriber));
	if (!subscriber)
		return -ENOMEM;
	subscriber->watch = watch;
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

	r = sd_event_add_io(watch->event, &subscriber->source, subscriber->fd, 0, on_subscriber,
			    subscriber);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(subscriber->source, "subscriber");
	r = sd_event_source_set_priority(subscriber->source, PRIORITY);
	if (r < 0)
		return r;

	subscriber->next = watch->subscribers;
	watch->subscribers = TAKE_PTR(subscriber);
	*ret_fd = TAKE_FD(peer);
	return 0;
}

/* --- paths ------------------------------------------------------------------- */

/* NULL: the cgroup is gone. Belongs to @watch, until the next call. */
static const char *path_of(struct watch *watch, uint64_t cgroup_id)
{
	struct known_path *known = &watch->paths[(cgroup_id ^ cgroup_id >> 32) % PATHS];

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
	struct watch *watch = userdata;

	if (watch->ops->rest)
		watch->ops->rest(key->cgroup_id, path_of(watch, key->cgroup_id), key->policy,
				 key->hook, n, watch->userdata);
}

static uint64_t now_usec(struct watch *watch)
{
	uint64_t now = 0;

	(void)sd_event_now(watch->event, CLOCK_MONOTONIC, &now);
	return now;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct watch *watch = userdata;
	uint64_t next;
	int r;

	(void)usec;
	next = ratelimit_flush(watch->ratelimit, now_usec(watch), on_rest, watch);
	if (!next)
		return 0;
	r = sd_event_source_set_time(source, next);
	return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* There is a rest now; if no other comes, the timer tells. */
static void start_timer(struct watch *watch, uint64_t now)
{
	int enabled = SD_EVENT_OFF;

	(void)sd_event_source_get_enabled(watch->timer, &enabled);
	if (enabled != SD_EVENT_OFF)
		return;
	(void)sd_event_source_set_time(watch->timer, now + limits.interval_usec);
	(void)sd_event_source_set_enabled(watch->timer, SD_EVENT_ONESHOT);
}

/* A program without a binding of the library is known by the task's cgroup. */
static uint64_t place_of(const struct checmate_event *event)
{
	return event->cgroup_id ?: event->task_cgroup_id;
}

static void tell_people(struct watch *watch, const struct checmate_event *event)
{
	const struct ratelimit_key key = {
		.cgroup_id = place_of(event),
		.policy = event->policy,
		.hook = event->hook,
	};
	uint64_t now = now_usec(watch), suppressed = 0;

	if (!ratelimit_admit(watch->ratelimit, &key, now, &suppressed)) {
		start_timer(watch, now);
		return;
	}
	if (watch->ops->denied)
		watch->ops->denied(event, path_of(watch, key.cgroup_id), suppressed,
				   watch->userdata);
}

/* --- reading ----------------------------------------------------------------- */

static int make_document(struct watch *watch, const struct checmate_event *event,
			 struct json_object **ret_document)
{
	_cleanup_free_ char *bound = NULL;
	const char *path = path_of(watch, event->cgroup_id);

	/* The second may take the place of the first. */
	if (path) {
		bound = strdup(path);
		if (!bound)
			return -ENOMEM;
	}
	return jsondoc_event(event, bound, path_of(watch, event->task_cgroup_id), ret_document);
}

static void take_event(struct watch *watch, const struct checmate_event *event)
{
	_cleanup_(json_putp) struct json_object *document = NULL;

	watch->n_read++;
	if (watch->ops->counted)
		watch->ops->counted(event, watch->userdata);
	tell_people(watch, event);
	if (!watch->subscribers)
		return;
	(void)make_document(watch, event, &document);
	tell_subscribers(watch, event, document ? jsondoc_text(document, false) : NULL);
}

static void take_lost(struct watch *watch)
{
	uint64_t n = checmate_events_lost(watch->events) - watch->n_lost_told;

	if (!n)
		return;
	watch->n_lost_told += n;
	watch->n_lost += n;
	if (watch->ops->lost)
		watch->ops->lost(n, watch->userdata);
	tell_subscribers_lost(watch, n);
}

static int fail(struct watch *watch, int r, const struct checmate_error *e)
{
	const char *reason = e ? checmate_error_text(e) : strerror(-r);
	bool is_news = !watch->reason || !streq(watch->reason, reason);

	watch->source = sd_event_source_disable_unref(watch->source);
	watch->events = checmate_events_free(watch->events);
	if (!is_news)
		return r;
	free(watch->reason);
	watch->reason = strdup(reason);
	if (watch->ops->failed)
		watch->ops->failed(-r, reason, watch->userdata);
	return r;
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	struct watch *watch = userdata;
	int r = 1;

	(void)source;
	(void)fd;
	(void)revents;
	watch->owner = (struct known_owner){};
	for (int i = 0; r > 0 && i < EVENTS_PER_TURN; i++) {
		const struct checmate_event *event;

		r = checmate_events_read(watch->events, &event, &e);
		if (r >= 0)
			take_lost(watch);
		if (r > 0)
			take_event(watch, event);
	}
	if (r < 0)
		(void)fail(watch, r, e);
	return 0;
}

/**
 * watch_retry() - Become the reader, if another process was it before
 * @watch: the watch
 *
 * Nobody is told when that process ends.  So it is tried whenever there is a
 * reason: at the start, at a reload, for a new subscriber.
 *
 * Return: 0, also when it is the reader already; -EBUSY another one still is it;
 * -errno.
 */
int watch_retry(struct watch *watch)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	int r;

	if (watch->events)
		return 0;
	r = checmate_events_open(&watch->events, &e);
	if (r < 0)
		return fail(watch, r, e);
	watch->n_lost_told = 0;

	r = sd_event_add_io(watch->event, &watch->source, checmate_events_fd(watch->events),
			    EPOLLIN, on_readable, watch);
	if (r >= 0)
		r = sd_event_source_set_priority(watch->source, PRIORITY);
	if (r < 0)
		return fail(watch, r, NULL);
	(void)sd_event_source_set_description(watch->source, "denials");
	free(watch->reason);
	watch->reason = NULL;
	take_lost(watch);
	return 0;
}

/**
 * watch_new() - Begin to read denials
 * @event: the loop
 * @ops: who is told; must outlive the watch
 * @userdata: for @ops
 * @ret_watch: receives the watch
 *
 * That another process reads is no error: @ops is told, see watch_retry().
 */
int watch_new(sd_event *event, const struct watch_ops *ops, void *userdata, struct watch **ret_watch)
{
	_cleanup_(watch_freep) struct watch *watch = NULL;
	int r;

	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return -ENOMEM;
	watch->event = sd_event_ref(event);
	watch->ops = ops;
	watch->userdata = userdata;
	r = ratelimit_new(&limits, &watch->ratelimit);
	if (r < 0)
		return r;
	/* Late is soon enough: nobody waits for it. */
	r = sd_event_add_time(event, &watch->timer, CLOCK_MONOTONIC, 0, limits.interval_usec / 10,
			      on_timer, watch);
	if (r >= 0)
		r = sd_event_source_set_enabled(watch->timer, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_source_set_priority(watch->timer, PRIORITY);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(watch->timer, "denials-rest");

	(void)watch_retry(watch);
	*ret_watch = TAKE_PTR(watch);
	return 0;
}

struct watch *watch_free(struct watch *watch)
{
	if (!watch)
		return NULL;
	/* The fd goes before what it belongs to. */
	sd_event_source_disable_unref(watch->source);
	checmate_events_free(watch->events);
	sd_event_source_disable_unref(watch->timer);
	while (watch->subscribers)
		subscriber_drop(watch->subscribers);
	ratelimit_free(watch->ratelimit);
	for (size_t i = 0; i < PATHS; i++)
		free(watch->paths[i].path);
	sd_event_unref(watch->event);
	free(watch->reason);
	free(watch);
	return NULL;
}

void watch_freep(struct watch **watch)
{
	watch_free(*watch);
}

/* This process is the reader of denials. */
bool watch_is_reader(const struct watch *watch)
{
	return watch->events;
}

/* Why it is not; names who is. */
const char *watch_reason(const struct watch *watch)
{
	return watch->reason ?: "out of memory";
}

/* How many denials were read. */
uint64_t watch_read(const struct watch *watch)
{
	return watch->n_read;
}

/* How many were lost. */
uint64_t watch_lost(const struct watch *watch)
{
	return watch->n_lost;
}

/* How many subscribers there are. */
size_t watch_subscribers(const struct watch *watch)
{
	size_t n = 0;

	for (const struct subscriber *s = watch->subscribers; s; s = s->next)
		n++;
	return n;
}
