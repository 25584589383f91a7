// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libchecmate - Tests against a kernel that enforces; run in a guest as root
 *
 * What the command line does not reach: objects used twice, in the wrong order,
 * or after what they stand for has changed.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
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

#include "strv.h"
#include "test-check.h"

#define CGROUP "/sys/fs/cgroup/test-selftest"
#define OBJECTS "/usr/libexec/checmate/tests/objects"

static int setup(void **state)
{
	(void)state;
	return mkdir(CGROUP, 0755);
}

static int teardown(void **state)
{
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;

	(void)state;
	if (checmate_cgroup_open("test-selftest", &cgroup, NULL) < 0)
		return -1;
	(void)checmate_binding_remove(cgroup, NULL, NULL);
	return rmdir(CGROUP);
}

/* Not enabled, enabled, enabled again. */
static void test_enable(void **state)
{
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = open_cgroup(CGROUP);
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
	_cleanup_cgroup_ struct checmate_cgroup *by_path = open_cgroup(CGROUP), *by_fd = NULL;
	_cleanup_cgroup_ struct checmate_cgroup *by_id = NULL, *by_pid = NULL, *other = NULL;
	_cleanup_close_ int fd = open(CGROUP, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int file = open(CGROUP "/cgroup.procs", O_RDWR | O_CLOEXEC);
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
	assert_string_equal(checmate_cgroup_path(by_path), "/test-selftest");
	assert_string_equal(checmate_cgroup_path(by_fd), "/test-selftest");
	assert_string_equal(checmate_cgroup_path(by_id), "/test-selftest");
	assert_true(checmate_cgroup_fd(by_id) >= 0);

	check(-EINVAL, checmate_cgroup_open_fd(file, &other, &error));
	check(-EINVAL, checmate_cgroup_open_fd(etc, &other, &error));
	check(-EBADF, checmate_cgroup_open_fd(4711, &other, &error));
	check(-ENOENT, checmate_cgroup_open_id(UINT64_MAX, &other, &error));
}

/* One policy object makes one binding. */
static void test_once(void **state)
{
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = open_cgroup(CGROUP);
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
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = open_cgroup(CGROUP);
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
	assert_null(checmate_binding_get_program(old, checmate_binding_count_programs(old)));
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
	assert_int_equal(mkdir(CGROUP "/gone", 0755), 0);
	check(0, checmate_cgroup_open(CGROUP "/gone", &cgroup, &error));
	check(0, checmate_cgroup_enable(cgroup, NULL, &error));
	check(0, checmate_binding_apply(cgroup, &policy, 1, NULL, &error));
	assert_int_equal(rmdir(CGROUP "/gone"), 0);

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
		int fd = open(CGROUP "/checmate.policy", O_WRONLY | O_CLOEXEC);

		if (write(fd, "clear", 5) == 5)
			changes++;
		close(fd);
	}
	return NULL;
}

static void test_disturbed(void **state)
{
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = open_cgroup(CGROUP);
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

/* --- changes while others ask ---------------------------------------------- */

#define LIVE_CHANGES 1000
#define LIVE_THREADS 4

/* The two numbers of live-change.bpf.c; each half of one is not the other's. */
static const char *const live_numbers[] = { "4294967295", "18446744069414584320" };

/* What a thread asks, and what it was told. */
struct asker {
	pthread_t thread;
	uint16_t port;
	int expected;
	atomic_ulong asked;
	atomic_ulong wrong;
	atomic_int error;
};

static void *ask(void *arg)
{
	struct asker *asker = arg;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(asker->port) };

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	while (!stop) {
		_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		int error = bind(fd, (struct sockaddr *)&address, sizeof(address)) ? errno : 0;

		if (error != asker->expected) {
			asker->error = error;
			asker->wrong++;
		}
		asker->asked++;
	}
	return NULL;
}

/* The longest list, with what all lists allow at its end; the shortest one. */
static char *make_list(bool long_one)
{
	char *text = calloc(260, 16), *end = text;

	for (int i = 0; long_one && i < 252; i++)
		end += sprintf(end, "%d/udp,", 1000 + i);
	sprintf(end, "47111 47113,47115-47116");
	return text;
}

/*
 * While a list and a wide number go back and forth, what both lists allow is
 * never denied, what none allows is denied, as on a list not yet filled it were
 * not (there are zeroes, so port 0), and no number is half of one and half of
 * the other.
 */
