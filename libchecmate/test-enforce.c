// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libchecmate - Tests against a kernel that enforces; run in a guest as root
 *
 * What the command line does not reach: objects used twice, in the wrong order,
 * or after what they stand for has changed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "checmate.h"
#include "cleanup.h"
#include "strv.h"

#define _cleanup_policy_ _cleanup_(checmate_policy_freep)
#define _cleanup_cgroup_ _cleanup_(checmate_cgroup_freep)
#define _cleanup_binding_ _cleanup_(checmate_binding_freep)
#define _cleanup_status_ _cleanup_(checmate_status_freep)
#define _cleanup_error_ _cleanup_(checmate_error_freep)

#define FOLDER "/sys/fs/cgroup/test-enforce"

/* Fails the test with the explanation when a call did not come to @expected. */
#define check(expected, call)                                                          \
	do {                                                                           \
		_cleanup_error_ struct checmate_error *error = NULL;                   \
		int _r = (call);                                                       \
		if (_r != (expected))                                                  \
			fail_msg("%s: %d: %s", #call, _r, checmate_error_text(error)); \
	} while (0)

static int setup(void **state)
{
	(void)state;
	return mkdir(FOLDER, 0755);
}

static int teardown(void **state)
{
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;

	(void)state;
	if (checmate_cgroup_open("test-enforce", &cgroup, NULL) < 0)
		return -1;
	(void)checmate_binding_remove(cgroup, NULL, NULL);
	return rmdir(FOLDER);
}

static struct checmate_cgroup *open_cgroup(void)
{
	struct checmate_cgroup *cgroup;

	check(0, checmate_cgroup_open(FOLDER, &cgroup, &error));
	return cgroup;
}

static struct checmate_policy *open_policy(const char *name, const char *allow)
{
	struct checmate_policy *policy;

	check(0, checmate_policy_open(name, &policy, &error));
	check(0, checmate_policy_set(policy, "allow", allow, &error));
	return policy;
}

/* Not enabled, enabled, enabled again. */
static void test_enable(void **state)
{
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = open_cgroup();
	_cleanup_policy_ struct checmate_policy *policy = open_policy("net-bind", "");
	_cleanup_status_ struct checmate_status *status = NULL, *after = NULL;
	_cleanup_strv_ char **enabled = NULL, **again = NULL;

	(void)state;
	check(0, checmate_status_read(cgroup, &status, &error));
	assert_false(checmate_status_enabled(status));
	assert_int_equal(checmate_status_count_local(status), 0);
	check(-EOPNOTSUPP, checmate_binding_apply(cgroup, &policy, 1, NULL, &error));

	check(0, checmate_cgroup_enable(cgroup, &enabled, &error));
	assert_int_equal(strv_length(enabled), 1);
	assert_string_equal(enabled[0], "/");
	check(0, checmate_cgroup_enable(cgroup, &again, &error));
	assert_int_equal(strv_length(again), 0);
	check(0, checmate_cgroup_enable(cgroup, NULL, &error));
	check(0, checmate_status_read(cgroup, &after, &error));
	assert_true(checmate_status_enabled(after));
}

/* By path, descriptor, process and id it is the same one. */
static void test_cgroup(void **state)
{
	_cleanup_cgroup_ struct checmate_cgroup *by_path = open_cgroup(), *by_fd = NULL;
	_cleanup_cgroup_ struct checmate_cgroup *by_id = NULL, *by_pid = NULL, *other = NULL;
	_cleanup_close_ int fd = open(FOLDER, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int file = open(FOLDER "/cgroup.procs", O_RDWR | O_CLOEXEC);
	_cleanup_close_ int back = open("/sys/fs/cgroup/cgroup.procs", O_WRONLY | O_CLOEXEC);
	_cleanup_close_ int etc = open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	check(0, checmate_cgroup_open_fd(fd, &by_fd, &error));
	check(0, checmate_cgroup_open_id(checmate_cgroup_id(by_path), &by_id, &error));
	assert_int_equal(write(file, "0", 1), 1);
	check(0, checmate_cgroup_open_pid(getpid(), &by_pid, &error));
	assert_int_equal(write(back, "0", 1), 1);

	assert_true(checmate_cgroup_id(by_path) == checmate_cgroup_id(by_fd));
	assert_true(checmate_cgroup_id(by_path) == checmate_cgroup_id(by_id));
	assert_true(checmate_cgroup_id(by_path) == checmate_cgroup_id(by_pid));
	assert_string_equal(checmate_cgroup_path(by_path), "/test-enforce");
	assert_string_equal(checmate_cgroup_path(by_fd), "/test-enforce");
	assert_string_equal(checmate_cgroup_path(by_id), "/test-enforce");
	assert_true(checmate_cgroup_fd(by_id) >= 0);

	check(-EINVAL, checmate_cgroup_open_fd(file, &other, &error));
	check(-EINVAL, checmate_cgroup_open_fd(etc, &other, &error));
	check(-EBADF, checmate_cgroup_open_fd(4711, &other, &error));
	check(-ENOENT, checmate_cgroup_open_id(UINT64_MAX, &other, &error));
}

/* One policy object makes one binding. */
static void test_once(void **state)
{
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = open_cgroup();
	_cleanup_policy_ struct checmate_policy *policy = open_policy("net-bind", "1.2.3.4:5");
	struct checmate_apply_opts opts = { .sz = sizeof(opts), .replace = true };
	_cleanup_strv_ char **names = NULL;

	(void)state;
	check(0, checmate_policy_load(policy, &error));
	check(0, checmate_policy_load(policy, &error));
	check(-EBUSY, checmate_policy_set(policy, "allow", "", &error));
	assert_true(checmate_policy_get_program(policy, 0)->id > 0);

	check(0, checmate_binding_apply(cgroup, &policy, 1, NULL, &error));
	check(-EBUSY, checmate_binding_apply(cgroup, &policy, 1, &opts, &error));
	check(0, checmate_binding_list(cgroup, &names, &error));
	assert_int_equal(strv_length(names), 1);
	assert_string_equal(names[0], "net-bind");
	check(0, checmate_binding_remove(cgroup, "net-bind", &error));
	check(-ENOENT, checmate_binding_remove(cgroup, "net-bind", &error));
	check(-ENOENT, checmate_binding_remove(cgroup, NULL, &error));
	check(-ENOENT, checmate_binding_remove(cgroup, "../..", &error));
}

/* A binding that was opened does not speak for the one that replaced it. */
static void test_stale(void **state)
{
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = open_cgroup();
	_cleanup_policy_ struct checmate_policy *first = open_policy("net-bind", "1.2.3.4:5");
	_cleanup_policy_ struct checmate_policy *second = open_policy("net-bind", "1.2.3.4:6");
	struct checmate_apply_opts opts = { .sz = sizeof(opts), .replace = true };
	_cleanup_binding_ struct checmate_binding *old = NULL, *new = NULL, *none = NULL;
	_cleanup_free_ char *text = NULL;

	(void)state;
	check(0, checmate_binding_apply(cgroup, &first, 1, &opts, &error));
	check(0, checmate_binding_open(cgroup, "net-bind", &old, &error));
	assert_string_equal(checmate_binding_policy(old), "net-bind");
	assert_string_equal(checmate_binding_version(old), "1");
	assert_true(checmate_binding_get_program(old, 0)->attached);
	assert_string_equal(checmate_binding_get_program(old, 0)->hook, "socket_bind");
	assert_null(checmate_binding_get_program(old, 1));
	check(0, checmate_binding_set(old, "allow", "1.2.3.4:7", &error));

	check(-EEXIST, checmate_binding_apply(cgroup, &second, 1, NULL, &error));
	check(0, checmate_binding_apply(cgroup, &second, 1, &opts, &error));
	check(-ESTALE, checmate_binding_set(old, "allow", "", &error));
	check(0, checmate_binding_open(cgroup, "net-bind", &new, &error));
	check(0, checmate_binding_get(new, "allow", &text, &error));
	assert_string_equal(text, "1.2.3.4:6");
	check(-ENOENT, checmate_binding_check(new, "alow", "", &error));
	check(-EINVAL, checmate_binding_check(new, "allow", "x", &error));
	check(0, checmate_binding_check(new, "allow", "1.2.3.4:6", &error));

	check(0, checmate_binding_remove(cgroup, NULL, &error));
	check(-ESTALE, checmate_binding_set(new, "allow", "", &error));
	check(-ENOENT, checmate_binding_open(cgroup, "net-bind", &none, &error));
	check(-ENOENT, checmate_binding_open(cgroup, "../net-bind", &none, &error));
	assert_null(none);
}

/* After a binding's cgroup has gone, its id is enough. */
static void test_gone(void **state)
{
	_cleanup_policy_ struct checmate_policy *policy = open_policy("net-bind", "");
	_cleanup_policy_ struct checmate_policy *late = open_policy("net-connect", "");
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL, *none = NULL;
	_cleanup_status_ struct checmate_status *status = NULL;
	_cleanup_free_ uint64_t *ids = NULL, *after = NULL;
	size_t n;

	(void)state;
	assert_int_equal(mkdir(FOLDER "/gone", 0755), 0);
	check(0, checmate_cgroup_open(FOLDER "/gone", &cgroup, &error));
	check(0, checmate_cgroup_enable(cgroup, NULL, &error));
	check(0, checmate_binding_apply(cgroup, &policy, 1, NULL, &error));
	assert_int_equal(rmdir(FOLDER "/gone"), 0);

	check(-ENODEV, checmate_binding_apply(cgroup, &late, 1, NULL, &error));
	check(-ENODEV, checmate_status_read(cgroup, &status, &error));
	check(-ENOENT, checmate_cgroup_open_id(checmate_cgroup_id(cgroup), &none, &error));
	check(0, checmate_binding_list_cgroups(&ids, &n, &error));
	assert_int_equal(n, 1);
	assert_true(ids[0] == checmate_cgroup_id(cgroup));
	check(-ENOENT, checmate_binding_remove_id(ids[0], "net-connect", &error));
	check(0, checmate_binding_remove_id(ids[0], NULL, &error));
	check(0, checmate_binding_list_cgroups(&after, &n, &error));
	assert_int_equal(n, 0);
	check(0, checmate_binding_gc(&n, &error));
	assert_int_equal(n, 0);
}

/* Somebody else changes the same cgroup all the time. */
static atomic_bool stop;
static atomic_int changes;

static void *disturb(void *arg)
{
	(void)arg;
	while (!stop) {
		int fd = open(FOLDER "/checmate.policy", O_WRONLY | O_CLOEXEC);

		if (write(fd, "clear", 5) == 5)
			changes++;
		close(fd);
	}
	return NULL;
}

static void test_disturbed(void **state)
{
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = open_cgroup();
	int applied = 0, denied = 0;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, disturb, NULL), 0);
	for (int i = 0; i < 20; i++) {
		struct checmate_apply_opts opts = { .sz = sizeof(opts), .replace = true };
		_cleanup_policy_ struct checmate_policy *policy = open_policy("net-bind", "");
		_cleanup_error_ struct checmate_error *error = NULL;
		int r = checmate_binding_apply(cgroup, &policy, 1, &opts, &error);

		/* Applied, lost the race too often, or cleared at once; never another. */
		if (!r)
			applied++;
		else if (r == -ESTALE || r == -EIO)
			denied++;
		else
			fail_msg("%d: %s", r, checmate_error_text(error));
	}
	stop = true;
	pthread_join(thread, NULL);
	assert_int_equal(applied + denied, 20);
	assert_true(changes > 0);

	/* What is left can be dealt with. */
	(void)checmate_binding_remove(cgroup, NULL, NULL);
	{
		_cleanup_strv_ char **names = NULL;
		_cleanup_status_ struct checmate_status *status = NULL;

		check(0, checmate_binding_list(cgroup, &names, &error));
		assert_int_equal(strv_length(names), 0);
		check(0, checmate_status_read(cgroup, &status, &error));
		assert_int_equal(checmate_status_count_local(status), 0);
	}
}

