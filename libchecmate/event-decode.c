// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Event records: from bytes to words */
#include "event-decode.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "utf8.h"

/* The layout that version 1 has for ever. */
static_assert(sizeof(struct checmate_event_record) == 392, "event record");
static_assert(offsetof(struct checmate_event_record, text) == 136, "event record's object");

/* --- texts ---------------------------------------------------------------- */

/* A backslash of the text's own would look like an escape. */
static size_t plain_length(const char *text, size_t size)
{
	return *text == '\\' ? 0 : utf8_length(text, size);
}

/*
 * Writes the text of a field of @size bytes; @to has room for
 * UTF8_ESCAPED(@size). Returns the text's length.
 */
static size_t escape(char *to, const char *field, size_t size)
{
	return utf8_escape_to(to, field, strnlen(field, size), plain_length);
}

/* --- objects ------------------------------------------------------------- */

static const struct {
	unsigned int number;
	const char *name;
} protocols[] = {
	{ IPPROTO_ICMP, "icmp" },	{ IPPROTO_TCP, "tcp" },	  { IPPROTO_UDP, "udp" },
	{ IPPROTO_DCCP, "dccp" },	{ IPPROTO_SCTP, "sctp" }, { IPPROTO_ICMPV6, "icmpv6" },
	{ IPPROTO_UDPLITE, "udplite" }, { IPPROTO_RAW, "raw" },	  { IPPROTO_MPTCP, "mptcp" },
};

/* "tcp ", "protocol 99 ", or nothing when none is told. */
static void format_protocol(unsigned int number, char *text, size_t size)
{
	text[0] = '\0';
	if (!number)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (protocols[i].number == number) {
			snprintf(text, size, "%s ", protocols[i].name);
			return;
		}
	}
	snprintf(text, size, "protocol %u ", number);
}

static void format_endpoint(const struct checmate_event_endpoint *endpoint, struct event *event)
{
	char address[INET6_ADDRSTRLEN], protocol[32];

	format_protocol(endpoint->protocol, protocol, sizeof(protocol));
	if (endpoint->family == AF_INET &&
	    inet_ntop(AF_INET, endpoint->addr, address, sizeof(address)))
		snprintf(event->object, sizeof(event->object), "%s%s:%u", protocol, address,
			 endpoint->port);
	else if (endpoint->family == AF_INET6 &&
		 inet_ntop(AF_INET6, endpoint->addr, address, sizeof(address)))
		snprintf(event->object, sizeof(event->object), "%s[%s]:%u", protocol, address,
			 endpoint->port);
	else
		snprintf(event->object, sizeof(event->object), "%sfamily %u", protocol,
			 endpoint->family);
}

static void format_task(const struct checmate_event_task *task, struct event *event)
{
	char comm[UTF8_ESCAPED(sizeof(task->comm))], signal[32] = "";
	unsigned int first = SIGRTMIN;
	const char *name;

	name = task->signal < first ? sigabbrev_np(task->signal) : NULL;
	if (name)
		snprintf(signal, sizeof(signal), " signal %s", name);
	else if (task->signal == first)
		snprintf(signal, sizeof(signal), " signal RTMIN");
	else if (task->signal > first && task->signal <= (unsigned int)SIGRTMAX)
		snprintf(signal, sizeof(signal), " signal RTMIN+%u", task->signal - first);
	else if (task->signal)
		snprintf(signal, sizeof(signal), " signal %u", task->signal);

	escape(comm, task->comm, sizeof(task->comm));
	snprintf(event->object, sizeof(event->object), "pid %u (%s)%s", task->pid, comm, signal);
}

static void decode_object(const struct checmate_event_record *record, struct event *event)
{
	event->object[0] = '\0';
	switch (record->object) {
	case CHECMATE_OBJECT_NONE:
		event->info.object_type = "none";
		break;
	case CHECMATE_OBJECT_ENDPOINT:
		event->info.object_type = "endpoint";
		format_endpoint(&record->endpoint, event);
		break;
	case CHECMATE_OBJECT_PATH:
		event->info.object_type = "path";
		escape(event->object, record->text, sizeof(record->text));
		break;
	case CHECMATE_OBJECT_TEXT:
		event->info.object_type = "text";
		escape(event->object, record->text, sizeof(record->text));
		break;
	case CHECMATE_OBJECT_NUMBER:
		event->info.object_type = "number";
		snprintf(event->object, sizeof(event->object), "%llu",
			 (unsigned long long)record->number);
		break;
	case CHECMATE_OBJECT_TASK:
		event->info.object_type = "task";
		format_task(&record->task, event);
		break;
	default:
		event->info.object_type = "unknown";
	}
}

int event_decode(const void *data, size_t size, struct event *event)
{
	struct checmate_event_record record = {};

	if (size < offsetof(struct checmate_event_record, text))
		return -EBADMSG;
	/* What the record has not is 0; what it has beyond is not known here. */
	memcpy(&record, data, size < sizeof(record) ? size : sizeof(record));
	if (!record.version)
		return -EBADMSG;

	event->info = (struct checmate_event){
		.time_ns = record.time,
		.cgroup_id = record.cgroup,
		.task_cgroup_id = record.task_cgroup,
		.pid = record.pid,
		.tid = record.tid,
		.uid = record.uid,
		.gid = record.gid,
		.error = record.error > INT_MAX ? INT_MAX : (int)record.error,
		.permissive = record.permissive,
		.comm = event->comm,
		.policy = event->policy,
		.hook = event->hook,
		.object = event->object,
	};
	escape(event->comm, record.comm, sizeof(record.comm));
	escape(event->policy, record.policy, sizeof(record.policy));
	escape(event->hook, record.hook, sizeof(record.hook));
	decode_object(&record, event);
	return 0;
}