static void test_live_change(void **state)
{
	_cleanup_free_ char *small = make_list(false), *large = make_list(true);
	const char *const lists[] = { small, large };
	struct asker askers[LIVE_THREADS] = {
		{ .port = 47111 },
		{ .port = 47116 },
		{ .port = 0, .expected = EACCES },
		{ .port = 47112, .expected = EACCES },
	};
	_cleanup_close_ int procs = open(CGROUP "/cgroup.procs", O_WRONLY | O_CLOEXEC);
	_cleanup_close_ int back = open("/sys/fs/cgroup/cgroup.procs", O_WRONLY | O_CLOEXEC);
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = open_cgroup(CGROUP);
	_cleanup_binding_ struct checmate_binding *binding = NULL;
	_cleanup_policy_ struct checmate_policy *policy = NULL;
	unsigned long asked = 0;

	(void)state;
	check(0, checmate_policy_open(OBJECTS "/live-change.bpf.o", &policy, &error));
	check(0, checmate_policy_set(policy, "ports", lists[1], &error));
	check(0, checmate_binding_apply(cgroup, &policy, 1, NULL, &error));
	check(0, checmate_binding_open(cgroup, "live-change", &binding, &error));
	assert_int_equal(write(procs, "0", 1), 1);
	stop = false;
	for (int i = 0; i < LIVE_THREADS; i++)
		assert_int_equal(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
	for (int i = 0; i < LIVE_CHANGES; i++) {
		check(0, checmate_binding_set(binding, "ports", lists[i % 2], &error));
		check(0, checmate_binding_set(binding, "number", live_numbers[i % 2], &error));
	}
	stop = true;
	for (int i = 0; i < LIVE_THREADS; i++)
		pthread_join(askers[i].thread, NULL);
	assert_int_equal(write(back, "0", 1), 1);

	for (int i = 0; i < LIVE_THREADS; i++) {
		if (askers[i].wrong)
			fail_msg("port %u: %lu of %lu wrong, the last with %d", askers[i].port,
				 askers[i].wrong, askers[i].asked, askers[i].error);
		assert_true(askers[i].asked > 0);
		asked += askers[i].asked;
	}
	print_message("# %d changes of each, %lu binds asked meanwhile\n", LIVE_CHANGES, asked);
	check(0, checmate_binding_remove(cgroup, NULL, &error));
}

static uint32_t first_program(struct checmate_cgroup *cgroup, const char *policy)
{
	_cleanup_binding_ struct checmate_binding *binding = NULL;

	check(0, checmate_binding_open(cgroup, policy, &binding, &error));
	return checmate_binding_get_program(binding, 0)->id;
}

static bool is_loaded(uint32_t id)
{
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(id);

	return fd >= 0;
}

static void apply_named(struct checmate_cgroup *cgroup, const char *name)
{
	_cleanup_policy_ struct checmate_policy *policy = NULL;

	check(0, checmate_policy_open(name, &policy, &error));
	check(0, checmate_binding_apply(cgroup, &policy, 1, NULL, &error));
}

/* The policy that has programs of its own for each binding. */
#define UNSHARED "net-limit"

/* Two bindings of every policy there is have the same programs, which go with the last. */
static void test_shared(void **state)
{
	_cleanup_cgroup_ struct checmate_cgroup *one = open_cgroup(CGROUP), *other = NULL;
	_cleanup_strv_ char **names = NULL;

	(void)state;
	assert_int_equal(mkdir(CGROUP "-other", 0755), 0);
	other = open_cgroup(CGROUP "-other");
	check(0, checmate_policy_list(&names, &error));
	assert_true(strv_length(names) > 0);
	for (char **name = names; *name; name++) {
		uint32_t id;

		apply_named(one, *name);
		id = first_program(one, *name);
		apply_named(other, *name);
		assert_int_equal(first_program(other, *name) == id, strcmp(*name, UNSHARED) != 0);
		check(0, checmate_binding_remove(one, *name, &error));
		assert_true(is_loaded(id) || !strcmp(*name, UNSHARED));
		check(0, checmate_binding_remove(other, *name, &error));
		for (int i = 0; i < 1000 && is_loaded(id); i++)
			usleep(20000);
		assert_false(is_loaded(id));
	}
	assert_int_equal(rmdir(CGROUP "-other"), 0);
}

static int try_port(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

/* Each instance judges by its own list, and returns its own error. */
static void test_own_values(void **state)
{
	_cleanup_close_ int procs = open(CGROUP "/cgroup.procs", O_WRONLY | O_CLOEXEC);
	_cleanup_close_ int back = open("/sys/fs/cgroup/cgroup.procs", O_WRONLY | O_CLOEXEC);
	static const struct checmate_apply_opts opts = { .sz = sizeof(opts), .replace = true };
	static const char *const errors[] = { "EPERM", "EACCES", "EBUSY" };
	static const int numbers[] = { -EPERM, -EACCES, -EBUSY };
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = open_cgroup(CGROUP);

	(void)state;
	assert_int_equal(write(procs, "0", 1), 1);
	for (int i = 0; i < 3; i++) {
		_cleanup_policy_ struct checmate_policy *policy = NULL;
		char allow[32];

		snprintf(allow, sizeof(allow), "127.0.0.1:%d", 5000 + i);
		policy = open_policy("net-bind", allow);
		check(0, checmate_policy_set(policy, "deny-errno", errors[i], &error));
		check(0, checmate_binding_apply(cgroup, &policy, 1, &opts, &error));
		for (int port = 0; port < 3; port++)
			assert_int_equal(try_port(5000 + port), port == i ? 0 : numbers[i]);
	}
	assert_int_equal(write(back, "0", 1), 1);
	check(0, checmate_binding_remove(cgroup, NULL, &error));
}

/* Pins and attaches an object as versions before 1.0 did. Gives the id of its program. */
static uint32_t bind_former(const struct checmate_cgroup *cgroup, const char *directory)
{
	struct bpf_object *object = bpf_object__open_file(OBJECTS "/former.bpf.o", NULL);
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	_cleanup_close_ int control = -1;
	char path[128], text[32];
	struct bpf_map *map;
	int fd;

	assert_non_null(object);
	assert_int_equal(bpf_object__load(object), 0);
	assert_int_equal(mkdir(directory, 0700), 0);
	fd = bpf_program__fd(bpf_object__next_program(object, NULL));
	snprintf(path, sizeof(path), "%s/prog_former_bind", directory);
	assert_int_equal(bpf_obj_pin(fd, path), 0);
	bpf_object__for_each_map(map, object) {
		const char *name = bpf_map__name(map);

		snprintf(path, sizeof(path), "%s/map__data_%s", directory, strrchr(name, '.') + 1);
		assert_int_equal(bpf_obj_pin(bpf_map__fd(map), path), 0);
	}
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	control = openat(checmate_cgroup_fd(cgroup), "checmate.policy", O_WRONLY | O_CLOEXEC);
	snprintf(text, sizeof(text), "attach %d", fd);
	assert_int_equal(write(control, text, strlen(text)), strlen(text));
	bpf_object__close(object);
	return info.id;
}

/* What a version before 1.0 has bound is listed, and replaced at one go or removed. */
static void test_former(void **state)
{
	static const struct checmate_apply_opts replace = { .sz = sizeof(replace), .replace = true };
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = open_cgroup(CGROUP);
	_cleanup_close_ int procs = open(CGROUP "/cgroup.procs", O_WRONLY | O_CLOEXEC);
	_cleanup_close_ int back = open("/sys/fs/cgroup/cgroup.procs", O_WRONLY | O_CLOEXEC);
	char parent[64], directory[80];
	struct stat st;

	(void)state;
	assert_int_equal(write(procs, "0", 1), 1);
	snprintf(parent, sizeof(parent), "/sys/fs/bpf/checmate/%llu",
		 (unsigned long long)checmate_cgroup_id(cgroup));
	snprintf(directory, sizeof(directory), "%s/net-bind", parent);
	for (int removed = 0; removed < 2; removed++) {
		_cleanup_policy_ struct checmate_policy *policy = NULL;
		_cleanup_binding_ struct checmate_binding *binding = NULL;
		_cleanup_strv_ char **names = NULL;
		uint32_t id;

		policy = open_policy("net-bind", "127.0.0.1:5000");
		assert_int_equal(mkdir(parent, 0700), 0);
		id = bind_former(cgroup, directory);
		assert_int_equal(try_port(5000), -EPERM);
		check(0, checmate_binding_list(cgroup, &names, &error));
		assert_string_equal(names[0], "net-bind");
		check(0, checmate_binding_open(cgroup, "net-bind", &binding, &error));
		assert_int_equal(checmate_binding_instance(binding), id);
		assert_string_equal(checmate_binding_digest(binding), "");
		assert_int_equal(checmate_binding_count_params(binding), 0);
		assert_true(checmate_binding_get_program(binding, 0)->attached);
		check(-EEXIST, checmate_binding_apply(cgroup, &policy, 1, NULL, &error));
		if (!removed) {
			check(0, checmate_binding_apply(cgroup, &policy, 1, &replace, &error));
			assert_int_equal(try_port(5000), 0);
			assert_int_equal(try_port(5001), -EPERM);
			assert_int_equal(lstat(directory, &st), 0);
			assert_true(S_ISLNK(st.st_mode));
		}
		check(0, checmate_binding_remove(cgroup, "net-bind", &error));
		assert_int_equal(try_port(5001), 0);
		assert_int_equal(lstat(directory, &st), -1);
	}
	assert_int_equal(write(back, "0", 1), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enable),	   cmocka_unit_test(test_cgroup),
		cmocka_unit_test(test_once),	   cmocka_unit_test(test_stale),
		cmocka_unit_test(test_gone),	   cmocka_unit_test(test_disturbed),
		cmocka_unit_test(test_own_values), cmocka_unit_test(test_shared),
		cmocka_unit_test(test_former),	   cmocka_unit_test(test_live_change),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
