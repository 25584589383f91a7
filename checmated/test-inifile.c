// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Files of sections and keys: what is read on which line, and what is refused
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "cleanup.h"
#include "inifile.h"

#define LINE_OF_220 LINE_OF_55 LINE_OF_55 LINE_OF_55 LINE_OF_55
#define LINE_OF_55 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LINE_OF_100 \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\\\n"

/* Writes "LINE[SECTION]" and "LINE KEY=VALUE", with '|' between. */
static int note(const struct inifile_item *item, char **ret_reason, void *userdata)
{
	FILE *notes = userdata;

	assert_true(item->line > 0);
	if (item->key && strcmp(item->key, "Bad") == 0)
		return inifile_refuse(ret_reason, -EDOM, "%s= is bad", item->key);
	if (item->key && strcmp(item->key, "Short") == 0)
		return -ENOMEM;
	if (item->key)
		fprintf(notes, "%u %s=%s|", item->line, item->key, item->value);
	else
		fprintf(notes, "%u[%s]|", item->line, item->section);
	return 0;
}

static int read_text(const char *text, size_t size, enum inifile_syntax syntax, const char *only,
		     char **ret_notes, char **ret_error)
{
	_cleanup_fclose_ FILE *stream = fmemopen((char *)text, size, "r");
	unsigned int lines = 77;
	size_t notes_size;
	FILE *notes;
	int r;

	assert_non_null(stream);
	notes = open_memstream(ret_notes, &notes_size);
	assert_non_null(notes);
	r = inifile_read(stream, "file", syntax, only, note, notes, &lines, ret_error);
	assert_int_equal(fclose(notes), 0);
	if (r < 0)
		assert_int_equal(lines, 77);
	return r;
}

static const struct good {
	const char *text;
	const char *notes;
} good_bindings[] = {
	{ "\n", "" },
	{ "# nothing\n; at all\n", "" },
	{ "[A]", "1[A]|" },
	{ "[A]\n[A]\n\n[B c]\n", "1[A]|2[A]|4[B c]|" },
	{ "a=b", "1 a=b|" },
	{ "[A]\r\nKey = some value \r\n", "1[A]|2 Key=some value|" },
	{ "\xef\xbb\xbf[A]\nk=v\n", "1[A]|2 k=v|" },
	{ "[A]\nk=\n", "1[A]|2 k=|" },
	{ "[A]\nk=a=b:c\n", "1[A]|2 k=a=b:c|" },
	{ "[A]\nk=v ; said\nl=v;w\n", "1[A]|2 k=v|3 l=v;w|" },
	/* lists on indented lines, with comments and empty lines among them */
	{ "[A]\nk=1\n 2\n\n\t3\n# no\n  ; no\n 4\nl=5\n", "1[A]|2 k=1 2 3 4|9 l=5|" },
	{ "[A]\nk=\n  [::]:80\n  [B]\n[B]\n", "1[A]|2 k=[::]:80 [B]|5[B]|" },
	{ "[A]\nk=1\n l=2\n", "1[A]|2 k=1 l=2|" },
	/* a backslash is nothing special here, but at the end */
	{ "[A]\nk=\\v\\\\\nl=w\n", "1[A]|2 k=\\v\\\\|3 l=w|" },
};

static void try_good(const struct good *good, size_t n, enum inifile_syntax syntax, const char *only)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *notes = NULL, *error = NULL;
		int r;

		r = read_text(good[i].text, strlen(good[i].text), syntax, only, &notes, &error);
		if (r < 0 || strcmp(notes, good[i].notes) != 0)
			fail_msg("text %zu: expected '%s', got %d '%s' '%s'", i, good[i].notes, r,
				 notes, error ? error : "");
		assert_null(error);
	}
}

static void test_bindings(void **state)
{
	(void)state;
	try_good(good_bindings, ARRAY_SIZE(good_bindings), INIFILE_BINDING, NULL);
}

