// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Tests of the control files' text */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cleanup.h"
#include "control.h"

static void test_parse(void **state)
{
	static const char text[] =
		"generation 3\n"
		"17 hook=socket_bind name=net_bind tag=0123456789abcdef prog=42 mode=enforce\n"
		"18446744073709551615 hook=bpf name= tag= prog=4294967295 mode=enforce new=1 x\n";
	_cleanup_(control_list_done) struct control_list list = {};

	(void)state;
	assert_int_equal(control_parse(text, &list), 0);
	assert_int_equal(list.generation, 3);
	assert_int_equal(list.n, 2);
	assert_int_equal(list.items[0].id, 17);
	assert_string_equal(list.items[0].hook, "socket_bind");
	assert_string_equal(list.items[0].name, "net_bind");
	assert_string_equal(list.items[0].tag, "0123456789abcdef");
	assert_int_equal(list.items[0].prog_id, 42);
	assert_string_equal(list.items[0].mode, "enforce");
	assert_null(list.items[0].path);
	assert_true(list.items[1].id == UINT64_MAX);
	assert_string_equal(list.items[1].name, "");
	assert_ptr_equal(control_list_find(&list, 42, 0), &list.items[0]);
	assert_null(control_list_find(&list, 43, 0));
}

static void test_parse_effective(void **state)
{
	static const char text[] =
		"1 hook=a name=b tag=c prog=1 mode=enforce cgroup=12 path=/a/b\n"
		"2 hook=a name=b tag=c prog=2 mode=enforce cgroup=1 path=/x\\040y\\134\\012=\\9\n";
	_cleanup_(control_list_done) struct control_list list = {};

	(void)state;
	assert_int_equal(control_parse(text, &list), 0);
	assert_int_equal(list.n, 2);
	assert_int_equal(list.items[0].cgroup_id, 12);
	assert_string_equal(list.items[0].path, "/a/b");
	assert_string_equal(list.items[1].path, "/x y\\\n=\\9");
}

/* What is staged is not attached. */
static void test_parse_staged(void **state)
{
	static const char text[] = "generation 2\n"
				   "1 hook=a name=b tag=c prog=1 mode=enforce\n"
				   "2 hook=a name=b tag=c prog=2 mode=enforce staged\n"
				   "3 hook=a name=staged tag=c prog=3 mode=enforce new=staged\n"
				   "4 hook=a name=b tag=c prog=4 mode=enforce staged new=1\n";
	_cleanup_(control_list_done) struct control_list list = {};

	(void)state;
	assert_int_equal(control_parse(text, &list), 0);
	assert_int_equal(list.generation, 2);
	assert_int_equal(list.n, 4);
	assert_false(list.items[0].staged);
	assert_true(list.items[1].staged);
	assert_false(list.items[2].staged);
	assert_true(list.items[3].staged);
	/* Whoever asks for what is in force does not find what is staged. */
	assert_null(control_list_find(&list, 2, 0));
	assert_null(control_list_find_staged(&list, 1, 0));
	assert_int_equal(control_list_find(&list, 3, 0)->id, 3);
	assert_int_equal(control_list_find_staged(&list, 4, 0)->id, 4);
}

static void test_parse_cookie(void **state)
{
	static const char text[] =
		"generation 1\n"
		"1 hook=a name=b tag=c prog=1 mode=enforce cookie=18446744073709551615\n"
		"2 hook=a name=b tag=c prog=2 mode=permissive cookie=5 cgroup=1 path=/a\n"
		"3 hook=a name=b tag=c prog=3 mode=enforce\n"
		"4 hook=a name=cookie=4 tag=c prog=4 mode=enforce cookie=0\n"
		"5 hook=a name=b tag=c prog=5 mode=enforce cookie=6 staged\n";
	_cleanup_(control_list_done) struct control_list list = {};

	(void)state;
	assert_int_equal(control_parse(text, &list), 0);
	assert_int_equal(list.n, 5);
	assert_true(list.items[0].cookie == UINT64_MAX);
	assert_int_equal(list.items[1].cookie, 5);
	assert_string_equal(list.items[1].path, "/a");
	assert_int_equal(list.items[2].cookie, 0);
	assert_int_equal(list.items[3].cookie, 0);
	assert_string_equal(list.items[3].name, "cookie=4");
	assert_int_equal(list.items[4].cookie, 6);
	assert_true(list.items[4].staged);
}

static void test_parse_bad(void **state)
{
	static const char *const bad[] = {
		"nonsense\n",
		"generation x\n",
		"generation -1\n",
		"generation 18446744073709551616\n",
		"1\n",
		"1 hook=a\n",
		"1 hook=a prog=1\n",
		"1 hook=a mode=enforce\n",
		"1 hook=a prog=0 mode=enforce\n",
		"1 prog=1 mode=enforce\n",
		"x hook=a prog=1 mode=enforce\n",
		" 1 hook=a prog=1 mode=enforce\n",
		"1 hook=a prog=4294967296 mode=enforce\n",
		"1 hook=a prog=-1 mode=enforce\n",
		"1 hook=a hook=b prog=1 mode=enforce\n",
		"1 hook=a prog=1 mode=enforce cgroup=/a\n",
		"1 hook=a prog=1 staged\n",
		"1 hook=a prog=1 mode=enforce cookie=\n",
		"1 hook=a prog=1 mode=enforce cookie=-1\n",
		"1 hook=a prog=1 mode=enforce cookie=x\n",
		"1 hook=a prog=1 mode=enforce cookie=18446744073709551616\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct control_list list = { .generation = 4711 };

		if (control_parse(bad[i], &list) != -EBADMSG)
			fail_msg("\"%s\" was accepted", bad[i]);
		assert_int_equal(list.generation, 4711);
	}
}

