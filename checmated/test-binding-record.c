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
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "binding-record.h"
#include "cleanup.h"
#include "strv.h"

#define ID 18446744073709551615ull

static int setup(void **state)
{
	char *dir = strdup("/tmp/checmate-binding-record.XXXXXX");

	assert_non_null(mkdtemp(dir));
	*state = dir;
	return 0;
}

static int teardown(void **state)
{
	char *dir = *state;

	/* Also shows that nothing was left behind. */
	assert_int_equal(rmdir(dir), 0);
	free(dir);
	return 0;
}

static const struct binding_record by_file = {
	.kind = BINDING_RECORD_FILE,
	.instance = 7,
	.former_instance = 5,
	.digest = 0xfedcba9876543210u,
	.cgroup = (char *)"/web",
	.text = (char *)"/etc/checmate/bindings.d/10 web.conf",
};

static void put_text(const char *dir, uint64_t id, const char *policy, const char *text)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_fclose_ FILE *stream = NULL;

	assert_true(asprintf(&path, "%s/%llu/%s", dir, (unsigned long long)id, policy) > 0);
	stream = fopen(path, "we");
	assert_non_null(stream);
	assert_true(fputs(text, stream) >= 0);
}

static void test_record(void **state)
{
	_cleanup_(binding_record_done) struct binding_record read = {};
	const char *dir = *state;

	assert_int_equal(binding_record_read(dir, ID, "net-bind", &read), -ENOENT);
	assert_int_equal(binding_record_write(dir, ID, "net-bind", &by_file), 0);
	assert_int_equal(binding_record_read(dir, ID, "net-bind", &read), 0);
	assert_int_equal(read.kind, BINDING_RECORD_FILE);
	assert_false(read.pending);
	assert_int_equal(read.instance, 7);
	assert_int_equal(read.former_instance, 5);
	assert_true(read.digest == by_file.digest);
	assert_string_equal(read.cgroup, "/web");
	assert_string_equal(read.text, "/etc/checmate/bindings.d/10 web.conf");

	assert_int_equal(binding_record_read(dir, ID, "net", &read), -ENOENT);
	assert_int_equal(binding_record_read(dir, ID - 1, "net-bind", &read), -ENOENT);
	assert_int_equal(binding_record_remove(dir, ID, "net-bind"), 0);
	assert_int_equal(binding_record_remove(dir, ID, "net-bind"), 0);
}

static void test_replaced(void **state)
{
	_cleanup_(binding_record_done) struct binding_record read = {};
	struct binding_record record = by_file;
	const char *dir = *state;

	assert_int_equal(binding_record_write(dir, ID, "net-bind", &by_file), 0);
	record.kind = BINDING_RECORD_UNIT;
	record.pending = true;
	record.text = (char *)"";
	assert_int_equal(binding_record_write(dir, ID, "net-bind", &record), 0);
	assert_int_equal(binding_record_read(dir, ID, "net-bind", &read), 0);
	assert_int_equal(read.kind, BINDING_RECORD_UNIT);
	assert_true(read.pending);
	assert_string_equal(read.text, "");
	assert_int_equal(binding_record_remove(dir, ID, "net-bind"), 0);
}

/* What is not understood says nothing, so that what it is about is left alone. */
static void test_damaged(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		"file done 1 2 3",
		"file done 1 2 3\n",
		"file done 1 2 3\n/a\n",
		"file done 1 2 3\n/a\nb",
		"file done 1 2 3\n/a\nb\nc\n",
		"file done 1 2\n/a\nb\n",
		"file over 1 2 3\n/a\nb\n",
		"nobody done 1 2 3\n/a\nb\n",
		"file done x 2 3\n/a\nb\n",
		"filefilefilefilefilefile done 1 2 3\n/a\nb\n",
	};
	_cleanup_(binding_record_done) struct binding_record read = {};
	const char *dir = *state;

	assert_int_equal(binding_record_write(dir, 3, "a", &by_file), 0);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		put_text(dir, 3, "a", texts[i]);
		assert_int_equal(binding_record_read(dir, 3, "a", &read), -ENOENT);
	}
	put_text(dir, 3, "a", "file done 1 2 3\n/a\nb\n");
	assert_int_equal(binding_record_read(dir, 3, "a", &read), 0);
	assert_int_equal(binding_record_remove(dir, 3, "a"), 0);
}

