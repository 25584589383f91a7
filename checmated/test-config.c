// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Binding files: what is read, and what is refused with which words
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

#include "cleanup.h"
#include "config.h"

#define MATCH "[Match]\nCgroup=/a\n"

struct fixture {
	char root[64];
	char *dirs[4];
};

static int setup(void **state)
{
	static const char *const names[] = { "lib", "etc", "run" };
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->root, "/tmp/checmate-config.XXXXXX");
	assert_non_null(mkdtemp(f->root));
	for (size_t i = 0; i < 3; i++) {
		assert_true(asprintf(&f->dirs[i], "%s/%s", f->root, names[i]) > 0);
		assert_int_equal(mkdir(f->dirs[i], 0700), 0);
	}
	*state = f;
	return 0;
}

static void empty_dir(const char *path)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	const struct dirent *entry;

	while ((entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	assert_int_equal(rmdir(path), 0);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 3; i++) {
		empty_dir(f->dirs[i]);
		free(f->dirs[i]);
	}
	assert_int_equal(rmdir(f->root), 0);
	free(f);
	return 0;
}

static void put_bytes(struct fixture *f, size_t dir, const char *name, const char *text, size_t size)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_fclose_ FILE *stream = NULL;

	assert_true(asprintf(&path, "%s/%s", f->dirs[dir], name) > 0);
	stream = fopen(path, "we");
	assert_non_null(stream);
	assert_int_equal(fwrite(text, 1, size, stream), size);
}

static void put(struct fixture *f, size_t dir, const char *name, const char *text)
{
	put_bytes(f, dir, name, text, strlen(text));
}

static int load(struct fixture *f, struct config **ret_config, char **ret_error)
{
	return config_load((const char *const *)f->dirs, NULL, NULL, ret_config, ret_error);
}

static const struct config_param *find_param(const struct config_policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->n_params; i++)
		if (strcmp(policy->params[i].name, name) == 0)
			return &policy->params[i];
	return NULL;
}

static void test_whole_file(void **state)
{
	struct fixture *f = *state;
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_free_ char *error = NULL;
	const struct config_binding *binding;

	put(f, 1, "web.conf",
	    "# all web containers\n"
	    "[Match]\n"
	    "Cgroup = /machine.slice/*\n"
	    "Annotation=org.checmate.role=web*\n"
	    "Annotation=org.checmate.site=a=b\n"
	    "\n"
	    "[Policy net-bind]\n"
	    "Mode=enforce\n"
	    "Allow=0.0.0.0/0:80, [::]/0:443,,\t10.0.0.1:8000-8100 ; inline comment\n"
	    "  [::1]:9000\n"
	    "  127.0.0.1:9000\n"
	    "Allow=127.0.0.2:1\n"
	    "DenyErrno=EACCES\n"
	    "[Policy net-connect]\n");
	assert_int_equal(load(f, &config, &error), 0);
	assert_null(error);
	assert_int_equal(config->n_bindings, 1);

	binding = config->bindings[0];
	assert_string_equal(binding->cgroups[0], "/machine.slice/*");
	assert_int_equal(binding->n_annotations, 2);
	assert_string_equal(binding->annotations[1].key, "org.checmate.site");
	assert_string_equal(binding->annotations[1].glob, "a=b");
	assert_int_equal(binding->n_policies, 2);
	assert_string_equal(binding->policies[0].name, "net-bind");
	assert_int_equal(binding->policies[0].place.line, 7);
	assert_int_equal(binding->policies[0].n_params, 2);
	assert_string_equal(
		find_param(&binding->policies[0], "allow")->value,
		"0.0.0.0/0:80,[::]/0:443,10.0.0.1:8000-8100,[::1]:9000,127.0.0.1:9000,127.0.0.2:1");
	assert_int_equal(find_param(&binding->policies[0], "allow")->place.line, 9);
	assert_string_equal(find_param(&binding->policies[0], "deny-errno")->value, "EACCES");
	assert_string_equal(binding->policies[1].name, "net-connect");
	assert_int_equal(binding->policies[1].n_params, 0);
}

static void test_empty_value_starts_anew(void **state)
{
	struct fixture *f = *state;
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_free_ char *error = NULL;

	put(f, 1, "a.conf", MATCH "[Policy p]\nAllow=1 2\nAllow=\nAllow=3\nOther=\n");
	assert_int_equal(load(f, &config, &error), 0);
	assert_string_equal(find_param(&config->bindings[0]->policies[0], "allow")->value, "3");
	assert_string_equal(find_param(&config->bindings[0]->policies[0], "other")->value, "");
}

static void test_no_files(void **state)
{
	struct fixture *f = *state;
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_free_ char *error = NULL;

	assert_int_equal(rmdir(f->dirs[1]), 0);
	put(f, 0, "README", "not a binding file\n");
	put(f, 0, ".hidden.conf", "not one either\n");
	assert_int_equal(load(f, &config, &error), 0);
	assert_int_equal(config->n_bindings, 0);
	assert_int_equal(mkdir(f->dirs[1], 0700), 0);
}

