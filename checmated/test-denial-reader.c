// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - The reader of denial events, with a library of the test
 *
 * The library's reader is replaced by a pipe with records: this program's functions
 * come before those of the shared library.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cleanup.h"
#include "denial-reader.h"
#include "jsondoc.h"
#include "parse.h"

/* --- the library ------------------------------------------------------------- */

/* One byte in the pipe stands for a denial, 'x' for an error. */
struct checmate_events {
	int fds[2];
	uint64_t lost;
	struct checmate_event event;
};

static struct checmate_events reader;
static int open_result;
static const char *open_text = "the process 7 reads the events";
static unsigned int n_path_lookups;

/* Of a denial 'o', the directory of the task's cgroup belongs to @owner; of 'h' it is gone. */
static uid_t owner;
static int owned_fd = -1, other_fd = -1;

struct checmate_error {
	int unused;
};

static struct checmate_error no_error;

const char *checmate_error_text(const struct checmate_error *error)
{
	(void)error;
	return open_text;
}

struct checmate_error *checmate_error_free(struct checmate_error *error)
{
	(void)error;
	return NULL;
}

int checmate_events_open(struct checmate_events **ret_events, struct checmate_error **ret_error)
{
	if (open_result < 0) {
		*ret_error = &no_error;
		return open_result;
	}
	reader.lost = 0;
	*ret_events = &reader;
	return 0;
}

int checmate_events_fd(const struct checmate_events *events)
{
	return events->fds[0];
}

int checmate_events_read(struct checmate_events *events, const struct checmate_event **ret_event,
			 struct checmate_error **ret_error)
{
	char c;

	if (read(events->fds[0], &c, 1) < 1)
		return 0;
	if (c == 'x') {
		*ret_error = &no_error;
		return -EIO;
	}
	/* A capital letter: one was lost before. */
	events->lost += c >= 'A' && c <= 'Z';
	events->event.cgroup_id = (unsigned char)c;
	events->event.task_cgroup_id = c == 'o' ? 'o' : c == 'h' ? 'g' : 1;
	*ret_event = &events->event;
	return 1;
}

uint64_t checmate_events_lost(const struct checmate_events *events)
{
	return events->lost;
}

struct checmate_events *checmate_events_free(struct checmate_events *events)
{
	(void)events;
	return NULL;
}

int checmate_cgroup_open_id(uint64_t cgroup_id, struct checmate_cgroup **ret_cgroup,
			    struct checmate_error **ret_error)
{
	(void)ret_error;
	n_path_lookups++;
	if (cgroup_id == 'g')
		return -ENOENT;
	*ret_cgroup = (struct checmate_cgroup *)(cgroup_id == 'o' ? &owned_fd : &other_fd);
	return 0;
}

int checmate_cgroup_fd(const struct checmate_cgroup *cgroup)
{
	return *(const int *)cgroup;
}

const char *checmate_cgroup_path(const struct checmate_cgroup *cgroup)
{
	(void)cgroup;
	return "/a";
}

struct checmate_cgroup *checmate_cgroup_free(struct checmate_cgroup *cgroup)
{
	(void)cgroup;
	return NULL;
}

/* --- what is told ------------------------------------------------------------ */

struct fixture {
	sd_event *event;
	struct denial_reader *reader;
	uint64_t counted;
	uint64_t denied;
	uint64_t suppressed;
	uint64_t lost;
	uint64_t failed;
	char last_cgroup[16];
	bool other_ran;
};

static void on_counted(const struct checmate_event *event, void *userdata)
{
	struct fixture *f = userdata;

	assert_string_equal(event->policy, "p");
	f->counted++;
}

static void on_denied(const struct checmate_event *event, const char *cgroup, uint64_t suppressed,
		      void *userdata)
{
	struct fixture *f = userdata;

	(void)event;
	f->denied++;
	f->suppressed += suppressed;
	snprintf(f->last_cgroup, sizeof(f->last_cgroup), "%s", cgroup ?: "gone");
}

static void on_lost(uint64_t n, void *userdata)
{
	struct fixture *f = userdata;

	f->lost += n;
}

static void on_failed(int error, const char *reason, void *userdata)
{
	struct fixture *f = userdata;

	assert_true(error > 0);
	assert_string_equal(reason, open_text);
	f->failed++;
}

static const struct denial_reader_ops ops = {
	.counted = on_counted,
	.denied = on_denied,
	.lost = on_lost,
	.failed = on_failed,
};