static void test_refused(void **state)
{
	static const char *const names[] = { "", ".", "..", "../a", "a/b", "/etc/passwd", ".a" };
	_cleanup_(binding_record_done) struct binding_record read = {};
	struct binding_record record = by_file;
	const char *dir = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(binding_record_write(dir, ID, names[i], &by_file), -EINVAL);
		assert_int_equal(binding_record_read(dir, ID, names[i], &read), -EINVAL);
		assert_int_equal(binding_record_remove(dir, ID, names[i]), -EINVAL);
	}
	record.text = (char *)"two\nlines";
	assert_int_equal(binding_record_write(dir, ID, "a", &record), -EINVAL);
	record.text = NULL;
	assert_int_equal(binding_record_write(dir, ID, "a", &record), -EINVAL);
	record = by_file;
	record.cgroup = (char *)"/a\nb";
	assert_int_equal(binding_record_write(dir, ID, "a", &record), -EINVAL);
}

static void test_lists(void **state)
{
	_cleanup_strv_ char **none = NULL, **two = NULL;
	_cleanup_free_ uint64_t *ids = NULL, *no_ids = NULL;
	const char *dir = *state;
	size_t n;

	assert_int_equal(binding_record_cgroups(dir, &no_ids, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(binding_record_policies(dir, 9, &none), 0);
	assert_int_equal(strv_length(none), 0);

	assert_int_equal(binding_record_write(dir, 9, "b", &by_file), 0);
	assert_int_equal(binding_record_write(dir, 9, "a", &by_file), 0);
	/* Half a record of a process that died. */
	put_text(dir, 9, ".c", "file");
	assert_int_equal(binding_record_cgroups(dir, &ids, &n), 0);
	assert_int_equal(n, 1);
	assert_true(ids[0] == 9);
	assert_int_equal(binding_record_policies(dir, 9, &two), 0);
	assert_int_equal(strv_length(two), 2);
	assert_string_equal(two[0], "a");
	assert_string_equal(two[1], "b");

	assert_int_equal(binding_record_remove(dir, 9, "a"), 0);
	assert_int_equal(binding_record_forget(dir, 9), 0);
	assert_int_equal(binding_record_forget(dir, 9), 0);
}

static void test_directory(void **state)
{
	_cleanup_free_ char *deep = NULL, *middle = NULL, *top = NULL;
	const char *dir = *state;
	struct stat st;

	assert_true(asprintf(&deep, "%s/a/b/c", dir) > 0);
	assert_true(asprintf(&middle, "%s/a/b", dir) > 0);
	assert_true(asprintf(&top, "%s/a", dir) > 0);
	assert_int_equal(binding_record_make_dir(deep), 0);
	assert_int_equal(binding_record_make_dir(deep), 0);
	assert_int_equal(stat(deep, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(rmdir(deep), 0);
	assert_int_equal(rmdir(middle), 0);
	assert_int_equal(rmdir(top), 0);
}

static void test_meaning(void **state)
{
	static const struct {
		enum binding_record_kind kind;
		const char *text;
		bool configured;
	} kinds[] = {
		{ BINDING_RECORD_MANUAL, "manual", false },
		{ BINDING_RECORD_FILE, "file x y", true },
		{ BINDING_RECORD_CONTAINER, "container x y", true },
		{ BINDING_RECORD_UNIT, "unit x y", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct binding_record record = { .kind = kinds[i].kind,
						       .text = (char *)"x y" };
		_cleanup_free_ char *text = NULL;

		assert_int_equal(binding_record_describe(&record, &text), 0);
		assert_string_equal(text, kinds[i].text);
		assert_true(binding_record_is_configured(&record) == kinds[i].configured);
	}
	assert_true(binding_record_is_of(&by_file, 7));
	assert_true(binding_record_is_of(&by_file, 5));
	assert_false(binding_record_is_of(&by_file, 6));
	assert_false(binding_record_is_of(&(struct binding_record){}, 0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_record), TEST(test_replaced),	 TEST(test_damaged), TEST(test_refused),
		TEST(test_lists),  TEST(test_directory), TEST(test_meaning),
	};

	return cmocka_run_group_tests_name("binding-record", tests, NULL, NULL);
}
