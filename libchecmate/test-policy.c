// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libchecmate - Tests of opening, describing and configuring policies
 *
 * CHECMATE_TEST_POLICIES is the folder of the project's policies,
 * CHECMATE_TEST_OBJECTS the one of the objects that must be refused.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "parse.h"
#include "policy.h"
#include "strv.h"

#define _cleanup_policy_ _cleanup_(checmate_policy_freep)

static char folder[] = "/tmp/test-policy-XXXXXX";
static char object[sizeof(folder) + sizeof("/object")];

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(object, sizeof(object), "%s/object", folder);
	return setenv("CHECMATE_POLICY_PATH", getenv("CHECMATE_TEST_POLICIES"), 1);
}

static int teardown(void **state)
{
	(void)state;
	unlink(object);
	return rmdir(folder);
}

static void write_object(const char *data, size_t size)
{
	_cleanup_close_ int fd = -1;

	/* A new file each time: some file systems write out one that was cut. */
	unlink(object);
	fd = open(object, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
}

/* The build folder is whose it is. */
static const struct checmate_open_opts untrusted = {
	.sz = sizeof(untrusted),
	.untrusted_ok = true,
};

static struct checmate_policy *open_good(const char *name)
{
	_cleanup_error_ struct checmate_error *error = NULL;
	struct checmate_policy *policy;

	if (checmate_policy_open_opts(name, &untrusted, &policy, &error))
		fail_msg("%s: %s", name, checmate_error_text(error));
	return policy;
}

/* Opening @path fails with @code and an explanation that contains @words. */
static void check_refused(const char *path, int code, const char *words)
{
	_cleanup_error_ struct checmate_error *error = NULL;
	struct checmate_policy *policy = (void *)1;
	int r;

	r = checmate_policy_open_opts(path, &untrusted, &policy, &error);
	if (r != code)
		fail_msg("%s: %d instead of %d: %s", path, r, code, checmate_error_text(error));
	assert_ptr_equal(policy, (void *)1);
	if (!strstr(checmate_error_text(error), words))
		fail_msg("%s: no \"%s\" in: %s", path, words, checmate_error_text(error));
	assert_non_null(strstr(checmate_error_text(error), ": "));
	assert_non_null(strstr(checmate_error_text(error), "; "));
	assert_null(strchr(checmate_error_text(error), '\n'));
	assert_int_equal(checmate_policy_open_opts(path, &untrusted, &policy, NULL), code);
}

static void test_describe(void **state)
{
	_cleanup_policy_ struct checmate_policy *policy = open_good("net-connect");

	(void)state;
	assert_string_equal(checmate_policy_name(policy), "net-connect");
	assert_string_equal(checmate_policy_version(policy), "1");
	assert_true(strlen(checmate_policy_description(policy)) > 10);
	assert_non_null(strstr(checmate_policy_path(policy), "net-connect.bpf.o"));

	assert_int_equal(checmate_policy_count_programs(policy), 4);
	assert_string_equal(checmate_policy_get_program(policy, 0)->hook, "socket_connect");
	assert_string_equal(checmate_policy_get_program(policy, 2)->hook, "socket_sendmsg");
	assert_string_equal(checmate_policy_get_program(policy, 2)->name, "net_sendmsg");
	assert_string_equal(checmate_policy_get_program(policy, 2)->type, "lsm_cgroup");
	assert_int_equal(checmate_policy_get_program(policy, 2)->id, 0);
	assert_null(checmate_policy_get_program(policy, 4));

	assert_int_equal(checmate_policy_count_params(policy), 2);
	assert_string_equal(checmate_policy_get_param(policy, 0)->name, "allow");
	assert_string_equal(checmate_policy_get_param(policy, 0)->type, "endpoints");
	assert_string_equal(checmate_policy_get_param(policy, 1)->name, "deny-errno");
	assert_string_equal(checmate_policy_get_param(policy, 1)->type, "errno");
	assert_true(strlen(checmate_policy_get_param(policy, 1)->doc) > 10);
	assert_null(checmate_policy_get_param(policy, 2));
}

static void test_both_kinds(void **state)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_policy_ struct checmate_policy *policy = NULL;

	(void)state;
	assert_true(asprintf(&path, "%s/two-programs.bpf.o", getenv("CHECMATE_TEST_OBJECTS")) > 0);
	policy = open_good(path);
	assert_string_equal(checmate_policy_version(policy), "2.0~rc1");
	assert_string_equal(checmate_policy_get_program(policy, 0)->type, "lsm_cgroup");
	assert_string_equal(checmate_policy_get_program(policy, 1)->type, "lsm");
	assert_string_equal(checmate_policy_get_program(policy, 1)->hook, "socket_shutdown");
	assert_int_equal(checmate_policy_count_params(policy), 0);
}

