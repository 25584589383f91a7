// SPDX-License-Identifier: LGPL-2.1-or-later
/* Common - Tests of strv, file, parse and utf8 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "cleanup.h"
#include "file.h"
#include "parse.h"
#include "strv.h"
#include "utf8.h"

static void test_parse_u64(void **state)
{
	static const struct {
		const char *text;
		int r;
	} bad[] = {
		{ "", -EINVAL },
		{ "-1", -EINVAL },
		{ "+1", -EINVAL },
		{ " 1", -EINVAL },
		{ "1 ", -EINVAL },
		{ "0x10", -EINVAL },
		{ "1\n", -EINVAL },
		{ "18446744073709551616", -ERANGE },
		{ "99999999999999999999999999x", -EINVAL },
		{ "99999999999999999999999999", -ERANGE },
	};
	uint64_t value = 42;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(parse_u64(bad[i].text, UINT64_MAX, &value), bad[i].r);
		assert_int_equal(value, 42);
	}
	assert_int_equal(parse_u64("18446744073709551615", UINT64_MAX, &value), 0);
	assert_true(value == UINT64_MAX);
	assert_int_equal(parse_u64("0007", 7, &value), 0);
	assert_int_equal(value, 7);
	assert_int_equal(parse_u64("8", 7, &value), -ERANGE);
}

static void test_words(void **state)
{
	(void)state;
	assert_true(word_in_text("lockdown,capability,bpf", "bpf", ","));
	assert_false(word_in_text("lockdown,notbpf,bpfx", "bpf", ","));
	assert_false(word_in_text("", "bpf", ","));
	assert_true(word_in_text("cpu checmate\n", "checmate", " \n"));
	assert_false(word_in_text("cpu checmates", "checmate", " \n"));
}

static void test_names(void **state)
{
	(void)state;
	assert_true(name_is_valid("net-bind", 31));
	assert_true(name_is_valid("2fa", 31));
	assert_false(name_is_valid("", 31));
	assert_false(name_is_valid("-x", 31));
	assert_false(name_is_valid("a/b", 31));
	assert_false(name_is_valid("a.b", 31));
	assert_false(name_is_valid("..", 31));
	assert_false(name_is_valid("a+new", 31));
	assert_false(name_is_valid("Abc", 31));
	assert_false(name_is_valid("abcd", 3));
}

static void test_strv(void **state)
{
	_cleanup_strv_ char **strv = NULL;

	(void)state;
	assert_int_equal(strv_length(strv), 0);
	assert_false(strv_contains(strv, "a"));
	assert_int_equal(strv_extend(&strv, "b"), 0);
	assert_int_equal(strv_extend(&strv, "a"), 0);
	strv_sort(strv);
	assert_string_equal(strv[0], "a");
	assert_string_equal(strv[1], "b");
	assert_null(strv[2]);
	assert_true(strv_contains(strv, "b"));
}

static void test_file(void **state)
{
	char path[] = "/tmp/test-common-XXXXXX";
	_cleanup_close_ int fd = mkstemp(path);
	_cleanup_free_ char *data = NULL;
	char *kept = (char *)1;
	size_t size = 99;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(file_read(AT_FDCWD, path, 10, &data, &size), 0);
	assert_string_equal(data, "");
	assert_int_equal(size, 0);

	assert_int_equal(file_write(AT_FDCWD, path, "hello\n"), 0);
	free(TAKE_PTR(data));
	assert_int_equal(file_read(AT_FDCWD, path, 6, &data, &size), 0);
	assert_string_equal(data, "hello\n");
	assert_int_equal(file_read(AT_FDCWD, path, 5, &kept, &size), -EFBIG);
	assert_ptr_equal(kept, (char *)1);

	assert_int_equal(ftruncate(fd, 100000), 0);
	free(TAKE_PTR(data));
	assert_int_equal(file_read(AT_FDCWD, path, 100000, &data, &size), 0);
	assert_int_equal(size, 100000);

	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	free(TAKE_PTR(data));
	assert_int_equal(file_read(AT_FDCWD, path, 5, &data, &size), 0);
	assert_int_equal(size, 0);

	unlink(path);
	assert_int_equal(file_read(AT_FDCWD, path, 5, &kept, &size), -ENOENT);
	assert_int_equal(file_write(AT_FDCWD, path, "x"), -ENOENT);
}

static void test_utf8_escape(void **state)
{
	static const struct {
		const char *text, *escaped;
	} texts[] = {
		{ "", "" },
		{ "/a b/\\", "/a b/\\" },
		{ "gr\303\274n", "gr\303\274n" },
		{ "\xff", "\\377" },
		{ "a\nb\x1b", "a\\012b\\033" },
		{ "cut \xc3", "cut \\303" },
		{ "\xc0\x80\xed\xa0\x80", "\\300\\200\\355\\240\\200" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_free_ char *escaped = utf8_escape(texts[i].text);

		assert_non_null(escaped);
		assert_string_equal(escaped, texts[i].escaped);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_u64), cmocka_unit_test(test_words),
		cmocka_unit_test(test_names),	  cmocka_unit_test(test_strv),
		cmocka_unit_test(test_file),	  cmocka_unit_test(test_utf8_escape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
