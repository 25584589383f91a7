// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmate-oci-hook - States, cgroup files and which cgroup stands for a container
 */

#include <errno.h>
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
#include "oci-state.h"

static int parse(const char *text, struct oci_state *ret_state, char **ret_error)
{
	return oci_state_parse(text, strlen(text), ret_state, ret_error);
}

static void test_state(void **unused)
{
	_cleanup_(oci_state_done) struct oci_state state = {};
	_cleanup_free_ char *error = NULL;

	(void)unused;
	assert_int_equal(parse("{ \"ociVersion\": \"1.0\", \"id\": \"web-1\", \"pid\": 4242,\n"
			       "  \"root\": \"/bundle/rootfs\", \"bundle\": \"/bundle\",\n"
			       "  \"status\": \"created\", \"owner\": \"\",\n"
			       "  \"annotations\": { \"org.checmate.role\": \"web\", \"b\": \"\","
			       "  \"c\": \"\\u00e4\\\"/\" } }\n",
			       &state, &error),
			 0);
	assert_null(error);
	assert_string_equal(state.id, "web-1");
	assert_int_equal(state.pid, 4242);
	assert_string_equal(state.bundle, "/bundle");
	assert_int_equal(state.n_annotations, 3);
	assert_string_equal(state.annotations[0], "org.checmate.role");
	assert_string_equal(state.annotations[1], "web");
	assert_string_equal(state.annotations[3], "");
	assert_string_equal(state.annotations[5], "\xc3\xa4\"/");
	assert_null(state.annotations[6]);
}

static void test_state_without_annotations(void **unused)
{
	static const char *const texts[] = {
		"{\"id\":\"a\",\"pid\":1}",
		"{\"id\":\"a\",\"pid\":1,\"annotations\":{}}",
		"{\"id\":\"a\",\"pid\":1,\"annotations\":null}",
		"{\"id\":\"a\",\"pid\":1,\"status\":\"creating\"}",
		"{\"id\":\"a\",\"pid\":1,\"status\":\"created\"}",
		"{\"id\":\"a\",\"pid\":1,\"status\":\"running\"}",
		"{\"id\":\"a\",\"pid\":1,\"status\":\"\"}",
	};
	static const enum oci_status statuses[] = {
		OCI_STATUS_UNKNOWN, OCI_STATUS_UNKNOWN, OCI_STATUS_UNKNOWN, OCI_STATUS_CREATED,
		OCI_STATUS_CREATED, OCI_STATUS_OTHER,	OCI_STATUS_OTHER,
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(oci_state_done) struct oci_state state = {};
		_cleanup_free_ char *error = NULL;

		assert_int_equal(parse(texts[i], &state, &error), 0);
		assert_int_equal(state.n_annotations, 0);
		assert_int_equal(state.status, statuses[i]);
	}
}