static void check_value(const struct checmate_policy *policy, const char *param,
			const char *expected)
{
	_cleanup_free_ char *text = NULL;

	assert_int_equal(checmate_policy_get(policy, param, &text, NULL), 0);
	assert_string_equal(text, expected);
}

static void check_not_set(struct checmate_policy *policy, const char *param, const char *text,
			  int code, const char *words)
{
	_cleanup_error_ struct checmate_error *error = NULL;
	int r = checmate_policy_set(policy, param, text, &error);

	if (r != code)
		fail_msg("%s=%s: %d instead of %d", param, text, r, code);
	if (!strstr(checmate_error_text(error), words))
		fail_msg("no \"%s\" in: %s", words, checmate_error_text(error));
	/* The parameter is named in any case. */
	assert_non_null(strstr(checmate_error_text(error), param));
	assert_int_equal(checmate_policy_set(policy, param, text, NULL), code);
}

static void test_configure(void **state)
{
	_cleanup_policy_ struct checmate_policy *policy = open_good("net-bind");
	_cleanup_free_ char *list = calloc(CHECMATE_LIST_MAX + 1, sizeof("1.2.3.4:5,"));

	(void)state;
	check_value(policy, "allow", "");
	check_value(policy, "deny-errno", "EPERM");
	assert_int_equal(checmate_policy_set(policy, "deny-errno", "EACCES", NULL), 0);
	assert_int_equal(checmate_policy_set(policy, "allow", "0.0.0.0/0:80 [::]:443", NULL), 0);
	check_value(policy, "deny-errno", "EACCES");
	check_value(policy, "allow", "0.0.0.0/0:80,[::]:443");

	check_not_set(policy, "alow", "x", -ENOENT, "allow, deny-errno");
	check_not_set(policy, "", "x", -ENOENT, "allow, deny-errno");
	check_not_set(policy, "deny-errno", "EWRONG", -EINVAL, "\"EWRONG\"");
	check_not_set(policy, "deny-errno", "", -EINVAL, "EPERM or 1");
	check_not_set(policy, "allow", "1.2.3.4:5,1.2.3.4/40:6", -EINVAL, "\"1.2.3.4/40:6\"");
	check_not_set(policy, "allow", "localhost:80", -EINVAL, "ADDRESS[/PREFIX]:PORT[-PORT]");
	for (int i = 0; i <= CHECMATE_LIST_MAX; i++)
		strcat(list, "1.2.3.4:5,");
	check_not_set(policy, "allow", list, -E2BIG, "more than 256");

	check_value(policy, "deny-errno", "EACCES");
	check_value(policy, "allow", "0.0.0.0/0:80,[::]:443");
}

static const struct checmate_param *get_param(const struct checmate_policy *policy, const char *name)
{
	for (size_t i = 0; i < checmate_policy_count_params(policy); i++)
		if (streq(checmate_policy_get_param(policy, i)->name, name))
			return checmate_policy_get_param(policy, i);
	fail_msg("no parameter %s", name);
	return NULL;
}

