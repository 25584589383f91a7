// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Journal entries
 */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* Every entry would carry the location of log_event(), which says nothing. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "checmate.h"
#include "cleanup.h"
#include "clock.h"
#include "log.h"
#include "parse.h"
#include "ratelimit.h"
#include "text.h"

#define MAX_FIELDS 24

#define INTERVAL_USEC (60 * USEC_PER_SEC)

/* The caller has the answer; the entry shows the administrator that somebody tries. */
static const struct ratelimit_limits refusal_limits = {
	.interval_usec = INTERVAL_USEC,
	.each = 1,
	.all = 60,
	.keys = 1024,
};

/* With denials that is less than journald takes of a unit: 10000 in 30 seconds. */
static const struct ratelimit_limits entry_limits = {
	.interval_usec = INTERVAL_USEC,
	.each = 300,
	.all = 3000,
	.keys = 1024,
};

/* The entries of users; there is one journal. */
static struct {
	uid_t uid; /* on whose behalf entries are written now; 0: no limit holds */
	struct ratelimit *refusals; /* NULL: nothing is limited yet */
	struct ratelimit *entries;
	sd_event_source *timer; /* on while the count of what was left out is to be told */
} limit;

struct entry {
	struct iovec fields[MAX_FIELDS];
	int n;
};

static void entry_done(struct entry *entry)
{
	for (int i = 0; i < entry->n; i++)
		free(entry->fields[i].iov_base);
}

/* An entry that lacks a field for want of memory is better than none. */
__attribute__((format(printf, 2, 3))) static void entry_add(struct entry *entry, const char *format,
							    ...)
{
	char *text;
	va_list ap;

	if (entry->n == MAX_FIELDS)
		return;
	va_start(ap, format);
	text = text_vformat(format, ap);
	va_end(ap);
	if (text)
		entry->fields[entry->n++] = (struct iovec){
			.iov_base = text,
			.iov_len = strlen(text),
		};
}

static void entry_add_denial(struct entry *entry, const struct checmate_event *denial)
{
	entry_add(entry, "CHECMATE_HOOK=%s", denial->hook);
	entry_add(entry, "CHECMATE_MODE=%s", denial->permissive ? "permissive" : "enforce");
	entry_add(entry, "CHECMATE_PID=%u", denial->pid);
	entry_add(entry, "CHECMATE_UID=%u", denial->uid);
	entry_add(entry, "CHECMATE_COMM=%s", denial->comm);
	entry_add(entry, "CHECMATE_OBJECT_TYPE=%s", denial->object_type);
	entry_add(entry, "CHECMATE_OBJECT=%s", denial->object);
}

/* Is stderr the journal?  Then the structured entry alone is enough. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

/* Whether an entry of a user is written, and how many of the same user's were not. */
static bool admit(const char *message_id, uint64_t *ret_suppressed)
{
	const bool refusal = streq(message_id, LOG_ID_REQUEST_REFUSED);
	const struct ratelimit_key key = { .cgroup_id = limit.uid, .policy = "", .hook = "" };
	uint64_t now = now_usec();
	int enabled = SD_EVENT_ON;

	if (!limit.uid || !limit.refusals)
		return true;
	if (ratelimit_admit(refusal ? limit.refusals : limit.entries, &key, now, ret_suppressed))
		return true;
	if (limit.timer)
		(void)sd_event_source_get_enabled(limit.timer, &enabled);
	if (enabled == SD_EVENT_OFF) {
		(void)sd_event_source_set_time(limit.timer, now + INTERVAL_USEC);
		(void)sd_event_source_set_enabled(limit.timer, SD_EVENT_ONESHOT);
	}
	return false;
}

/**
 * log_event() - Write an entry to the journal, or to stderr where it is not that
 * @priority: as for syslog(3)
 * @message_id: one of LOG_ID_*
 * @fields: what it is about, or NULL
 * @format: the text for a person, one line
 */
