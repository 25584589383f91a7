// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libchecmate - Tests of what backends do, and of what only one of them can
 *
 * Run in a guest as root, with CHECMATE_BACKEND naming the backend.
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "parse.h"
#include "strv.h"
#include "test-check.h"

#define ROOT "/sys/fs/cgroup"
/* As many programs as net-bind has. */
#define NET_BIND_PROGRAMS 5
#define FOLDER ROOT "/test-backends"

static bool is_link;

static int setup(void **state)
{
	struct checmate_cgroup *cgroup;

	if (mkdir(FOLDER, 0755) < 0)
		return -1;
	cgroup = open_cgroup(FOLDER);
	check(0, checmate_cgroup_enable(cgroup, NULL, &error));
	*state = cgroup;
	return 0;
}

static int teardown(void **state)
{
	struct checmate_cgroup *cgroup = *state;

	(void)checmate_binding_remove(cgroup, NULL, NULL);
	checmate_cgroup_free(cgroup);
	return rmdir(FOLDER);
}

static int move_to(const char *folder)
{
	char path[256];
	_cleanup_close_ int fd = -1;

	snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return write(fd, "0", 1) == 1 ? 0 : -1;
}

/* What comes of binding a port. */
static int try_bind(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
}

/* The same as a member of the cgroup. */
static int bind_inside(uint16_t port)
{
	int r;

	assert_int_equal(move_to(FOLDER), 0);
	r = try_bind(port);
	assert_int_equal(move_to(ROOT), 0);
	return r;
}

/* The mode of a program, as the kernel's list has it. */
static void check_mode(const struct checmate_cgroup *cgroup, const char *mode)
{
	_cleanup_binding_ struct checmate_binding *binding = NULL;
	_cleanup_status_ struct checmate_status *status = NULL;
	bool permissive = streq(mode, "permissive");

	check(0, checmate_status_read(cgroup, &status, &error));
	assert_int_equal(checmate_status_count_local(status), NET_BIND_PROGRAMS);
	assert_string_equal(checmate_status_get_local(status, 0)->mode, mode);
	assert_string_equal(checmate_status_get_local(status, 0)->policy, "net-bind");
	assert_string_equal(checmate_status_get_local(status, 0)->hook, "socket_bind");
	assert_false(checmate_status_get_local(status, 0)->staged);
	assert_string_equal(checmate_status_get_effective(status, 0)->mode, mode);
	check(0, checmate_binding_open(cgroup, "net-bind", &binding, &error));
	assert_int_equal(checmate_binding_permissive(binding), permissive);
	assert_false(checmate_binding_staged(binding));
	assert_true(checmate_binding_get_program(binding, 0)->attached);
	assert_int_equal(checmate_binding_get_program(binding, 0)->permissive, permissive);
}

static void test_mode(void **state)
{
	struct checmate_apply_opts opts = { .sz = sizeof(opts), .replace = true };
	_cleanup_policy_ struct checmate_policy *first = open_policy("net-bind", "127.0.0.1:1001");
	_cleanup_policy_ struct checmate_policy *second = open_policy("net-bind", "127.0.0.1:1001");
	struct checmate_cgroup *cgroup = *state;

	check(-ENOENT, checmate_binding_set_mode(cgroup, "net-bind", true, &error));
	check(0, checmate_binding_apply(cgroup, &first, 1, NULL, &error));
	check_mode(cgroup, "enforce");
	assert_int_equal(bind_inside(1002), -EPERM);
	assert_int_equal(try_bind(1002), 0);

	check(0, checmate_binding_set_mode(cgroup, "net-bind", true, &error));
	check_mode(cgroup, "permissive");
	assert_int_equal(bind_inside(1002), 0);
	check(0, checmate_binding_set_mode(cgroup, "net-bind", true, &error));
	check(0, checmate_binding_set_mode(cgroup, "net-bind", false, &error));
	check_mode(cgroup, "enforce");
	assert_int_equal(bind_inside(1002), -EPERM);

	opts.permissive = true;
	check(0, checmate_binding_apply(cgroup, &second, 1, &opts, &error));
	check_mode(cgroup, "permissive");
	assert_int_equal(bind_inside(1002), 0);
	check(0, checmate_binding_remove(cgroup, NULL, &error));
	check(-ENOENT, checmate_binding_set_mode(cgroup, "net-bind", false, &error));
}

