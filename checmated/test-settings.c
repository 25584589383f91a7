// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Settings: what is read, what is refused, and whose hook is expected
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

#include "cleanup.h"
#include "parse.h"
#include "settings.h"
#include "strv.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define POD "/kubepods/pod01234567-89ab-cdef-0123-456789abcdef/"

static int parse(const char *text, struct settings *ret_settings, char **ret_error)
{
	_cleanup_fclose_ FILE *stream = fmemopen((void *)text, strlen(text), "r");

	assert_non_null(stream);
	return settings_parse(stream, "file", ret_settings, ret_error);
}

static bool expects(const struct settings *settings, const char *path)
{
	_cleanup_(identity_done) struct identity identity = {};

	assert_int_equal(identity_from_path(path, &identity), 0);
	assert_true(identity_is_container(&identity));
	return settings_expects_hook(settings, &identity);
}

static void check_defaults(const struct settings *settings)
{
	assert_true(expects(settings, "/machine.slice/libpod-" ID ".scope"));
	assert_true(
		expects(settings, "/user.slice/user-1.slice/user@1.service/libpod-" ID ".scope"));
	assert_true(expects(settings, POD "crio-" ID ".scope"));
	assert_true(expects(settings, "/system.slice/crun-a.scope"));
	assert_true(expects(settings, "/system.slice/runc-a.scope"));
	assert_false(expects(settings, "/system.slice/docker-" ID ".scope"));
	assert_false(expects(settings, "/docker/" ID));
	assert_false(expects(settings, POD ID));
	assert_false(expects(settings, POD "cri-containerd-" ID ".scope"));
	assert_false(expects(settings, "/system.slice/nerdctl-" ID ".scope"));
}

static void test_defaults(void **unused)
{
	_cleanup_(settings_done) struct settings none = {}, empty = {};
	_cleanup_free_ char *error = NULL;

	(void)unused;
	assert_int_equal(settings_parse(NULL, NULL, &none, &error), 0);
	check_defaults(&none);
	assert_int_equal(parse("[Containers]\n", &empty, &error), 0);
	check_defaults(&empty);
}

/* Its comments are the defaults. */
static void test_example(void **unused)
{
	_cleanup_(settings_done) struct settings settings = {}, said = {};
	_cleanup_fclose_ FILE *stream = fopen(SETTINGS_EXAMPLE, "re");
	_cleanup_free_ char *error = NULL, *text = NULL;
	size_t size = 0, n;
	char *key;

	(void)unused;
	assert_non_null(stream);
	assert_int_equal(settings_parse(stream, "example", &settings, &error), 0);
	check_defaults(&settings);

	rewind(stream);
	assert_true(getdelim(&text, &size, '\0', stream) > 0);
	key = strstr(text, "#HookEngines=");
	assert_non_null(key);
	*key = ' ';
	memmove(key, key + 1, strlen(key));
	assert_int_equal(parse(text, &said, &error), 0);
	n = strv_length(settings.hook_engines);
	assert_int_equal(strv_length(said.hook_engines), n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(said.hook_engines[i], settings.hook_engines[i]);
}

static void test_engines(void **unused)
{
	_cleanup_(settings_done) struct settings some = {}, none = {}, all = {};
	_cleanup_free_ char *error = NULL;

	(void)unused;
	assert_int_equal(parse("[Containers]\nHookEngines=x\nHookEngines=\n"
			       "HookEngines=dock*\n\tcontainerd\n",
			       &some, &error),
			 0);
	assert_true(expects(&some, "/system.slice/docker-" ID ".scope"));
	assert_true(expects(&some, POD ID));
	assert_false(expects(&some, "/machine.slice/libpod-" ID ".scope"));

	assert_int_equal(parse("[Containers]\nHookEngines=\n", &none, &error), 0);
	assert_false(expects(&none, "/machine.slice/libpod-" ID ".scope"));
	assert_false(expects(&none, POD ID));

	assert_int_equal(parse("[Containers]\nHookEngines=*\n", &all, &error), 0);
	assert_true(expects(&all, POD ID));
	assert_true(expects(&all, "/system.slice/docker-" ID ".scope"));
}

static void test_refused(void **unused)
{
	static const char *const bad[][2] = {
		{ "HookEngines=podman\n", "file:1: " },
		{ "[Container]\n", "file:1: unknown section [Container]; known is [Containers]" },
		{ "[Containers]\nHookEngine=x\n", "file:2: unknown key HookEngine= in" },
		{ "[Containers]\nHookEngines=podman crio\n",
		  "file:2: HookEngines=crio: it is known as cri-o here" },
		{ "[Containers]\nHookEngines=/usr/bin/podman\n",
		  "file:2: HookEngines=/usr/bin/podman: not a runtime's name" },
		{ "[Containers]\nHookEngines\n", "file:2: " },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct settings settings = {};
		_cleanup_free_ char *error = NULL;

		assert_int_equal(parse(bad[i][0], &settings, &error), -EINVAL);
		assert_null(settings.hook_engines);
		if (!startswith(error, bad[i][1]))
			fail_msg("'%s' is refused as '%s'", bad[i][0], error);
	}
}

static void put(const char *dir, const char *text)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_fclose_ FILE *stream = NULL;

	assert_true(asprintf(&path, "%s/checmated.conf", dir) > 0);
	stream = fopen(path, "we");
	assert_non_null(stream);
	assert_true(fputs(text, stream) >= 0);
}

static void test_load(void **unused)
{
	char root[] = "/tmp/checmate-settings.XXXXXX";
	_cleanup_(settings_done) struct settings settings = {};
	_cleanup_free_ char *error = NULL, *first = NULL, *last = NULL, *file = NULL;

	(void)unused;
	assert_non_null(mkdtemp(root));
	assert_true(asprintf(&first, "%s/first", root) > 0);
	assert_true(asprintf(&last, "%s/last", root) > 0);
	assert_true(asprintf(&file, "%s/checmated.conf", last) > 0);
	const char *const dirs[] = { first, last, NULL };

	assert_int_equal(settings_load(dirs, &settings, &error), 0);
	check_defaults(&settings);
	settings_done(&settings);

	assert_int_equal(mkdir(first, 0700), 0);
	assert_int_equal(mkdir(last, 0700), 0);
	put(first, "[Containers]\nHookEngines=docker\n");
	assert_int_equal(settings_load(dirs, &settings, &error), 0);
	assert_true(expects(&settings, "/system.slice/docker-" ID ".scope"));
	settings_done(&settings);

	put(last, "[Containers]\nHookEngines=\n");
	assert_int_equal(settings_load(dirs, &settings, &error), 0);
	assert_false(expects(&settings, "/system.slice/docker-" ID ".scope"));

	assert_int_equal(chmod(file, 0666), 0);
	assert_int_equal(settings_load(dirs, &settings, &error), -EACCES);
	assert_true(startswith(error, file));
	assert_non_null(strstr(error, "not trusted: others can write to"));

	assert_int_equal(unlink(file), 0);
	assert_int_equal(symlink("/dev/null", file), 0);
	settings_done(&settings);
	assert_int_equal(settings_load(dirs, &settings, &error), 0);
	check_defaults(&settings);

	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(last), 0);
	free(file);
	assert_true(asprintf(&file, "%s/checmated.conf", first) > 0);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(first), 0);
	assert_int_equal(rmdir(root), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults), cmocka_unit_test(test_example),
		cmocka_unit_test(test_engines),	 cmocka_unit_test(test_refused),
		cmocka_unit_test(test_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