static int setup(void **state)
{
	char path[] = "/tmp/checmate-test-denial-reader.XXXXXX";
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	owner = geteuid() ? geteuid() : 1000;
	assert_non_null(mkdtemp(path));
	owned_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	other_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(owned_fd >= 0 && other_fd >= 0);
	assert_int_equal(rmdir(path), 0);
	if (geteuid() == 0)
		assert_int_equal(fchown(owned_fd, owner, owner), 0);
	assert_int_equal(pipe2(reader.fds, O_NONBLOCK | O_CLOEXEC), 0);
	assert_true(fcntl(reader.fds[1], F_SETPIPE_SZ, 1 << 20) > 0);
	reader.event = (struct checmate_event){
		.task_cgroup_id = 1,
		.error = EPERM,
		.comm = "comm",
		.policy = "p",
		.hook = "h",
		.object_type = "none",
		.object = "",
	};
	open_result = 0;
	n_path_lookups = 0;
	assert_true(sd_event_new(&f->event) >= 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	denial_reader_free(f->reader);
	sd_event_unref(f->event);
	close(reader.fds[0]);
	close(reader.fds[1]);
	close(owned_fd);
	close(other_fd);
	free(f);
	return 0;
}

static void start(struct fixture *f)
{
	assert_int_equal(denial_reader_new(f->event, &ops, f, &f->reader), 0);
}

/* All that waits. */
static void run(struct fixture *f)
{
	int r;

	while ((r = sd_event_run(f->event, 0)) > 0)
		;
	assert_int_equal(r, 0);
}

static void deny(const char *which)
{
	assert_int_equal(write(reader.fds[1], which, strlen(which)), strlen(which));
}

static void deny_n(size_t n)
{
	char c[1024];

	memset(c, 'c', sizeof(c));
	for (size_t part; n; n -= part) {
		part = n < sizeof(c) ? n : sizeof(c);
		assert_int_equal(write(reader.fds[1], c, part), part);
	}
}

/* --- subscribers ------------------------------------------------------------- */

/* Returns 1 for a denial, a greater number for as many that were lost, 0 for nothing. */
static uint64_t take(int fd, uint64_t *ret_lost)
{
	_cleanup_free_ char *text = calloc(1, 65536);
	struct json_object *document, *member;
	ssize_t n;

	assert_non_null(text);
	n = recv(fd, text, 65535, MSG_DONTWAIT);
	if (n <= 0)
		return 0;
	document = json_tokener_parse(text);
	assert_non_null(document);
	if (json_object_object_get_ex(document, "lost", &member)) {
		*ret_lost += json_object_get_int64(member);
	} else {
		assert_string_equal(jsondoc_get_text(document, "policy"), "p");
		assert_string_equal(jsondoc_get_text(document, "bound"), "/a");
	}
	json_object_put(document);
	return *ret_lost ? 2 : 1;
}

struct taken {
	uint64_t documents;
	uint64_t lost;
};

static struct taken take_all(int fd)
{
	struct taken taken = {};

	for (uint64_t lost = 0; take(fd, &lost); lost = 0) {
		taken.lost += lost;
		taken.documents += !lost;
	}
	return taken;
}

static void test_each_is_told(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int a = -1, b = -1;
	struct taken taken;

	start(f);
	assert_true(denial_reader_is_active(f->reader));
	assert_int_equal(denial_reader_subscribe(f->reader, 0, true, &a), 0);
	assert_int_equal(denial_reader_subscribe(f->reader, 1, true, &b), 0);
	deny("ccc");
	run(f);
	assert_int_equal(f->counted, 3);
	assert_int_equal(f->denied, 3);
	assert_int_equal(denial_reader_n_read(f->reader), 3);
	taken = take_all(a);
	assert_int_equal(taken.documents, 3);
	assert_int_equal(taken.lost, 0);
	assert_int_equal(take_all(b).documents, 3);
	/* Both cgroups were looked for once. */
	assert_int_equal(n_path_lookups, 2);
}

static void test_a_cgroup_that_is_gone(void **state)
{
	struct fixture *f = *state;

	start(f);
	deny("g");
	run(f);
	assert_string_equal(f->last_cgroup, "gone");
	deny("c");
	run(f);
	assert_string_equal(f->last_cgroup, "/a");
}

static void test_people_are_told_of_few(void **state)
{
	struct fixture *f = *state;

	start(f);
	deny_n(10000);
	run(f);
	assert_int_equal(f->counted, 10000);
	assert_int_equal(f->denied, 5);
	assert_int_equal(f->suppressed, 0);
}

/* Who does not read loses, and is told how much; nobody else does. */
static void test_a_slow_one(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int slow = -1, quick = -1;
	struct taken quick_taken = {}, taken;
	uint64_t n = 0;

	start(f);
	assert_int_equal(denial_reader_subscribe(f->reader, 5, true, &slow), 0);
	assert_int_equal(denial_reader_subscribe(f->reader, 5, true, &quick), 0);
	for (int i = 0; i < 200; i++, n += 50) {
		deny_n(50);
		run(f);
		taken = take_all(quick);
		quick_taken.documents += taken.documents;
		quick_taken.lost += taken.lost;
	}
	assert_int_equal(quick_taken.documents, n);
	assert_int_equal(quick_taken.lost, 0);
	assert_int_equal(f->counted, n);

	/* No denial follows, yet it learns of all of them when there is room. */
	taken = take_all(slow);
	assert_true(taken.documents > 0 && taken.documents < n);
	n -= taken.documents + taken.lost;
	run(f);
	taken = take_all(slow);
	assert_int_equal(taken.documents, 0);
	assert_int_equal(taken.lost, n);

	/* And goes on. */
	deny("c");
	run(f);
	assert_int_equal(take_all(slow).documents, 1);
}

static void test_losses_of_the_kernel(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int fd = -1;
	struct taken taken;

	start(f);
	assert_int_equal(denial_reader_subscribe(f->reader, 0, true, &fd), 0);
	deny("cCcC");
	run(f);
	assert_int_equal(f->lost, 2);
	assert_int_equal(denial_reader_n_lost(f->reader), 2);
	assert_int_equal(recv(fd, (char[1]){}, 1, MSG_DONTWAIT | MSG_PEEK), 1);
	taken = take_all(fd);
	assert_int_equal(taken.lost, 2);
	assert_true(taken.documents == 4);
}

static void test_one_that_leaves(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int stays = -1;
	int leaves = -1;

	start(f);
	assert_int_equal(denial_reader_subscribe(f->reader, 0, true, &stays), 0);
	assert_int_equal(denial_reader_subscribe(f->reader, 0, true, &leaves), 0);
	assert_int_equal(denial_reader_n_subscribers(f->reader), 2);
	close(leaves);
	run(f);
	assert_int_equal(denial_reader_n_subscribers(f->reader), 1);
	/* One that is found to be gone when it is told. */
	assert_int_equal(denial_reader_subscribe(f->reader, 0, true, &leaves), 0);
	deny("c");
	close(leaves);
	run(f);
	assert_int_equal(denial_reader_n_subscribers(f->reader), 1);
	assert_int_equal(take_all(stays).documents, 1);
}

/* Without the authorization a user is told of own cgroups, and of nothing else. */
static void test_own_only(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int own = -1, stranger = -1, all = -1;
	struct taken taken;

	start(f);
	assert_int_equal(denial_reader_subscribe(f->reader, owner, false, &own), 0);
	assert_int_equal(denial_reader_subscribe(f->reader, owner + 1, false, &stranger), 0);
	assert_int_equal(denial_reader_subscribe(f->reader, owner, true, &all), 0);
	deny("cocho");
	run(f);
	taken = take_all(own);
	assert_int_equal(taken.documents, 2);
	assert_int_equal(taken.lost, 0);
	assert_int_equal(take_all(all).documents, 5);
	/* A cgroup that is gone is nobody's. */
	taken = take_all(stranger);
	assert_int_equal(taken.documents + taken.lost, 0);
}

/* The present owner counts: a former one is told nothing more. */
static void test_own_no_more(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int own = -1;

	start(f);
	assert_int_equal(denial_reader_subscribe(f->reader, owner, false, &own), 0);
	deny("o");
	run(f);
	assert_int_equal(take_all(own).documents, 1);
	close(owned_fd);
	owned_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(owned_fd >= 0);
	deny("o");
	run(f);
	assert_int_equal(take_all(own).documents, 0);
}

/* A slow user is told how many denials of own cgroups were lost, not of how many others. */
static void test_own_lost(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int own = -1;
	struct taken taken;
	uint64_t n = 0;

	start(f);
	assert_int_equal(denial_reader_subscribe(f->reader, owner, false, &own), 0);
	for (int i = 0; i < 200; i++, n += 25) {
		deny("ocococococococococococococococococococococococococ");
		run(f);
	}
	taken = take_all(own);
	assert_true(taken.documents > 0 && taken.documents < n);
	n -= taken.documents + taken.lost;
	run(f);
	assert_int_equal(take_all(own).lost, n);
}

/* They do not take the places of those who may see all. */
static void test_own_are_bounded(void **state)
{
	struct fixture *f = *state;
	int fds[33];
	int n = 0, fd;

	start(f);
	for (uid_t uid = 1; n < 32; uid++)
		for (int i = 0; i < 8; i++)
			assert_int_equal(denial_reader_subscribe(f->reader, uid, false, &fds[n++]),
					 0);
	assert_int_equal(denial_reader_subscribe(f->reader, 5, false, &fd), -EUSERS);
	assert_int_equal(denial_reader_subscribe(f->reader, 5, true, &fds[n++]), 0);
	while (n)
		close(fds[--n]);
}

/* What a subscriber says is neither read nor kept. */
static void test_one_that_talks(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int fd = -1;

	start(f);
	assert_int_equal(denial_reader_subscribe(f->reader, 0, true, &fd), 0);
	assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), -1);
	run(f);
	deny("c");
	run(f);
	assert_int_equal(take_all(fd).documents, 1);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	run(f);
	deny("c");
	run(f);
	assert_int_equal(take_all(fd).documents, 1);
}