static void test_directories(void **state)
{
	struct fixture *f = *state;
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_free_ char *error = NULL, *path = NULL;

	put(f, 0, "20-b.conf", MATCH "[Policy lib]\n");
	put(f, 0, "30-hidden.conf", MATCH "[Policy lib]\n");
	put(f, 1, "10-a.conf", MATCH "[Policy etc]\n");
	put(f, 1, "20-b.conf", "this one is not even looked at\n");
	put(f, 2, "20-b.conf", MATCH "[Policy run]\n");
	put(f, 0, "05-z.conf", MATCH "[Policy first]\n");
	assert_true(asprintf(&path, "%s/30-hidden.conf", f->dirs[1]) > 0);
	assert_int_equal(symlink("/dev/null", path), 0);

	assert_int_equal(load(f, &config, &error), 0);
	assert_int_equal(config->n_bindings, 3);
	assert_string_equal(config->bindings[0]->policies[0].name, "first");
	assert_string_equal(config->bindings[1]->policies[0].name, "etc");
	assert_string_equal(config->bindings[2]->policies[0].name, "run");
}

static const struct bad_file {
	const char *text;
	unsigned int line;
	const char *reason; /* a part of it */
} bad_files[] = {
	{ "", 0, "nothing to match" },
	{ "\n# only a comment\n", 2, "nothing to match" },
	{ "[Match]\n[Policy p]\n", 1, "nothing to match" },
	{ "[Policy p]\nAllow=1\n", 2, "nothing to match" },
	{ MATCH, 2, "no policy to apply" },
	{ "Cgroup=/a\n", 1, "before the first section" },
	{ "[Matches]\n", 1, "unknown section [Matches]" },
	{ "[match]\n", 1, "unknown section [match]" },
	{ "[Match\n", 1, "no closing ']'" },
	{ "[Match] x\n", 1, "after the section's closing" },
	{ " [Match]\n", 1, "start of the line" },
	{ MATCH "[Match]\n", 3, "second [Match]" },
	{ MATCH "[Policy]\n", 3, "unknown section [Policy]" },
	{ MATCH "[Policynet-bind]\n", 3, "unknown section" },
	{ MATCH "[Policy ]\n", 3, "not a policy name" },
	{ MATCH "[Policy ../x]\n", 3, "not a policy name" },
	{ MATCH "[Policy Net]\n", 3, "not a policy name" },
	{ MATCH "[Policy -x]\n", 3, "not a policy name" },
	{ MATCH "[Policy a b]\n", 3, "not a policy name" },
	{ MATCH "[Policy aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\n", 3,
	  "not a policy name" },
	{ MATCH "[Policy p]\n[Policy p]\n", 4, "opened in line 3 already" },
	{ "[Match]\nHost=a\n", 2, "unknown key Host= in [Match]" },
	{ "[Match]\ncgroup=/a\n", 2, "unknown key cgroup=" },
	{ "[Match]\nCgroup=a\n", 2, "not a cgroup's path" },
	{ "[Match]\nCgroup=/\n", 2, "not a cgroup's path" },
	{ "[Match]\nCgroup=\n", 2, "nothing to match" },
	{ "[Match]\nCgroup=/a/\n", 2, "empty component" },
	{ "[Match]\nCgroup=/a//b\n", 2, "empty component" },
	{ "[Match]\nAnnotation=x\n", 2, "expected KEY=GLOB" },
	{ "[Match]\nAnnotation==x\n", 2, "expected KEY=GLOB" },
	{ MATCH "[Policy p]\nMode=off\n", 4, "unknown mode" },
	{ MATCH "[Policy p]\nMode=\n", 4, "unknown mode" },
	{ MATCH "[Policy p]\nAllow\n", 4, "neither a section" },
	{ MATCH "[Policy p]\nAllow 0.0.0.0:80\n", 4, "neither a section" },
	{ MATCH "[Policy p]\n=1\n", 4, "nothing before the '='" },
	{ MATCH "[Policy p]\na_b=1\n", 4, "not a parameter's name" },
};

static void test_bad_files(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad_files); i++) {
		_cleanup_(config_freep) struct config *config = NULL;
		_cleanup_free_ char *error = NULL, *where = NULL;

		put(f, 1, "50-good.conf", MATCH "[Policy p]\n");
		put(f, 1, "60-bad.conf", bad_files[i].text);
		assert_int_equal(load(f, &config, &error), -EINVAL);
		assert_null(config);
		assert_non_null(error);
		assert_true(asprintf(&where, "%s/60-bad.conf:%u: ", f->dirs[1], bad_files[i].line) >
			    0);
		if (strncmp(error, where, strlen(where)) != 0 || !strstr(error, bad_files[i].reason))
			fail_msg("file %zu: expected '%s…%s', got '%s'", i, where,
				 bad_files[i].reason, error);
	}
}