/* A policy with a parameter of every type: names are those of the types. */
static void test_types(void **state)
{
	static const struct {
		const char *name;
		const char *value;
		const char *form;
		const char *bad;
		const char *good;
	} params[] = {
		{ "errno", "EACCES", "EPERM or 1", "ENOPE", "EPERM" },
		{ "bool", "yes", "yes or no", "maybe", "no" },
		{ "number", "5000000000", "from 1 to 18446744073709551615", "0", "1" },
		{ "choice", "middle", "one of low, middle, high", "medium", "high" },
		{ "capabilities", "CAP_NET_ADMIN,CAP_BPF", "CAP_NAME", "NET_ADMIN", "CAP_CHOWN" },
		{ "families", "AF_UNIX,AF_VSOCK", "AF_INET", "INET", "AF_INET" },
		{ "socket-types", "SOCK_STREAM", "SOCK_STREAM", "TCP", "" },
		{ "signals", "TERM,RTMIN+30", "RTMIN+1", "TERMINATE", "KILL" },
		{ "endpoints", "10.0.0.0/8:80/tcp,[::1]:53", "[/PROTOCOL]", "::1:53",
		  "0.0.0.0/0:1" },
		{ "ports", "80,8000-8100/tcp", "PORT[-PORT][/PROTOCOL]", "http", "53/udp" },
		{ "uids", "0,1000-1999", "UID[-UID]", "root", "0" },
		{ "gids", "", "GID[-GID]", "wheel", "0-10" },
		{ "paths", "/usr,/with\\ blank", "absolute path", "usr", "/a\\,b" },
		{ "fstypes", "tmpfs,proc", "as tmpfs", "/proc", "ext4" },
	};
	_cleanup_free_ char *path = NULL;
	_cleanup_policy_ struct checmate_policy *policy = NULL;

	(void)state;
	assert_true(asprintf(&path, "%s/all-params.bpf.o", getenv("CHECMATE_TEST_OBJECTS")) > 0);
	policy = open_good(path);
	assert_int_equal(checmate_policy_count_params(policy), ARRAY_SIZE(params));
	for (size_t i = 0; i < ARRAY_SIZE(params); i++) {
		const struct checmate_param *param = get_param(policy, params[i].name);

		assert_string_equal(param->type, params[i].name);
		assert_string_equal(param->value, params[i].value);
		assert_non_null(strstr(param->form, params[i].form));
		check_value(policy, param->name, params[i].value);

		/* The explanation names the parameter, what was given, and what to give. */
		check_not_set(policy, param->name, params[i].bad, -EINVAL, "parameter ");
		check_not_set(policy, param->name, params[i].bad, -EINVAL, params[i].bad);
		check_not_set(policy, param->name, params[i].bad, -EINVAL, param->form);
		check_value(policy, param->name, params[i].value);

		assert_int_equal(checmate_policy_set(policy, param->name, params[i].good, NULL), 0);
		check_value(policy, param->name, params[i].good);
		assert_string_equal(param->value, params[i].value);
	}
}

static void test_not_found(void **state)
{
	(void)state;
	check_refused("no-such-policy", -ENOENT, "policy list");
	check_refused("", -ENOENT, "not a policy name");
	check_refused("..", -ENOENT, "not a policy name");
	check_refused("Net", -ENOENT, "not a policy name");
	check_refused("./no-such-file", -ENOENT, "No such file");
	check_refused("/", -EISDIR, "/");
}

static void test_not_an_object(void **state)
{
	static const char script[] = "#!/bin/sh\necho not an object, but long enough to be one\n";

	(void)state;
	write_object("", 0);
	check_refused(object, -EINVAL, "empty");
	write_object("\177EL", 3);
	check_refused(object, -EINVAL, "not an ELF");
	write_object("\177ELF", 4);
	check_refused(object, -EINVAL, "truncated");
	write_object(script, sizeof(script) - 1);
	check_refused(object, -EINVAL, "not an ELF");
	check_refused("/proc/self/exe", -EINVAL, "not a BPF object");
}