/* Callers built when the structure was shorter. */
static void test_old_opts(void **state)
{
	_cleanup_policy_ struct checmate_policy *policy = open_policy("net-bind", "");
	struct checmate_apply_opts opts = { .sz = 16, .except = (char *)-1 };
	struct checmate_cgroup *cgroup = *state;

	check(0, checmate_binding_apply(cgroup, &policy, 1, &opts, &error));
	opts.sz = 15;
	check(-EINVAL, checmate_binding_apply(cgroup, &policy, 1, &opts, &error));
	check(0, checmate_binding_remove(cgroup, NULL, &error));
}

/* What both the old and the new instance deny or allow is so while they change places. */
static atomic_bool stop;
static atomic_int judged, wrong;

static void *bind_always(void *arg)
{
	(void)arg;
	while (!stop) {
		if (try_bind(1001) || try_bind(1002) != -EPERM)
			wrong++;
		judged++;
	}
	return NULL;
}

static void test_replace(void **state)
{
	static const char *const lists[] = { "127.0.0.1:1001 127.0.0.1:1003", "127.0.0.0/8:1001" };
	struct checmate_apply_opts opts = { .sz = sizeof(opts), .replace = true };
	struct checmate_cgroup *cgroup = *state;
	_cleanup_status_ struct checmate_status *status = NULL;
	pthread_t thread;

	for (int i = 0; i < 12; i++) {
		_cleanup_policy_ struct checmate_policy *policy = open_policy("net-bind",
									      lists[i % 2]);

		check(0, checmate_binding_apply(cgroup, &policy, 1, &opts, &error));
		if (i)
			continue;
		assert_int_equal(move_to(FOLDER), 0);
		assert_int_equal(pthread_create(&thread, NULL, bind_always, NULL), 0);
	}
	stop = true;
	pthread_join(thread, NULL);
	assert_int_equal(move_to(ROOT), 0);
	assert_true(judged > 0);
	assert_int_equal(wrong, 0);
	check(0, checmate_status_read(cgroup, &status, &error));
	assert_int_equal(checmate_status_count_local(status), NET_BIND_PROGRAMS);
	check(0, checmate_binding_remove(cgroup, "net-bind", &error));
}

/* When removal returns, nothing is asked any more. */
static void test_remove(void **state)
{
	struct checmate_cgroup *cgroup = *state;

	for (int i = 0; i < 5; i++) {
		_cleanup_policy_ struct checmate_policy *policy = open_policy("net-bind", "");

		check(0, checmate_binding_apply(cgroup, &policy, 1, NULL, &error));
		assert_int_equal(bind_inside(1001), -EPERM);
		check(0, checmate_binding_remove(cgroup, "net-bind", &error));
		assert_int_equal(bind_inside(1001), 0);
	}
}

/* A child that waits to be told, joins the cgroup, and executes this program anew. */
struct child {
	pid_t pid;
	int tell;
};

static struct child start_child(void)
{
	struct child child;
	int fds[2];
	char c;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	child.pid = fork();
	assert_true(child.pid >= 0);
	child.tell = fds[1];
	if (child.pid)
		close(fds[0]);
	if (child.pid)
		return child;

	close(fds[1]);
	/* Closed without a word: the test is over. */
	if (move_to(FOLDER) || read(fds[0], &c, 1) != 1)
		_exit(99);
	/* Not in force yet. */
	if (try_bind(1002))
		_exit(98);
	execl("/proc/self/exe", "test-backends", "bind", NULL);
	_exit(97);
}

