// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Records of why a binding exists
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cleanup.h"
#include "origin.h"

#define ID 18446744073709551615ull

static int setup(void **state)
{
	char *dir = strdup("/tmp/checmate-origin.XXXXXX");

	assert_non_null(mkdtemp(dir));
	*state = dir;
	return 0;
}

static int teardown(void **state)
{
	char *dir = *state;

	/* Also shows that nothing was left behind. */
	assert_int_equal(origin_gc(dir, NULL, 0), 0);
	assert_int_equal(rmdir(dir), 0);
	free(dir);
	return 0;
}

static enum origin_kind kind_of(const char *dir, uint64_t id, const char *policy, uint32_t prog_id)
{
	_cleanup_free_ char *text = NULL;
	enum origin_kind kind;

	assert_int_equal(origin_read(dir, id, policy, prog_id, &kind, &text), 0);
	assert_non_null(text);
	return kind;
}

static void test_record(void **state)
{
	_cleanup_free_ char *text = NULL;
	const char *dir = *state;
	enum origin_kind kind;

	assert_int_equal(kind_of(dir, ID, "net-bind", 7), ORIGIN_MANUAL);

	assert_int_equal(origin_write(dir, ID, "net-bind", 7, ORIGIN_CONTAINER, "/a b.conf id"), 0);
	assert_int_equal(origin_read(dir, ID, "net-bind", 7, &kind, &text), 0);
	assert_int_equal(kind, ORIGIN_CONTAINER);
	assert_string_equal(text, "/a b.conf id");

	/* Another binding of the same policy in the same cgroup, made by somebody else. */
	assert_int_equal(kind_of(dir, ID, "net-bind", 8), ORIGIN_MANUAL);
	assert_int_equal(kind_of(dir, ID, "net", 7), ORIGIN_MANUAL);
	assert_int_equal(kind_of(dir, 1, "net-bind", 7), ORIGIN_MANUAL);

	assert_int_equal(origin_write(dir, ID, "net-bind", 8, ORIGIN_CGROUP, ""), 0);
	assert_int_equal(kind_of(dir, ID, "net-bind", 8), ORIGIN_CGROUP);

	assert_int_equal(origin_remove(dir, ID, "net-bind"), 0);
	assert_int_equal(origin_remove(dir, ID, "net-bind"), 0);
	assert_int_equal(kind_of(dir, ID, "net-bind", 8), ORIGIN_MANUAL);
}

static void test_gc(void **state)
{
	static const uint64_t alive[] = { 5, 50 };
	const char *dir = *state;

	assert_int_equal(origin_write(dir, 5, "p", 1, ORIGIN_CGROUP, "x"), 0);
	assert_int_equal(origin_write(dir, 6, "p", 1, ORIGIN_CGROUP, "x"), 0);
	assert_int_equal(origin_gc(dir, alive, ARRAY_SIZE(alive)), 0);
	assert_int_equal(kind_of(dir, 5, "p", 1), ORIGIN_CGROUP);
	assert_int_equal(kind_of(dir, 6, "p", 1), ORIGIN_MANUAL);
}

static void test_damaged(void **state)
{
	static const char *const texts[] = { "",
					     "\n",
					     "1\n",
					     "x cgroup y\n",
					     "1 nobody y\n",
					     "1 averyverylongkindofrecord y\n",
					     "99999999999 cgroup" };
	const char *dir = *state;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_free_ char *path = NULL;
		FILE *file;

		assert_true(asprintf(&path, "%s/1.p", dir) > 0);
		file = fopen(path, "we");
		assert_non_null(file);
		fputs(texts[i], file);
		fclose(file);
		assert_int_equal(kind_of(dir, 1, "p", 1), ORIGIN_MANUAL);
	}
}

static void test_refused(void **state)
{
	const char *dir = *state;
	_cleanup_free_ char *text = NULL;
	enum origin_kind kind;

	assert_int_equal(origin_write(dir, 1, "../p", 1, ORIGIN_CGROUP, "x"), -EINVAL);
	assert_int_equal(origin_read(dir, 1, "a/b", 1, &kind, &text), -EINVAL);
	assert_int_equal(origin_write("/nonexistent", 1, "p", 1, ORIGIN_CGROUP, "x"), -ENOENT);
	assert_int_equal(origin_gc("/nonexistent", NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_record, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gc, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
