// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Tests of event records: what is read, and what is not */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "cleanup.h"
#include "event-decode.h"

#define HEAD offsetof(struct checmate_event_record, text)

static struct checmate_event_record make(unsigned int object)
{
	return (struct checmate_event_record){
		.version = CHECMATE_EVENT_VERSION,
		.object = object,
		.error = EACCES,
		.time = 1234567890123,
		.cgroup = 77,
		.task_cgroup = UINT64_MAX,
		.pid = 12,
		.tid = 13,
		.uid = 1000,
		.gid = UINT32_MAX,
		.permissive = 1,
		.comm = "worker",
		.policy = "net-bind",
		.hook = "socket_bind",
	};
}

/* Decodes from memory that ends with the record, so that a sanitizer sees more. */
static int decode(const void *data, size_t size, struct event *event)
{
	_cleanup_free_ void *copy = malloc(size ?: 1);

	assert_non_null(copy);
	memcpy(copy, data, size);
	memset(event, 0xa5, sizeof(*event));
	return event_decode(copy, size, event);
}

static void expect(const struct checmate_event_record *record, const char *type, const char *object)
{
	struct event event;

	assert_int_equal(decode(record, sizeof(*record), &event), 0);
	assert_string_equal(event.info.object_type, type);
	assert_string_equal(event.info.object, object);
}

static void test_head(void **state)
{
	struct checmate_event_record record = make(CHECMATE_OBJECT_NONE);
	struct event event;

	(void)state;
	expect(&record, "none", "");
	assert_int_equal(decode(&record, sizeof(record), &event), 0);
	assert_true(event.info.time_ns == 1234567890123);
	assert_true(event.info.cgroup_id == 77);
	assert_true(event.info.task_cgroup_id == UINT64_MAX);
	assert_int_equal(event.info.pid, 12);
	assert_int_equal(event.info.tid, 13);
	assert_int_equal(event.info.uid, 1000);
	assert_true(event.info.gid == UINT32_MAX);
	assert_int_equal(event.info.error, EACCES);
	assert_true(event.info.permissive);
	assert_string_equal(event.info.comm, "worker");
	assert_string_equal(event.info.policy, "net-bind");
	assert_string_equal(event.info.hook, "socket_bind");

	record.permissive = 0;
	record.error = UINT32_MAX;
	assert_int_equal(decode(&record, sizeof(record), &event), 0);
	assert_false(event.info.permissive);
	assert_int_equal(event.info.error, INT_MAX);
}

