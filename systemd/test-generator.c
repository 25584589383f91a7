// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cleanup.h"
#include "detect.h"
#include "generator.h"
#include "parse.h"

/* Each test has a folder of its own, with units in a/ and b/. */
static char root[32];
static char said[4096];

#define CONF "[X-Checmate]\nPolicy=net-bind\n"

static const char *at(const char *path)
{
	static char full[8][512];
	static unsigned int n;
	char *text = full[n++ % ARRAY_SIZE(full)];

	snprintf(text, sizeof(full[0]), "%s/%s", root, path);
	return text;
}

static void complain(const char *text)
{
	size_t n = strlen(said);

	snprintf(said + n, sizeof(said) - n, "%s\n", text);
}

static void write_file(const char *path, const char *text)
{
	_cleanup_free_ char *full = strdup(at(path));
	FILE *stream;

	assert_non_null(full);
	for (char *slash = strchr(full + strlen(root) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(full, 0755);
		*slash = '/';
	}
	stream = fopen(full, "we");
	assert_non_null(stream);
	assert_true(fputs(text, stream) >= 0);
	assert_int_equal(fclose(stream), 0);
}

static int setup(void **state)
{
	static const char *const confs[] = { "service", "socket", "unit", "none" };

	(void)state;
	strcpy(root, "/tmp/test-generator-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	said[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(confs); i++) {
		char path[64];

		snprintf(path, sizeof(path), "conf/%s.conf", confs[i]);
		write_file(path, "");
	}
	return mkdir(at("out"), 0755);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static int run(void)
{
	_cleanup_free_ char *a = strdup(at("a")), *b = strdup(at("b")), *out = strdup(at("out")),
			    *conf = strdup(at("conf"));
	const char *const dirs[] = { a, b, NULL };
	const struct generator generator = {
		.dirs = dirs,
		.output = out,
		.drop_ins = conf,
		.complain = complain,
	};

	return generator_run(&generator);
}

static void expect_link(const char *path, const char *want)
{
	char target[512];
	ssize_t n = readlink(at(path), target, sizeof(target) - 1);

	if (n < 0)
		fail_msg("%s is no link", path);
	target[n] = '\0';
	assert_string_equal(target, want[0] == '/' ? want : at(want));
}

static void expect_none(const char *path)
{
	struct stat st;

	if (!lstat(at(path), &st))
		fail_msg("%s is there", path);
	assert_int_equal(errno, ENOENT);
}

static void test_nothing(void **state)
{
	(void)state;
	assert_int_equal(run(), 0);
	write_file("a/x.service", "[Unit]\n[Service]\n[X-Other]\n");
	write_file("a/x.conf", CONF);
	write_file("a/x.service~", CONF);
	write_file("a/.x.service", CONF);
	write_file("a/y.service.d/x.txt", CONF);
	write_file("a/y.service.d/.x.conf", CONF);
	write_file("a/y.d/x.conf", CONF);
	write_file("a/y.service.wants/x.conf", CONF);
	assert_int_equal(mkdir(at("a/dir.service"), 0755), 0);
	assert_int_equal(symlink("/nonexistent", at("a/gone.service")), 0);
	assert_int_equal(symlink("/dev/null", at("a/masked.service")), 0);
	assert_int_equal(mkfifo(at("a/fifo.service"), 0600), 0);
	assert_int_equal(run(), 0);
	assert_int_equal(rmdir(at("out")), 0);
	assert_string_equal(said, "");
	assert_int_equal(mkdir(at("out"), 0755), 0);
}

static void test_kinds(void **state)
{
	(void)state;
	write_file("a/x.service", CONF);
	write_file("b/x.service", CONF);
	write_file("b/t@.service", CONF);
	write_file("a/t@i.service.d/10.conf", CONF);
	write_file("a/pre-.service.d/10.conf", CONF);
	write_file("a/socket.d/10.conf", CONF);
	write_file("b/s.slice", CONF);
	write_file("b/m.mount.d/x.conf", CONF);
	write_file("b/m.timer", CONF);
	assert_int_equal(symlink("x.service", at("a/alias.service")), 0);
	assert_int_equal(run(), 0);
	expect_link("out/x.service.d/zz-checmate.conf", "conf/service.conf");
	expect_link("out/alias.service.d/zz-checmate.conf", "conf/service.conf");
	expect_link("out/t@.service.d/zz-checmate.conf", "conf/service.conf");
	expect_link("out/t@i.service.d/zz-checmate.conf", "conf/service.conf");
	expect_link("out/pre-.service.d/zz-checmate.conf", "conf/service.conf");
	expect_link("out/socket.d/zz-checmate.conf", "conf/socket.conf");
	expect_link("out/s.slice.d/zz-checmate.conf", "conf/unit.conf");
	expect_link("out/m.mount.d/zz-checmate.conf", "conf/unit.conf");
	expect_link("out/m.timer.d/zz-checmate.conf", "conf/unit.conf");
	expect_link("out/-.slice.d/zz-checmate.conf", "conf/none.conf");
	expect_link("out/checmate-unit@.service.d/zz-checmate.conf", "conf/none.conf");
	assert_string_equal(said, "");
}

static void test_rooted(void **state)
{
	(void)state;
	write_file("a/x.service", CONF "[Service]\nRootDirectory=/x\n");
	write_file("a/y.service", CONF);
	write_file("a/y.service.d/root.conf", "RootImage=/y\n");
	write_file("a/pre-.service.d/x.conf", CONF);
	write_file("a/pre-one.service", "RootDirectory=/x\n");
	write_file("a/pre-two.service", "");
	write_file("a/t@.service", "RootDirectory=/x\n");
	write_file("a/t@i.service.d/x.conf", CONF);
	write_file("a/free.service", "RootDirectory=/x\n");
	write_file("a/pre-one.socket", "RootDirectory=/x\n");
	assert_int_equal(run(), 0);
	expect_link("out/x.service.d/zz-checmate.conf", "conf/unit.conf");
	expect_link("out/y.service.d/zz-checmate.conf", "conf/unit.conf");
	expect_link("out/pre-.service.d/zz-checmate.conf", "conf/service.conf");
	expect_link("out/pre-one.service.d/zz-checmate.conf", "conf/unit.conf");
	expect_none("out/pre-two.service.d");
	expect_link("out/t@i.service.d/zz-checmate.conf", "conf/unit.conf");
	expect_none("out/t@.service.d");
	expect_none("out/free.service.d");
	expect_none("out/pre-one.socket.d");
	write_file("b/service.d/x.conf", CONF);
	assert_int_equal(run(), -EEXIST);
	expect_link("out/free.service.d/zz-checmate.conf", "conf/unit.conf");
	expect_link("out/t@.service.d/zz-checmate.conf", "conf/unit.conf");
	expect_link("out/service.d/zz-checmate.conf", "conf/service.conf");
}

/* The name sorts behind all others, whatever they are. */
static void test_last(void **state)
{
	static const struct {
		const char *other, *want;
	} names[] = {
		{ "aa", "zz-checmate" }, { "zz-checmate", "~checmate" },
		{ "zzz", "~checmate" },	 { "~checmate", "~checmate~checmate" },
		{ "~~", "~~~checmate" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[128];

		if (i && (teardown(state) || setup(state)))
			fail();
		write_file("a/x.service", CONF);
		snprintf(path, sizeof(path), "b/unrelated.service.d/%s.conf", names[i].other);
		write_file(path, "");
		assert_int_equal(run(), 0);
		snprintf(path, sizeof(path), "out/x.service.d/%s.conf", names[i].want);
		expect_link(path, "conf/service.conf");
		assert_true(strcmp(names[i].want, names[i].other) > 0);
	}
}

static void test_no_name(void **state)
{
	char path[320] = "b/y.service.d/";
	size_t n = strlen(path);

	(void)state;
	memset(path + n, '~', 250);
	strcpy(path + n + 250, ".conf");
	write_file(path, "");
	write_file("a/x.service", CONF);
	write_file("a/pre-.service.d/x.conf", CONF);
	assert_int_equal(run(), -ENAMETOOLONG);
	expect_link("out/x.service", "/dev/null");
	expect_none("out/pre-.service");
	assert_non_null(strstr(said, "x.service: it cannot be given its policies, and is masked"));
	assert_non_null(strstr(said, "pre-.service: it CANNOT be given"));
}

/* What another generator has made in the unit's name is no mask. */
static void test_no_mask(void **state)
{
	char path[320] = "b/y.service.d/";
	size_t n = strlen(path);

	(void)state;
	memset(path + n, '~', 250);
	strcpy(path + n + 250, ".conf");
	write_file(path, "");
	write_file("a/x.service", CONF);
	write_file("out/x.service", "");
	assert_int_equal(run(), -ENAMETOOLONG);
	assert_non_null(strstr(said, "x.service: it CANNOT be given"));
}

static void test_eternal(void **state)
{
	(void)state;
	write_file("a/-.slice.d/x.conf", CONF);
	write_file("a/system.slice", CONF);
	write_file("a/slice.d/x.conf", CONF);
	assert_int_equal(run(), 0);
	expect_link("out/-.slice.d/zz-checmate.conf", "conf/none.conf");
	expect_link("out/slice.d/zz-checmate.conf", "conf/unit.conf");
	expect_link("out/system.slice.d/zz-checmate.conf", "conf/none.conf");
	expect_link("out/init.scope.d/zz-checmate.conf", "conf/none.conf");
	assert_non_null(strstr(said, "-.slice: it is there before any policy"));
	assert_non_null(strstr(said, "system.slice: it is there before any policy"));
}

static void test_long_name(void **state)
{
	char path[300] = "a/";

	(void)state;
	memset(path + 2, 'x', 230);
	strcpy(path + 232, ".slice");
	write_file(path, CONF);
	assert_int_equal(run(), -ENAMETOOLONG);
	memcpy(path, "o/", 2);
	assert_int_equal(symlink("out", at("o")), 0);
	expect_link(path, "/dev/null");
}

/* A drop-in that is not installed would be a link that systemd passes over. */
static void test_not_installed(void **state)
{
	(void)state;
	assert_int_equal(unlink(at("conf/service.conf")), 0);
	write_file("a/x.service", CONF);
	assert_int_equal(run(), -ENOENT);
	expect_link("out/x.service", "/dev/null");
	expect_none("out/x.service.d");
}

static void test_no_output(void **state)
{
	(void)state;
	write_file("a/x.service", CONF);
	assert_int_equal(rmdir(at("out")), 0);
	assert_int_equal(run(), -ENOENT);
	assert_non_null(strstr(said, "x.service: it CANNOT be given its policies"));
	assert_int_equal(mkdir(at("out"), 0755), 0);
}

/* A file that leads in a circle cannot be read: its unit is asked about. */
static void test_unreadable(void **state)
{
	(void)state;
	write_file("a/x.conf", "");
	assert_int_equal(symlink("x.service", at("a/x.service")), 0);
	assert_int_equal(run(), 0);
	expect_link("out/x.service.d/zz-checmate.conf", "conf/service.conf");
}

static bool detect(const char *text)
{
	return detect_section(text, strlen(text));
}

static unsigned int misspelt(const char *text)
{
	return detect_misspelt(text, strlen(text));
}

static void test_detect(void **state)
{
	(void)state;
	assert_true(detect("[X-Checmate]"));
	assert_true(detect("[Unit]\rfoo\r[X-Checmate net-bind]"));
	assert_true(detect_section("a\0[X-Checmate]", 14));
	assert_true(detect("[x-checkmate]"));
	assert_true(detect("[ \tX-CHECMATE"));
	assert_true(detect("# [X-Checmate]"));
	assert_true(detect("[[X-Checmate]"));
	assert_false(detect(""));
	assert_false(detect("["));
	assert_false(detect("[X-Checmat"));
	assert_false(detect("[X-Check]"));
	assert_false(detect("X-Checmate]"));
	assert_int_equal(misspelt("[X-Checmate]\n[X-Checmate a]\n[Unit]"), 0);
	assert_int_equal(misspelt("\n# [x-checmate]\n [x-checmate]"), 3);
	assert_int_equal(misspelt(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rooted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_last, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_mask, setup, teardown),
		cmocka_unit_test_setup_teardown(test_eternal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_installed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_output, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unreadable, setup, teardown),
		cmocka_unit_test(test_detect),
	};

	return cmocka_run_group_tests_name("generator", tests, NULL, NULL);
}
