// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Tests of instances: parameters to rows, and back */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cleanup.h"
#include "instance.h"
#include "parse.h"
#include "policy.h"
#include "text.h"

static struct checmate_policy *open_object(const char *name)
{
	_cleanup_free_ char *path = text_format("%s/%s.bpf.o", getenv("CHECMATE_TEST_OBJECTS"),
						name);
	const struct checmate_open_opts opts = { .sz = sizeof(opts), .untrusted_ok = true };
	struct checmate_policy *policy = NULL;

	assert_non_null(path);
	assert_int_equal(checmate_policy_open_opts(path, &opts, &policy, NULL), 0);
	return policy;
}

static const struct param *find(const struct checmate_policy *policy, const char *name)
{
	const struct param *param = description_find(&policy->description, name, NULL);

	assert_non_null(param);
	return param;
}

static void build(const struct checmate_policy *policy, struct instance *ret_instance)
{
	assert_int_equal(instance_build(&policy->description, policy->values, 77,
					CHECMATE_HEAD_PERMISSIVE, ret_instance),
			 0);
}

/* What is read back of each parameter is what was set. */
static void check_values(const struct checmate_policy *policy)
{
	_cleanup_(instance_done) struct instance instance = {};

	build(policy, &instance);
	assert_int_equal(instance_head(&instance)->cookie, 0);
	assert_int_equal(instance_head(&instance)->cgroup, 77);
	assert_int_equal(instance_head(&instance)->flags, CHECMATE_HEAD_PERMISSIVE);
	assert_int_equal(instance_head(&instance)->rows, instance.n_rows);
	for (size_t i = 0; i < policy->description.n_params; i++) {
		const struct param *param = &policy->description.params[i];
		_cleanup_free_ void *value = NULL;

		assert_int_equal(instance_value(&instance, param, &value), 0);
		assert_memory_equal(value, policy->values[i], param->type->size);
	}
}

static void set(struct checmate_policy *policy, const char *name, const char *text)
{
	assert_int_equal(checmate_policy_set(policy, name, text, NULL), 0);
}

/* A list of @n ports, each of its own. */
static void set_ports(struct checmate_policy *policy, const char *name, size_t n)
{
	_cleanup_free_ char *text = calloc(n + 1, sizeof("65535,"));
	char *end = text;

	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		end += sprintf(end, "%zu,", 1000 + 2 * i);
	set(policy, name, text);
}

static void test_defaults(void **state)
{
	_cleanup_(checmate_policy_freep) struct checmate_policy *policy = open_object("all-params");

	(void)state;
	check_values(policy);
}

/* Rows that are empty, begun, full, and one more. */
static void test_lists(void **state)
{
	static const size_t counts[] = { 0,
					 1,
					 CHECMATE_ROW_PORT_RANGES - 1,
					 CHECMATE_ROW_PORT_RANGES,
					 CHECMATE_ROW_PORT_RANGES + 1,
					 CHECMATE_LIST_MAX };
	_cleanup_(checmate_policy_freep) struct checmate_policy *policy = open_object("all-params");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		_cleanup_(instance_done) struct instance instance = {};
		struct checmate_list list;

		set_ports(policy, "ports", counts[i]);
		set(policy, "paths", i % 2 ? "/a,/b/c" : "");
		check_values(policy);
		build(policy, &instance);
		memcpy(&list, instance.rows[0].bytes + find(policy, "ports")->offset, sizeof(list));
		assert_int_equal(list.count, counts[i]);
		/* Where programs look for the first and the last one. */
		if (!list.count)
			continue;
		assert_int_equal(instance.rows[list.row].port_range[0].first, 1000);
		list.count--;
		assert_int_equal(instance.rows[list.row + list.count / CHECMATE_ROW_PORT_RANGES]
					 .port_range[list.count % CHECMATE_ROW_PORT_RANGES]
					 .first,
				 1000 + 2 * list.count);
	}
}

/* The library and the programs agree on how many entries are in a row. */
static void test_rows(void **state)
{
	_cleanup_(checmate_policy_freep) struct checmate_policy *policy = open_object("all-params");
	_cleanup_(instance_done) struct instance instance = {};
	struct checmate_list list;

	(void)state;
	set(policy, "endpoints",
	    "10.0.0.1:1,10.0.0.2:2,10.0.0.3:3,10.0.0.4:4,10.0.0.5:5,10.0.0.6:6,10.0.0.7:7,"
	    "10.0.0.8:8,10.0.0.9:9");
	set(policy, "paths", "/first,/second");
	check_values(policy);
	build(policy, &instance);
	memcpy(&list, instance.rows[0].bytes + find(policy, "endpoints")->offset, sizeof(list));
	assert_int_equal(instance.rows[list.row + 1].endpoint[0].port_first, 9);
	memcpy(&list, instance.rows[0].bytes + find(policy, "paths")->offset, sizeof(list));
	assert_string_equal(instance.rows[list.row + 1].path[0].text, "/second/");
}

/* What is no list is not read, whatever it says. */
static void test_damaged(void **state)
{
	static const struct checmate_list bad[] = {
		{ .row = 1, .count = CHECMATE_LIST_MAX + 1 },
		{ .row = 1, .count = UINT32_MAX },
		{ .row = UINT32_MAX, .count = 1 },
		{ .row = 1000, .count = 1 },
		{ .row = 1, .count = CHECMATE_LIST_MAX },
	};
	_cleanup_(checmate_policy_freep) struct checmate_policy *policy = open_object("all-params");
	const struct param *ports = find(policy, "ports");
	_cleanup_(instance_done) struct instance instance = {};

	(void)state;
	set(policy, "ports", "1");
	build(policy, &instance);
	instance.n_rows = 3;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		void *value = NULL;

		memcpy(instance.rows[0].bytes + ports->offset, &bad[i], sizeof(bad[i]));
		assert_int_equal(instance_value(&instance, ports, &value), -EBADMSG);
		assert_null(value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