void log_event(int priority, const char *message_id, const struct log_fields *fields,
	       const char *format, ...)
{
	static const struct log_fields none;
	_cleanup_(entry_done) struct entry entry = {};
	_cleanup_free_ char *text = NULL;
	uint64_t suppressed = 0;
	char more[64] = "";
	va_list ap;

	if (!fields)
		fields = &none;
	if (!admit(message_id, &suppressed))
		return;
	if (suppressed)
		snprintf(more, sizeof(more), "; %" PRIu64 " more of user %u before it", suppressed,
			 (unsigned int)limit.uid);
	else
		suppressed = fields->suppressed;

	va_start(ap, format);
	text = text_vformat(format, ap);
	va_end(ap);

	if (!stderr_is_journal()) {
		if (priority < LOG_DEBUG)
			fprintf(stderr, "checmated: %s%s\n", text ? text : format, more);
		if (priority < LOG_DEBUG && fields->detail)
			fprintf(stderr, "%s\n", fields->detail);
		return;
	}

	entry_add(&entry, "MESSAGE=%s%s", text ? text : format, more);
	entry_add(&entry, "MESSAGE_ID=%s", message_id);
	entry_add(&entry, "PRIORITY=%d", priority);
	if (fields->cgroup)
		entry_add(&entry, "CHECMATE_CGROUP=%s", fields->cgroup);
	if (fields->cgroup_id)
		entry_add(&entry, "CHECMATE_CGROUP_ID=%llu", (unsigned long long)fields->cgroup_id);
	if (fields->policy)
		entry_add(&entry, "CHECMATE_POLICY=%s", fields->policy);
	if (fields->container)
		entry_add(&entry, "CHECMATE_CONTAINER=%s", fields->container);
	if (fields->origin)
		entry_add(&entry, "CHECMATE_ORIGIN=%s", fields->origin);
	if (fields->denial)
		entry_add_denial(&entry, fields->denial);
	if (fields->hook)
		entry_add(&entry, "CHECMATE_HOOK=%s", fields->hook);
	if (suppressed)
		entry_add(&entry, "CHECMATE_SUPPRESSED=%llu", (unsigned long long)suppressed);
	if (fields->detail)
		entry_add(&entry, "CHECMATE_DETAIL=%s", fields->detail);
	if (fields->error)
		entry_add(&entry, "ERRNO=%d", fields->error);

	(void)sd_journal_sendv(entry.fields, entry.n);
}

/**
 * log_set_user() - Say on whose behalf entries are written from now on
 * @uid: who asked for what is done, or owns the cgroup that it is about; 0 is root, or
 *	whom polkit lets: nothing of it is left out
 */
void log_set_user(uid_t uid)
{
	limit.uid = uid;
}

static void tell_rest(const struct ratelimit_key *key, uint64_t n, const char *what)
{
	char who[32] = "several users";

	if (key->cgroup_id)
		snprintf(who, sizeof(who), "user %" PRIu64, key->cgroup_id);
	log_event(LOG_NOTICE, LOG_ID_USER_REST, &(struct log_fields){ .suppressed = n },
		  "%s: %" PRIu64 " more %s", who, n, what);
}

static void on_refusals(const struct ratelimit_key *key, uint64_t n, void *userdata)
{
	(void)userdata;
	tell_rest(key, n, "requests were refused");
}

static void on_entries(const struct ratelimit_key *key, uint64_t n, void *userdata)
{
	(void)userdata;
	tell_rest(key, n, "entries on containers and cgroups of theirs");
}

/**
 * log_limit_flush() - Tell how many entries were left out, of minutes that are over
 * @now: the time
 *
 * Return: when to call it again; 0 when nothing is left to tell.
 */
uint64_t log_limit_flush(uint64_t now)
{
	uint64_t a, b;

	a = ratelimit_flush(limit.refusals, now, on_refusals, NULL);
	b = ratelimit_flush(limit.entries, now, on_entries, NULL);
	return !a || (b && b < a) ? b : a;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	uint64_t next;
	int r;

	(void)usec;
	(void)userdata;
	next = log_limit_flush(now_usec());
	if (!next)
		return 0;
	r = sd_event_source_set_time(source, next);
	return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/**
 * log_limit_start() - Limit the entries of users from now on
 * @event: the loop
 */
int log_limit_start(sd_event *event)
{
	int r;

	r = ratelimit_new(&refusal_limits, &limit.refusals);
	if (r >= 0)
		r = ratelimit_new(&entry_limits, &limit.entries);
	if (r >= 0)
		r = sd_event_add_time(event, &limit.timer, CLOCK_MONOTONIC, 0, USEC_PER_SEC,
				      on_timer, NULL);
	if (r >= 0)
		r = sd_event_source_set_enabled(limit.timer, SD_EVENT_OFF);
	if (r < 0) {
		log_limit_end();
		return r;
	}
	(void)sd_event_source_set_description(limit.timer, "entries-rest");
	return 0;
}

void log_limit_end(void)
{
	limit.timer = sd_event_source_disable_unref(limit.timer);
	limit.refusals = ratelimit_free(limit.refusals);
	limit.entries = ratelimit_free(limit.entries);
}