static void test_subscribers_are_bounded(void **state)
{
	struct fixture *f = *state;
	int fds[64];
	int n = 0, fd;

	start(f);
	for (uid_t uid = 1; uid <= 7; uid++) {
		for (int i = 0; i < 8; i++)
			assert_int_equal(denial_reader_subscribe(f->reader, uid, true, &fds[n++]),
					 0);
		assert_int_equal(denial_reader_subscribe(f->reader, uid, true, &fd), -EUSERS);
	}
	assert_int_equal(denial_reader_subscribe(f->reader, 8, true, &fd), -EUSERS);
	while (n < 64)
		assert_int_equal(denial_reader_subscribe(f->reader, 0, true, &fds[n++]), 0);
	assert_int_equal(denial_reader_subscribe(f->reader, 0, true, &fd), -EUSERS);
	close(fds[0]);
	run(f);
	assert_int_equal(denial_reader_subscribe(f->reader, 1, true, &fds[0]), 0);
	while (n)
		close(fds[--n]);
	run(f);
	assert_int_equal(denial_reader_n_subscribers(f->reader), 0);
}

static void test_another_reader(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int fd = -1;

	open_result = -EBUSY;
	start(f);
	assert_false(denial_reader_is_active(f->reader));
	assert_int_equal(f->failed, 1);
	assert_int_equal(denial_reader_subscribe(f->reader, 0, true, &fd), -EBUSY);
	assert_string_equal(denial_reader_reason(f->reader), open_text);
	/* It is told once. */
	assert_int_equal(denial_reader_retry(f->reader), -EBUSY);
	assert_int_equal(f->failed, 1);

	open_result = 0;
	assert_int_equal(denial_reader_subscribe(f->reader, 0, true, &fd), 0);
	assert_true(denial_reader_is_active(f->reader));
	deny("c");
	run(f);
	assert_int_equal(take_all(fd).documents, 1);
}

