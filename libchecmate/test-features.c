// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Tests of features, on machines made up for it */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "backend.h"
#include "cleanup.h"
#include "error.h"
#include "parse.h"
#include "paths.h"

static char folder[32];

static const char *const folders[] = { "s", "s/checmate", "c" };
static const char *const files[] = {
	"s/lsm",  "s/checmate/version", "s/checmate/hooks", "c/cgroup.controllers", "btf", "mounts",
	"status",
};

/* A machine without anything. */
static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test-features-XXXXXX");
	if (!mkdtemp(folder) || chdir(folder) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (mkdir(folders[i], 0700) < 0)
			return -1;
	checmate_paths = (struct paths){
		.cgroup = "c",
		.bpffs = "b",
		.security = "s",
		.btf = "btf",
		.mounts = "mounts",
		.status = "status",
		.release = "",
	};
	return unsetenv("CHECMATE_BACKEND");
}

static int teardown(void **state)
{
	(void)state;
	(void)checmate_backend_force(NULL, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		unlink(files[i]);
	for (size_t i = ARRAY_SIZE(folders); i > 0; i--)
		if (rmdir(folders[i - 1]) < 0)
			return -1;
	return rmdir(folder);
}

static void put(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* @more: lines of other mounts. */
static void put_mounts(const char *cgroup, const char *bpffs, const char *more)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "21 1 0:5 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
		 "22 21 0:6 / s rw - securityfs none rw\n"
		 "23 21 0:7 / c rw - ramfs none rw\n"
		 "24 21 0:8 / c rw,nosuid shared:4 master:1 - %s none rw\n"
		 "25 21 0:9 / b rw - %s none rw\n"
		 "%s",
		 cgroup, bpffs, more);
	put("mounts", text);
}

/* A kernel with the controller, and all that belongs to it. */
static void put_checmate(void)
{
	checmate_paths.release = "6.12.95";
	put("s/lsm", "capability,checmate,bpf");
	put("c/cgroup.controllers", "cpu memory checmate\n");
	put("s/checmate/version", "1\n");
	put("btf", "");
	put("status", "Name:\ttest\nCapInh:\t0000000000000000\nCapEff:\t000001ffffffffff\n");
	put_mounts("cgroup2", "bpf", "");
}

/* One of a distribution. */
static void put_stock(void)
{
	put_checmate();
	checmate_paths.release = "6.1.0-13-amd64";
	put("s/lsm", "lockdown,capability,bpf");
	put("c/cgroup.controllers", "cpu memory\n");
	unlink("s/checmate/version");
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

/* What is needed and missing, by name, and the backend, NULL for none. */
static void check_machine(const char *missing, const char *backend)
{
	_cleanup_(checmate_features_freep) struct checmate_features *features = NULL;
	const struct checmate_feature *item;
	char text[512] = "";

	assert_int_equal(checmate_features_probe(&features, NULL), 0);
	for (size_t i = 0; (item = checmate_features_get(features, i)); i++)
		if (item->needed && !item->present) {
			strcat(text, *text ? " " : "");
			strcat(text, item->name);
		}
	assert_string_equal(text, missing);
	assert_string_equal(checmate_features_backend(features) ?: "none", backend ?: "none");
}

static void test_lsm(void **state)
{
	(void)state;
	assert_false(has("lsm-bpf"));
	assert_false(has("lsm-checmate"));
	put("s/lsm", "");
	assert_false(has("lsm-bpf"));
	put("s/lsm", "lockdown,capability,checmated,xbpf,bpf2");
	assert_false(has("lsm-bpf"));
	assert_false(has("lsm-checmate"));
	put("s/lsm", "capability,bpf,checmate");
	assert_true(has("lsm-bpf"));
	assert_true(has("lsm-checmate"));
	put("s/lsm", "checmate,bpf\n");
	assert_true(has("lsm-bpf"));
	assert_true(has("lsm-checmate"));
}

static void test_controller(void **state)
{
	(void)state;
	assert_false(has("controller"));
	put("c/cgroup.controllers", "cpu memory checmate2\n");
	assert_false(has("controller"));
	put("c/cgroup.controllers", "cpu memory checmate\n");
	assert_true(has("controller"));
}

static void test_abi(void **state)
{
	(void)state;
	assert_false(has("abi"));
	put("s/checmate/version", "10\n");
	assert_false(has("abi"));
	put("s/checmate/version", "1\n");
	assert_true(has("abi"));
}

static void test_kernel(void **state)
{
	static const struct {
		const char *release;
		bool enough;
	} kernels[] = {
		{ "6.0.0", true },    { "6.1.0-13-amd64", true },
		{ "10.2-rc1", true }, { "5.19.17", false },
		{ "4.6.0", false },   { "6", false },
		{ "x6.1", false },    { "", false },
		{ "-6.1", false },
	};

	(void)state;
	assert_false(has("kernel"));
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		checmate_paths.release = kernels[i].release;
		if (has("kernel") != kernels[i].enough)
			fail_msg("%s", kernels[i].release);
	}
}

