// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libchecmate - Tests of events against a kernel that enforces; run in a guest
 * as root
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/bpf.h>

#include "test-check.h"

#define FOLDER "/sys/fs/cgroup/test-event-ring"
#define PINS "/sys/fs/bpf/checmate/events"

/* More than the ring holds. */
#define MANY 2000

static struct checmate_cgroup *cgroup;

static void apply(const char *allow)
{
	_cleanup_policy_ struct checmate_policy *policy = open_policy("net-bind", allow);
	struct checmate_apply_opts opts = { .sz = sizeof(opts), .replace = true };

	check(0, checmate_policy_set(policy, "deny-errno", "EUSERS", &error));
	check(0, checmate_binding_apply(cgroup, &policy, 1, &opts, &error));
}

/* Takes out what others left. */
static void drain(void)
{
	_cleanup_events_ struct checmate_events *events = NULL;
	const struct checmate_event *event;
	_cleanup_error_ struct checmate_error *error = NULL;

	check(0, checmate_events_open(&events, &error));
	while (checmate_events_read(events, &event, &error) == 1)
		;
	assert_null(error);
}

static int setup(void **state)
{
	(void)state;
	if (mkdir(FOLDER, 0755) < 0 || checmate_cgroup_open(FOLDER, &cgroup, NULL) < 0 ||
	    checmate_cgroup_enable(cgroup, NULL, NULL) < 0)
		return -1;
	apply("");
	drain();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)checmate_binding_remove(cgroup, NULL, NULL);
	cgroup = checmate_cgroup_free(cgroup);
	return rmdir(FOLDER);
}

/* A process in the cgroup @folder binds @n times; returns its id, when it is gone. */
static pid_t bind_there(const char *folder, const struct sockaddr *address, socklen_t size, int n)
{
	char procs[128];
	pid_t pid;
	int status;

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", folder);
	pid = fork();
	if (!pid) {
		int fd = open(procs, O_WRONLY | O_CLOEXEC);

		if (write(fd, "0", 1) != 1 || prctl(PR_SET_NAME, "bind\nthere") < 0)
			_exit(100);
		fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (setresgid(100, 100, 100) < 0 || setresuid(1000, 1000, 1000) < 0)
			_exit(101);
		for (int i = 0; i < n; i++)
			if (!bind(fd, address, size) || errno != EUSERS)
				_exit(102);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return pid;
}

static pid_t bind_many(int n)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(4711) };

	address.sin_addr.s_addr = htonl(0x0a000001);
	return bind_there(FOLDER, (struct sockaddr *)&address, sizeof(address), n);
}

static bool is_readable(const struct checmate_events *events)
{
	struct pollfd fd = { .fd = checmate_events_fd(events), .events = POLLIN };
	int n = poll(&fd, 1, 0);

	assert_true(n >= 0);
	return n;
}

static uint64_t now(void)
{
	struct timespec time;

	assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &time), 0);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

/* Who, where, when, what. */
static void test_record(void **state)
{
	_cleanup_events_ struct checmate_events *events = NULL;
	const struct checmate_event *event = NULL;
	uint64_t before = now();
	pid_t pid;

	(void)state;
	check(0, checmate_events_open(&events, &error));
	assert_false(is_readable(events));
	check(0, checmate_events_read(events, &event, &error));
	assert_null(event);

	pid = bind_many(1);
	assert_true(is_readable(events));
	check(1, checmate_events_read(events, &event, &error));
	assert_string_equal(event->policy, "net-bind");
	assert_string_equal(event->hook, "socket_bind");
	assert_string_equal(event->comm, "bind\\012there");
	assert_string_equal(event->object_type, "endpoint");
	assert_string_equal(event->object, "tcp 10.0.0.1:4711");
	assert_int_equal(event->error, EUSERS);
	assert_false(event->permissive);
	assert_int_equal(event->pid, pid);
	assert_int_equal(event->tid, pid);
	assert_int_equal(event->uid, 1000);
	assert_int_equal(event->gid, 100);
	assert_true(event->task_cgroup_id == checmate_cgroup_id(cgroup));
	assert_true(event->cgroup_id == checmate_cgroup_id(cgroup));
	assert_true(event->time_ns >= before && event->time_ns <= now());

	check(0, checmate_events_read(events, &event, &error));
	assert_false(is_readable(events));
	assert_int_equal(checmate_events_lost(events), 0);
}

