// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Tests of what is refused before a kernel is asked */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "cgroup.h"
#include "cleanup.h"
#include "error.h"
#include "paths.h"
#include "pin.h"

static char folder[] = "/tmp/test-binding-XXXXXX";

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	checmate_paths.cgroup = folder;
	checmate_paths.bpffs = folder;
	checmate_paths.security = folder;
	if (checmate_backend_force("checmate", NULL) < 0)
		return -1;
	return setenv("CHECMATE_POLICY_PATH", getenv("CHECMATE_TEST_POLICIES"), 1);
}

static int teardown(void **state)
{
	(void)state;
	return rmdir(folder);
}

static void check_apply(struct checmate_policy *const *policies, size_t n,
			const struct checmate_apply_opts *opts, int code, const char *words)
{
	struct checmate_cgroup cgroup = { .fd = -1, .id = 1, .path = (char *)"/a" };
	_cleanup_error_ struct checmate_error *error = NULL;

	assert_int_equal(checmate_binding_apply(&cgroup, policies, n, opts, &error), code);
	if (!strstr(checmate_error_text(error), words))
		fail_msg("no \"%s\" in: %s", words, checmate_error_text(error));
	assert_int_equal(checmate_binding_apply(&cgroup, policies, n, opts, NULL), code);
}

static void test_apply(void **state)
{
	struct {
		struct checmate_apply_opts opts;
		char more[8];
	} wide = { .opts.sz = sizeof(wide) };
	struct checmate_apply_opts opts = { .sz = sizeof(opts), .when_exec = true };
	_cleanup_(checmate_policy_freep) struct checmate_policy *one = NULL;
	_cleanup_(checmate_policy_freep) struct checmate_policy *two = NULL;
	struct checmate_policy *both[2];

	(void)state;
	assert_int_equal(checmate_policy_open("net-bind", &one, NULL), 0);
	assert_int_equal(checmate_policy_open("net-bind", &two, NULL), 0);
	both[0] = one;
	both[1] = two;

	check_apply(NULL, 0, NULL, -EINVAL, "no policy");
	check_apply(both, 2, NULL, -EEXIST, "given twice");
	check_apply(both, 1, &(struct checmate_apply_opts){}, -EINVAL, "opts.sz");
	wide.more[7] = 1;
	check_apply(both, 1, &wide.opts, -EINVAL, "an option unknown");
	check_apply(both, 1, &(struct checmate_apply_opts){ .sz = 15 }, -EINVAL, "opts.sz");
	check_apply(both, 1, &(struct checmate_apply_opts){ .sz = sizeof(opts), .pid = 1 }, -EINVAL,
		    "set opts.when_exec too");
	check_apply(both, 1, &(struct checmate_apply_opts){ .sz = sizeof(opts), .except = "/" },
		    -EINVAL, "set opts.when_exec too");
	opts.pid = -1;
	check_apply(both, 1, &opts, -EINVAL, "opts.pid is -1");
	opts.pid = 0;
	opts.except = "/no/such/file";
	check_apply(both, 1, &opts, -ENOENT, "the executable /no/such/file");
	/* What this library does not know and is 0 does not matter. */
	wide.more[7] = 0;
	check_apply(both, 0, &wide.opts, -EINVAL, "no policy");
}

/* @words: why the backend refuses it; NULL when it does not. */
static void check_policy(const char *name, const char *backend, const char *words)
{
	_cleanup_(checmate_policy_freep) struct checmate_policy *policy = NULL;
	_cleanup_error_ struct checmate_error *error = NULL;
	char path[256];

	snprintf(path, sizeof(path), "%s/%s.bpf.o", getenv("CHECMATE_TEST_OBJECTS"), name);
	assert_int_equal(checmate_policy_open(strchr(name, '-') ? name : path, &policy, NULL), 0);
	assert_int_equal(checmate_policy_check(policy, backend, &error), words ? -EOPNOTSUPP : 0);
	if (words && !strstr(checmate_error_text(error), words))
		fail_msg("no \"%s\" in: %s", words, checmate_error_text(error));
}

static void put_hooks(const char *text)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/checmate/hooks", folder);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void test_check(void **state)
{
	char path[64];

	(void)state;
	check_policy("net-remap", "bpf-link", "it calls bpf_checmate_set_");
	check_policy("sleepable", "bpf-link", "its program test_listen may sleep");

	/* Nobody has told which hooks there are. */
	check_policy("net-bind", "checmate", NULL);
	check_policy("sleepable", "checmate", NULL);
	snprintf(path, sizeof(path), "%s/checmate", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	put_hooks("socket_listen sleepable=1 active=0 programs=0\n"
		  "socket_bind sleepable=0 active=0 programs=0\n"
		  "socket_sendmsg sleepable=0 active=0 programs=0\n"
		  "socket_sock_rcv_skb sleepable=0 active=0 programs=0\n"
		  "sctp_bind_connect sleepable=0 active=0 programs=0\n");
	check_policy("net-bind", "checmate", NULL);
	check_policy("net-connect", "checmate", "for the hook socket_connect, which this kernel");
	check_policy("sleepable", "checmate", NULL);
	put_hooks("socket_listen sleepable=0 active=0 programs=0\n");
	check_policy("sleepable", "checmate", "programs of the hook socket_listen may not");
	snprintf(path, sizeof(path), "%s/checmate/hooks", folder);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/checmate", folder);
	assert_int_equal(rmdir(path), 0);
}

static void test_cgroup(void **state)
{
	static const char *const bad[] = { "", "..", "/..", "a/../b", "/a/..", "/", "." };
	struct checmate_cgroup *cgroup = (void *)1;

	(void)state;
	/* The mount is no cgroup2 here, so even "/" is none. */
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(checmate_cgroup_open(bad[i], &cgroup, NULL), -EINVAL);
		assert_ptr_equal(cgroup, (void *)1);
	}
	assert_int_equal(checmate_cgroup_open("/a", &cgroup, NULL), -ENOENT);
	assert_int_equal(checmate_cgroup_open_pid(0, &cgroup, NULL), -ESRCH);
	assert_int_equal(checmate_cgroup_open_pid(-1, &cgroup, NULL), -ESRCH);
	assert_int_equal(checmate_cgroup_open_fd(-1, &cgroup, NULL), -EBADF);
	assert_ptr_equal(cgroup, (void *)1);
}

static void test_foreign_folder(void **state)
{
	_cleanup_error_ struct checmate_error *error = NULL;
	struct pin_path root = pin_root();
	int lock = -1;

	(void)state;
	assert_int_equal(pin_lock(false, &lock, NULL), -ENOENT);
	assert_int_equal(mkdir(root.text, 0700), 0);
	assert_int_equal(pin_lock(false, &lock, &error), -EOPNOTSUPP);
	assert_non_null(strstr(checmate_error_text(error), "not in a BPF file system"));
	assert_int_equal(lock, -1);
	assert_int_equal(rmdir(root.text), 0);
}

static void test_pin_paths(void **state)
{
	struct pin_path path;

	(void)state;
	path = pin_path(UINT64_MAX, "abcdefghijklmnopqrstuvwxyz-0123", PIN_NEW);
	assert_true(strlen(path.text) < sizeof(path.text) - 64);
	assert_non_null(
		strstr(path.text,
		       "/checmate/18446744073709551615/abcdefghijklmnopqrstuvwxyz-0123+new"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apply),	  cmocka_unit_test(test_check),
		cmocka_unit_test(test_cgroup),	  cmocka_unit_test(test_foreign_folder),
		cmocka_unit_test(test_pin_paths),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
