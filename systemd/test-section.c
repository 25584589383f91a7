// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cleanup.h"
#include "parse.h"
#include "section.h"

static char path[] = "/tmp/test-section-XXXXXX";

static int setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static int add(struct section *section, const char *unit, const char *text, char **ret_error)
{
	FILE *stream = fopen(path, "we");

	assert_non_null(stream);
	assert_true(fputs(text, stream) >= 0);
	assert_int_equal(fclose(stream), 0);
	return section_read(section, unit, path, ret_error);
}

static void add_ok(struct section *section, const char *text)
{
	_cleanup_free_ char *error = NULL;
	int r = add(section, "web@one.service", text, &error);

	if (error)
		print_message("%s\n", error);
	assert_int_equal(r, 0);
}

static void refuse(const char *text, unsigned int line, const char *reason)
{
	_cleanup_(section_done) struct section section = {};
	_cleanup_free_ char *error = NULL, *place = NULL;

	assert_int_equal(add(&section, "web.service", text, &error), -EINVAL);
	assert_non_null(error);
	assert_true(asprintf(&place, "%s:%u: ", path, line) > 0);
	if (!startswith(error, place) || !strstr(error, reason))
		fail_msg("'%s' is not '%s…%s'", error, place, reason);
}

/* What a section comes to, in one line. */
static void expect(const struct section *section, const char *want)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	fprintf(out, "%s%s", section->permissive ? "permissive" : "enforce",
		section->seal ? " sealed" : "");
	for (size_t i = 0; i < section->n_policies; i++) {
		const struct section_policy *policy = &section->policies[i];

		assert_string_equal(policy->file, path);
		fprintf(out, "; %s", policy->name);
		for (size_t j = 0; j < policy->n_params; j++)
			fprintf(out, " %s=%s|%s", policy->params[j].name, policy->params[j].value,
				policy->params[j].last);
	}
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, want);
}

static void test_one_file(void **state)
{
	_cleanup_(section_done) struct section section = {};

	(void)state;
	add_ok(&section,
	       "\xef\xbb\xbf[Unit]\nDescription=;what, ever [X-Foo]\n[X-Other]\n== nonsense\n"
	       "  [X-Checmate]\n; a comment\nPolicy = net-bind  net-connect\n#Mode=x\n"
	       "Mode=permissive\n[X-Checmate net-bind]\nAllow=0.0.0.0/0:80, \\\n"
	       "  # not this\n  [::]/0:80\nDenyErrno=EACCES\n[Service]\nExecStart=/bin/true\n"
	       "[X-Checmate  fs-types]\n");
	expect(&section, "permissive; net-bind allow=0.0.0.0/0:80,[::]/0:80|0.0.0.0/0:80, [::]/0:80"
			 " deny-errno=EACCES|EACCES; net-connect; fs-types");
}

static void test_nothing(void **state)
{
	_cleanup_(section_done) struct section section = {};

	(void)state;
	add_ok(&section, "");
	add_ok(&section, "# [X-Checmate]\n[Service]\nExecStart=/bin/echo \\\n[X-Checmate]\n");
	add_ok(&section, "[X-Checmate]\n");
	expect(&section, "enforce");
	assert_int_equal(section_read(&section, "a.service", "/dev/null", NULL), 0);
}