static void test_bad_objects(void **state)
{
	static const struct {
		const char *name;
		const char *words;
	} bad[] = {
		{ "no-btf", "BTF is required" },
		{ "no-description", "does not say which policy" },
		{ "two-descriptions", "described twice" },
		{ "bad-name", "\"../bad\" is not a policy name" },
		{ "unknown-tag", "\"colour=red\"" },
		{ "unknown-type", "the type \"colour\"" },
		{ "wrong-layout", "has not the layout of the type \"endpoints\"" },
		{ "former", "build it with this version's checmate.bpf.h" },
		{ "wrong-place", "is no member of struct checmate_params" },
		{ "same-params", "two parameters \"error\"" },
		{ "wrong-list", "has not the layout of the type \"paths\"" },
		{ "bad-limits", "other limits than the type \"number\"" },
		{ "other-limits", "other limits than the type \"errno\"" },
		{ "bad-default", "\"http\": a port is a number" },
		{ "bad-value", "not one of the choices; make it one of low, high" },
		{ "not-lsm", "section \"xdp\"" },
		{ "no-program", "no program" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_free_ char *path = NULL;

		assert_true(asprintf(&path, "%s/%s.bpf.o", getenv("CHECMATE_TEST_OBJECTS"),
				     bad[i].name) > 0);
		check_refused(path, -EINVAL, bad[i].words);
	}
}

static void read_good(char **ret_data, size_t *ret_size)
{
	_cleanup_free_ char *path = NULL;

	assert_true(asprintf(&path, "%s/net-bind.bpf.o", getenv("CHECMATE_TEST_POLICIES")) > 0);
	assert_int_equal(file_read(AT_FDCWD, path, 1 << 20, ret_data, ret_size), 0);
}

/* A file that is old enough is read once, and each policy that is made of it has its own values. */
static void test_remembered(void **state)
{
	_cleanup_policy_ struct checmate_policy *first = NULL, *again = NULL;
	_cleanup_free_ char *text = NULL;

	(void)state;
	/* One that was built a moment ago is not remembered yet. */
	for (int i = 0; i < 1000 && !(again && first->object == again->object); i++) {
		first = checmate_policy_free(first);
		again = checmate_policy_free(again);
		if (i)
			usleep(10000);
		first = open_good("net-bind");
		again = open_good("net-bind");
	}
	assert_ptr_equal(first->object, again->object);
	assert_string_equal(checmate_policy_digest(first), checmate_policy_digest(again));
	assert_true(checmate_policy_instance(first) != checmate_policy_instance(again));
	assert_int_equal(checmate_policy_set(first, "allow", "127.0.0.1:80", NULL), 0);
	assert_int_equal(checmate_policy_get(again, "allow", &text, NULL), 0);
	assert_string_equal(text, "");
}

/* Sizes of the options, and that they are heeded. */
static void test_opts(void **state)
{
	struct {
		struct checmate_open_opts opts;
		char more[16];
	} wide = { .opts.sz = sizeof(wide) };
	struct checmate_open_opts opts = { .sz = sizeof(opts) };
	struct checmate_policy *policy = NULL;
	_cleanup_free_ char *data = NULL;
	size_t size;

	(void)state;
	read_good(&data, &size);
	write_object(data, size);
	assert_int_equal(checmate_policy_open(object, &policy, NULL), 0);
	policy = checmate_policy_free(policy);
	assert_int_equal(checmate_policy_open_opts(object, &opts, &policy, NULL), 0);
	policy = checmate_policy_free(policy);
	assert_int_equal(checmate_policy_open_opts(object, &wide.opts, &policy, NULL), 0);
	policy = checmate_policy_free(policy);

	wide.more[15] = 1;
	assert_int_equal(checmate_policy_open_opts(object, &wide.opts, &policy, NULL), -EINVAL);
	opts.sz = 0;
	assert_int_equal(checmate_policy_open_opts(object, &opts, &policy, NULL), -EINVAL);
	opts.sz = sizeof(size_t);
	assert_int_equal(checmate_policy_open_opts(object, &opts, &policy, NULL), -EINVAL);

	assert_int_equal(chmod(object, 0620), 0);
	opts.sz = sizeof(opts);
	assert_int_equal(checmate_policy_open(object, &policy, NULL), -EACCES);
	assert_int_equal(checmate_policy_open_opts(object, &opts, &policy, NULL), -EACCES);
	assert_null(policy);
	opts.untrusted_ok = true;
	assert_int_equal(checmate_policy_open_opts(object, &opts, &policy, NULL), 0);
	policy = checmate_policy_free(policy);
	assert_int_equal(chmod(object, 0600), 0);
}

static void test_truncated(void **state)
{
	_cleanup_free_ char *data = NULL;
	size_t size;

	(void)state;
	read_good(&data, &size);
	for (size_t n = 0; n < size; n += n < 256 ? 1 : 61) {
		write_object(data, n);
		check_refused(object, -EINVAL, "; ");
	}
	write_object(data, size);
	checmate_policy_free(open_good(object));
}

/* The strings of the BTF; the debugging information, which nobody reads, has them too. */
static char *find_text(char *data, size_t size, const char *text)
{
	static const char magic[] = { '\237', '\353', 1, 0 };
	char *btf = memmem(data, size, magic, sizeof(magic)), *found;

	assert_non_null(btf);
	found = memmem(btf, size - (btf - data), text, strlen(text));
	assert_non_null(found);
	return found;
}

/* Whatever is wrong with the description, it is refused or read; never more. */
static void test_corrupt_description(void **state)
{
	_cleanup_free_ char *data = NULL;
	uint32_t seed = 4711;
	size_t size, length;
	char *tags;

	(void)state;
	read_good(&data, &size);
	tags = find_text(data, size, "checmate:");
	length = find_text(data, size, "checmate:doc=Local") - tags;
	for (int i = 0; i < 3000; i++) {
		struct checmate_policy *policy = NULL;
		char *byte = tags + (seed >> 8) % length, kept = *byte;

		seed = seed * 1103515245 + 12345;
		*byte = seed >> 16;
		write_object(data, size);
		if (!checmate_policy_open_opts(object, &untrusted, &policy, NULL)) {
			assert_true(name_is_valid(checmate_policy_name(policy), POLICY_NAME_MAX));
			checmate_policy_free(policy);
		}
		*byte = kept;
	}
}

/* What others wrote is quoted, but does nothing to a terminal. */
static void test_escapes(void **state)
{
	static const char *const bad[] = { "\033[31mred", "two\nlines", "a\177" };
	_cleanup_policy_ struct checmate_policy *policy = open_good("net-bind");
	_cleanup_error_ struct checmate_error *why = NULL;
	_cleanup_free_ char *data = NULL;
	struct checmate_policy *none;
	char *tag;
	size_t size;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_error_ struct checmate_error *error = NULL;

		assert_int_equal(checmate_policy_set(policy, "deny-errno", bad[i], &error), -EINVAL);
		for (const char *text = checmate_error_text(error); *text; text++)
			assert_true(*text >= ' ' && *text < '\177');
	}

	read_good(&data, &size);
	tag = find_text(data, size, "checmate:param=allow");
	memcpy(tag + strlen("checmate:"), "\033c\033c\033c", 6);
	write_object(data, size);
	assert_int_equal(checmate_policy_open_opts(object, &untrusted, &none, &why), -EINVAL);
	assert_non_null(strstr(checmate_error_text(why), "\"?c?c?c"));
	assert_null(strchr(checmate_error_text(why), '\033'));
}