static void test_reading_fails(void **state)
{
	struct fixture *f = *state;

	start(f);
	deny("cCx");
	run(f);
	assert_int_equal(f->failed, 1);
	assert_false(denial_reader_is_active(f->reader));
	deny("C");
	run(f);
	assert_int_equal(f->counted, 2);
	assert_int_equal(denial_reader_retry(f->reader), 0);
	run(f);
	assert_int_equal(f->counted, 3);
	/* What the former reader has lost is not forgotten. */
	assert_int_equal(denial_reader_n_lost(f->reader), 2);
}

static int on_other(sd_event_source *source, void *userdata)
{
	struct fixture *f = userdata;

	(void)source;
	f->other_ran = true;
	assert_true(f->counted < 1000);
	return 0;
}

/* Of a storm so much is read in a turn, then the others have theirs. */
static void test_others_come_first(void **state)
{
	struct fixture *f = *state;
	sd_event_source *other = NULL;

	start(f);
	deny_n(1000);
	assert_true(sd_event_run(f->event, 0) > 0);
	assert_true(f->counted > 0 && f->counted < 1000);
	assert_true(sd_event_add_defer(f->event, &other, on_other, f) >= 0);
	assert_true(sd_event_run(f->event, 0) > 0);
	assert_true(f->other_ran);
	run(f);
	assert_int_equal(f->counted, 1000);
	sd_event_source_unref(other);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_each_is_told),
		TEST(test_a_cgroup_that_is_gone),
		TEST(test_people_are_told_of_few),
		TEST(test_a_slow_one),
		TEST(test_losses_of_the_kernel),
		TEST(test_one_that_leaves),
		TEST(test_own_only),
		TEST(test_own_no_more),
		TEST(test_own_lost),
		TEST(test_own_are_bounded),
		TEST(test_one_that_talks),
		TEST(test_subscribers_are_bounded),
		TEST(test_another_reader),
		TEST(test_reading_fails),
		TEST(test_others_come_first),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
