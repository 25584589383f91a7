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
#include "config-match.h"
#include "config-parse.h"
#include "config.h"
#include "file.h"
#include "parts.h"

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

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		_cleanup_free_ char *below = NULL;

		if (entry->d_name[strspn(entry->d_name, ".")] == '\0' ||
		    unlinkat(dirfd(dir), entry->d_name, 0) == 0)
			continue;
		assert_true(asprintf(&below, "%s/%s", path, entry->d_name) > 0);
		empty_dir(below);
	}
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

/* A file in a directory that is made for it. */
static void put_below(struct fixture *f, size_t dir, const char *below, const char *name,
		      const char *text)
{
	_cleanup_free_ char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", f->dirs[dir], below) > 0);
	assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
	free(TAKE_PTR(path));
	assert_true(asprintf(&path, "%s/%s", below, name) > 0);
	put(f, dir, path, text);
}

static void put_link(struct fixture *f, size_t dir, const char *name, const char *to)
{
	_cleanup_free_ char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", f->dirs[dir], name) > 0);
	assert_int_equal(symlink(to, path), 0);
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
	_cleanup_free_ char *error = NULL;

	put(f, 0, "20-b.conf", MATCH "[Policy lib]\n");
	put(f, 0, "30-hidden.conf", MATCH "[Policy lib]\n");
	put(f, 1, "10-a.conf", MATCH "[Policy etc]\n");
	put(f, 1, "20-b.conf", "this one is not even looked at\n");
	put(f, 2, "20-b.conf", MATCH "[Policy run]\n");
	put(f, 0, "05-z.conf", MATCH "[Policy first]\n");
	put_link(f, 1, "30-hidden.conf", "/dev/null");

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
	{ "[Match]\nUnit=web\n", 2, "not a unit that has processes" },
	{ "[Match]\nUnit=web.service web.target\n", 2, "Unit=web.target: not a unit" },
	{ "[Match]\nUnit=a.slice\n", 2, "write Slice=" },
	{ "[Match]\nUnit=web@.service\n", 2, "a template" },
	{ "[Match]\nUnit=a/b.service\n", 2, "not a unit's name" },
	{ "[Match]\nUnit=a.service\n Slice=b.slice\n", 2, "not a unit's name" },
	{ "[Match]\nUnit=a.service,b.service\n", 2, "not a unit's name" },
	{ "[Match]\nSlice=a.service\n", 2, "not a slice's name" },
	{ "[Match]\nSlice=a\n", 2, "not a slice's name" },
	{ "[Match]\nSlice=-.slice\n", 2, "the root takes no policy" },
	{ "[Match]\nRuntime=libpod\n", 2, "known as podman" },
	{ "[Match]\nRuntime=docker crio\n", 2, "known as cri-o" },
	{ "[Match]\nRuntime=/usr/bin/runc\n", 2, "not a runtime's name" },
	{ "[Match]\nPod=web\n", 2, "expected NAMESPACE/NAME" },
	{ "[Match]\nPod=/web\n", 2, "expected NAMESPACE/NAME" },
	{ "[Match]\nPod=a/\n", 2, "expected NAMESPACE/NAME" },
	{ "[Match]\nPod=a/b/c\n", 2, "expected NAMESPACE/NAME" },
	{ "[Match]\nUnit=a.service\nUnit=\n[Policy p]\n", 3, "nothing to match" },
	{ "[Match]\nAnnotation=k*=v\n", 2, "in the key" },
	{ "[Match]\nAnnotation=a b=v\n", 2, "in the key" },
	{ "[Match]\nAnnotation=x\n", 2, "expected KEY=GLOB" },
	{ "[Match]\nAnnotation==x\n", 2, "expected KEY=GLOB" },
	{ MATCH "[Policy p]\nMode=off\n", 4, "unknown mode" },
	{ MATCH "[Policy p]\nMode=\n", 4, "unknown mode" },
	{ MATCH "[Policy p]\nAllow\n", 4, "neither a section" },
	{ MATCH "[Policy p]\nAllow 0.0.0.0:80\n", 4, "neither a section" },
	{ MATCH "[Policy p]\n=1\n", 4, "nothing before the '='" },
	{ MATCH "[Policy p]\n-a=1\n", 4, "not a parameter's name" },
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

/* Loading is refused, with these words. */
static void check_untrusted(struct fixture *f, const char *words)
{
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_free_ char *error = NULL;

	assert_int_equal(load(f, &config, &error), -EACCES);
	if (!strstr(error, words))
		fail_msg("no \"%s\" in: %s", words, error);
}

static void check_trusted(struct fixture *f)
{
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_free_ char *error = NULL;

	if (load(f, &config, &error))
		fail_msg("%s", error);
}

/* What others than root can change is not taken, nor what they can replace or remove. */
static void test_trust(void **state)
{
	static const char *const places[] = { "", "/a.conf", "/a.conf.d", "/a.conf.d/b.conf" };
	struct fixture *f = *state;

	put(f, 1, "a.conf", MATCH "[Policy p]\n");
	put_below(f, 1, "a.conf.d", "b.conf", "[Policy p]\n");
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_free_ char *path = NULL;
		mode_t good = i % 2 ? 0644 : 0755;

		assert_true(asprintf(&path, "%s%s", f->dirs[1], places[i]) > 0);
		assert_int_equal(chmod(path, good | 0002), 0);
		check_untrusted(f, "not trusted: others can write to \"");
		assert_int_equal(chmod(path, good | 0020), 0);
		check_untrusted(f, "not trusted: others can write to \"");
		assert_int_equal(chmod(path, good), 0);
		check_trusted(f);
		if (geteuid() != 0)
			continue;
		assert_int_equal(chown(path, 65534, -1), 0);
		check_untrusted(f, "belongs to user 65534; make it root's");
		assert_int_equal(chown(path, 0, -1), 0);
	}
	/* One that is empty could have held what somebody has removed. */
	assert_int_equal(chmod(f->dirs[2], 0775), 0);
	check_untrusted(f, "/run: not trusted: others can write to \"run\"");
	assert_int_equal(chmod(f->dirs[2], 0755), 0);
	/* Nor the one above. */
	assert_int_equal(chmod(f->root, 0775), 0);
	check_untrusted(f, "not trusted: others can write to \"checmate-config.");
	assert_int_equal(chmod(f->root, 0700), 0);
	check_trusted(f);
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

static void test_drop_ins(void **state)
{
	struct fixture *f = *state;
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_free_ char *error = NULL;
	const struct config_binding *binding;
	const struct config_policy *policy;

	put(f, 0, "web.conf",
	    "[Match]\nUnit=web.service db.service\nSlice=a.slice\nAnnotation=k=1\n"
	    "[Policy p]\nMode=permissive\nAllow=1 2\nErr=EPERM\n[Policy q]\n");
	put_below(f, 0, "web.conf.d", "10-a.conf", "nobody reads this\n");
	put_below(f, 2, "web.conf.d", "10-a.conf", "[Policy p]\nErr=EACCES\n[Policy r]\nList=\n");
	put_below(f, 1, "web.conf.d", "20-b.conf",
		  "[Match]\nUnit=\nUnit=c.service\nUnit=d.service\nAnnotation=\nAnnotation=l=2\n"
		  "[Policy p]\nMode=enforce\nAllow=3\n");
	put_below(f, 0, "web.conf.d", "30-hidden.conf", "nor this\n");
	put_link(f, 1, "web.conf.d/30-hidden.conf", "/dev/null");
	put_below(f, 1, "web.conf.d", "README", "nor this\n");

	assert_int_equal(load(f, &config, &error), 0);
	assert_int_equal(config->n_bindings, 1);
	binding = config->bindings[0];
	assert_string_equal(binding->units[0], "c.service");
	assert_string_equal(binding->units[1], "d.service");
	assert_null(binding->units[2]);
	assert_string_equal(binding->slices[0], "a.slice");
	assert_int_equal(binding->n_annotations, 1);
	assert_string_equal(binding->annotations[0].key, "l");
	assert_string_equal(strrchr(binding->drop_ins[0], '/'), "/10-a.conf");
	assert_string_equal(strrchr(binding->drop_ins[1], '/'), "/20-b.conf");
	assert_null(binding->drop_ins[2]);

	assert_int_equal(binding->n_policies, 3);
	policy = &binding->policies[0];
	assert_false(policy->permissive);
	assert_ptr_equal(policy->place.file, binding->file);
	assert_int_equal(policy->place.line, 5);
	assert_string_equal(find_param(policy, "allow")->value, "1,2,3");
	assert_string_equal(find_param(policy, "allow")->last, "3");
	assert_ptr_equal(find_param(policy, "allow")->place.file, binding->drop_ins[1]);
	assert_int_equal(find_param(policy, "allow")->place.line, 9);
	assert_string_equal(find_param(policy, "err")->value, "EPERM,EACCES");
	assert_string_equal(find_param(policy, "err")->last, "EACCES");
	assert_ptr_equal(find_param(policy, "err")->place.file, binding->drop_ins[0]);
	assert_string_equal(binding->policies[2].name, "r");
	assert_ptr_equal(binding->policies[2].place.file, binding->drop_ins[0]);
}

static void test_no_list(void **state)
{
	struct fixture *f = *state;
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_free_ char *error = NULL;
	struct config_policy *policy;

	put(f, 0, "a.conf", MATCH "[Policy p]\nErr=EPERM\nMax=3\nTwice=1\nTwice=2\nEnd=1\n");
	put_below(f, 1, "a.conf.d", "b.conf", "[Policy p]\nErr=EACCES\nMax=\n");
	assert_int_equal(load(f, &config, &error), 0);
	policy = &config->bindings[0]->policies[0];
	config_policy_unlist(policy, "err");
	config_policy_unlist(policy, "max");
	config_policy_unlist(policy, "twice");
	config_policy_unlist(policy, "none");
	assert_int_equal(policy->n_params, 3);
	assert_string_equal(find_param(policy, "err")->value, "EACCES");
	assert_null(find_param(policy, "max"));
	/* Twice in one file is a slip of the pen, which the policy refuses. */
	assert_string_equal(find_param(policy, "twice")->value, "1,2");
	assert_string_equal(find_param(policy, "end")->value, "1");
}

static const struct bad_drop_in {
	const char *text;
	unsigned int line;
	const char *reason;
} bad_drop_ins[] = {
	{ "[Match]\nCgroup=\n", 2, "nothing to match" },
	{ "[Policy p]\nMode=enforce\nMode=permissive\n", 3, "Mode= is set in line 2" },
	{ "[Policy p]\n[Policy p]\n", 2, "opened in line 1" },
	{ "[Match]\n[Match]\n", 2, "second [Match]" },
	{ "Allow=2\n", 1, "before the first section" },
	{ "[Policy q]\nAllow: 1\n", 2, "neither a section" },
	{ "[Binding]\nSeal=maybe\n", 2, "Seal=maybe: expected yes or no" },
	{ "[Binding]\nSeal=\n", 2, "expected yes or no" },
	{ "[Binding]\nSeal=yes\nSeal=no\n", 3, "Seal= is set in line 2" },
	{ "[Binding]\n[Match]\n[Binding]\n", 3, "[Binding] was opened in line 1" },
	{ "[Binding]\nMode=enforce\n", 2, "unknown key Mode= in [Binding]" },
	{ "[Match]\nSeal=yes\n", 2, "unknown key Seal= in [Match]" },
	{ "[Policy p]\nSeal=yes\n", 2, "Seal= is for all policies of a file" },
};

/* A seal is one file's, and the last of its drop-ins counts. */
static void test_seal(void **state)
{
	struct fixture *f = *state;
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_free_ char *error = NULL;

	put(f, 0, "a.conf", MATCH "[Binding]\nSeal=yes\n[Policy p]\n");
	put(f, 0, "b.conf", MATCH "[Policy p]\n[Binding]\n");
	put(f, 0, "c.conf", MATCH "[Policy p]\n[Binding]\nSeal=yes\n");
	put_below(f, 1, "c.conf.d", "1.conf", "[Binding]\nSeal=no\n");
	put(f, 0, "d.conf", MATCH "[Policy p]\n");
	put_below(f, 1, "d.conf.d", "1.conf", "[Binding]\nSeal=on\n");
	assert_int_equal(load(f, &config, &error), 0);
	assert_int_equal(config->n_bindings, 4);
	assert_true(config->bindings[0]->seal);
	assert_false(config->bindings[1]->seal);
	assert_false(config->bindings[2]->seal);
	assert_true(config->bindings[3]->seal);
}

static void test_bad_drop_ins(void **state)
{
	struct fixture *f = *state;

	put(f, 0, "a.conf", MATCH "[Policy p]\nAllow=1\n");
	for (size_t i = 0; i < ARRAY_SIZE(bad_drop_ins); i++) {
		_cleanup_(config_freep) struct config *config = NULL;
		_cleanup_free_ char *error = NULL, *where = NULL;

		put_below(f, 2, "a.conf.d", "x.conf", bad_drop_ins[i].text);
		assert_int_equal(load(f, &config, &error), -EINVAL);
		assert_null(config);
		assert_true(asprintf(&where, "%s/a.conf.d/x.conf:%u: ", f->dirs[2],
				     bad_drop_ins[i].line) > 0);
		if (strncmp(error, where, strlen(where)) != 0 ||
		    !strstr(error, bad_drop_ins[i].reason))
			fail_msg("drop-in %zu: expected '%s…%s', got '%s'", i, where,
				 bad_drop_ins[i].reason, error);
	}
}

/* What a masked file had is hidden with it; of what was never there, it is said. */
static void test_drop_ins_of_nothing(void **state)
{
	struct fixture *f = *state;
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_free_ char *error = NULL;

	put(f, 0, "a.conf", MATCH "[Policy p]\n");
	put_link(f, 2, "a.conf", "/dev/null");
	put_below(f, 1, "a.conf.d", "x.conf", "not looked at\n");
	assert_int_equal(load(f, &config, &error), 0);
	assert_int_equal(config->n_bindings, 0);

	put_below(f, 1, "b.conf.d", "x.conf", "[Policy p]\n");
	config = config_free(config);
	assert_int_equal(load(f, &config, &error), -ENOENT);
	assert_non_null(strstr(error, "/b.conf.d: there is no file b.conf that"));
	free(TAKE_PTR(error));

	put(f, 2, "b.conf", MATCH "[Policy p]\n");
	assert_int_equal(load(f, &config, &error), 0);
	assert_int_equal(config->n_bindings, 1);

	/* A file where the directory would be */
	put(f, 0, "b.conf.d", "");
	config = config_free(config);
	assert_int_equal(load(f, &config, &error), -ENOTDIR);
	assert_non_null(strstr(error, "/b.conf.d: cannot be read"));
}

static int refuse_param(struct config_policy *policy, struct config_place *ret_place,
			char **ret_reason, void *userdata)
{
	const struct config_param *param = find_param(policy, userdata);

	if (!param)
		return 0;
	*ret_place = param->place;
	*ret_reason = strdup("no");
	return -EINVAL;
}

static void test_verify_drop_in(void **state)
{
	struct fixture *f = *state;
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_free_ char *error = NULL;

	put(f, 1, "a.conf", MATCH "[Policy p]\nAllow=1\n");
	put_below(f, 0, "a.conf.d", "x.conf", "\n[Policy p]\n\nAllow=2\n");
	assert_int_equal(config_load((const char *const *)f->dirs, refuse_param, (char *)"allow",
				     &config, &error),
			 -EINVAL);
	assert_non_null(strstr(error, "/a.conf.d/x.conf:4: no"));
}

static void test_escaped_separators(void **state)
{
	struct fixture *f = *state;
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_free_ char *error = NULL;

	put(f, 1, "a.conf", MATCH "[Policy p]\nPaths=/a\\ b, /c\\,d /e\\\\ /f\n");
	assert_int_equal(load(f, &config, &error), 0);
	assert_string_equal(find_param(&config->bindings[0]->policies[0], "paths")->value,
			    "/a\\ b,/c\\,d,/e\\\\,/f");
}

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* What a [Match] is for. */
static const struct match {
	const char *match; /* its keys */
	const char *yes; /* paths, blank separated */
	const char *no;
} all_matches[] = {
	/* cgroups by their path, and nothing below them */
	{ "Cgroup=/a/*", "/a/b /a/.b", "/a /a/b/c /b/a" },
	{ "Cgroup=/a /b\nCgroup=/c", "/a /b /c", "/d" },
	{ "Cgroup=/system.slice/web-*.service", "/system.slice/web-1.service",
	  "/system.slice/web-1.service/x /system.slice/xweb-1.service" },
	{ "Cgroup=/x/dev-a\\x2db.service", "/x/dev-a\\x2db.service", "/x/dev-a-b.service" },
	/* units, wherever they are, but not what is in them, nor what is only called so */
	{ "Unit=web.service", "/system.slice/web.service /a.slice/a-b.slice/web.service",
	  "/system.slice/web.service/x /x/web.service /system.slice/db.service "
	  "/user.slice/user-1.slice/user@1.service/app.slice/web.service" },
	{ "Unit=web-*.service *.scope", "/web-1.service /init.scope", "/db.service /x" },
	{ "Unit=memory.service", "/system.slice/_memory.service", "/system.slice/x.service" },
	{ "Unit=web@*.service", "/system.slice/system-web.slice/web@1.service",
	  "/system.slice/web.service" },
	{ "Unit=*.service\nSlice=a.slice", "/a.slice/x.service /a.slice/a-b.slice/x.service",
	  "/x.service /b.slice/x.service /a.slice /a.slice/a-b.slice" },
	{ "Unit=*\nCgroup=/a.slice/a-*.slice", "/a.slice/a-b.slice/x.service",
	  "/a.slice/x.service /a.slice/a-b.slice" },
	/* slices themselves: what is in them inherits */
	{ "Slice=a.slice", "/a.slice", "/a.slice/a-b.slice /a.slice/x.service /x/a.slice" },
	{ "Slice=a-*.slice\nCgroup=/a.slice/*", "/a.slice/a-b.slice /a.slice/a-b.slice/a-b-c.slice",
	  "/a.slice" },
	{ "Slice=*", "/a.slice /a.slice/a-b.slice", "/a /init.scope /" },
	/* containers */
	{ "Runtime=podman", "/machine.slice/libpod-" ID ".scope /libpod_parent/libpod-" ID,
	  "/machine.slice/libpod-conmon-" ID ".scope /machine.slice/libpod-" ID ".scope/container "
	  "/machine.slice /system.slice/docker-" ID ".scope" },
	{ "Runtime=docker pod*", "/x.slice/libpod-" ID ".scope /docker/" ID,
	  "/x.slice/crio-" ID ".scope" },
	{ "Runtime=*", "/docker/" ID " /kubepods/pod" ID "/" ID, "/a /a.slice" },
	{ "Runtime=cri-o containerd", "/x.slice/crio-" ID ".scope", "/kubepods/pod" ID "/" ID },
	{ "Runtime=podman\nSlice=a.slice", "/a.slice/a-b.slice/libpod-" ID ".scope",
	  "/b.slice/libpod-" ID ".scope" },
	{ "Runtime=podman\nUnit=web.service", "/system.slice/web.service/libpod-payload-" ID,
	  "/system.slice/libpod-" ID ".scope /system.slice/web.service" },
	{ "Runtime=podman\nUnit=libpod-*", "/system.slice/libpod-" ID ".scope",
	  "/system.slice/web.service/libpod-payload-" ID },
	{ "Runtime=podman\nCgroup=/user.slice",
	  "/user.slice/user-1.slice/user@1.service/user.slice/libpod-" ID ".scope",
	  "/machine.slice/libpod-" ID ".scope" },
	/* of which a path says nothing */
	{ "Annotation=k=*", "", "/docker/" ID " /a" },
	{ "Pod=*/*", "", "/docker/" ID " /kubepods/pod" ID "/" ID },
};

static void try_paths(const struct config_binding *binding, const struct match *match, bool yes)
{
	_cleanup_free_ char *paths = strdup(yes ? match->yes : match->no);
	char *rest = paths, *path;

	assert_non_null(paths);
	while ((path = strsep(&rest, " "))) {
		_cleanup_(identity_done) struct identity identity = {};

		if (!*path)
			continue;
		assert_int_equal(identity_from_path(path, &identity), 0);
		if (config_match(binding, &identity) != yes)
			fail_msg("%s: %s matches: %s", match->match, path, yes ? "no" : "yes");
	}
}

static void load_match(struct fixture *f, const char *match, struct config **ret_config)
{
	_cleanup_free_ char *error = NULL, *text = NULL;

	assert_true(asprintf(&text, "[Match]\n%s\n[Policy p]\n", match) > 0);
	put(f, 1, "a.conf", text);
	if (load(f, ret_config, &error) < 0)
		fail_msg("%s: %s", match, error);
}

static void test_match(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(all_matches); i++) {
		_cleanup_(config_freep) struct config *config = NULL;

		load_match(*state, all_matches[i].match, &config);
		try_paths(config->bindings[0], &all_matches[i], true);
		try_paths(config->bindings[0], &all_matches[i], false);
	}
}

