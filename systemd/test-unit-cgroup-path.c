// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cleanup.h"
#include "unit-cgroup-path.h"

static void find(const char *unit, const char *slice, const char *want)
{
	_cleanup_free_ char *path = NULL;
	int r = unit_cgroup_path(unit, slice, &path);

	if (want) {
		assert_int_equal(r, 0);
		assert_string_equal(path, want);
	} else {
		assert_int_equal(r, -EINVAL);
		assert_null(path);
	}
}

static void test_find(void **state)
{
	(void)state;
	find("a.slice", "", "/a.slice");
	find("a-b-c.slice", "x.slice", "/a.slice/a-b.slice/a-b-c.slice");
	find("system-foo\\x2dbar.slice", "", "/system.slice/system-foo\\x2dbar.slice");
	find("mnt.mount", "system.slice", "/system.slice/mnt.mount");
	find("mnt.mount", "a-b.slice", "/a.slice/a-b.slice/mnt.mount");
	find("mnt.mount", "-.slice", "/mnt.mount");
	find("mnt.mount", "", "/mnt.mount");
	find("_odd.scope", "", "/__odd.scope");
	find("cgroup.x.scope", "", "/_cgroup.x.scope");
	find("memory.scope", "io.slice", "/_io.slice/_memory.scope");
	find("memory-x.scope", "", "/memory-x.scope");
	find("-.slice", "", NULL);
	find("-a.slice", "", NULL);
	find("a--b.slice", "", NULL);
	find("mnt.mount", "a.service", NULL);
	find("mnt.mount", "slice", NULL);
}

static void test_type(void **state)
{
	(void)state;
	assert_string_equal(unit_cgroup_type("a.service"), "Service");
	assert_string_equal(unit_cgroup_type("a.b.swap"), "Swap");
	assert_null(unit_cgroup_type("a.timer"));
	assert_null(unit_cgroup_type("service"));
	assert_true(unit_cgroup_is_staged("a@b.service"));
	assert_false(unit_cgroup_is_staged("a.socket"));
	assert_false(unit_cgroup_is_staged("a.slice"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_type),
	};

	return cmocka_run_group_tests_name("unit-cgroup-path", tests, NULL, NULL);
}