static const struct good good_units[] = {
	{ "[Unit]\nDescription=x\n", "" },
	{ "Stray=1\n[Unit\n]garbage\n", "" },
	{ "[X-Checmate]\nPolicy=a\n[Service]\nExecStart=/bin/true\n[X-Checmate b]\nMode=c\n",
	  "1[X-Checmate]|2 Policy=a|5[X-Checmate b]|6 Mode=c|" },
	{ "  [X-Checmate]\n   Policy = a\n\t Mode=b\n", "1[X-Checmate]|2 Policy=a|3 Mode=b|" },
	{ "[X-Checmate]\nPolicy=a\\\n  b \\\n# no\n\t; no\nc\nMode=d\n",
	  "1[X-Checmate]|2 Policy=a b c|7 Mode=d|" },
	{ "[X-Checmate]\nPolicy=\\\n a\n", "1[X-Checmate]|2 Policy=a|" },
	{ "[X-Checmate]\nPolicy=a \\\n\nMode=b\n", "1[X-Checmate]|2 Policy=a|4 Mode=b|" },
	{ "[X-Checmate]\nPolicy=a\\\n[::]:80 \\\n [B]\n", "1[X-Checmate]|2 Policy=a [::]:80 [B]|" },
	{ "[X-Checmate]\nPolicy=a\\", "1[X-Checmate]|2 Policy=a|" },
	/* an escaped backslash continues nothing */
	{ "[X-Checmate]\nk=a\\\\\nl=b\n", "1[X-Checmate]|2 k=a\\\\|3 l=b|" },
	{ "[X-Checmate]\nk=v#w\nl=v;w\n", "1[X-Checmate]|2 k=v#w|3 l=v;w|" },
	/* what looks like a section but continues a line of another */
	{ "[Service]\nExecStart=a \\\n[X-Checmate]\nPolicy=a\n", "" },
	{ "[Service]\nExecStart=a \\\n# no\n[X-Checmate]\nPolicy=a\n", "" },
	{ "[Service]\nExecStart=a \\\n\n[X-Checmate]\nPolicy=a\n", "4[X-Checmate]|5 Policy=a|" },
	{ "[Service]\n# a \\\n[X-Checmate]\nPolicy=a\n", "3[X-Checmate]|4 Policy=a|" },
	/* other sections are not judged: neither lines without '=' nor their length */
	{ "[Service]\n" LINE_OF_100 LINE_OF_100 LINE_OF_100 "y\n=\n:\nBad=1\n \x01\n[X-Checmate]\n",
	  "10[X-Checmate]|" },
	{ "[X-Checmate]\nk=" LINE_OF_100 LINE_OF_100 "y\n",
	  "1[X-Checmate]|2 k=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	  "xxxxxxxxxxxxxxxxxxxxxxxxxx xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx y|" },
};

static void test_units(void **state)
{
	(void)state;
	try_good(good_units, ARRAY_SIZE(good_units), INIFILE_UNIT, "X-Checmate");
}

#define TEXT(text) text, sizeof(text) - 1

static const struct bad {
	const char *text;
	size_t size;
	const char *notes; /* handed over before */
	const char *error; /* a part of it */
} bad_bindings[] = {
	{ TEXT("[A\n"), "", "file:1: section has no closing" },
	{ TEXT("\n[A] x\n"), "", "file:2: text after the section" },
	{ TEXT("[A] ; x\n"), "", "file:1: text after the section" },
	{ TEXT(" [A]\n"), "", "file:1: section does not begin" },
	{ TEXT("[A]\n [B]\n"), "1[A]|", "file:2: section does not begin" },
	{ TEXT("[A]\n k=v\n"), "1[A]|", "file:2: indented" },
	{ TEXT("[A]\nk\n"), "1[A]|", "file:2: neither" },
	{ TEXT("[A]\nk: v\n"), "1[A]|", "file:2: neither" },
	{ TEXT("[A]\nk:l=v\n"), "1[A]|", "file:2: neither" },
	{ TEXT("[A]\nk ;=v\n"), "1[A]|", "file:2: neither" },
	{ TEXT("[A]\n=v\n"), "1[A]|", "file:2: nothing before" },
	{ TEXT("[A]\n\n=v\n 1\n"), "1[A]|", "file:3: nothing before" },
	{ TEXT("[A]\nk=1\nl\nBad=1\n"), "1[A]|2 k=1|", "file:3: neither" },
	{ TEXT("[A]\nk=1\nBad=2\n 3\nl=4\n"), "1[A]|2 k=1|", "file:3: Bad= is bad" },
	{ TEXT("[A]\nk=1\\\n"), "1[A]|", "file:2: backslash at the end" },
	{ TEXT("[A]\nk=1\\ ; no\n"), "1[A]|", "file:2: backslash at the end" },
	{ TEXT("[A]\nk=1\n 2\\\\\\\n"), "1[A]|", "file:3: backslash at the end" },
	{ TEXT("[A]\nk=1\0\n"), "1[A]|", "file:2: NUL byte" },
	{ TEXT("\0"), "", "file:1: NUL byte" },
	{ TEXT("[A]\n# \0\n"), "1[A]|", "file:2: NUL byte" },
	{ TEXT("[A]\nk=1\r2\n"), "1[A]|", "file:2: carriage return" },
	{ TEXT("[A]\rk=1\n"), "", "file:1: carriage return" },
	{ TEXT("[A]\nk=\0331\n"), "1[A]|", "file:2: control character" },
	{ TEXT("[A]\nk=\xff\n"), "1[A]|", "file:2: not UTF-8" },
	{ TEXT("[A\xc3]\n"), "", "file:1: not UTF-8" },
	{ TEXT("[A\177]\n"), "", "file:1: control character" },
	{ TEXT("[A]\nk=1\n \f2\n"), "1[A]|", "file:3: control character" },
	{ TEXT("[A]\nk=1\nl=" LINE_OF_220 "\n"), "1[A]|2 k=1|", "file:3: line has more than" },
	{ TEXT("[A]\nk=1\n " LINE_OF_220 "\n"), "1[A]|", "file:3: line has more than" },
	{ TEXT("[A]\n" LINE_OF_220 "=1\n"), "1[A]|", "file:2: line has more than" },
};

static const struct bad bad_units[] = {
	{ TEXT("[X-Checmate]\nk=" LINE_OF_220 "\n"), "1[X-Checmate]|", "file:2: line has more" },
	{ TEXT("[X-Checmate\n"), "", "file:1: section has no closing" },
	{ TEXT("[X-Checmate] # x\n"), "", "file:1: text after" },
	{ TEXT("[X-Checmate]\\\nPolicy=a\n"), "", "file:1: a section's line cannot" },
	{ TEXT("[X-Checmate]\nPolicy\n"), "1[X-Checmate]|", "file:2: neither" },
	{ TEXT("[X-Checmate]\nPolicy \\\n=a\n"), "1[X-Checmate]|", "file:2: neither" },
	{ TEXT("[X-Checmate]\n\\\nPolicy=a\n"), "1[X-Checmate]|", "file:2: neither" },
	{ TEXT("[X-Checmate]\nPolicy=a ; b\n"), "1[X-Checmate]|", "file:2: ';' after a blank" },
	{ TEXT("[X-Checmate]\nPolicy=a\\\n b ;c\n"), "1[X-Checmate]|", "file:3: ';' after a blank" },
	{ TEXT("[X-Checmate]\nPolicy=a\\\n\001\n"), "1[X-Checmate]|", "file:3: control character" },
	{ TEXT("[X-Checmate]\nPolicy=a\\ \n"), "1[X-Checmate]|", "file:2: a blank after" },
	{ TEXT("[Service]\nA=1\0002\n[X-Checmate]\n"), "", "file:2: NUL byte" },
	{ TEXT("[Service]\nA=1\r[X-Checmate]\r\n"), "", "file:2: carriage return" },
	{ TEXT("[X-Checmate]\nBad=1\n[Service]\n"), "1[X-Checmate]|", "file:2: Bad= is bad" },
};

static void try_bad(const struct bad *bad, size_t n, enum inifile_syntax syntax, const char *only)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *notes = NULL, *error = NULL;
		int r;

		r = read_text(bad[i].text, bad[i].size, syntax, only, &notes, &error);
		if (r != (strstr(bad[i].error, "Bad=") ? -EDOM : -EINVAL) || !error ||
		    !strstr(error, bad[i].error))
			fail_msg("text %zu: expected '%s', got %d '%s'", i, bad[i].error, r,
				 error ? error : "");
		/* Nothing is handed over from behind what is wrong. */
		if (strncmp(notes, bad[i].notes, strlen(notes)) != 0)
			fail_msg("text %zu: handed over is '%s'", i, notes);
	}
}