/* Opens what was written; whether it is refused is its own affair, to survive is not. */
static bool survive(const char *data, size_t size)
{
	_cleanup_policy_ struct checmate_policy *policy = NULL;

	write_object(data, size);
	if (checmate_policy_open_opts(object, &untrusted, &policy, NULL) < 0)
		return false;
	for (size_t i = 0; i < checmate_policy_count_params(policy); i++) {
		_cleanup_free_ char *text = NULL;
		const char *name = checmate_policy_get_param(policy, i)->name;

		assert_int_equal(checmate_policy_get(policy, name, &text, NULL), 0);
	}
	return true;
}

/* Every word by which an object refers to something refers to what is not there. */
static void test_damaged(void **state)
{
	static const uint32_t values[] = { 0, 1, 0x7fffffff, UINT32_MAX };
	_cleanup_free_ char *data = NULL;
	size_t size, refused = 0, tried = 0;
	struct btf_header btf;
	Elf64_Ehdr elf;
	char *types;

	(void)state;
	read_good(&data, &size);
	memcpy(&elf, data, sizeof(elf));
	types = find_text(data, size, "\237\353\001");
	memcpy(&btf, types, sizeof(btf));
	for (size_t at = 0; at + 4 <= size; at += 4) {
		const char *word = data + at;
		uint32_t kept;

		/* The headers, and the types with their header. */
		if (!(at < sizeof(elf) ||
		      (at >= elf.e_shoff && at < elf.e_shoff + elf.e_shnum * sizeof(Elf64_Shdr)) ||
		      (word >= types && word < types + btf.hdr_len + btf.type_len)))
			continue;
		memcpy(&kept, word, sizeof(kept));
		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			memcpy(data + at, &values[i], sizeof(kept));
			refused += !survive(data, size);
			tried++;
		}
		memcpy(data + at, &kept, sizeof(kept));
	}
	print_message("# %zu changes, %zu refused\n", tried, refused);
	assert_true(tried > 1000);
	assert_true(refused > tried / 4);
	assert_true(survive(data, size));
}