static void test_long_line(void **state)
{
	struct fixture *f = *state;
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_free_ char *error = NULL;
	char text[4096];

	memset(text, 'x', sizeof(text));
	memcpy(text, MATCH "[Policy p]\nAllow=", strlen(MATCH "[Policy p]\nAllow="));
	put_bytes(f, 1, "a.conf", text, sizeof(text));
	assert_int_equal(load(f, &config, &error), -EINVAL);
	assert_non_null(strstr(error, "a.conf:4: line has more than"));
}

static void test_nul(void **state)
{
	static const char text[] = MATCH "[Policy p]\nAllow=1\0002\n";
	struct fixture *f = *state;
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_free_ char *error = NULL;

	put_bytes(f, 1, "a.conf", text, sizeof(text) - 1);
	assert_int_equal(load(f, &config, &error), -EINVAL);
	assert_non_null(strstr(error, "a.conf:4: NUL byte"));
}

static void test_not_a_file(void **state)
{
	struct fixture *f = *state;
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_free_ char *error = NULL, *dir = NULL, *fifo = NULL;

	assert_true(asprintf(&dir, "%s/a.conf", f->dirs[1]) > 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(load(f, &config, &error), -EISDIR);
	assert_non_null(strstr(error, "a.conf: cannot be read"));
	assert_int_equal(rmdir(dir), 0);
	free(TAKE_PTR(error));

	assert_true(asprintf(&fifo, "%s/b.conf", f->dirs[1]) > 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(load(f, &config, &error), -EINVAL);
	assert_non_null(strstr(error, "b.conf: cannot be read"));
	free(TAKE_PTR(error));
	assert_int_equal(unlink(fifo), 0);

	assert_int_equal(symlink("/nonexistent/file", fifo), 0);
	assert_int_equal(load(f, &config, &error), -ENOENT);
	assert_non_null(strstr(error, "b.conf: cannot be read"));
}

static int refuse_second(struct config_policy *policy, struct config_place *ret_place,
			 char **ret_reason, void *userdata)
{
	unsigned int *asked = userdata;

	if ((*asked)++ == 0)
		return 0;
	*ret_place = policy->params[0].place;
	*ret_reason = strdup("no such parameter");
	return -ENOENT;
}

static void test_verify(void **state)
{
	struct fixture *f = *state;
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_free_ char *error = NULL;
	unsigned int asked = 0;

	put(f, 1, "a.conf", MATCH "[Policy p]\n[Policy q]\n\nAlow=1\n");
	assert_int_equal(config_load((const char *const *)f->dirs, refuse_second, &asked, &config,
				     &error),
			 -ENOENT);
	assert_null(config);
	assert_int_equal(asked, 2);
	assert_non_null(strstr(error, "a.conf:6: no such parameter"));
}

static bool matches(const struct config_binding *binding, const char *path)
{
	_cleanup_(identity_done) struct identity identity = {};

	assert_int_equal(identity_from_path(path, &identity), 0);
	return config_match(binding, &identity);
}

static void test_match_cgroup(void **state)
{
	char *globs[2] = { (char *)"/system.slice/web-*.service" };
	struct config_binding binding = { .cgroups = globs };

	(void)state;
	assert_true(matches(&binding, "/system.slice/web-1.service"));
	assert_true(matches(&binding, "/system.slice/web-.service"));
	assert_false(matches(&binding, "/system.slice/web-1.service/sub"));
	assert_false(matches(&binding, "/system.slice/web-a/b.service"));
	assert_false(matches(&binding, "/system.slice/xweb-1.service"));
	assert_false(matches(&binding, "/user.slice/web-1.service"));

	globs[0] = (char *)"/system.slice/dev-a\\x2db.service";
	assert_true(matches(&binding, "/system.slice/dev-a\\x2db.service"));

	globs[0] = (char *)"/*";
	assert_true(matches(&binding, "/.hidden"));
	assert_false(matches(&binding, "/a/b"));
}

static void test_match_annotations(void **state)
{
	static const char *const both[] = { "role", "web-1", "site", "a/b", NULL };
	static const char *const one[] = { "role", "web-1", NULL };
	struct config_annotation wanted[] = {
		{ .key = (char *)"role", .glob = (char *)"web-*" },
		{ .key = (char *)"site", .glob = (char *)"a*" },
	};
	struct config_binding binding = { .annotations = wanted, .n_annotations = 2 };
	_cleanup_(identity_done) struct identity identity = {};

	(void)state;
	assert_int_equal(identity_from_path("/a", &identity), 0);
	assert_int_equal(identity_set_container(&identity, "c"), 0);
	assert_false(config_match(&binding, &identity));
	assert_int_equal(identity_add_annotations(&identity, one), 0);
	assert_false(config_match(&binding, &identity));
	assert_int_equal(identity_add_annotations(&identity, both), 0);
	assert_true(config_match(&binding, &identity));

	wanted[0].glob = (char *)"db";
	assert_false(config_match(&binding, &identity));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty_value_starts_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_directories, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nul, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_a_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_verify, setup, teardown),
		cmocka_unit_test(test_match_cgroup),
		cmocka_unit_test(test_match_annotations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
