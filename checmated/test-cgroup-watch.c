// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - The watch of cgroups, on ordinary directories
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

#include "cgroup-watch.h"
#include "cleanup.h"
#include "strv.h"

/* Ample for a loaded machine; reached only when an event is lost. */
#define PATIENCE_USEC (30ull * 1000 * 1000)

struct fixture {
	char root[64];
	sd_event *event;
	struct cgroup_watch *watch;
	char **added;
	char **removed;
	char **changed;
};

static void on_added(struct watched_cgroup *cgroup, void *userdata)
{
	struct fixture *f = userdata;

	assert_int_equal(strv_extend(&f->added, cgroup->path), 0);
}

static void on_removed(struct watched_cgroup *cgroup, void *userdata)
{
	struct fixture *f = userdata;

	assert_int_equal(strv_extend(&f->removed, cgroup->path), 0);
}

static void on_changed(struct watched_cgroup *cgroup, void *userdata)
{
	struct fixture *f = userdata;

	assert_int_equal(strv_extend(&f->changed, cgroup->path), 0);
}

static const struct cgroup_watch_ops ops = {
	.added = on_added,
	.removed = on_removed,
	.changed = on_changed,
};

static void make(struct fixture *f, const char *path)
{
	_cleanup_free_ char *whole = NULL;

	assert_true(asprintf(&whole, "%s%s", f->root, path) > 0);
	assert_int_equal(mkdir(whole, 0700), 0);
}

static void drop(struct fixture *f, const char *path)
{
	_cleanup_free_ char *whole = NULL;

	assert_true(asprintf(&whole, "%s%s", f->root, path) > 0);
	assert_int_equal(rmdir(whole), 0);
}