static const struct told {
	const char *match;
	bool yes;
	bool claimed; /* by what the workload can write */
} told[] = {
	{ "Annotation=role=web", true, true },
	{ "Annotation=role=w*", true, true },
	{ "Annotation=role=web*", true, true },
	{ "Annotation=site=*", true, true }, /* a '/' is nothing special */
	{ "Annotation=role=w*\nAnnotation=site=a*", true, true },
	{ "Annotation=role=w*\nAnnotation=site=b*", false, false },
	{ "Annotation=role=", false, false },
	{ "Annotation=empty=", true, true },
	{ "Annotation=none=*", false, false },
	{ "Annotation=role=WEB", false, false },
	{ "Annotation=text=two words", true, true },
	{ "Runtime=podman", false, false },
	{ "Runtime=containerd", true, true },
	{ "Runtime=runc", true, false },
	{ "Runtime=podman run?", true, false },
	{ "Pod=shop/web-1", true, true },
	{ "Pod=x/y shop/web-*", true, true },
	{ "Pod=*/web-*", true, true },
	{ "Pod=shop/db", false, false },
	{ "Pod=sho/*", false, false },
	{ "Pod=shop/*\nRuntime=cri-o", false, false },
	{ "Pod=shop/*\nAnnotation=role=web\nRuntime=containerd\nUnit=x.service", true, true },
	{ "Pod=shop/*\nUnit=y.service", false, false },
	/* The container's cgroup is one as others are. */
	{ "Cgroup=/system.slice/x.service/c", true, false },
	{ "Unit=x.service", false, false },
};