static void test_mounts(void **state)
{
	(void)state;
	assert_false(has("securityfs"));
	assert_false(has("cgroup2"));
	assert_false(has("bpffs"));
	/* No cgroup2 at all is no hybrid. */
	assert_true(has("cgroup-unified"));

	put_mounts("cgroup2", "bpf", "");
	assert_true(has("securityfs"));
	assert_true(has("cgroup2"));
	assert_true(has("cgroup-unified"));
	assert_true(has("bpffs"));

	put_mounts("tmpfs", "tmpfs", "26 24 0:10 / c/unified rw - cgroup2 none rw\n");
	assert_true(has("cgroup2"));
	assert_false(has("cgroup-unified"));
	assert_false(has("bpffs"));

	put("mounts", "\n- - \n1 2\n1 2 3 4 - x\n 1 - cgroup2\n1 2 3 4 b - bpf\n");
	assert_false(has("cgroup2"));
	assert_true(has("bpffs"));
}

static void test_btf(void **state)
{
	(void)state;
	assert_false(has("btf"));
	put("btf", "");
	assert_true(has("btf"));
}

static void test_capabilities(void **state)
{
	(void)state;
	assert_false(has("CAP_BPF"));
	put("status", "Name:\tCapEff:\nCapPrm:\t000001ffffffffff\nCapEff:\t0000000200000000\n");
	assert_true(has("CAP_MAC_ADMIN"));
	assert_false(has("CAP_BPF"));
	assert_false(has("CAP_NET_ADMIN"));
	put("status", "Name:\ttest\nCapEff:\t000000c000201000\n");
	assert_false(has("CAP_MAC_ADMIN"));
	assert_true(has("CAP_BPF"));
	assert_true(has("CAP_PERFMON"));
	assert_true(has("CAP_SYS_ADMIN"));
	assert_true(has("CAP_NET_ADMIN"));
}

static void test_choice(void **state)
{
	(void)state;
	put_checmate();
	check_machine("", "checmate");
	put_stock();
	check_machine("", "bpf-link");

	/* The controller is there and was not chosen at boot. */
	put_checmate();
	put("s/lsm", "capability,bpf");
	check_machine("", "bpf-link");
	put("s/lsm", "capability");
	check_machine("lsm-checmate", NULL);
	/* It was chosen at boot and turned off. */
	put("s/lsm", "capability,checmate");
	put("c/cgroup.controllers", "cpu\n");
	check_machine("controller", NULL);
	put("s/lsm", "capability,checmate,bpf");
	check_machine("", "bpf-link");
	/* Nobody knows what was chosen. */
	put("c/cgroup.controllers", "checmate\n");
	unlink("s/lsm");
	check_machine("lsm-checmate", NULL);
}

/* Each thing that can be missing keeps the machine from enforcing, by its own name. */
static void test_missing(void **state)
{
	(void)state;
	put_stock();
	put("s/lsm", "capability");
	check_machine("lsm-bpf", NULL);
	put_stock();
	checmate_paths.release = "5.10.0";
	/* What is nearest then is a kernel that has the controller. */
	check_machine("lsm-checmate controller abi", NULL);
	put_stock();
	unlink("btf");
	check_machine("btf", NULL);
	put_stock();
	put_mounts("cgroup2", "tmpfs", "");
	check_machine("bpffs", NULL);
	put_mounts("tmpfs", "bpf", "");
	check_machine("cgroup2", NULL);
	put_mounts("tmpfs", "bpf", "26 24 0:10 / c/unified rw - cgroup2 none rw\n");
	check_machine("cgroup-unified", NULL);
	put("mounts", "24 21 0:8 / c rw - cgroup2 none rw\n25 21 0:9 / b rw - bpf none rw\n");
	check_machine("securityfs", NULL);

	/* A process that may not do it does not say anything about the machine. */
	put_stock();
	put("status", "Name:\ttest\nCapEff:\t0000000000000000\n");
	check_machine("CAP_BPF CAP_PERFMON CAP_SYS_ADMIN CAP_NET_ADMIN", "bpf-link");
	put_checmate();
	put("status", "Name:\ttest\nCapEff:\t0000000000000000\n");
	check_machine("CAP_BPF CAP_PERFMON CAP_SYS_ADMIN CAP_MAC_ADMIN", "checmate");
}

