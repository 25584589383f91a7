// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Journal entries
 */

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
#include "log.h"

#define MAX_FIELDS 24

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
	int n;

	if (entry->n == MAX_FIELDS)
		return;
	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n >= 0)
		entry->fields[entry->n++] = (struct iovec){ .iov_base = text, .iov_len = n };
}

static void entry_add_denial(struct entry *entry, const struct checmate_event *denial)
{
	entry_add(entry, "CHECMATE_HOOK=%s", denial->hook);
	entry_add(entry, "CHECMATE_MODE=%s", denial->permissive ? "permissive" : "enforce");
	entry_add(entry, "CHECMATE_PID=%u", denial->pid);
	entry_add(entry, "CHECMATE_UID=%u", denial->uid);
	entry_add(entry, "CHECMATE_COMM=%s", denial->comm);
	entry_add(entry, "CHECMATE_SUBJECT_TYPE=%s", denial->subject_type);
	entry_add(entry, "CHECMATE_SUBJECT=%s", denial->subject);
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
	va_list ap;

	if (!fields)
		fields = &none;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);

	if (!stderr_is_journal()) {
		if (priority < LOG_DEBUG)
			fprintf(stderr, "checmated: %s\n", text ? text : format);
		if (priority < LOG_DEBUG && fields->detail)
			fprintf(stderr, "%s\n", fields->detail);
		return;
	}

	entry_add(&entry, "MESSAGE=%s", text ? text : format);
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
	if (fields->suppressed)
		entry_add(&entry, "CHECMATE_SUPPRESSED=%llu",
			  (unsigned long long)fields->suppressed);
	if (fields->detail)
		entry_add(&entry, "CHECMATE_DETAIL=%s", fields->detail);
	if (fields->error)
		entry_add(&entry, "ERRNO=%d", fields->error);

	(void)sd_journal_sendv(entry.fields, entry.n);
}