/* While lists go back and forth, what both of them allow is never denied. */
static atomic_int judged, wrong;

static void *bind_always(void *arg)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(4711) };

	(void)arg;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	while (!stop) {
		_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		if (bind(fd, (struct sockaddr *)&address, sizeof(address)))
			wrong++;
		judged++;
	}
	return NULL;
}

static void test_atomic(void **state)
{
	static const char *const lists[] = {
		"127.0.0.1:4711",
		"10.0.0.0/8:1 10.0.0.0/8:2 10.0.0.0/8:3 127.0.0.0/8:4711",
	};
	_cleanup_policy_ struct checmate_policy *policy = open_policy("net-bind", lists[0]);
	_cleanup_close_ int procs = open(FOLDER "/cgroup.procs", O_WRONLY | O_CLOEXEC);
	_cleanup_close_ int back = open("/sys/fs/cgroup/cgroup.procs", O_WRONLY | O_CLOEXEC);
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = open_cgroup();
	_cleanup_binding_ struct checmate_binding *binding = NULL;
	pthread_t thread;

	(void)state;
	check(0, checmate_binding_apply(cgroup, &policy, 1, NULL, &error));
	check(0, checmate_binding_open(cgroup, "net-bind", &binding, &error));
	assert_int_equal(write(procs, "0", 1), 1);
	stop = false;
	assert_int_equal(pthread_create(&thread, NULL, bind_always, NULL), 0);
	for (int i = 0; i < 100; i++)
		check(0, checmate_binding_set(binding, "allow", lists[i % 2], &error));
	stop = true;
	pthread_join(thread, NULL);
	assert_int_equal(write(back, "0", 1), 1);
	assert_true(judged > 0);
	assert_int_equal(wrong, 0);
	check(0, checmate_binding_remove(cgroup, NULL, &error));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enable), cmocka_unit_test(test_cgroup),
		cmocka_unit_test(test_once),   cmocka_unit_test(test_stale),
		cmocka_unit_test(test_gone),   cmocka_unit_test(test_disturbed),
		cmocka_unit_test(test_atomic),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
