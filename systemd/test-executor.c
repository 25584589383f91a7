// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cleanup.h"
#include "executor.h"
#include "parse.h"

static char dir[] = "/tmp/test-executor-XXXXXX";
static const char *const names[] = { "0", "7", "12" };

static void make(const char *name, const char *target)
{
	_cleanup_free_ char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	(void)unlink(path);
	if (target)
		assert_int_equal(symlink(target, path), 0);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		make(names[i], NULL);
	return rmdir(dir);
}

static void find(const char *target, unsigned int version, int want_r, const char *want)
{
	_cleanup_free_ char *path = (char *)"untouched", *full = NULL;

	make("0", "/dev/null");
	make("12", "socket:[1]");
	make("7", target);
	assert_int_equal(executor_find(dir, version, &path), want_r);
	if (want_r < 0) {
		assert_string_equal(TAKE_PTR(path), "untouched");
	} else if (!want) {
		assert_null(path);
	} else {
		assert_true(asprintf(&full, "%s/%s", dir, want) > 0);
		assert_string_equal(path, full);
	}
}

static void test_find(void **state)
{
	(void)state;
	find("/usr/lib/systemd/systemd-executor", 257, 0, "7");
	find("/usr/lib/systemd/systemd-executor (deleted)", 257, 0, "7");
	find("/usr/lib/systemd/systemd-executor", 0, 0, "7");
	find(NULL, 252, 0, NULL);
	find(NULL, 254, 0, NULL);
	find(NULL, 255, -ENOENT, NULL);
	find("/usr/lib/systemd/not-systemd-executor", 255, -ENOENT, NULL);
	find("/usr/lib/systemd/systemd-executor/x", 255, -ENOENT, NULL);
	find("(deleted)", 255, -ENOENT, NULL);
	find(" (deleted)", 255, -ENOENT, NULL);
}

static void test_no_dir(void **state)
{
	char *path = NULL;

	(void)state;
	assert_int_equal(executor_find("/nonexistent", 252, &path), -ENOENT);
	assert_null(path);
}

static void test_version(void **state)
{
	(void)state;
	assert_int_equal(executor_parse_version("252.39-1~deb12u2"), 252);
	assert_int_equal(executor_parse_version("257"), 257);
	assert_int_equal(executor_parse_version("v257-rc1"), 257);
	assert_int_equal(executor_parse_version(""), 0);
	assert_int_equal(executor_parse_version("-1"), 0);
	assert_int_equal(executor_parse_version("next"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_no_dir),
		cmocka_unit_test(test_version),
	};

	return cmocka_run_group_tests_name("executor", tests, setup, teardown);
}