/* Tells it to go on; how it ended. */
static int finish_child(struct child child, bool go_on)
{
	int status;

	if (go_on)
		assert_int_equal(write(child.tell, "x", 1), 1);
	close(child.tell);
	assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_staged(void **state)
{
	_cleanup_policy_ struct checmate_policy *now = open_policy("net-bind", "127.0.0.1:1002");
	_cleanup_policy_ struct checmate_policy *then = open_policy("net-bind", "127.0.0.1:1001");
	_cleanup_policy_ struct checmate_policy *again = open_policy("net-bind", "127.0.0.1:1001");
	_cleanup_policy_ struct checmate_policy *other = open_policy("net-connect", "");
	struct checmate_apply_opts opts = { .sz = sizeof(opts), .when_exec = true };
	struct checmate_apply_opts at_once = { .sz = sizeof(at_once), .replace = true };
	_cleanup_binding_ struct checmate_binding *old = NULL, *binding = NULL, *armed = NULL;
	_cleanup_status_ struct checmate_status *status = NULL;
	_cleanup_strv_ char **names = NULL;
	_cleanup_free_ char *text = NULL;
	struct checmate_cgroup *cgroup = *state;
	struct child child;

	if (is_link) {
		check(-EOPNOTSUPP, checmate_binding_apply(cgroup, &then, 1, &opts, &error));
		return;
	}
	child = start_child();
	opts.pid = child.pid;

	check(0, checmate_binding_apply(cgroup, &then, 1, &opts, &error));
	check(0, checmate_binding_list(cgroup, &names, &error));
	assert_string_equal(names[0], "net-bind");
	assert_null(names[1]);
	check(0, checmate_binding_open(cgroup, "net-bind", &binding, &error));
	assert_true(checmate_binding_staged(binding));
	assert_true(checmate_binding_get_program(binding, 0)->staged);
	assert_false(checmate_binding_get_program(binding, 0)->attached);
	check(0, checmate_status_read(cgroup, &status, &error));
	assert_int_equal(checmate_status_count_local(status), NET_BIND_PROGRAMS);
	assert_true(checmate_status_get_local(status, 0)->staged);
	assert_string_equal(checmate_status_get_local(status, 0)->policy, "net-bind");
	assert_int_equal(checmate_status_count_effective(status), 0);

	/* There is one set of staged policies, and nobody gets a policy twice. */
	check(-EEXIST, checmate_binding_apply(cgroup, &again, 1, &opts, &error));
	check(-EBUSY, checmate_binding_apply(cgroup, &again, 1, &at_once, &error));
	check(-EBUSY, checmate_binding_apply(cgroup, &other, 1, &opts, &error));
	check(-EBUSY, checmate_binding_set_mode(cgroup, "net-bind", true, &error));
	/* It can be replaced, and changed while it waits. */
	opts.replace = true;
	check(0, checmate_binding_apply(cgroup, &again, 1, &opts, &error));
	check(-ESTALE, checmate_binding_set(binding, "allow", "", &error));
	checmate_binding_freep(&binding);
	check(0, checmate_binding_open(cgroup, "net-bind", &binding, &error));
	check(0, checmate_binding_set(binding, "allow", "127.0.0.1:1001 127.0.0.1:1003", &error));

	assert_int_equal(finish_child(child, true), 0);
	/* What was opened while it was staged still speaks for it. */
	check(0, checmate_binding_get(binding, "allow", &text, &error));
	assert_string_equal(text, "127.0.0.1:1001,127.0.0.1:1003");
	check(0, checmate_binding_open(cgroup, "net-bind", &armed, &error));
	assert_false(checmate_binding_staged(armed));
	assert_true(checmate_binding_get_program(armed, 0)->attached);
	check(0, checmate_binding_set(binding, "allow", "127.0.0.1:1001", &error));
	check(0, checmate_binding_remove(cgroup, NULL, &error));

	/* What is in force stays while its successor waits, and after that was withdrawn. */
	{
		_cleanup_policy_ struct checmate_policy *next = open_policy("net-bind", "");

		child = start_child();
		opts.pid = child.pid;
		check(0, checmate_binding_apply(cgroup, &now, 1, NULL, &error));
		check(0, checmate_binding_apply(cgroup, &next, 1, &opts, &error));
		check(0, checmate_binding_open(cgroup, "net-bind", &old, &error));
		assert_false(checmate_binding_staged(old));
		assert_int_equal(bind_inside(1002), 0);
		assert_int_equal(bind_inside(1001), -EPERM);
		/* The process is gone, and what waited for it. */
		assert_int_equal(finish_child(child, false), 99);
		assert_int_equal(bind_inside(1002), 0);
		assert_int_equal(bind_inside(1001), -EPERM);
		check(0, checmate_binding_remove(cgroup, NULL, &error));
	}
	assert_int_equal(bind_inside(1001), 0);
}

static void test_staged_except(void **state)
{
	_cleanup_policy_ struct checmate_policy *policy = open_policy("net-bind", "127.0.0.1:1001");
	struct checmate_apply_opts opts = {
		.sz = sizeof(opts),
		.when_exec = true,
		.except = "/no/such/file",
	};
	_cleanup_strv_ char **names = NULL;
	struct checmate_cgroup *cgroup = *state;
	struct child child;

	if (is_link)
		return;
	check(-ENOENT, checmate_binding_apply(cgroup, &policy, 1, &opts, &error));
	opts.pid = 0x7fffffff;
	opts.except = NULL;
	check(-ESRCH, checmate_binding_apply(cgroup, &policy, 1, &opts, &error));
	opts.pid = -1;
	check(-EINVAL, checmate_binding_apply(cgroup, &policy, 1, &opts, &error));
	opts.pid = 0;
	opts.when_exec = false;
	opts.except = "/proc/self/exe";
	check(-EINVAL, checmate_binding_apply(cgroup, &policy, 1, &opts, &error));
	check(0, checmate_binding_list(cgroup, &names, &error));
	assert_null(names[0]);

	/* The exec of this program is none: 1 says that it was allowed what is denied. */
	opts.when_exec = true;
	check(0, checmate_binding_apply(cgroup, &policy, 1, &opts, &error));
	child = start_child();
	assert_int_equal(finish_child(child, true), 1);
	check(0, checmate_binding_remove(cgroup, "net-bind", &error));
	check(-ENOENT, checmate_binding_remove(cgroup, "net-bind", &error));
}

/* One of several that were staged together cannot be withdrawn alone. */
static void test_staged_together(void **state)
{
	_cleanup_policy_ struct checmate_policy *one = open_policy("net-bind", "");
	_cleanup_policy_ struct checmate_policy *two = open_policy("net-connect", "");
	struct checmate_policy *both[] = { one, two };
	struct checmate_apply_opts opts = { .sz = sizeof(opts), .when_exec = true };
	_cleanup_strv_ char **names = NULL, **after = NULL;
	struct checmate_cgroup *cgroup = *state;

	if (is_link)
		return;
	check(0, checmate_binding_apply(cgroup, both, 2, &opts, &error));
	check(-EBUSY, checmate_binding_remove(cgroup, "net-bind", &error));
	check(0, checmate_binding_list(cgroup, &names, &error));
	assert_int_equal(strv_length(names), 2);
	check(0, checmate_binding_remove(cgroup, NULL, &error));
	check(0, checmate_binding_list(cgroup, &after, &error));
	assert_int_equal(strv_length(after), 0);
}

static void test_seal(void **state)
{
	_cleanup_policy_ struct checmate_policy *one = open_policy("net-bind", "");
	_cleanup_policy_ struct checmate_policy *two = open_policy("net-connect", "");
	_cleanup_policy_ struct checmate_policy *three = open_policy("net-bind", "");
	struct checmate_apply_opts opts = { .sz = sizeof(opts), .replace = true };
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	_cleanup_cgroup_ struct checmate_cgroup *root = open_cgroup("/");

	if (is_link) {
		check(0, checmate_cgroup_sealed(*state, &error));
		check(-EOPNOTSUPP, checmate_cgroup_seal(*state, &error));
		return;
	}
	check(-EINVAL, checmate_cgroup_seal(root, &error));
	check(0, checmate_cgroup_sealed(root, &error));
	assert_int_equal(mkdir(FOLDER "/sealed", 0755), 0);
	cgroup = open_cgroup(FOLDER "/sealed");
	check(0, checmate_cgroup_sealed(cgroup, &error));
	check(-EOPNOTSUPP, checmate_cgroup_seal(cgroup, &error));
	check(0, checmate_cgroup_enable(cgroup, NULL, &error));
	check(0, checmate_binding_apply(cgroup, &one, 1, NULL, &error));
	check(0, checmate_cgroup_seal(cgroup, &error));
	check(1, checmate_cgroup_sealed(cgroup, &error));
	check(0, checmate_cgroup_seal(cgroup, &error));

	check(-EROFS, checmate_binding_remove(cgroup, "net-bind", &error));
	check(-EROFS, checmate_binding_set_mode(cgroup, "net-bind", true, &error));
	check(-EROFS, checmate_binding_apply(cgroup, &three, 1, &opts, &error));
	/* It can get stricter. */
	check(0, checmate_binding_apply(cgroup, &two, 1, NULL, &error));
	assert_int_equal(rmdir(FOLDER "/sealed"), 0);
	check(-ENODEV, checmate_cgroup_sealed(cgroup, &error));
	check(-ENODEV, checmate_cgroup_seal(cgroup, &error));
	check(0, checmate_binding_gc(NULL, &error));
}

/* The names of the policies attached and staged, in the order in which they are asked. */
static void check_order(const struct checmate_cgroup *cgroup, const char *first, const char *last)
{
	_cleanup_status_ struct checmate_status *status = NULL;
	size_t n;

	check(0, checmate_status_read(cgroup, &status, &error));
	n = checmate_status_count_local(status);
	assert_true(n >= 2);
	assert_string_equal(checmate_status_get_local(status, 0)->policy, first);
	assert_string_equal(checmate_status_get_local(status, n - 1)->policy, last);
}

/* A policy that comes with the seal cannot be removed while it waits, nor after. */
static void test_apply_sealed(void **state)
{
	_cleanup_policy_ struct checmate_policy *one = open_policy("net-bind", "127.0.0.1:1001");
	_cleanup_policy_ struct checmate_policy *two = open_policy("net-connect", "");
	struct checmate_policy *both[] = { one, two };
	struct checmate_apply_opts opts = { .sz = sizeof(opts), .seal = true, .when_exec = true };
	_cleanup_cgroup_ struct checmate_cgroup *root = open_cgroup("/");
	_cleanup_strv_ char **names = NULL;
	struct checmate_cgroup *cgroup = *state;
	struct child child;

	opts.when_exec = !is_link;
	check(is_link ? -EOPNOTSUPP : -EINVAL, checmate_binding_apply(root, both, 2, &opts, &error));
	if (is_link) {
		check(-EOPNOTSUPP, checmate_binding_apply(cgroup, both, 2, &opts, &error));
		check(0, checmate_binding_list(cgroup, &names, &error));
		assert_null(names[0]);
		return;
	}
	child = start_child();
	opts.pid = child.pid;
	check(0, checmate_binding_apply(cgroup, both, 2, &opts, &error));
	check(1, checmate_cgroup_sealed(cgroup, &error));
	check(-EROFS, checmate_binding_remove(cgroup, NULL, &error));
	assert_int_equal(finish_child(child, true), 0);
	check(-EROFS, checmate_binding_remove(cgroup, "net-bind", &error));
	check_order(cgroup, "net-bind", "net-connect");
}

/* A replacement is sealed after the transaction. A staged one is refused. */
static void test_replace_sealed(void **state)
{
	_cleanup_policy_ struct checmate_policy *old = open_policy("net-bind", "");
	_cleanup_policy_ struct checmate_policy *one = open_policy("net-bind", "");
	_cleanup_policy_ struct checmate_policy *two = open_policy("net-connect", "");
	struct checmate_policy *both[] = { one, two };
	struct checmate_apply_opts opts = { .sz = sizeof(opts), .seal = true, .when_exec = true };
	struct checmate_cgroup *cgroup = *state;

	if (is_link)
		return;
	opts.replace = true;
	check(0, checmate_binding_apply(cgroup, &old, 1, NULL, &error));
	check(-EBUSY, checmate_binding_apply(cgroup, both, 2, &opts, &error));
	check(0, checmate_cgroup_sealed(cgroup, &error));
	check_mode(cgroup, "enforce");
	opts.when_exec = false;
	check(0, checmate_binding_apply(cgroup, both, 2, &opts, &error));
	check(1, checmate_cgroup_sealed(cgroup, &error));
	check_order(cgroup, "net-bind", "net-connect");
	check(-EROFS, checmate_binding_remove(cgroup, "net-bind", &error));
}

/* What cannot be taken is refused before anything has changed. */
static void test_check(void **state)
{
	_cleanup_policy_ struct checmate_policy *rewrite = NULL,
						*bind = open_policy("net-bind", "");
	_cleanup_(checmate_features_freep) struct checmate_features *features = NULL;
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_strv_ char **names = NULL;
	struct checmate_cgroup *cgroup = *state;

	check(0, checmate_features_probe(&features, &error));
	assert_string_equal(checmate_features_backend(features), is_link ? "bpf-link" : "checmate");
	assert_int_equal(checmate_features_supports(features, "staging"), !is_link);
	check(0, checmate_policy_check(bind, NULL, &error));
	check(0, checmate_policy_check(bind, "bpf-link", &error));
	check(-EINVAL, checmate_policy_check(bind, "link", &error));

	check(0, checmate_policy_open("net-remap", &rewrite, &error));
	assert_int_equal(checmate_policy_check(rewrite, "bpf-link", &error), -EOPNOTSUPP);
	assert_non_null(strstr(checmate_error_text(error), "it calls bpf_checmate_set_"));
	if (!is_link)
		return;
	check(-EOPNOTSUPP, checmate_binding_apply(cgroup, &rewrite, 1, NULL, &error));
	check(0, checmate_binding_list(cgroup, &names, &error));
	assert_null(names[0]);
}

/* The test of enforcement leaves nothing, and clears up after one that could not. */
static void test_selftest(void **state)
{
	_cleanup_policy_ struct checmate_policy *policy = open_policy("net-bind", "");
	struct checmate_cgroup *cgroup = *state;

	check(0, checmate_binding_apply(cgroup, &policy, 1, NULL, &error));
	check(0, checmate_binding_remove(cgroup, NULL, &error));
	assert_int_equal(access(ROOT "/checmate-selftest.1", F_OK), -1);
}

int main(int argc, char **argv)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_selftest),	   TEST(test_mode),
		TEST(test_old_opts),	   TEST(test_replace),
		TEST(test_remove),	   TEST(test_staged),
		TEST(test_staged_except),  TEST(test_staged_together),
		TEST(test_seal),	   TEST(test_apply_sealed),
		TEST(test_replace_sealed), TEST(test_check),
	};
	const char *backend = getenv("CHECMATE_BACKEND");

	/* What a child executes: 0 as the staged policy has it, 1 as before. */
	if (argc == 2 && streq(argv[1], "bind"))
		return !try_bind(1001) && try_bind(1002) == -EPERM ? 0 : 1;
	is_link = backend && streq(backend, "bpf-link");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
