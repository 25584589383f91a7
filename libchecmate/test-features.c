// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Tests of features, on folders made up for it */
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
#include "error.h"
#include "parse.h"
#include "paths.h"

static char folder[] = "/tmp/test-features-XXXXXX";

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || chdir(folder) < 0 || mkdir("checmate", 0700) < 0)
		return -1;
	checmate_paths = (struct paths){
		.cgroup = folder,
		.bpffs = folder,
		.security = folder,
		.btf = "/dev/null",
	};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink("lsm");
	unlink("cgroup.controllers");
	unlink("checmate/version");
	unlink("checmate/hooks");
	rmdir("checmate");
	return rmdir(folder);
}

static void put(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static bool has(const char *name)
{
	_cleanup_(checmate_features_freep) struct checmate_features *features = NULL;
	const struct checmate_feature *item;

	assert_int_equal(checmate_features_probe(&features, NULL), 0);
	for (size_t i = 0; (item = checmate_features_get(features, i)); i++) {
		assert_true(item->present == !item->remedy);
		assert_true(strlen(item->found) > 0);
		if (streq(item->name, name))
			return item->present;
	}
	fail_msg("no feature %s", name);
	return false;
}

static void test_lsm(void **state)
{
	(void)state;
	assert_false(has("lsm-bpf"));
	assert_false(has("lsm-checmate"));
	put("lsm", "");
	assert_false(has("lsm-bpf"));
	put("lsm", "lockdown,capability,checmated,xbpf,bpf2");
	assert_false(has("lsm-bpf"));
	assert_false(has("lsm-checmate"));
	put("lsm", "capability,bpf,checmate");
	assert_true(has("lsm-bpf"));
	assert_true(has("lsm-checmate"));
	put("lsm", "checmate,bpf\n");
	assert_true(has("lsm-bpf"));
	assert_true(has("lsm-checmate"));
}

static void test_controller(void **state)
{
	(void)state;
	assert_false(has("controller"));
	put("cgroup.controllers", "cpu memory checmate2\n");
	assert_false(has("controller"));
	put("cgroup.controllers", "cpu memory checmate\n");
	assert_true(has("controller"));
}

static void test_abi(void **state)
{
	(void)state;
	assert_false(has("abi"));
	put("checmate/version", "10\n");
	assert_false(has("abi"));
	put("checmate/version", "1\n");
	assert_true(has("abi"));
}

static void test_mounts(void **state)
{
	(void)state;
	/* It is there, but it is no such file system. */
	assert_false(has("cgroup2"));
	assert_false(has("bpffs"));
	assert_true(has("btf"));
	checmate_paths.btf = "/no/such/file";
	assert_false(has("btf"));
}

static void test_hooks(void **state)
{
	_cleanup_(checmate_features_freep) struct checmate_features *features = NULL;

	(void)state;
	put("checmate/hooks", "bpf sleepable=1 active=0 programs=0\n");
	assert_int_equal(checmate_features_probe(&features, NULL), 0);
	assert_int_equal(checmate_features_count_hooks(features), 1);
	assert_string_equal(checmate_features_get_hook(features, 0)->name, "bpf");
	assert_null(checmate_features_get_hook(features, 1));
	/* The mounts are not what they should be. */
	assert_null(checmate_features_backend(features));
	assert_null(checmate_features_get(features, checmate_features_count(features)));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lsm),   cmocka_unit_test(test_controller),
		cmocka_unit_test(test_abi),   cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_hooks),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
