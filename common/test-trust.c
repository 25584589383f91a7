// SPDX-License-Identifier: LGPL-2.1-or-later
/* Common - Tests of whose files are believed */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "cleanup.h"
#include "trust.h"

/* Somebody else. */
#define OTHER 65534

static char folder[] = "/tmp/test-trust-XXXXXX";

/* folder/a/b/file */
static int setup(void **state)
{
	(void)state;
	umask(022);
	if (!mkdtemp(folder) || chdir(folder) || mkdir("a", 0755) || mkdir("a/b", 0755))
		return -1;
	return close(open("a/b/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
}

static int teardown(void **state)
{
	(void)state;
	return unlink("a/b/file") || rmdir("a/b") || rmdir("a") || chdir("/") || rmdir(folder) ?
		       -1 :
		       0;
}

/* Opening @path comes to @code; for -EACCES the reason has @words. */
static void check_open(const char *path, int code, const char *words)
{
	_cleanup_free_ char *reason = NULL;
	_cleanup_close_ int fd = -1;
	int r = trust_open(path, &fd, &reason);

	if (r != code)
		fail_msg("%s: %d instead of %d: %s", path, r, code, reason ?: "");
	if (!r)
		assert_true(fd >= 0);
	else
		assert_int_equal(fd, -1);
	if (r != -EACCES) {
		assert_null(reason);
		return;
	}
	assert_non_null(reason);
	if (!strstr(reason, words))
		fail_msg("%s: no \"%s\" in: %s", path, words, reason);
	assert_int_equal(trust_open(path, &fd, NULL), code);
}

static char *absolute(const char *path)
{
	char *text;

	assert_true(asprintf(&text, "%s/%s", folder, path) > 0);
	return text;
}

static void test_paths(void **state)
{
	_cleanup_free_ char *file = absolute("a/b/file"), *slash = absolute("a/b/file/");
	_cleanup_free_ char *up = absolute("a/../a/./b//file"), *none = absolute("a/none/file");

	(void)state;
	check_open(file, 0, NULL);
	check_open(up, 0, NULL);
	check_open("a/b/file", 0, NULL);
	check_open("./a/b/file", 0, NULL);
	check_open("a/../../../../../../../../..", -EISDIR, NULL);
	check_open(slash, -ENOTDIR, NULL);
	check_open(none, -ENOENT, NULL);
	check_open("a/b", -EISDIR, NULL);
	check_open("a/b/", -EISDIR, NULL);
	check_open("/", -EISDIR, NULL);
	check_open("a/b/file/x", -ENOTDIR, NULL);
	check_open("/dev/null", -ENODEV, NULL);
	check_open("/dev/null/", -EACCES, "\"null\"");
}

static void test_kinds(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(mkfifo("a/fifo", 0644), 0);
	check_open("a/fifo", -EINVAL, NULL);
	assert_int_equal(trust_open_any("a/fifo", &fd), -EINVAL);
	assert_int_equal(trust_open_any("a", &fd), -EISDIR);
	assert_int_equal(trust_open_any("none", &fd), -ENOENT);
	assert_int_equal(unlink("a/fifo"), 0);
}

static void check_folder(const char *path, int code)
{
	_cleanup_free_ char *reason = NULL;

	assert_int_equal(trust_check_folder(path, &reason), code);
	assert_int_equal(!!reason, code == -EACCES);
}

static void test_folders(void **state)
{
	(void)state;
	check_folder("a/b", 0);
	check_folder("/", 0);
	check_folder("a/none", -ENOENT);
	check_folder("a/b/file", -ENOTDIR);
	check_folder("/dev/null", -ENODEV);
	assert_int_equal(chmod("a", 0775), 0);
	check_folder("a", -EACCES);
	check_folder("a/b", -EACCES);
	assert_int_equal(chmod("a", 0755), 0);
}

/* Each step alone, writable by the group or by all. */
static void test_modes(void **state)
{
	static const char *const steps[] = { "a", "a/b", "a/b/file" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		mode_t good = i == 2 ? 0644 : 0755;
		const char *name = strrchr(steps[i], '/') ? strrchr(steps[i], '/') + 1 : steps[i];
		_cleanup_free_ char *quoted = NULL;
		int fd;

		assert_true(asprintf(&quoted, "others can write to \"%s\"; chmod go-w", name) > 0);
		assert_int_equal(chmod(steps[i], good | 0020), 0);
		check_open("a/b/file", -EACCES, quoted);
		assert_int_equal(chmod(steps[i], good | 0002), 0);
		check_open("a/b/file", -EACCES, quoted);
		assert_int_equal(trust_open_any("a/b/file", &fd), 0);
		close(fd);
		/* In a sticky folder things stay in their place; a file has no such bit. */
		assert_int_equal(chmod(steps[i], good | 01022), 0);
		check_open("a/b/file", i == 2 ? -EACCES : 0, quoted);
		assert_int_equal(chmod(steps[i], good), 0);
		check_open("a/b/file", 0, NULL);
	}
}

static void test_owners(void **state)
{
	static const char *const steps[] = { "a", "a/b", "a/b/file" };
	uid_t user = geteuid();

	(void)state;
	if (user) {
		/* What a user makes, another user does not trust: but only root can tell. */
		print_message("# not root: only one owner is tried\n");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		assert_int_equal(chown(steps[i], OTHER, -1), 0);
		check_open("a/b/file", -EACCES, "belongs to user 65534");
		assert_int_equal(chown(steps[i], 0, -1), 0);
		check_open("a/b/file", 0, NULL);
	}
	/* The user trusts itself and root, where it can go on. */
	assert_int_equal(chown("a/b/file", OTHER, -1), 0);
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(seteuid(OTHER), 0);
	check_open("a/b/file", 0, NULL);
	assert_int_equal(seteuid(0), 0);
	check_open("a/b/file", -EACCES, "belongs to user 65534");
	assert_int_equal(chown("a/b/file", 0, -1), 0);
}

/* A link is as good as the way that it leads. */
static void test_links(void **state)
{
	_cleanup_free_ char *file = absolute("a/b/file");

	(void)state;
	assert_int_equal(symlink(file, "far"), 0);
	assert_int_equal(symlink("a/b", "near"), 0);
	assert_int_equal(symlink("near/../b/./file", "further"), 0);
	assert_int_equal(symlink("loop", "loop"), 0);
	assert_int_equal(symlink("none", "broken"), 0);
	check_open("./far", 0, NULL);
	check_open("near/file", 0, NULL);
	check_open("./further", 0, NULL);
	check_open("far/", -ENOTDIR, NULL);
	check_open("near", -EISDIR, NULL);
	check_open("loop", -ELOOP, NULL);
	check_open("loop/x", -ELOOP, NULL);
	check_open("broken", -ENOENT, NULL);

	assert_int_equal(chmod("a", 0775), 0);
	check_open("./far", -EACCES, "\"a\"");
	check_open("near/file", -EACCES, "\"a\"");
	assert_int_equal(chmod("a", 0755), 0);
	if (!geteuid()) {
		assert_int_equal(lchown("near", OTHER, -1), 0);
		check_open("./further", -EACCES, "\"near\" belongs to user 65534");
	}
	for (size_t i = 0; i < 5; i++)
		unlink((const char *[]){ "far", "near", "further", "loop", "broken" }[i]);
}

/* As many links as the kernel follows, and one more. */
static void test_many_links(void **state)
{
	char name[16], target[16] = "a/b/file";

	(void)state;
	for (int i = 0; i <= 40; i++) {
		snprintf(name, sizeof(name), "link%d", i);
		assert_int_equal(symlink(target, name), 0);
		check_open(name, i < 40 ? 0 : -ELOOP, NULL);
		strcpy(target, name);
	}
	for (int i = 0; i <= 40; i++) {
		snprintf(name, sizeof(name), "link%d", i);
		assert_int_equal(unlink(name), 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),	cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_modes),	cmocka_unit_test(test_owners),
		cmocka_unit_test(test_links),	cmocka_unit_test(test_many_links),
		cmocka_unit_test(test_folders),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