static void test_match_told(void **state)
{
	static const char *const annotations[] = { "role",
						   "web",
						   "site",
						   "a/b",
						   "empty",
						   "",
						   "text",
						   "two words",
						   "io.kubernetes.cri.sandbox-namespace",
						   "shop",
						   "io.kubernetes.cri.sandbox-name",
						   "web-1",
						   NULL };

	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		_cleanup_(config_freep) struct config *config = NULL;
		_cleanup_(identity_done) struct identity identity = {};

		load_match(*state, told[i].match, &config);
		assert_int_equal(identity_from_path("/system.slice/x.service/c", &identity), 0);
		assert_int_equal(identity_set_container(&identity, "c"), 0);
		assert_int_equal(identity_add_runtime(&identity, "runc"), 0);
		assert_int_equal(identity_add_annotations(&identity, annotations, NULL), 0);
		if (config_match(config->bindings[0], &identity) != told[i].yes)
			fail_msg("%s: matches: %s", told[i].match, told[i].yes ? "no" : "yes");
		if (told[i].yes &&
		    config_match_is_claimed(config->bindings[0], &identity) != told[i].claimed)
			fail_msg("%s: claimed: %s", told[i].match, told[i].claimed ? "no" : "yes");
	}
}

static const struct pair {
	const char *former, *later; /* their matches; both give policy p */
	bool refused;
} pairs[] = {
	{ "Runtime=*", "Annotation=role=web", true },
	{ "Runtime=podman", "Annotation=role=web", true },
	{ "Pod=shop/*", "Annotation=role=web", true },
	{ "Runtime=*", "Annotation=role=web\nRuntime=podman\nPod=shop/*\nSlice=a.slice", true },
	{ "Runtime=*\nSlice=a.slice", "Annotation=role=web\nSlice=a-b.slice", true },
	{ "Runtime=*\nSlice=a-b.slice", "Annotation=role=web\nSlice=a.slice", true },
	{ "Runtime=*\nSlice=a-*.slice", "Annotation=role=web\nSlice=b.slice", true },
	{ "Runtime=*\nCgroup=/a", "Annotation=role=web\nCgroup=/a/b", true },
	{ "Runtime=*\nCgroup=/a/b", "Annotation=role=web\nCgroup=/a", true },
	{ "Runtime=podman crun", "Annotation=role=web\nRuntime=cri-o", true },
	{ "Runtime=nerdctl", "Annotation=role=web\nRuntime=containerd", true },
	{ "Pod=shop/web-*", "Annotation=role=web\nPod=shop/*", true },
	{ "Pod=shop/web x/y", "Annotation=role=web\nPod=*/web", true },
	{ "Runtime=*\nUnit=a*.service", "Annotation=role=web\nUnit=ab.service", true },
	/* The mandatory one is the later, or both or none can be chosen. */
	{ "Annotation=role=web", "Runtime=*", false },
	{ "Annotation=role=web", "Annotation=role=db", false },
	{ "Runtime=*", "Pod=shop/*", false },
	/* No container is in both. */
	{ "Runtime=*\nSlice=a.slice", "Annotation=role=web\nSlice=ab.slice", false },
	{ "Runtime=*\nSlice=a-b.slice", "Annotation=role=web\nSlice=a-c.slice", false },
	{ "Runtime=*\nCgroup=/a/b", "Annotation=role=web\nCgroup=/a/c", false },
	{ "Runtime=*\nUnit=a.service", "Annotation=role=web\nUnit=b.service", false },
	{ "Runtime=podman", "Annotation=role=web\nRuntime=cri-o docker", false },
	{ "Pod=shop/*", "Annotation=role=web\nPod=bank/*", false },
	{ "Pod=shop/web", "Annotation=role=web\nPod=shop/db", false },
	/* It is for containers only by what is known of one: config_match_is_claimed() */
	{ "Unit=a.service", "Annotation=role=web", false },
	{ "Cgroup=/a/*", "Annotation=role=web", false },
};

