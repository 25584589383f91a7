// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - How many of the same are told, with a clock of our own
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ratelimit.h"

#define INTERVAL 1000

struct fixture {
	struct ratelimit *limit;
	uint64_t now;
	uint64_t told;
	uint64_t suppressed;
	uint64_t n_rests;
	struct ratelimit_key last;
};

static int setup(void **state)
{
	static const struct ratelimit_limits limits = {
		.interval_usec = INTERVAL,
		.each = 3,
		.all = 8,
		.keys = 4,
	};
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->now = 5;
	assert_int_equal(ratelimit_new(&limits, &f->limit), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ratelimit_free(f->limit);
	free(f);
	return 0;
}

static void admit_n(struct fixture *f, uint64_t cgroup_id, const char *policy, const char *hook,
		    unsigned int n)
{
	const struct ratelimit_key key = {
		.cgroup_id = cgroup_id,
		.policy = policy,
		.hook = hook,
	};
	uint64_t suppressed = 0;

	while (n--)
		if (ratelimit_admit(f->limit, &key, f->now, &suppressed)) {
			f->told++;
			f->suppressed += suppressed;
		}
}

static void on_rest(const struct ratelimit_key *key, uint64_t n, void *userdata)
{
	struct fixture *f = userdata;

	assert_true(n > 0);
	f->n_rests++;
	f->suppressed += n;
	f->last.cgroup_id = key->cgroup_id;
}

static uint64_t flush(struct fixture *f)
{
	return ratelimit_flush(f->limit, f->now, on_rest, f);
}

static void test_told_with_the_next(void **state)
{
	struct fixture *f = *state;

	admit_n(f, 1, "a", "h", 10);
	assert_int_equal(f->told, 3);
	assert_int_equal(f->suppressed, 0);
	f->now += INTERVAL - 1;
	admit_n(f, 1, "a", "h", 1);
	assert_int_equal(f->told, 3);
	f->now += 1;
	admit_n(f, 1, "a", "h", 1);
	assert_int_equal(f->told, 4);
	assert_int_equal(f->suppressed, 8);
}

static void test_told_at_the_end(void **state)
{
	struct fixture *f = *state;

	admit_n(f, 7, "a", "h", 10);
	assert_int_equal(flush(f), 5 + INTERVAL);
	assert_int_equal(f->n_rests, 0);
	f->now += INTERVAL;
	assert_int_equal(flush(f), 0);
	assert_int_equal(f->n_rests, 1);
	assert_int_equal(f->suppressed, 7);
	assert_int_equal(f->last.cgroup_id, 7);
	assert_int_equal(ratelimit_count(f->limit), 0);
	assert_int_equal(flush(f), 0);
	assert_int_equal(f->n_rests, 1);
}

static void test_keys_are_apart(void **state)
{
	struct fixture *f = *state;

	admit_n(f, 1, "a", "h", 2);
	admit_n(f, 2, "a", "h", 2);
	admit_n(f, 1, "b", "h", 2);
	admit_n(f, 1, "a", "i", 2);
	assert_int_equal(f->told, 8);
	assert_int_equal(ratelimit_count(f->limit), 4);
}

static void test_all_together(void **state)
{
	struct fixture *f = *state;

	for (uint64_t id = 1; id <= 4; id++)
		admit_n(f, id, "a", "h", 3);
	assert_int_equal(f->told, 8);
	f->now += INTERVAL;
	assert_int_equal(flush(f), 0);
	assert_int_equal(f->suppressed, 4);
}

/* More keys than are told apart: nothing grows, and nothing is forgotten. */
static void test_too_many_keys(void **state)
{
	struct fixture *f = *state;
	unsigned int n = 0;

	for (uint64_t id = 1; id <= 1000; id++, n += 5)
		admit_n(f, id, "a", "h", 5);
	assert_int_equal(ratelimit_count(f->limit), 4);
	assert_int_equal(f->told, 8);
	f->now += INTERVAL;
	assert_int_equal(flush(f), 0);
	assert_int_equal(f->told + f->suppressed, n);
	assert_true(f->n_rests <= 5);

	/* Those that were idle for an interval make room. */
	admit_n(f, 2000, "a", "h", 1);
	assert_int_equal(f->told, 9);
	assert_int_equal(ratelimit_count(f->limit), 1);
}

/* Whatever comes when, each is told or counted, and counted once. */
static void test_nothing_is_forgotten(void **state)
{
	struct fixture *f = *state;
	unsigned int n = 0;

	srandom(1);
	for (int i = 0; i < 20000; i++) {
		admit_n(f, random() % 12, random() % 2 ? "a" : "b", "h", 1);
		n++;
		if (random() % 16 == 0)
			f->now += random() % INTERVAL;
		if (random() % 64 == 0)
			(void)flush(f);
	}
	f->now += INTERVAL;
	assert_int_equal(flush(f), 0);
	assert_int_equal(f->told + f->suppressed, n);
	assert_int_equal(ratelimit_count(f->limit), 0);
}

static void test_no_limit_is_an_error(void **state)
{
	struct ratelimit *limit = NULL;

	(void)state;
	assert_int_equal(ratelimit_new(&(struct ratelimit_limits){ .keys = 1 }, &limit), -EINVAL);
	assert_null(limit);
	assert_null(ratelimit_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_told_with_the_next, setup, teardown),
		cmocka_unit_test_setup_teardown(test_told_at_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keys_are_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_together, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_is_forgotten, setup, teardown),
		cmocka_unit_test(test_no_limit_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