static void test_bad_states(void **unused)
{
	static const struct {
		const char *text;
		const char *reason; /* a part of it */
	} bad[] = {
		{ "", "not JSON" },
		{ " \n", "not JSON" },
		{ "{", "not JSON" },
		{ "{\"id\":\"a\",\"pid\":1", "not JSON" },
		{ "{\"id\":\"a\",\"pid\":1}}", "not JSON" },
		{ "{\"id\":\"a\",\"pid\":1} x", "not JSON" },
		{ "{\"id\":\"a\",\"pid\":1,}", "not JSON" },
		{ "{'id':'a','pid':1}", "not JSON" },
		{ "{\"id\":\"\xff\",\"pid\":1}", "not JSON" },
		{ "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "not JSON" },
		{ "[]", "not a JSON object" },
		{ "null", "not a JSON object" },
		{ "\"id\"", "not a JSON object" },
		{ "{}", "no 'id'" },
		{ "{\"pid\":1}", "no 'id'" },
		{ "{\"id\":1,\"pid\":1}", "'id' is not" },
		{ "{\"id\":\"\",\"pid\":1}", "'id' is not" },
		{ "{\"id\":null,\"pid\":1}", "'id' is not" },
		{ "{\"id\":\"a\\u0000b\",\"pid\":1}", "'id' is not" },
		{ "{\"id\":\"a\"}", "no 'pid'" },
		{ "{\"id\":\"a\",\"pid\":0}", "'pid' is not" },
		{ "{\"id\":\"a\",\"pid\":-1}", "'pid' is not" },
		{ "{\"id\":\"a\",\"pid\":1.5}", "'pid' is not" },
		{ "{\"id\":\"a\",\"pid\":\"1\"}", "'pid' is not" },
		{ "{\"id\":\"a\",\"pid\":4294967297}", "'pid' is not" },
		/* json-c refuses such a number itself from 0.18 on. */
		{ "{\"id\":\"a\",\"pid\":99999999999999999999999}", "is not" },
		{ "{\"id\":\"a\",\"pid\":1,\"status\":null}", "'status' is not" },
		{ "{\"id\":\"a\",\"pid\":1,\"status\":1}", "'status' is not" },
		{ "{\"id\":\"a\",\"pid\":1,\"annotations\":[]}", "'annotations' is not" },
		{ "{\"id\":\"a\",\"pid\":1,\"annotations\":\"b\"}", "'annotations' is not" },
		{ "{\"id\":\"a\",\"pid\":1,\"annotations\":{\"b\":1}}", "annotation 'b' is not" },
		{ "{\"id\":\"a\",\"pid\":1,\"annotations\":{\"b\":null}}", "annotation 'b' is not" },
		{ "{\"id\":\"a\",\"pid\":1,\"annotations\":{\"a\":\"\",\"b\":\"c\\u0000d\"}}",
		  "annotation 'b' is not" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct oci_state state = {};
		_cleanup_free_ char *error = NULL;

		if (parse(bad[i].text, &state, &error) != -EBADMSG)
			fail_msg("accepted: %s", bad[i].text);
		assert_non_null(error);
		if (!strstr(error, bad[i].reason))
			fail_msg("%s: expected '%s', got '%s'", bad[i].text, bad[i].reason, error);
		assert_null(state.id);
		assert_null(state.annotations);
	}
}

/* Bytes behind a NUL must not be overlooked. */
static void test_state_with_nul(void **unused)
{
	static const char text[] = "{\"id\":\"a\",\"pid\":1}\0{}";
	struct oci_state state = {};
	_cleanup_free_ char *error = NULL;

	(void)unused;
	assert_int_equal(oci_state_parse(text, sizeof(text) - 1, &state, &error), -EBADMSG);
	assert_null(state.id);
}

static void test_state_read(void **unused)
{
	_cleanup_free_ char *text = NULL, *error = NULL, *big = NULL;
	_cleanup_fclose_ FILE *file = NULL;
	size_t size;

	(void)unused;
	file = tmpfile();
	assert_non_null(file);

	assert_int_equal(oci_state_read(fileno(file), &text, &size, &error), -ENODATA);
	assert_non_null(strstr(error, "createRuntime"));
	free(TAKE_PTR(error));

	fputs("{}", file);
	rewind(file);
	assert_int_equal(oci_state_read(fileno(file), &text, &size, &error), 0);
	assert_int_equal(size, 2);
	assert_string_equal(text, "{}");
	free(TAKE_PTR(text));

	big = malloc(OCI_STATE_MAX + 1);
	assert_non_null(big);
	memset(big, ' ', OCI_STATE_MAX + 1);
	rewind(file);
	assert_int_equal(fwrite(big, 1, OCI_STATE_MAX + 1, file), OCI_STATE_MAX + 1);
	rewind(file);
	assert_int_equal(oci_state_read(fileno(file), &text, &size, &error), -E2BIG);
	assert_null(text);
	free(TAKE_PTR(error));

	assert_int_equal(ftruncate(fileno(file), OCI_STATE_MAX), 0);
	rewind(file);
	assert_int_equal(oci_state_read(fileno(file), &text, &size, &error), 0);
	assert_int_equal(size, OCI_STATE_MAX);
	free(TAKE_PTR(text));

	assert_int_equal(oci_state_read(-1, &text, &size, &error), -EBADF);
}

static void test_cgroup_parse(void **unused)
{
	static const struct {
		const char *text;
		int r;
		const char *cgroup;
	} cases[] = {
		{ "0::/\n", 0, "/" },
		{ "0::/a/b.scope\n", 0, "/a/b.scope" },
		{ "0::/a", 0, "/a" },
		{ "12:pids:/v1\n1:name=systemd:/v1\n0::/v2\n", 0, "/v2" },
		{ "1:name=x:/0::/no\n", -ENODATA, NULL },
		{ "10::/a\n", -ENODATA, NULL },
		{ "", -ENODATA, NULL },
		{ "0::\n", -ENODATA, NULL },
		{ "0::relative\n", -ENODATA, NULL },
		{ "0::/a (deleted)\n", -ENOENT, NULL },
		{ "0::/ (deleted)\n", -ENOENT, NULL },
		{ "0::/../a\n", -EXDEV, NULL },
		{ "0::/..\n", -EXDEV, NULL },
		{ "0::/a/../b\n", -EXDEV, NULL },
		{ "0::/a..b/.c\n", 0, "/a..b/.c" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *cgroup = NULL;

		if (oci_state_parse_cgroup(cases[i].text, &cgroup) != cases[i].r)
			fail_msg("%s", cases[i].text);
		if (cases[i].cgroup)
			assert_string_equal(cgroup, cases[i].cgroup);
		else
			assert_null(cgroup);
	}
}

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER_ID "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define USER "/user.slice/user-1000.slice/user@1000.service"
#define DELEGATE "run.oci.delegate-cgroup"
#define SUBGROUP "run.oci.systemd.subgroup"

static void test_cgroup_target(void **unused)
{
	static const struct {
		const char *container;
		const char *own;
		const char *target; /* NULL: refused */
		const char *annotation; /* of the container; NULL: none */
		const char *id; /* NULL: "web" */
	} cases[] = {
		{ "/machine.slice/crun-1.scope", "/user.slice", "/machine.slice/crun-1.scope", NULL,
		  NULL },
		{ "/machine.slice/crun-1.scope/container", "/user.slice",
		  "/machine.slice/crun-1.scope", NULL, NULL },
		{ "/a/container", "/b", "/a/container", NULL, NULL },
		{ "/container", "/b", "/container", NULL, NULL },
		{ "/x/a.scope/container", "/b", "/x/a.scope", NULL, NULL },
		{ "/x/a.scope/containers", "/b", "/x/a.scope/containers", NULL, NULL },
		{ "/x/a.scope/xcontainer", "/b", "/x/a.scope/xcontainer", NULL, NULL },
		{ "/x/.scope/container", "/b", "/x/.scope", NULL, NULL },
		{ "/a", "/", "/a", NULL, NULL },
		{ "/a", "/ab", "/a", NULL, NULL },
		{ "/a/b", "/a", "/a/b", NULL, NULL },
		{ "/", "/b", NULL, NULL, NULL },
		{ "", "/b", NULL, NULL, NULL },
		{ "/a", "/a", NULL, NULL, NULL },
		{ "/a", "/a/b", NULL, NULL, NULL },
		{ "/a.scope/container", "/a.scope/runtime", NULL, NULL, NULL },
		/* A scope in which the runtime is as well is not the container's. */
		{ "/user.slice/session-1.scope/web", "/user.slice/session-1.scope/shell",
		  "/user.slice/session-1.scope/web", NULL, NULL },
		/* The cgroup's name tells the container, whatever it is called below. */
		{ "/machine.slice/libpod-" ID ".scope/container", "/b",
		  "/machine.slice/libpod-" ID ".scope", NULL, ID },
		{ "/machine.slice/libpod-" ID ".scope/x/y", "/b",
		  "/machine.slice/libpod-" ID ".scope", DELEGATE, ID },
		{ "/machine.slice/libpod-" ID ".scope/libpod-" OTHER_ID ".scope", "/b",
		  "/machine.slice/libpod-" ID ".scope", SUBGROUP, ID },
		{ "/machine.slice/libpod-" ID ".scope/libpod-" ID ".scope", "/b",
		  "/machine.slice/libpod-" ID ".scope", SUBGROUP, ID },
		{ "/libpod_parent/libpod-" ID "/x", "/b", "/libpod_parent/libpod-" ID, DELEGATE,
		  ID },
		{ "/kubepods/pod" ID "/" ID "/x", "/b", "/kubepods/pod" ID "/" ID, DELEGATE, ID },
		{ "/kubepods/pod" ID "/crio-" ID "/x.scope", "/b", "/kubepods/pod" ID "/crio-" ID,
		  DELEGATE, ID },
		{ "/kubepods.slice/cri-containerd-" ID ".scope/x", "/b",
		  "/kubepods.slice/cri-containerd-" ID ".scope", SUBGROUP, ID },
		{ "/docker/" ID "/x", "/b", "/docker/" ID, DELEGATE, ID },
		{ "/system.slice/a.service/libpod-payload-" ID "/x",
		  "/system.slice/a.service/runtime", "/system.slice/a.service/libpod-payload-" ID,
		  DELEGATE, ID },
		{ "/system.slice/crun-web.scope/x", "/b", "/system.slice/crun-web.scope", SUBGROUP,
		  NULL },
		{ "/system.slice/my-web.scope/x/y.scope", "/b", "/system.slice/my-web.scope",
		  SUBGROUP, NULL },
		{ "/system.slice/my-web.scope/x", "/b", "/system.slice/my-web.scope", NULL, NULL },
		{ USER "/user.slice/libpod-" ID ".scope/x", "/b",
		  USER "/user.slice/libpod-" ID ".scope", SUBGROUP, ID },
		{ USER "/user.slice/my-web.scope/x", "/b", USER "/user.slice/my-web.scope",
		  SUBGROUP, NULL },
		/* It does not. */
		{ "/containers/web/x", "/b", NULL, DELEGATE, NULL },
		{ "/containers/web/x.scope", "/b", NULL, DELEGATE, NULL },
		{ "/containers/web/libpod-" ID ".scope", "/b", NULL, DELEGATE, NULL },
		{ "/containers/web/libpod-" ID ".scope/container", "/b", NULL, DELEGATE, OTHER_ID },
		{ "/user.slice/session-1.scope/web/x", "/user.slice/session-1.scope/shell", NULL,
		  DELEGATE, NULL },
		{ "/containers/web/x", "/b", "/containers/web/x", "run.oci.systemd.subgroups",
		  NULL },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *annotations[] = { (char *)cases[i].annotation, (char *)"x", NULL };
		const struct oci_state state = {
			.id = (char *)(cases[i].id ?: "web"),
			.annotations = annotations,
			.n_annotations = cases[i].annotation ? 1 : 0,
		};
		_cleanup_free_ char *cgroup = NULL, *error = NULL;
		int r;

		r = oci_state_find_cgroup(&state, cases[i].container, cases[i].own, &cgroup, &error);
		if (cases[i].target) {
			if (r < 0)
				fail_msg("%s: %s", cases[i].container, error);
			assert_string_equal(cgroup, cases[i].target);
		} else {
			if (r != -EXDEV)
				fail_msg("%s: %s", cases[i].container, cgroup ? cgroup : "");
			assert_null(cgroup);
			assert_non_null(error);
		}
	}
}

/* crun makes no cgroup below for an empty name. */
static void test_empty_subgroup(void **unused)
{
	char *annotations[] = { (char *)DELEGATE, (char *)"", NULL };
	const struct oci_state state = {
		.id = (char *)"web",
		.annotations = annotations,
		.n_annotations = 1,
	};
	_cleanup_free_ char *cgroup = NULL, *error = NULL;

	(void)unused;
	assert_int_equal(oci_state_find_cgroup(&state, "/containers/web", "/b", &cgroup, &error), 0);
	assert_string_equal(cgroup, "/containers/web");
}

static void test_runtime_trim(void **unused)
{
	static const struct {
		const char *comm;
		const char *name;
	} cases[] = {
		{ "crun\n", "crun" },
		{ "runc:[1:CHILD]\n", "runc" },
		{ "kata-runtime", "kata-runtime" },
		{ "a b\n", "a b" },
		{ "\n", "" },
		{ "", "" },
		{ ":[2:INIT]\n", "" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char comm[32];

		strcpy(comm, cases[i].comm);
		oci_state_trim_runtime(comm);
		assert_string_equal(comm, cases[i].name);
	}
}

static void test_bundle_root(void **unused)
{
	static const struct {
		const char *config;
		const char *root; /* NULL: none; begins with '/': itself; else: below the bundle */
	} cases[] = {
		{ "{\"root\":{\"path\":\"rootfs\"}}", "rootfs" },
		{ "{\"root\":{\"path\":\"/var/merged\",\"readonly\":true}}", "/var/merged" },
		{ "{\"root\":{\"path\":7}}", NULL },
		{ "{\"root\":{\"path\":\"a\\u0000b\"}}", NULL },
		{ "{\"root\":{}}", NULL },
		{ "{\"root\":\"rootfs\"}", NULL },
		{ "{}", NULL },
		{ "[]", NULL },
		{ "{", NULL },
		{ "", NULL },
	};
	char bundle[] = "/tmp/test-oci-state.XXXXXX", path[64], root[64];

	(void)unused;
	assert_non_null(mkdtemp(bundle));
	snprintf(path, sizeof(path), "%s/config.json", bundle);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *found = NULL;
		FILE *file = fopen(path, "we");

		assert_non_null(file);
		assert_true(fputs(cases[i].config, file) >= 0);
		assert_int_equal(fclose(file), 0);
		assert_int_equal(oci_state_bundle_root(bundle, &found),
				 cases[i].root ? 0 : -EBADMSG);
		if (!cases[i].root)
			continue;
		snprintf(root, sizeof(root), "%s/%s", bundle, cases[i].root);
		assert_string_equal(found, *cases[i].root == '/' ? cases[i].root : root);
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(oci_state_bundle_root(bundle, NULL), -ENOENT);
	assert_int_equal(rmdir(bundle), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_state_without_annotations),
		cmocka_unit_test(test_bad_states),
		cmocka_unit_test(test_state_with_nul),
		cmocka_unit_test(test_state_read),
		cmocka_unit_test(test_cgroup_parse),
		cmocka_unit_test(test_cgroup_target),
		cmocka_unit_test(test_empty_subgroup),
		cmocka_unit_test(test_runtime_trim),
		cmocka_unit_test(test_bundle_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
