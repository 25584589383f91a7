// SPDX-License-Identifier: LGPL-2.1-or-later
/* jsondoc - Tests: documents, targets, what others chose as names */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "build.h"
#include "parse.h"
#include "target.h"

static const struct checmate_event event = {
	.time_ns = 12345,
	.cgroup_id = 7,
	.task_cgroup_id = UINT64_MAX,
	.pid = 2,
	.tid = 3,
	.uid = 4,
	.gid = 5,
	.error = EPERM,
	.permissive = true,
	.comm = "cat",
	.policy = "net-bind",
	.hook = "socket_bind",
	.object_type = "endpoint",
	.object = "tcp 127.0.0.1:80",
};

static void test_event(void **state)
{
	_cleanup_json_ struct json_object *document = NULL;

	(void)state;
	assert_int_equal(jsondoc_event(&event, "/a", NULL, &document), 0);
	assert_string_equal(jsondoc_get_text(document, "bound"), "/a");
	assert_null(jsondoc_get_text(document, "cgroup"));
	assert_true(json_object_object_get_ex(document, "cgroup", NULL));
	assert_int_equal(jsondoc_get_number(document, "bound_id"), 7);
	assert_true(jsondoc_get_number(document, "cgroup_id") == UINT64_MAX);
	assert_string_equal(jsondoc_get_text(document, "error"), "EPERM");
	assert_int_equal(jsondoc_get_number(document, "errno"), EPERM);
	assert_true(jsondoc_get_bool(document, "permissive"));
	assert_int_equal(strlen(jsondoc_get_text(document, "time")), 32);
	/* One line, whatever is in it. */
	assert_null(strchr(jsondoc_text(document, false), '\n'));
	assert_non_null(strstr(jsondoc_text(document, false), "\"bound\":\"/a\""));
}

static void test_lost(void **state)
{
	_cleanup_json_ struct json_object *document = NULL;

	(void)state;
	assert_int_equal(jsondoc_lost(UINT64_MAX, &document), 0);
	assert_string_equal(jsondoc_text(document, false), "{\"lost\":18446744073709551615}");
}