/* What a file makes mandatory, no annotation takes away. */
static void test_replaced(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		_cleanup_free_ char *former = NULL, *later = NULL, *error = NULL, *words = NULL;
		_cleanup_(config_freep) struct config *config = NULL;
		int r;

		assert_true(asprintf(&former, "[Match]\n%s\n[Policy o]\n[Policy p]\n",
				     pairs[i].former) > 0);
		assert_true(asprintf(&later, "[Policy q]\n[Policy p]\n[Match]\n%s\n",
				     pairs[i].later) > 0);
		put(f, 2, "a.conf", former);
		put(f, 0, "b.conf", later);
		r = load(f, &config, &error);
		if (r != (pairs[i].refused ? -EINVAL : 0))
			fail_msg("%s, then %s: %d %s", pairs[i].former, pairs[i].later, r,
				 error ? error : "");
		if (!pairs[i].refused)
			continue;
		assert_true(asprintf(&words,
				     "%s/b.conf:2: policy p cannot replace that of %s/a.conf:",
				     f->dirs[0], f->dirs[2]) > 0);
		if (strncmp(error, words, strlen(words)) != 0)
			fail_msg("expected '%s…', got '%s'", words, error);
	}
}

static FILE *open_text(const char *text, size_t size)
{
	FILE *stream = size ? fmemopen((char *)text, size, "r") : fopen("/dev/null", "re");

	assert_non_null(stream);
	return stream;
}

