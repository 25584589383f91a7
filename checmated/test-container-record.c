// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Records of the containers that the OCI hook reported
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cleanup.h"
#include "container-record.h"
#include "strv.h"

#define ID 18446744073709551615ull

static int setup(void **state)
{
	char *dir = strdup("/tmp/checmate-container-record.XXXXXX");

	assert_non_null(mkdtemp(dir));
	*state = dir;
	return 0;
}

static int teardown(void **state)
{
	char *dir = *state;

	/* Also shows that nothing was left behind. */
	assert_int_equal(rmdir(dir), 0);
	free(dir);
	return 0;
}

static void put_text(const char *dir, uint64_t id, const char *text)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_fclose_ FILE *stream = NULL;

	assert_true(asprintf(&path, "%s/%" PRIu64, dir, id) > 0);
	stream = fopen(path, "we");
	assert_non_null(stream);
	assert_true(fputs(text, stream) >= 0);
}

static void test_record(void **state)
{
	static char *annotations[] = {
		(char *)"org.checmate.role",
		(char *)"web \"1\"\n\\",
		(char *)"b",
		(char *)"",
		(char *)"Straße",
		(char *)"☃",
		NULL,
	};
	const struct container_record container = {
		.id = (char *)"0123/../\"",
		.cgroup = (char *)"/a/b\\x2dc",
		.runtime = (char *)"podman",
		.cgroup_id = ID,
		.pid = 4194304,
		.annotations = annotations,
	};
	_cleanup_(container_record_done) struct container_record read = {};
	const char *dir = *state;

	assert_int_equal(container_record_read(dir, ID, &read), -ENOENT);
	assert_int_equal(container_record_write(dir, &container), 0);
	assert_int_equal(container_record_write(dir, &container), 0);
	assert_int_equal(container_record_read(dir, ID - 1, &read), -ENOENT);
	assert_int_equal(container_record_read(dir, ID, &read), 0);
	assert_string_equal(read.id, container.id);
	assert_string_equal(read.cgroup, container.cgroup);
	assert_string_equal(read.runtime, container.runtime);
	assert_true(read.cgroup_id == ID);
	assert_int_equal(read.pid, container.pid);
	assert_int_equal(strv_length(read.annotations), 6);
	for (size_t i = 0; i < 6; i++)
		assert_string_equal(read.annotations[i], annotations[i]);
	assert_true(container_record_equal(&read, &container));

	assert_int_equal(container_record_remove(dir, ID), 0);
	assert_int_equal(container_record_remove(dir, ID), 0);
}

static void test_no_annotations(void **state)
{
	const struct container_record container = {
		.id = (char *)"a",
		.cgroup = (char *)"/a",
		.runtime = (char *)"",
		.cgroup_id = 3,
	};
	_cleanup_(container_record_done) struct container_record read = {};
	const char *dir = *state;

	assert_int_equal(container_record_write(dir, &container), 0);
	assert_int_equal(container_record_read(dir, 3, &read), 0);
	assert_int_equal(strv_length(read.annotations), 0);
	assert_int_equal(container_record_remove(dir, 3), 0);
}

/* Whoever asks again with the pid of one that runs may tell nothing else of it. */
static void test_equal(void **state)
{
	static char *annotations[] = { (char *)"a", (char *)"b", NULL };
	static char *other[] = { (char *)"a", (char *)"c", NULL };
	const struct container_record container = {
		.id = (char *)"a",
		.cgroup = (char *)"/a",
		.runtime = (char *)"crun",
		.cgroup_id = 3,
		.pid = 4,
		.annotations = annotations,
	};
	struct container_record c = container;

	(void)state;

	assert_true(container_record_equal(&container, &c));
	c.cgroup = (char *)"/a/../a";
	assert_true(container_record_equal(&container, &c));
	c.id = (char *)"b";
	assert_false(container_record_equal(&container, &c));
	c = container;
	c.runtime = (char *)"";
	assert_false(container_record_equal(&container, &c));
	c = container;
	c.cgroup_id++;
	assert_false(container_record_equal(&container, &c));
	c = container;
	c.pid++;
	assert_false(container_record_equal(&container, &c));
	c = container;
	c.annotations = other;
	assert_false(container_record_equal(&container, &c));
	c.annotations = NULL;
	assert_false(container_record_equal(&container, &c));
	assert_false(container_record_equal(&c, &container));
}

/* Half of what is known of a container could lack the half that denies. */
static void test_damaged(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"id\":\"a\",\"cgroup\":\"/a\",\"runtime\":\"\",\"pid\":1}",
		"{\"id\":\"a\",\"cgroup\":\"/a\",\"runtime\":\"\",\"pid\":-1,\"annotations\":{}}",
		"{\"id\":\"a\",\"cgroup\":\"/a\",\"runtime\":\"\",\"pid\":4294967297,\"annotations\":{}}",
		"{\"id\":\"a\",\"cgroup\":\"/a\",\"runtime\":\"\",\"pid\":\"1\",\"annotations\":{}}",
		"{\"id\":\"a\",\"cgroup\":\"/a\",\"runtime\":1,\"pid\":1,\"annotations\":{}}",
		"{\"id\":\"a\",\"cgroup\":\"/a\",\"runtime\":\"\",\"pid\":1,\"annotations\":[]}",
		"{\"id\":\"a\",\"cgroup\":\"/a\",\"runtime\":\"\",\"pid\":1,\"annotations\":{\"b\":1}}",
	};
	_cleanup_(container_record_done) struct container_record read = {};
	const char *dir = *state;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		put_text(dir, 3, texts[i]);
		assert_int_equal(container_record_read(dir, 3, &read), -EBADMSG);
		assert_null(read.id);
	}
	assert_int_equal(container_record_remove(dir, 3), 0);
}

static void test_list(void **state)
{
	_cleanup_free_ uint64_t *none = NULL, *ids = NULL;
	const char *dir = *state;
	size_t n;

	assert_int_equal(container_record_list("/nonexistent", &none, &n), 0);
	assert_int_equal(n, 0);
	put_text(dir, 3, "");
	assert_int_equal(container_record_list(dir, &ids, &n), 0);
	assert_int_equal(n, 1);
	assert_true(ids[0] == 3);
	assert_int_equal(container_record_remove(dir, 3), 0);
}

/* A record that was being written is nobody's, and stays for nobody. */
static void test_tidy(void **state)
{
	_cleanup_free_ char *half = NULL;
	_cleanup_free_ uint64_t *ids = NULL;
	const char *dir = *state;
	size_t n;

	assert_int_equal(container_record_tidy("/nonexistent"), 0);
	put_text(dir, 3, "{}");
	assert_true(asprintf(&half, "%s/.4", dir) > 0);
	assert_int_equal(close(creat(half, 0600)), 0);
	assert_int_equal(container_record_tidy(dir), 0);
	assert_int_equal(access(half, F_OK), -1);
	assert_int_equal(container_record_list(dir, &ids, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(container_record_remove(dir, 3), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_record),  TEST(test_no_annotations), TEST(test_equal),
		TEST(test_damaged), TEST(test_list),	       TEST(test_tidy),
	};

	return cmocka_run_group_tests_name("container-record", tests, NULL, NULL);
}