/* What is sent over the bus has to be UTF-8, whatever cgroups are called. */
static void test_names(void **state)
{
	static const struct {
		const char *name;
		const char *text;
		const char *path;
	} names[] = {
		{ "/plain", "/plain", "/plain" },
		{ "/new\nline", "/new\nline", "/new\\012line" },
		{ "/umlaut\xc3\xa4", "/umlaut\xc3\xa4", "/umlaut\\303\\244" },
		{ "/latin\xe4", "/latin\\344", "/latin\\344" },
		{ "/cut\xc3", "/cut\\303", "/cut\\303" },
		{ "/surrogate\xed\xa0\x80", "/surrogate\\355\\240\\200",
		  "/surrogate\\355\\240\\200" },
		{ "/long\xc0\xaf", "/long\\300\\257", "/long\\300\\257" },
		{ "/c1\xc2\x9b", "/c1\\302\\233", "/c1\\302\\233" },
		{ "/beyond\xf4\x90\x80\x80", "/beyond\\364\\220\\200\\200",
		  "/beyond\\364\\220\\200\\200" },
		{ "/unit\\x2d", "/unit\\x2d", "/unit\\x2d" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_json_ struct json_object *object = NULL, *document = NULL;
		_cleanup_free_ char *path = jsondoc_printable(names[i].name);
		int r = 0;

		object = build_object(&r);
		build_text(&r, object, "name", names[i].name);
		assert_int_equal(r, 0);
		assert_string_equal(jsondoc_get_text(object, "name"), names[i].text);
		assert_string_equal(path, names[i].path);
		assert_int_equal(jsondoc_event(&event, NULL, names[i].name, &document), 0);
		assert_string_equal(jsondoc_get_text(document, "cgroup"), names[i].path);
	}
}

static void test_no_memory(void **state)
{
	_cleanup_json_ struct json_object *object = NULL;
	int r = -ENOMEM;

	(void)state;
	assert_null(build_object(&r));
	assert_null(build_array(&r));
	build_text(&r, NULL, "a", "b");
	build_number(&r, NULL, "a", 1);
	build_bool(&r, NULL, "a", true);
	/* It is freed, not added. */
	r = 0;
	object = build_object(&r);
	r = -ENOMEM;
	build_add(&r, object, "a", json_object_new_int(1));
	build_append(&r, NULL, json_object_new_int(1));
	assert_int_equal(json_object_object_length(object), 0);
	assert_int_equal(r, -ENOMEM);
}

/* A member of another type, or none, is none. */
static void test_get(void **state)
{
	_cleanup_json_ struct json_object *object = json_tokener_parse(
		"{\"text\":\"a\",\"number\":7,\"items\":[1],\"null\":null}");

	(void)state;
	assert_string_equal(jsondoc_get_text(object, "text"), "a");
	assert_null(jsondoc_get_text(object, "number"));
	assert_null(jsondoc_get_text(object, "null"));
	assert_null(jsondoc_get_text(object, "none"));
	assert_null(jsondoc_get_text(NULL, "text"));
	assert_int_equal(jsondoc_get_number(object, "number"), 7);
	assert_int_equal(jsondoc_get_number(object, "text"), 0);
	assert_false(jsondoc_get_bool(object, "number"));
	assert_null(jsondoc_get_object(object, "items"));
	assert_int_equal(jsondoc_count(object, "items"), 1);
	assert_int_equal(jsondoc_count(object, "text"), 0);
	assert_int_equal(json_object_get_int(jsondoc_get_item(object, "items", 0)), 1);
	assert_null(jsondoc_get_item(object, "items", 1));
	assert_null(jsondoc_get_item(object, "none", 0));
}

static void test_target(void **state)
{
	_cleanup_(jsondoc_error_done) struct jsondoc_error error = {};
	uint64_t id;

	(void)state;
	assert_int_equal(target_check("/a", false, &error), 0);
	assert_int_equal(target_check("a.service", false, &error), 0);
	assert_int_equal(target_check("id:7", false, &error), 0);
	assert_int_equal(target_check("/77", false, &error), 0);
	assert_int_equal(target_check("", false, &error), 0);
	assert_null(error.text);
	assert_int_equal(target_check("77", true, &error), 0);
	assert_int_equal(target_check("77", false, &error), -EINVAL);
	assert_non_null(strstr(error.text, "a process id; \"checmatectl status 77\""));
	assert_int_equal(target_check("0", true, &error), -EINVAL);
	assert_string_equal(error.text, "0: not a process id");
	assert_int_equal(target_check("99999999999", true, &error), -EINVAL);
	assert_int_equal(target_open("0", true, NULL, &error), -EINVAL);

	assert_true(target_is_id("id:18446744073709551615", &id));
	assert_true(id == UINT64_MAX);
	assert_false(target_is_id("id:", &id));
	assert_false(target_is_id("id:-1", &id));
	assert_false(target_is_id("id:18446744073709551616", &id));
	assert_false(target_is_id("7", &id));
}

static void test_error(void **state)
{
	_cleanup_(jsondoc_error_done) struct jsondoc_error error = {};

	(void)state;
	assert_int_equal(jsondoc_error_set(&error, -ENOENT, "%s: %d", "a", 1), -ENOENT);
	assert_string_equal(error.text, "a: 1");
	/* The former one is freed, and none of the library is a text, too. */
	assert_int_equal(jsondoc_error_take(&error, NULL, -EIO), -EIO);
	assert_non_null(error.text);
	assert_null(error.detail);
}

static struct json_object *path_entry(const char *path, const char *kind, const char *link,
				      const char *target, const char *resolved)
{
	int r = 0;
	struct json_object *object = build_object(&r);

	build_text(&r, object, "policy", "exec-allow");
	build_text(&r, object, "parameter", "allow");
	build_text(&r, object, "path", path);
	build_text(&r, object, "kind", kind);
	build_text(&r, object, "link", link);
	build_text(&r, object, "target", target);
	build_text(&r, object, "resolved", resolved);
	assert_int_equal(r, 0);
	return object;
}

static void test_path_warning(void **state)
{
	static const struct {
		const char *entry[5];
		const char *warning;
	} cases[] = {
		{ { "/usr", "exact", NULL, NULL, "/usr" }, NULL },
		{ { "/usr", "unknown", NULL, NULL, NULL }, NULL },
		{ { "/bin", "link", "/bin", "usr/bin", "/usr/bin" },
		  "exec-allow: allow: /bin is a symbolic link to usr/bin; list /usr/bin" },
		{ { "/lib/x", "link", "/lib", "usr/lib", "/usr/lib/x" },
		  "exec-allow: allow: /lib/x: /lib is a symbolic link to usr/lib; list /usr/lib/x" },
		{ { "/a", "dangling", "/a", "b\n\033[2J", NULL },
		  "exec-allow: allow: /a is a symbolic link to b\\012\\033[2J and leads to nothing; "
		  "list the path of a file" },
		{ { "/a", "absent", NULL, NULL, NULL },
		  "exec-allow: allow: /a does not exist; correct it, unless it is made later" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *const *entry = cases[i].entry;
		_cleanup_json_ struct json_object *object = path_entry(entry[0], entry[1], entry[2],
								       entry[3], entry[4]);
		_cleanup_free_ char *warning = jsondoc_path_warning(object);

		assert_int_equal(!warning, !cases[i].warning);
		if (warning)
			assert_string_equal(warning, cases[i].warning);
	}
}

static void test_paths(void **state)
{
	char folder[] = "/tmp/test-jsondoc.XXXXXX", link[64];
	char *lists[] = { "exec-allow", "allow", "/l,/,/none", "secrets", "files", "/l/x", NULL };
	const struct jsondoc_root root = { .below = folder }, none = { .below = link };
	static const char *const kinds[] = { "link", "exact", "absent", "dangling" };
	_cleanup_json_ struct json_object *array = NULL, *unknown = NULL, *empty = NULL;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(link, sizeof(link), "%s/l", folder);
	assert_int_equal(symlink("..", link), 0);
	assert_int_equal(jsondoc_paths(&root, lists, &array), 0);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(json_object_array_length(array), ARRAY_SIZE(kinds));
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct json_object *entry = json_object_array_get_idx(array, i);

		assert_string_equal(jsondoc_get_text(entry, "kind"), kinds[i]);
		assert_string_equal(jsondoc_get_text(entry, "policy"),
				    i < 3 ? "exec-allow" : "secrets");
	}
	assert_string_equal(jsondoc_get_text(json_object_array_get_idx(array, 0), "resolved"), "/");

	/* A root that is gone. */
	assert_int_equal(jsondoc_paths(&none, lists, &unknown), 0);
	assert_string_equal(jsondoc_get_text(json_object_array_get_idx(unknown, 0), "kind"),
			    "unknown");
	assert_int_equal(jsondoc_paths(&root, NULL, &empty), 0);
	assert_int_equal(json_object_array_length(empty), 0);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_event),	  cmocka_unit_test(test_lost),
		cmocka_unit_test(test_names),	  cmocka_unit_test(test_get),
		cmocka_unit_test(test_no_memory), cmocka_unit_test(test_target),
		cmocka_unit_test(test_error),	  cmocka_unit_test(test_path_warning),
		cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