static void wait_for(struct fixture *f, char ***list, const char *path)
{
	while (!strv_contains(*list, path))
		assert_true(sd_event_run(f->event, PATIENCE_USEC) > 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->root, "/tmp/checmate-cgroup-watch.XXXXXX");
	assert_non_null(mkdtemp(f->root));
	make(f, "/a");
	make(f, "/a/b");
	assert_int_equal(sd_event_new(&f->event), 0);
	assert_int_equal(cgroup_watch_new(f->event, f->root, &ops, f, &f->watch), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	cgroup_watch_free(f->watch);
	sd_event_unref(f->event);
	strv_free(f->added);
	strv_free(f->removed);
	strv_free(f->changed);
	assert_int_equal(rmdir(f->root), 0);
	free(f);
	return 0;
}

static void count(struct watched_cgroup *cgroup, void *userdata)
{
	size_t *n = userdata;

	(void)cgroup;
	(*n)++;
}

static void test_existing(void **state)
{
	struct fixture *f = *state;
	size_t n = 0;

	assert_int_equal(strv_length(f->added), 2);
	assert_string_equal(f->added[0], "/a");
	assert_string_equal(f->added[1], "/a/b");

	cgroup_watch_foreach(f->watch, count, &n);
	assert_int_equal(n, 2);

	drop(f, "/a/b");
	drop(f, "/a");
}

static void test_come_and_go(void **state)
{
	struct fixture *f = *state;
	size_t n = 0;

	make(f, "/a/c");
	make(f, "/a/c/d");
	wait_for(f, &f->added, "/a/c/d");
	make(f, "/a/c/d/e");
	wait_for(f, &f->added, "/a/c/d/e");

	drop(f, "/a/c/d/e");
	drop(f, "/a/c/d");
	drop(f, "/a/c");
	wait_for(f, &f->removed, "/a/c");

	drop(f, "/a/b");
	drop(f, "/a");
	wait_for(f, &f->removed, "/a");
	cgroup_watch_foreach(f->watch, count, &n);
	assert_int_equal(n, 0);
}

/* A directory that is made anew under its old name is another one. */
static void test_made_anew(void **state)
{
	struct fixture *f = *state;
	size_t n = 0;

	drop(f, "/a/b");
	make(f, "/a/b");
	make(f, "/a/b/x");
	wait_for(f, &f->added, "/a/b/x");
	assert_true(strv_contains(f->removed, "/a/b"));
	cgroup_watch_foreach(f->watch, count, &n);
	assert_int_equal(n, 3);

	drop(f, "/a/b/x");
	drop(f, "/a/b");
	drop(f, "/a");
}

static void test_files_are_no_cgroups(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *path = NULL;
	_cleanup_fclose_ FILE *file = NULL;

	assert_true(asprintf(&path, "%s/a/file", f->root) > 0);
	file = fopen(path, "we");
	assert_non_null(file);
	make(f, "/a/z");
	wait_for(f, &f->added, "/a/z");
	assert_int_equal(strv_length(f->added), 3);

	assert_int_equal(unlink(path), 0);
	drop(f, "/a/z");
	drop(f, "/a/b");
	drop(f, "/a");
}

static void write_to(struct fixture *f, const char *path)
{
	_cleanup_free_ char *whole = NULL;
	_cleanup_fclose_ FILE *file = NULL;

	assert_true(asprintf(&whole, "%s%s", f->root, path) > 0);
	file = fopen(whole, "we");
	assert_non_null(file);
	assert_true(fputs("x", file) >= 0);
}

static void erase(struct fixture *f, const char *path)
{
	_cleanup_free_ char *whole = NULL;

	assert_true(asprintf(&whole, "%s%s", f->root, path) > 0);
	assert_int_equal(unlink(whole), 0);
}

/* Runs the loop until nothing is left to do in it. */
static void run_dry(struct fixture *f)
{
	int r;

	while ((r = sd_event_run(f->event, 0)) > 0)
		;
	assert_int_equal(r, 0);
}

/* How many events the kernel keeps. */
static unsigned int queue_size(void)
{
	_cleanup_fclose_ FILE *stream = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
	unsigned int n;

	assert_non_null(stream);
	assert_int_equal(fscanf(stream, "%u", &n), 1);
	return n;
}

/* Also when the kernel could not keep all that happened. */
static void test_made_anew_unheard(void **state)
{
	_cleanup_free_ char *from = NULL, *to = NULL;
	struct fixture *f = *state;
	size_t n = 0;

	/* While the old one is there it cannot have its inode. */
	make(f, "/new");
	make(f, "/new/x");
	for (unsigned int i = queue_size() / 2 + 1; i > 0; i--) {
		make(f, "/c");
		drop(f, "/c");
	}
	drop(f, "/a/b");
	assert_true(asprintf(&from, "%s/new", f->root) > 0);
	assert_true(asprintf(&to, "%s/a/b", f->root) > 0);
	assert_int_equal(rename(from, to), 0);
	run_dry(f);
	assert_true(strv_contains(f->removed, "/a/b"));
	assert_true(strv_contains(f->added, "/a/b/x"));
	cgroup_watch_foreach(f->watch, count, &n);
	assert_int_equal(n, 3);

	drop(f, "/a/b/x");
	drop(f, "/a/b");
	drop(f, "/a");
}

static void test_find(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(cgroup_watch_find(f->watch, "/a")->path, "/a");
	assert_string_equal(cgroup_watch_find(f->watch, "/a/b")->path, "/a/b");
	assert_null(cgroup_watch_find(f->watch, ""));
	assert_null(cgroup_watch_find(f->watch, "/"));
	assert_null(cgroup_watch_find(f->watch, "/b"));
	assert_null(cgroup_watch_find(f->watch, "/a/bb"));
	assert_null(cgroup_watch_find(f->watch, "/a/b/c"));
	drop(f, "/a/b");
	drop(f, "/a");
}

static void test_writes(void **state)
{
	struct fixture *f = *state;

	write_to(f, "/a/checmate.policy");
	write_to(f, "/a/b/checmate.policy");
	assert_int_equal(cgroup_watch_writes(cgroup_watch_find(f->watch, "/a"), true), 0);
	assert_int_equal(cgroup_watch_writes(cgroup_watch_find(f->watch, "/a"), true), 0);
	run_dry(f);
	assert_int_equal(strv_length(f->changed), 0);

	/* However often, it is told of once; what is not watched is not. */
	write_to(f, "/a/checmate.policy");
	write_to(f, "/a/checmate.socket_bind");
	write_to(f, "/a/checmate.seal");
	write_to(f, "/a/b/checmate.policy");
	wait_for(f, &f->changed, "/a");
	run_dry(f);
	assert_int_equal(strv_length(f->changed), 1);

	/* Nor is what the kernel writes, and what is no policy's. */
	write_to(f, "/a/checmate.events");
	write_to(f, "/a/checmate.events.local");
	write_to(f, "/a/checmate.stat");
	write_to(f, "/a/cgroup.procs");
	run_dry(f);
	assert_int_equal(strv_length(f->changed), 1);

	assert_int_equal(cgroup_watch_writes(cgroup_watch_find(f->watch, "/a"), false), 0);
	write_to(f, "/a/checmate.policy");
	run_dry(f);
	assert_int_equal(strv_length(f->changed), 1);

	erase(f, "/a/checmate.policy");
	erase(f, "/a/checmate.socket_bind");
	erase(f, "/a/checmate.seal");
	erase(f, "/a/b/checmate.policy");
	erase(f, "/a/checmate.events");
	erase(f, "/a/checmate.events.local");
	erase(f, "/a/checmate.stat");
	erase(f, "/a/cgroup.procs");
	drop(f, "/a/b");
	drop(f, "/a");
}

/* What was touched and goes before its turn is not told of. */
static void test_touched_and_gone(void **state)
{
	struct fixture *f = *state;

	make(f, "/a/c");
	wait_for(f, &f->added, "/a/c");
	assert_int_equal(cgroup_watch_touch(cgroup_watch_find(f->watch, "/a/b")), 0);
	assert_int_equal(cgroup_watch_touch(cgroup_watch_find(f->watch, "/a/c")), 0);
	assert_int_equal(cgroup_watch_touch(cgroup_watch_find(f->watch, "/a")), 0);
	drop(f, "/a/c");
	run_dry(f);
	assert_int_equal(strv_length(f->changed), 2);
	assert_string_equal(f->changed[0], "/a/b");
	assert_string_equal(f->changed[1], "/a");
	drop(f, "/a/b");
	drop(f, "/a");
}

static void test_wake(void **state)
{
	struct fixture *f = *state;
	uint64_t now;

	assert_true(sd_event_now(f->event, CLOCK_MONOTONIC, &now) >= 0);
	assert_int_equal(cgroup_watch_wake(cgroup_watch_find(f->watch, "/a"),
					   now + PATIENCE_USEC * 100),
			 0);
	/* In no order, the later first. */
	assert_int_equal(cgroup_watch_wake(cgroup_watch_find(f->watch, "/a/b"), now + 2), 0);
	assert_int_equal(cgroup_watch_wake(cgroup_watch_find(f->watch, "/a/b"),
					   now + PATIENCE_USEC * 100),
			 0);
	wait_for(f, &f->changed, "/a/b");
	assert_int_equal(strv_length(f->changed), 1);
	assert_int_equal(cgroup_watch_wake(cgroup_watch_find(f->watch, "/a"), now + 1), 0);
	wait_for(f, &f->changed, "/a");
	run_dry(f);
	assert_int_equal(strv_length(f->changed), 2);
	drop(f, "/a/b");
	drop(f, "/a");
}

static void test_no_root(void **state)
{
	struct cgroup_watch *watch = NULL;
	sd_event *event;

	(void)state;
	assert_int_equal(sd_event_new(&event), 0);
	assert_int_equal(cgroup_watch_new(event, "/nonexistent", &ops, NULL, &watch), -ENOENT);
	assert_null(watch);
	sd_event_unref(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_existing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_come_and_go, setup, teardown),
		cmocka_unit_test_setup_teardown(test_made_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(test_made_anew_unheard, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files_are_no_cgroups, setup, teardown),
		cmocka_unit_test_setup_teardown(test_find, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_touched_and_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wake, setup, teardown),
		cmocka_unit_test(test_no_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
