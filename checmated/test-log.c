// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - How much of what users cause is logged, with a clock of our own
 */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"

#define MINUTE 60

static time_t now = 100;

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	(void)clock;
	*ts = (struct timespec){ .tv_sec = now };
	return 0;
}

struct fixture {
	sd_event *event;
	int saved; /* stderr */
	FILE *entries; /* in its place */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	unsetenv("JOURNAL_STREAM");
	assert_true(sd_event_new(&f->event) >= 0);
	assert_true(log_limit_start(f->event) >= 0);
	f->entries = tmpfile();
	assert_non_null(f->entries);
	f->saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	assert_true(f->saved >= 0);
	assert_true(dup2(fileno(f->entries), STDERR_FILENO) >= 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	log_set_user(0);
	log_limit_end();
	assert_true(dup2(f->saved, STDERR_FILENO) >= 0);
	close(f->saved);
	fclose(f->entries);
	sd_event_unref(f->event);
	free(f);
	return 0;
}

/* How many entries there were since the last call; the last of them. */
static unsigned int take(struct fixture *f, char *last, size_t size)
{
	unsigned int n = 0;
	char line[256];

	rewind(f->entries);
	while (fgets(line, sizeof(line), f->entries)) {
		n++;
		snprintf(last, size, "%s", line);
	}
	assert_int_equal(ftruncate(fileno(f->entries), 0), 0);
	rewind(f->entries);
	return n;
}

static void log_n(uid_t uid, const char *message_id, unsigned int n)
{
	log_set_user(uid);
	while (n--)
		log_event(LOG_ERR, message_id, NULL, "user %u asked", (unsigned int)uid);
	log_set_user(0);
}

static void test_refusals(void **state)
{
	struct fixture *f = *state;
	char last[256];

	log_n(1000, LOG_ID_REQUEST_REFUSED, 100);
	assert_int_equal(take(f, last, sizeof(last)), 1);
	assert_string_equal(last, "checmated: user 1000 asked\n");
	/* Each has one. */
	log_n(1001, LOG_ID_REQUEST_REFUSED, 2);
	assert_int_equal(take(f, last, sizeof(last)), 1);
	/* Root is not limited, nor is the rest of the daemon. */
	log_n(0, LOG_ID_REQUEST_REFUSED, 100);
	log_n(0, LOG_ID_DENIED, 100);
	assert_int_equal(take(f, last, sizeof(last)), 200);

	now += MINUTE;
	log_n(1000, LOG_ID_REQUEST_REFUSED, 2);
	assert_int_equal(take(f, last, sizeof(last)), 1);
	assert_string_equal(last, "checmated: user 1000 asked; 99 more of user 1000 before it\n");
}

static void test_rest(void **state)
{
	struct fixture *f = *state;
	char last[256];

	log_n(1000, LOG_ID_REQUEST_REFUSED, 8);
	assert_int_equal(take(f, last, sizeof(last)), 1);
	/* The minute is not over. */
	assert_int_equal(log_limit_flush(now * 1000000ull), (now + MINUTE) * 1000000ull);
	assert_int_equal(take(f, last, sizeof(last)), 0);
	now += MINUTE;
	assert_int_equal(log_limit_flush(now * 1000000ull), 0);
	assert_int_equal(take(f, last, sizeof(last)), 1);
	assert_string_equal(last, "checmated: user 1000: 7 more requests were refused\n");
	assert_int_equal(log_limit_flush(now * 1000000ull), 0);
	assert_int_equal(take(f, last, sizeof(last)), 0);
}

static void test_entries(void **state)
{
	struct fixture *f = *state;
	char last[256];

	log_n(1000, LOG_ID_BINDING_STAGED, 1000);
	assert_int_equal(take(f, last, sizeof(last)), 300);
	/* These do not hide a refusal, and nobody hides those of others. */
	log_n(1000, LOG_ID_REQUEST_REFUSED, 1);
	log_n(1001, LOG_ID_BINDING_STAGED, 10);
	assert_int_equal(take(f, last, sizeof(last)), 11);
	now += MINUTE;
	assert_int_equal(log_limit_flush(now * 1000000ull), 0);
	assert_int_equal(take(f, last, sizeof(last)), 1);
	assert_string_equal(last,
			    "checmated: user 1000: 700 more entries on containers and cgroups of theirs\n");
}

/* Neither do many users fill the journal. */
static void test_many(void **state)
{
	struct fixture *f = *state;
	char last[256];

	for (uid_t uid = 1; uid <= 5000; uid++)
		log_n(uid, LOG_ID_REQUEST_REFUSED, 1);
	assert_int_equal(take(f, last, sizeof(last)), 60);
	for (uid_t uid = 1; uid <= 5000; uid++)
		log_n(uid, LOG_ID_BINDING_STAGED, 5);
	assert_int_equal(take(f, last, sizeof(last)), 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_entries, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