static void check_get(int code, const char *name)
{
	_cleanup_error_ struct checmate_error *error = NULL;
	const struct backend *backend;

	assert_int_equal(backend_get(&backend, &error), code);
	if (!code)
		assert_string_equal(backend->name, name);
	else
		assert_non_null(strstr(checmate_error_text(error), name));
}

static void test_force(void **state)
{
	(void)state;
	put_checmate();
	check_get(0, "checmate");
	assert_int_equal(checmate_backend_force("bpf-link", NULL), 0);
	check_get(0, "bpf-link");
	check_machine("", "bpf-link");
	assert_int_equal(checmate_backend_force("bpf", NULL), -EINVAL);
	check_get(0, "bpf-link");
	assert_int_equal(checmate_backend_force("", NULL), 0);
	check_get(0, "checmate");

	put_stock();
	check_get(0, "bpf-link");
	assert_int_equal(checmate_backend_force("checmate", NULL), 0);
	check_machine("lsm-checmate controller abi", NULL);
	assert_int_equal(checmate_backend_force(NULL, NULL), 0);
	check_get(0, "bpf-link");

	assert_int_equal(setenv("CHECMATE_BACKEND", "checmate", 1), 0);
	check_get(0, "checmate");
	/* A call counts for more. */
	assert_int_equal(checmate_backend_force("bpf-link", NULL), 0);
	check_get(0, "bpf-link");
	assert_int_equal(checmate_backend_force(NULL, NULL), 0);
	assert_int_equal(setenv("CHECMATE_BACKEND", "Checmate", 1), 0);
	check_get(-EINVAL, "CHECMATE_BACKEND=Checmate");
	check_machine("backend", NULL);
	assert_int_equal(setenv("CHECMATE_BACKEND", "", 1), 0);
	check_get(0, "bpf-link");
}

/* A machine that cannot be looked at is not one that has nothing. */
static void test_shortage(void **state)
{
	_cleanup_(checmate_features_freep) struct checmate_features *features = NULL;
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	const struct backend *backend;
	struct rlimit limit, none;

	(void)state;
	put_checmate();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(backend_get(&backend, NULL), -EMFILE);
	assert_int_equal(checmate_features_probe(&features, NULL), -EMFILE);
	assert_int_equal(checmate_cgroup_open_id(1, &cgroup, NULL), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	check_get(0, "checmate");
}

/* Nor is a cgroup gone that cannot be looked for. */
static void test_no_cgroups(void **state)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;

	(void)state;
	assert_int_equal(checmate_cgroup_open_id(1, &cgroup, NULL), -EOPNOTSUPP);
	checmate_paths.cgroup = "nowhere";
	assert_int_equal(checmate_cgroup_open_id(1, &cgroup, NULL), -EOPNOTSUPP);
}

static void test_supports(void **state)
{
	static const char *const more[] = { "staging", "rewrite", "seal", "sleepable", "any-hook" };
	_cleanup_(checmate_features_freep) struct checmate_features *features = NULL;
	_cleanup_(checmate_features_freep) struct checmate_features *stock = NULL;
	_cleanup_(checmate_features_freep) struct checmate_features *none = NULL;

	(void)state;
	assert_int_equal(checmate_features_probe(&none, NULL), 0);
	put_checmate();
	assert_int_equal(checmate_features_probe(&features, NULL), 0);
	put_stock();
	assert_int_equal(checmate_features_probe(&stock, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		assert_true(checmate_features_supports(features, more[i]));
		assert_false(checmate_features_supports(stock, more[i]));
		assert_false(checmate_features_supports(none, more[i]));
	}
	assert_true(checmate_features_supports(features, "permissive"));
	assert_true(checmate_features_supports(stock, "permissive"));
	assert_false(checmate_features_supports(none, "permissive"));
	assert_false(checmate_features_supports(features, "stag"));
	assert_false(checmate_features_supports(features, ""));
}

static void test_hooks(void **state)
{
	_cleanup_(checmate_features_freep) struct checmate_features *features = NULL;

	(void)state;
	put("s/checmate/hooks", "bpf sleepable=1 active=0 programs=0\n");
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
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_lsm),		 TEST(test_controller), TEST(test_abi),
		TEST(test_kernel),	 TEST(test_mounts),	TEST(test_btf),
		TEST(test_capabilities), TEST(test_choice),	TEST(test_missing),
		TEST(test_force),	 TEST(test_supports),	TEST(test_hooks),
		TEST(test_shortage),	 TEST(test_no_cgroups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