static void test_endpoint(void **state)
{
	static const struct {
		int family;
		const char *address;
		unsigned int port;
		unsigned int protocol;
		const char *text;
	} cases[] = {
		{ AF_INET, "10.0.0.1", 80, IPPROTO_TCP, "tcp 10.0.0.1:80" },
		{ AF_INET, "255.255.255.255", 65535, 0, "255.255.255.255:65535" },
		{ AF_INET6, "::1", 53, IPPROTO_UDP, "udp [::1]:53" },
		{ AF_INET6, "2001:db8::ffff:1", 0, IPPROTO_MPTCP, "mptcp [2001:db8::ffff:1]:0" },
		{ AF_INET, "0.0.0.0", 1, 99, "protocol 99 0.0.0.0:1" },
		{ AF_UNIX, NULL, 1, IPPROTO_SCTP, "sctp family 1" },
		{ UINT16_MAX, NULL, 1, UINT16_MAX, "protocol 65535 family 65535" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct checmate_event_record record = make(CHECMATE_OBJECT_ENDPOINT);

		if (cases[i].address)
			assert_int_equal(inet_pton(cases[i].family, cases[i].address,
						   record.endpoint.addr),
					 1);
		record.endpoint.family = cases[i].family;
		record.endpoint.port = cases[i].port;
		record.endpoint.protocol = cases[i].protocol;
		expect(&record, "endpoint", cases[i].text);
	}
}

static void test_text(void **state)
{
	static const struct {
		const char *bytes;
		const char *text;
	} cases[] = {
		{ "", "" },
		{ "/etc/a b\"c'", "/etc/a b\"c'" },
		{ "/a\nb\x1b[31m\x7f", "/a\\012b\\033[31m\\177" },
		{ "a\\b", "a\\134b" },
		{ "\u00fc\u20ac\U0001f40c", "\u00fc\u20ac\U0001f40c" },
		/* A control character, and what is not UTF-8. */
		{ "\xc2\x9b", "\\302\\233" },
		{ "\xc3", "\\303" },
		{ "\xc3(", "\\303(" },
		{ "\xc0\xaf", "\\300\\257" },
		{ "\xe0\x9f\xbf", "\\340\\237\\277" },
		{ "\xed\xa0\x80", "\\355\\240\\200" },
		{ "\xf0\x8f\xbf\xbf", "\\360\\217\\277\\277" },
		{ "\xf4\x90\x80\x80", "\\364\\220\\200\\200" },
		{ "\xff\xe2\x82", "\\377\\342\\202" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct checmate_event_record record = make(CHECMATE_OBJECT_PATH);

		strcpy(record.text, cases[i].bytes);
		expect(&record, "path", cases[i].text);
		record.object = CHECMATE_OBJECT_TEXT;
		expect(&record, "text", cases[i].text);
	}
}

static void test_number(void **state)
{
	struct checmate_event_record record = make(CHECMATE_OBJECT_NUMBER);

	(void)state;
	expect(&record, "number", "0");
	record.number = UINT64_MAX;
	expect(&record, "number", "18446744073709551615");
}

static void test_task(void **state)
{
	struct checmate_event_record record = make(CHECMATE_OBJECT_TASK);
	char text[64];

	(void)state;
	record.task.pid = 4711;
	strcpy(record.task.comm, "a)\n(b");
	expect(&record, "task", "pid 4711 (a)\\012(b)");
	record.task.signal = SIGTERM;
	expect(&record, "task", "pid 4711 (a)\\012(b) signal TERM");
	memset(record.task.comm, 'x', sizeof(record.task.comm));
	record.task.signal = SIGRTMIN;
	expect(&record, "task", "pid 4711 (xxxxxxxxxxxxxxxx) signal RTMIN");
	record.task.signal = SIGRTMAX;
	snprintf(text, sizeof(text), "pid 4711 (xxxxxxxxxxxxxxxx) signal RTMIN+%d",
		 SIGRTMAX - SIGRTMIN);
	expect(&record, "task", text);
	record.task.signal = 32;
	expect(&record, "task", "pid 4711 (xxxxxxxxxxxxxxxx) signal 32");
	record.task.signal = UINT32_MAX;
	record.task.pid = UINT32_MAX;
	expect(&record, "task", "pid 4294967295 (xxxxxxxxxxxxxxxx) signal 4294967295");
}

/* Every text goes up to the end of its field. */
static void test_no_end(void **state)
{
	struct checmate_event_record record = make(CHECMATE_OBJECT_PATH);
	struct event event;

	(void)state;
	memset(record.comm, 'c', sizeof(record.comm));
	memset(record.policy, 'p', sizeof(record.policy));
	memset(record.hook, 'h', sizeof(record.hook));
	memset(record.text, '\n', sizeof(record.text));
	assert_int_equal(decode(&record, sizeof(record), &event), 0);
	assert_int_equal(strlen(event.info.comm), sizeof(record.comm));
	assert_int_equal(strlen(event.info.policy), sizeof(record.policy));
	assert_int_equal(strlen(event.info.hook), sizeof(record.hook));
	assert_int_equal(strlen(event.info.object), 4 * sizeof(record.text));
}

/* Shorter than a whole one, as if it had been cut there. */
static void test_short(void **state)
{
	struct checmate_event_record record = make(CHECMATE_OBJECT_PATH);
	struct event event;

	(void)state;
	memset(record.text, 'x', sizeof(record.text));
	for (size_t size = 0; size <= sizeof(record); size++) {
		int r = decode(&record, size, &event);

		assert_int_equal(r, size < HEAD ? -EBADMSG : 0);
		if (!r)
			assert_int_equal(strlen(event.info.object), size - HEAD);
	}
	record.object = CHECMATE_OBJECT_ENDPOINT;
	assert_int_equal(decode(&record, HEAD, &event), 0);
	assert_string_equal(event.info.object, "family 0");
}

/* A later version writes longer records, with objects that are not known here. */
static void test_newer(void **state)
{
	struct {
		struct checmate_event_record record;
		char more[100];
	} newer = { .record = make(CHECMATE_OBJECT_NUMBER) };
	struct event event;

	(void)state;
	newer.record.version = UINT16_MAX;
	newer.record.number = 5;
	memset(newer.more, 'm', sizeof(newer.more));
	assert_int_equal(decode(&newer, sizeof(newer), &event), 0);
	assert_string_equal(event.info.object, "5");

	newer.record.object = CHECMATE_OBJECT_TASK + 1;
	assert_int_equal(decode(&newer, sizeof(newer), &event), 0);
	assert_string_equal(event.info.policy, "net-bind");
	assert_string_equal(event.info.object_type, "unknown");
	assert_string_equal(event.info.object, "");

	newer.record.version = 0;
	assert_int_equal(decode(&newer, sizeof(newer), &event), -EBADMSG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head),  cmocka_unit_test(test_endpoint),
		cmocka_unit_test(test_text),  cmocka_unit_test(test_number),
		cmocka_unit_test(test_task),  cmocka_unit_test(test_no_end),
		cmocka_unit_test(test_short), cmocka_unit_test(test_newer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