static void test_list(void **state)
{
	_cleanup_strv_ char **names = NULL;
	_cleanup_free_ char *path = NULL;

	(void)state;
	/* The first folder does not exist, and one stands there twice. */
	assert_true(asprintf(&path, "/no/such/folder::%s:%s", getenv("CHECMATE_TEST_POLICIES"),
			     getenv("CHECMATE_TEST_POLICIES")) > 0);
	assert_int_equal(setenv("CHECMATE_POLICY_PATH", path, 1), 0);
	assert_int_equal(checmate_policy_list(&names, NULL), 0);
	assert_true(strv_contains(names, "net-bind"));
	assert_true(strv_contains(names, "net-connect"));
	for (size_t i = 1; names[i - 1] && names[i]; i++)
		assert_true(strcmp(names[i - 1], names[i]) < 0);
	assert_int_equal(setenv("CHECMATE_POLICY_PATH", getenv("CHECMATE_TEST_POLICIES"), 1), 0);
}

static void test_null(void **state)
{
	(void)state;
	assert_null(checmate_policy_free(NULL));
	assert_null(checmate_cgroup_free(NULL));
	assert_null(checmate_binding_free(NULL));
	assert_null(checmate_status_free(NULL));
	assert_null(checmate_features_free(NULL));
	assert_null(checmate_error_free(NULL));
	assert_null(checmate_strv_free(NULL));
	assert_non_null(checmate_error_text(NULL));
	assert_null(checmate_error_log(NULL));
	assert_string_equal(checmate_version(), CHECMATE_VERSION);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_both_kinds),
		cmocka_unit_test(test_configure),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_not_found),
		cmocka_unit_test(test_not_an_object),
		cmocka_unit_test(test_bad_objects),
		cmocka_unit_test(test_remembered),
		cmocka_unit_test(test_opts),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_corrupt_description),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_null),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