/* The policy is bound above the task's cgroup. */
static void test_below(void **state)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(80) };
	_cleanup_events_ struct checmate_events *events = NULL;
	const struct checmate_event *event = NULL;
	struct stat st;

	(void)state;
	address.sin6_addr = in6addr_loopback;
	check(0, checmate_events_open(&events, &error));
	assert_int_equal(mkdir(FOLDER "/below", 0755), 0);
	assert_int_equal(stat(FOLDER "/below", &st), 0);
	bind_there(FOLDER "/below", (struct sockaddr *)&address, sizeof(address), 1);
	assert_int_equal(rmdir(FOLDER "/below"), 0);
	check(1, checmate_events_read(events, &event, &error));
	assert_string_equal(event->object, "tcp [::1]:80");
	assert_true(event->task_cgroup_id == st.st_ino);
	assert_true(event->cgroup_id == checmate_cgroup_id(cgroup));
}

/* What was told is there after policy and process have gone. */
static void test_outlives(void **state)
{
	_cleanup_events_ struct checmate_events *events = NULL;
	const struct checmate_event *event = NULL;
	pid_t pid;

	(void)state;
	pid = bind_many(1);
	check(0, checmate_binding_remove(cgroup, NULL, &error));
	check(0, checmate_events_open(&events, &error));
	check(1, checmate_events_read(events, &event, &error));
	assert_string_equal(event->policy, "net-bind");
	assert_int_equal(event->pid, pid);
	apply("");
	check(0, checmate_events_read(events, &event, &error));
}

/* Two bindings tell to the same place. */
static void test_shared(void **state)
{
	_cleanup_events_ struct checmate_events *events = NULL;
	const struct checmate_event *event = NULL;
	pid_t pids[2];

	(void)state;
	pids[0] = bind_many(1);
	apply("[::1]:80");
	pids[1] = bind_many(1);
	check(0, checmate_events_open(&events, &error));
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		check(1, checmate_events_read(events, &event, &error));
		assert_int_equal(event->pid, pids[i]);
	}
	check(0, checmate_events_read(events, &event, &error));
}

/* Nobody reads: each denial is either kept or counted, and told once. */
static void test_full(void **state)
{
	_cleanup_events_ struct checmate_events *events = NULL;
	_cleanup_error_ struct checmate_error *error = NULL;
	const struct checmate_event *event;
	uint64_t kept = 0, lost;

	(void)state;
	bind_many(MANY);
	check(0, checmate_events_open(&events, &error));
	lost = checmate_events_lost(events);
	assert_true(lost > 0);
	while (checmate_events_read(events, &event, &error) == 1) {
		assert_string_equal(event->object, "tcp 10.0.0.1:4711");
		kept++;
	}
	assert_null(error);
	assert_true(kept > 0);
	assert_int_equal(kept + lost, MANY);
	assert_int_equal(checmate_events_lost(events), lost);

	/* The same with a reader who does not come to it. */
	bind_many(MANY);
	kept = 0;
	while (checmate_events_read(events, &event, &error) == 1)
		kept++;
	assert_int_equal(kept + checmate_events_lost(events) - lost, MANY);

	events = checmate_events_free(events);
	check(0, checmate_events_open(&events, &error));
	assert_int_equal(checmate_events_lost(events), 0);
}

/* A reader that comes while others tell loses nothing, whatever the order. */
static void test_concurrent(void **state)
{
	_cleanup_events_ struct checmate_events *events = NULL;
	const struct checmate_event *event;
	uint64_t kept = 0;
	int status;
	pid_t pid;

	(void)state;
	check(0, checmate_events_open(&events, &error));
	pid = fork();
	if (!pid) {
		for (int i = 0; i < 10; i++)
			bind_many(MANY / 10);
		_exit(0);
	}
	assert_true(pid > 0);
	while (kept + checmate_events_lost(events) < MANY) {
		struct pollfd fd = { .fd = checmate_events_fd(events), .events = POLLIN };
		_cleanup_error_ struct checmate_error *error = NULL;

		/* Without a wakeup the test would end by the harness's time limit. */
		assert_int_equal(poll(&fd, 1, -1), 1);
		while (checmate_events_read(events, &event, &error) == 1)
			kept++;
		assert_null(error);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	check(0, checmate_events_read(events, &event, &error));
	assert_int_equal(kept + checmate_events_lost(events), MANY);
}

/* One reads, the other is told who. */
static void test_one_reader(void **state)
{
	_cleanup_events_ struct checmate_events *events = NULL, *none = NULL;
	_cleanup_error_ struct checmate_error *busy = NULL;
	const struct checmate_event *event;
	int ready[2], status;
	char who[64], byte;
	pid_t reader, pid;

	(void)state;
	pid = bind_many(2);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	reader = fork();
	if (!reader) {
		if (checmate_events_open(&events, NULL) < 0 ||
		    checmate_events_read(events, &event, NULL) != 1 || write(ready[1], "r", 1) != 1)
			_exit(1);
		pause();
		_exit(2);
	}
	assert_true(reader > 0);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);

	assert_int_equal(checmate_events_open(&none, &busy), -EBUSY);
	assert_null(none);
	snprintf(who, sizeof(who), "the process %d reads", reader);
	assert_non_null(strstr(checmate_error_text(busy), who));

	/* Killed, it holds nothing, and what it has not read is there. */
	assert_int_equal(kill(reader, SIGKILL), 0);
	assert_int_equal(waitpid(reader, &status, 0), reader);
	assert_true(WIFSIGNALED(status));
	check(0, checmate_events_open(&events, &error));
	check(1, checmate_events_read(events, &event, &error));
	assert_int_equal(event->pid, pid);
	check(0, checmate_events_read(events, &event, &error));
	check(-EBUSY, checmate_events_open(&none, &error));
	events = checmate_events_free(events);
	check(0, checmate_events_open(&none, &error));
}