/* Of files named n_*, the first line says with which words they are refused. */
static void try_example(const char *name, const char *text, size_t size)
{
	static char *paths[] = { "file", "drop-in-1", "drop-in-2", "drop-in-3" };
	_cleanup_(config_binding_freep) struct config_binding *binding = NULL;
	_cleanup_free_ char *error = NULL, *expected = NULL;
	struct config_source sources[ARRAY_SIZE(paths)];
	struct part parts[PARTS_MAX];
	size_t n = 0, n_parts;
	int r;

	n_parts = parts_split(text, size, parts);
	for (size_t i = 0; i < n_parts; i++) {
		if (parts[i].text[0] == '/')
			continue;
		assert_true(n < ARRAY_SIZE(paths));
		sources[n].path = paths[n];
		sources[n].stream = open_text(parts[i].text, parts[i].size);
		n++;
	}
	r = config_parse(sources, n, &binding, &error);
	while (n > 0)
		fclose(sources[--n].stream);

	if (name[0] == 'y') {
		if (r < 0)
			fail_msg("%s: %s", name, error);
		return;
	}
	assert_int_equal(strncmp(text, "# ", 2), 0);
	expected = strndup(text + 2, strcspn(text, "\n") - 2);
	assert_non_null(expected);
	if (r != -EINVAL || strncmp(error, expected, strlen(expected)) != 0)
		fail_msg("%s: expected '%s', got %d '%s'", name, expected, r, error ? error : "");
}

static void test_examples(void **state)
{
	_cleanup_closedir_ DIR *dir = opendir(CONFIG_EXAMPLES);
	const struct dirent *entry;
	size_t n_good = 0, n_bad = 0;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		_cleanup_free_ char *text = NULL;
		size_t size;

		if (strncmp(entry->d_name, "y_", 2) != 0 && strncmp(entry->d_name, "n_", 2) != 0)
			continue;
		assert_int_equal(file_read(dirfd(dir), entry->d_name, 65536, &text, &size), 0);
		try_example(entry->d_name, text, size);
		*(entry->d_name[0] == 'y' ? &n_good : &n_bad) += 1;
	}
	assert_true(n_good > 0 && n_bad > 0);
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
		cmocka_unit_test_setup_teardown(test_trust, setup, teardown),
		cmocka_unit_test_setup_teardown(test_verify, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drop_ins, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_seal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_drop_ins, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drop_ins_of_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_verify_drop_in, setup, teardown),
		cmocka_unit_test_setup_teardown(test_escaped_separators, setup, teardown),
		cmocka_unit_test_setup_teardown(test_match, setup, teardown),
		cmocka_unit_test_setup_teardown(test_match_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replaced, setup, teardown),
		cmocka_unit_test(test_examples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