static void test_drop_ins(void **state)
{
	_cleanup_(section_done) struct section section = {};

	(void)state;
	add_ok(&section, "[X-Checmate]\nPolicy=net-bind\nMode=permissive\n"
			 "[X-Checmate net-bind]\nAllow=:1\ndeny-errno=EPERM\n");
	add_ok(&section, "[X-Checmate net-bind]\nAllow=:2 :3\nDeny-Errno=EACCES\n");
	expect(&section, "permissive; net-bind allow=:1,:2,:3|:2 :3 deny-errno=EPERM,EACCES|EACCES");
	add_ok(&section,
	       "[X-Checmate net-bind]\nAllow=\nAllow=:4\nDenyErrno=\n[X-Checmate]\nMode=\n");
	expect(&section, "enforce; net-bind allow=:4|:4 deny-errno=|");
	add_ok(&section, "[X-Checmate]\nMode=permissive\nPolicy=\nPolicy=net-connect\n");
	expect(&section, "permissive; net-connect");
	add_ok(&section, "[X-Checmate]\nPolicy=net-bind net-connect\nSeal=yes\n");
	expect(&section, "permissive sealed; net-connect; net-bind");
	add_ok(&section, "[X-Checmate]\nPolicy=\nPolicy=a\n");
	expect(&section, "permissive sealed; a");
	add_ok(&section, "[X-Checmate]\nSeal=\n");
	expect(&section, "permissive; a");
	add_ok(&section, "[X-Checmate]\nSeal=on\nSeal=no\n");
	expect(&section, "permissive; a");
}

static void test_escapes(void **state)
{
	_cleanup_(section_done) struct section section = {};

	(void)state;
	add_ok(&section, "[X-Checmate a]\nb=/with\\ blank /with\\,comma\nb=/plain\n");
	expect(&section, "enforce; a b=/with\\ blank,/with\\,comma,/plain|/plain");
}

static void test_specifiers(void **state)
{
	_cleanup_(section_done) struct section section = {};
	_cleanup_free_ char *error = NULL;

	(void)state;
	add_ok(&section, "[X-Checmate a]\nb=%n %N %p %i 100%%\n");
	expect(&section,
	       "enforce; a b=web@one.service,web@one,web,one,100%|web@one.service web@one web one 100%");
	section_done(&section);
	assert_int_equal(add(&section, "x.service", "[X-Checmate a]\nb=%n,%N,%p,<%i>\n", &error), 0);
	expect(&section, "enforce; a b=x.service,x,x,<>|x.service,x,x,<>");
}

static void test_refused(void **state)
{
	(void)state;
	refuse("[X-Checmate]\nPolicies=net-bind\n", 2, "unknown key Policies=");
	refuse("[X-Checmate]\nMode=off\n", 2, "no such mode");
	refuse("[X-Checmate]\nPolicy=net-bind ../x\n", 2, "'../x' is not a policy's name");
	refuse("\n[X-Checmate /x]\n", 2, "'/x' is not a policy's name");
	refuse("[X-Checmate net-bind]\nMode=permissive\n", 2, "put it into [X-Checmate]");
	refuse("[X-Checmate net-bind]\nSeal=yes\n", 2, "Seal= is for all policies of a unit");
	refuse("[X-Checmate]\nSeal=maybe\n", 2, "Seal=maybe: expected yes or no");
	refuse("[X-Checmate net-bind]\na_b=1\n", 2, "not a parameter's name");
	refuse("[X-Checmate net-bind]\na=%h\n", 2, "the specifier '%h'");
	refuse("[X-Checmate net-bind]\na=5%\n", 2, "the specifier '%'");
	refuse("[X-Checmated]\n", 1, "unknown section [X-Checmated]");
	refuse("[X-Checmate net-bind]x\n", 1, "after the section");
	refuse("[X-Checmate net-bind\n", 1, "no closing");
	refuse("[X-Checmate]\nPolicy\n", 2, "neither");
	refuse("[Unit]\n[X-Checkmate]\nPolicy=net-bind\n", 2, "is written [X-Checmate]");
	refuse("\xef\xbb\xbf[x-checmate]\n", 1, "is written [X-Checmate]");
	refuse("[Unit]\n\n\t[ X-Checmate]\n", 3, "is written [X-Checmate]");
}

static void test_unreadable(void **state)
{
	_cleanup_(section_done) struct section section = {};
	_cleanup_free_ char *error = NULL;

	(void)state;
	assert_int_equal(section_read(&section, "a.service", "/nonexistent", &error), -ENOENT);
	assert_non_null(strstr(error, "/nonexistent"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_file),   cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_drop_ins),   cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_specifiers), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_unreadable),
	};

	return cmocka_run_group_tests_name("section", tests, setup, teardown);
}