static void test_bad_bindings(void **state)
{
	(void)state;
	try_bad(bad_bindings, ARRAY_SIZE(bad_bindings), INIFILE_BINDING, NULL);
}

static void test_bad_units(void **state)
{
	(void)state;
	try_bad(bad_units, ARRAY_SIZE(bad_units), INIFILE_UNIT, "X-Checmate");
}

static void test_memory(void **state)
{
	_cleanup_free_ char *notes = NULL, *error = NULL;

	(void)state;
	assert_int_equal(read_text(TEXT("[A]\nShort=1\n"), INIFILE_BINDING, NULL, &notes, &error),
			 -ENOMEM);
	assert_null(error);
}

static void test_count_lines(void **state)
{
	static const char text[] = "[A]\nk=1\n\n# end";
	_cleanup_fclose_ FILE *stream = fmemopen((char *)text, strlen(text), "r");
	_cleanup_fclose_ FILE *notes = fopen("/dev/null", "we");
	_cleanup_free_ char *error = NULL;
	unsigned int lines;

	(void)state;
	assert_int_equal(inifile_read(stream, "file", INIFILE_BINDING, NULL, note, notes, &lines,
				      &error),
			 0);
	assert_int_equal(lines, 4);
}

static void test_open(void **state)
{
	char dir[] = "/tmp/checmate-inifile.XXXXXX";
	_cleanup_free_ char *path = NULL, *error = NULL;
	FILE *stream = (FILE *)dir;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_true(asprintf(&path, "%s/file", dir) > 0);

	assert_int_equal(inifile_open(path, &stream, &error), -ENOENT);
	assert_non_null(strstr(error, "/file: cannot be read: No such file"));
	free(TAKE_PTR(error));
	assert_int_equal(inifile_open(dir, &stream, &error), -EISDIR);
	free(TAKE_PTR(error));
	stream = fopen(path, "we");
	assert_non_null(stream);
	assert_int_equal(ftruncate(fileno(stream), 1024 * 1024 + 1), 0);
	fclose(stream);
	stream = (FILE *)dir;
	assert_int_equal(inifile_open(path, &stream, &error), -EFBIG);
	free(TAKE_PTR(error));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(inifile_open(path, &stream, &error), -EINVAL);
	free(TAKE_PTR(error));
	assert_ptr_equal(stream, dir);
	assert_int_equal(unlink(path), 0);

	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(inifile_open(path, &stream, &error), 0);
	assert_null(stream);
	assert_int_equal(unlink(path), 0);

	assert_int_equal(inifile_open("/dev/zero", &stream, &error), -EINVAL);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bindings),     cmocka_unit_test(test_units),
		cmocka_unit_test(test_bad_bindings), cmocka_unit_test(test_bad_units),
		cmocka_unit_test(test_memory),	     cmocka_unit_test(test_count_lines),
		cmocka_unit_test(test_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