/* Something else is pinned there: a policy that is not loaded yet does not tell, and nobody reads. */
static void expect_refused(const char *pin, enum bpf_map_type type, int key, int value, int entries)
{
	_cleanup_events_ struct checmate_events *events = NULL;
	_cleanup_policy_ struct checmate_policy *policy = NULL;
	_cleanup_error_ struct checmate_error *read = NULL, *load = NULL;
	_cleanup_free_ char *path = NULL, *kept = NULL;
	_cleanup_close_ int fd = -1;

	assert_true(asprintf(&path, PINS "/%s", pin) > 0);
	assert_true(asprintf(&kept, PINS "/%s-kept", pin) > 0);
	assert_int_equal(rename(path, kept), 0);
	fd = bpf_map_create(type, "other", key, value, entries, NULL);
	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_pin(fd, path), 0);

	check(0, checmate_policy_open("net-connect", &policy, &error));
	assert_int_equal(checmate_policy_load(policy, &load), -EEXIST);
	assert_non_null(strstr(checmate_error_text(load), path));
	assert_non_null(strstr(checmate_error_text(load), "then remove it"));
	assert_int_equal(checmate_events_open(&events, &read), -EEXIST);
	assert_non_null(strstr(checmate_error_text(read), path));

	assert_int_equal(unlink(path), 0);
	assert_int_equal(rename(kept, path), 0);
	/* That was before the kernel was asked, so it can be tried again. */
	check(0, checmate_policy_load(policy, &error));
}

static void test_other_maps(void **state)
{
	(void)state;
	expect_refused("ring", BPF_MAP_TYPE_ARRAY, 4, 8, 1);
	expect_refused("ring", BPF_MAP_TYPE_RINGBUF, 0, 0, 4096);
	expect_refused("lost", BPF_MAP_TYPE_ARRAY, 4, 4, 1);
	/* Not to be mapped, so a count could not be taken out. */
	expect_refused("lost", BPF_MAP_TYPE_ARRAY, 4, 8, 1);
	expect_refused("lost", BPF_MAP_TYPE_HASH, 4, 8, 1);
}

/* The maps are root's, and made anew where they are missing. */
static void test_made(void **state)
{
	_cleanup_events_ struct checmate_events *events = NULL;
	_cleanup_free_ uint64_t *ids = NULL;
	const struct checmate_event *event;
	struct stat st;
	size_t n;

	(void)state;
	check(0, checmate_binding_remove(cgroup, NULL, &error));
	assert_int_equal(unlink(PINS "/ring"), 0);
	assert_int_equal(unlink(PINS "/lost"), 0);
	assert_int_equal(rmdir(PINS), 0);
	apply("");
	assert_int_equal(stat(PINS, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(PINS "/ring", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(PINS "/lost", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);

	bind_many(1);
	check(0, checmate_events_open(&events, &error));
	check(1, checmate_events_read(events, &event, &error));

	/* The folder is no cgroup's. */
	check(0, checmate_binding_list_cgroups(&ids, &n, &error));
	assert_int_equal(n, 1);
	assert_true(ids[0] == checmate_cgroup_id(cgroup));
	check(0, checmate_binding_gc(&n, &error));
	assert_int_equal(n, 0);
	assert_int_equal(stat(PINS "/ring", &st), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record),	   cmocka_unit_test(test_below),
		cmocka_unit_test(test_outlives),   cmocka_unit_test(test_shared),
		cmocka_unit_test(test_full),	   cmocka_unit_test(test_concurrent),
		cmocka_unit_test(test_one_reader), cmocka_unit_test(test_other_maps),
		cmocka_unit_test(test_made),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
