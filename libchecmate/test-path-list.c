// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Tests of what listed paths are, in a folder that is the root */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checmate.h"
#include "cleanup.h"

static char root[] = "/tmp/test-path-list.XXXXXX";
static int root_fd = -1;

static void make(const char *path)
{
	int fd = openat(root_fd, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	close(fd);
}

static int set_up(void **state)
{
	static const char *const folders[] = { "usr",	 "usr/bin",  "usr/lib", "etc",
					       "etc/ab", "with , b", "a" };
	static const char *const links[][2] = {
		{ "usr/bin", "bin" },	{ "/usr/lib", "lib" },	{ "../../../usr/./lib/", "a/far" },
		{ "lib", "twice" },	{ "none", "dangling" }, { "loop-b", "loop-a" },
		{ "loop-a", "loop-b" }, { "/etc/ab/..", "up" }, { ".", "self" },
		{ "a\nb\033", "odd" },
	};

	(void)state;
	assert_non_null(mkdtemp(root));
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(root_fd >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		assert_int_equal(mkdirat(root_fd, folders[i], 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		assert_int_equal(symlinkat(links[i][0], root_fd, links[i][1]), 0);
	make("usr/bin/true");
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int tear_down(void **state)
{
	(void)state;
	close(root_fd);
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void same(const char *is, const char *should)
{
	if (should)
		assert_string_equal(is ? is : "(none)", should);
	else
		assert_null(is);
}

static void test_kinds(void **state)
{
	static const struct checmate_path_entry cases[] = {
		{ "/", "exact", NULL, NULL, "/" },
		{ "/usr/bin", "exact", NULL, NULL, "/usr/bin" },
		{ "/usr/bin/true", "exact", NULL, NULL, "/usr/bin/true" },
		{ "/bin", "link", "/bin", "usr/bin", "/usr/bin" },
		{ "/bin/true", "link", "/bin", "usr/bin", "/usr/bin/true" },
		/* Absolute links and those that go up stay within the root. */
		{ "/lib", "link", "/lib", "/usr/lib", "/usr/lib" },
		{ "/a/far", "link", "/a/far", "../../../usr/./lib/", "/usr/lib" },
		{ "/up/ab", "link", "/up", "/etc/ab/..", "/etc/ab" },
		{ "/self/self/usr", "link", "/self", ".", "/usr" },
		/* The first of several is the one to be told. */
		{ "/twice", "link", "/twice", "lib", "/usr/lib" },
		{ "/usr/none", "absent", NULL, NULL, NULL },
		{ "/usr/none/more", "absent", NULL, NULL, NULL },
		{ "/usr/bin/true/more", "absent", NULL, NULL, NULL },
		{ "/dangling", "dangling", "/dangling", "none", NULL },
		{ "/bin/none", "dangling", "/bin", "usr/bin", NULL },
		{ "/loop-a", "dangling", "/loop-a", "loop-b", NULL },
		{ "/odd", "dangling", "/odd", "a\nb\033", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(checmate_path_list_freep) struct checmate_path_list *list = NULL;
		const struct checmate_path_entry *entry;

		print_message("# %s\n", cases[i].path);
		assert_int_equal(checmate_path_list_resolve(root_fd, cases[i].path, &list, NULL), 0);
		assert_int_equal(checmate_path_list_count(list), 1);
		entry = checmate_path_list_get(list, 0);
		assert_string_equal(entry->path, cases[i].path);
		assert_string_equal(entry->kind, cases[i].kind);
		same(entry->link, cases[i].link);
		same(entry->target, cases[i].target);
		same(entry->resolved, cases[i].resolved);
	}
}

static void test_list(void **state)
{
	_cleanup_(checmate_path_list_freep) struct checmate_path_list *list = NULL;

	(void)state;
	assert_int_equal(checmate_path_list_resolve(root_fd, "/with\\ \\,\\ b/ /none,/bin/", &list,
						    NULL),
			 0);
	assert_int_equal(checmate_path_list_count(list), 3);
	assert_string_equal(checmate_path_list_get(list, 0)->path, "/with , b");
	assert_string_equal(checmate_path_list_get(list, 0)->kind, "exact");
	assert_string_equal(checmate_path_list_get(list, 1)->kind, "absent");
	assert_string_equal(checmate_path_list_get(list, 2)->path, "/bin");
	assert_null(checmate_path_list_get(list, 3));
}

static void test_empty(void **state)
{
	_cleanup_(checmate_path_list_freep) struct checmate_path_list *list = NULL;

	(void)state;
	assert_int_equal(checmate_path_list_resolve(root_fd, "", &list, NULL), 0);
	assert_int_equal(checmate_path_list_count(list), 0);
}

static void test_long(void **state)
{
	_cleanup_(checmate_path_list_freep) struct checmate_path_list *list = NULL;
	char target[4096];

	(void)state;
	/* A link to a path that is too long is "unknown", and no failure. */
	memset(target, 'x', sizeof(target));
	for (size_t i = 0; i < sizeof(target); i += 200)
		target[i] = '/';
	target[4090] = '\0';
	assert_int_equal(symlinkat(target, root_fd, "long"), 0);
	assert_int_equal(checmate_path_list_resolve(root_fd, "/long/and/longer", &list, NULL), 0);
	assert_string_equal(checmate_path_list_get(list, 0)->kind, "unknown");
	assert_string_equal(checmate_path_list_get(list, 0)->link, "/long");
	assert_null(checmate_path_list_get(list, 0)->resolved);
}

static void test_bad(void **state)
{
	struct checmate_path_list *list = (void *)1;
	struct checmate_error *error = NULL;
	char many[65 * 3 + 1] = "";

	(void)state;
	assert_int_equal(checmate_path_list_resolve(root_fd, "bin", &list, &error), -EINVAL);
	assert_non_null(strstr(checmate_error_text(error), "\"bin\": a path begins with /"));
	error = checmate_error_free(error);
	for (size_t i = 0; i < 65; i++)
		strcat(many, "/a,");
	assert_int_equal(checmate_path_list_resolve(root_fd, many, &list, NULL), -E2BIG);
	assert_ptr_equal(list, (void *)1);
	assert_null(checmate_path_list_free(NULL));
}

/* A root that is none is no failure: nothing is known then. */
static void test_no_root(void **state)
{
	_cleanup_(checmate_path_list_freep) struct checmate_path_list *list = NULL;

	(void)state;
	assert_int_equal(checmate_path_list_resolve(-1, "/bin", &list, NULL), 0);
	assert_string_equal(checmate_path_list_get(list, 0)->kind, "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds), cmocka_unit_test(test_list),
		cmocka_unit_test(test_empty), cmocka_unit_test(test_long),
		cmocka_unit_test(test_bad),   cmocka_unit_test(test_no_root),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