static void test_parse_empty(void **state)
{
	_cleanup_(control_list_done) struct control_list list = { .n = 1 };

	(void)state;
	assert_int_equal(control_parse("", &list), 0);
	assert_int_equal(list.n, 0);
	assert_int_equal(control_parse("generation 0\n", &list), 0);
	assert_int_equal(list.n, 0);
	assert_int_equal(list.generation, 0);
}

static void test_format(void **state)
{
	static const uint64_t detach[] = { 3, UINT64_MAX };
	static const int attach[] = { 0, 7 };
	struct control_change change = {
		.generation = UINT64_MAX,
		.detach = detach,
		.n_detach = ARRAY_SIZE(detach),
		.attach = attach,
		.n_attach = ARRAY_SIZE(attach),
	};
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_int_equal(control_format(&change, &text), 0);
	assert_string_equal(text, "generation 18446744073709551615\n"
				  "detach 3\n"
				  "detach 18446744073709551615\n"
				  "attach 0\n"
				  "attach 7\n");
}

static void test_format_staged(void **state)
{
	static const uint64_t mode[] = { 3, 4 };
	static const int attach[] = { 7 };
	struct control_change stage = {
		.generation = 1,
		.when_exec = true,
		.pid = 77,
		.except_fd = 0,
		.permissive = true,
		.attach = attach,
		.n_attach = 1,
	};
	struct control_change withdraw = { .when_exec = true, .except_fd = -1 };
	struct control_change change = { .except_fd = -1, .mode = mode, .n_mode = 2 };
	char *text;

	(void)state;
	assert_int_equal(control_format(&stage, &text), 0);
	assert_string_equal(text, "generation 1\n"
				  "when=exec pid=77 except=0\n"
				  "attach 7 mode=permissive\n");
	free(text);
	assert_int_equal(control_format(&withdraw, &text), 0);
	assert_string_equal(text, "generation 0\nwhen=exec\n");
	free(text);
	assert_int_equal(control_format(&change, &text), 0);
	assert_string_equal(text, "generation 0\nmode 3 enforce\nmode 4 enforce\n");
	free(text);
}

static void test_format_cookies(void **state)
{
	static const int attach[] = { 7, 8, 9 };
	static const uint64_t cookies[] = { 5, 0, UINT64_MAX };
	struct control_change change = {
		.generation = 1,
		.attach = attach,
		.cookies = cookies,
		.n_attach = ARRAY_SIZE(attach),
	};
	char *text;

	(void)state;
	assert_int_equal(control_format(&change, &text), 0);
	assert_string_equal(text, "generation 1\n"
				  "attach 7 cookie=5\n"
				  "attach 8\n"
				  "attach 9 cookie=18446744073709551615\n");
	free(text);
	change.permissive = true;
	assert_int_equal(control_format(&change, &text), 0);
	assert_string_equal(text, "generation 1\n"
				  "attach 7 mode=permissive cookie=5\n"
				  "attach 8 mode=permissive\n"
				  "attach 9 mode=permissive cookie=18446744073709551615\n");
	free(text);
}

static void test_format_page(void **state)
{
	/* "generation 10\n" and lines of nine bytes: 453 fit into a page, 454 not. */
	int attach[454];
	struct control_change change = { .generation = 10, .attach = attach, .n_attach = 453 };
	char *text = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(attach); i++)
		attach[i] = 9;
	assert_int_equal(control_format(&change, &text), 0);
	assert_int_equal(strlen(text), 14 + 453 * 9);
	free(TAKE_PTR(text));
	change.n_attach++;
	assert_int_equal(control_format(&change, &text), -E2BIG);
	assert_null(text);
}

static void test_hooks(void **state)
{
	_cleanup_(control_hooks_done) struct control_hooks hooks = {};
	struct control_hooks untouched = { .n = 4711 };

	(void)state;
	assert_int_equal(control_parse_hooks("bpf sleepable=1 active=0 programs=0\n"
					     "socket_bind sleepable=0 active=1 programs=12 y=z\n",
					     &hooks),
			 0);
	assert_int_equal(hooks.n, 2);
	assert_string_equal(hooks.items[1].name, "socket_bind");
	assert_true(hooks.items[0].sleepable);
	assert_false(hooks.items[0].active);
	assert_false(hooks.items[1].sleepable);
	assert_true(hooks.items[1].active);
	assert_int_equal(hooks.items[1].programs, 12);

	assert_int_equal(control_parse_hooks("bpf sleepable=2 active=0 programs=0\n", &untouched),
			 -EBADMSG);
	assert_int_equal(control_parse_hooks("bpf\n", &untouched), -EBADMSG);
	assert_int_equal(untouched.n, 4711);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),	       cmocka_unit_test(test_parse_effective),
		cmocka_unit_test(test_parse_staged),   cmocka_unit_test(test_parse_bad),
		cmocka_unit_test(test_parse_empty),    cmocka_unit_test(test_format),
		cmocka_unit_test(test_format_staged),  cmocka_unit_test(test_format_page),
		cmocka_unit_test(test_hooks),	       cmocka_unit_test(test_parse_cookie),
		cmocka_unit_test(test_format_cookies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
