// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libchecmate - Tests of parameter values
 *
 * Tables of good and bad texts, and for every type the rule that holds for all
 * of them: what is accepted comes back as the same bytes, whatever its text.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "cleanup.h"
#include "param.h"
#include "parse.h"

/* Text, and the shortest text that means the same. */
static const struct {
	const char *text;
	const char *shortest;
} good_endpoints[] = {
	{ "0.0.0.0/0:80", "0.0.0.0/0:80" },
	{ "127.0.0.1:0-65535", "127.0.0.1:0-65535" },
	{ "127.0.0.1/32:7-7", "127.0.0.1:7" },
	{ "10.0.0.0/8:1-2", "10.0.0.0/8:1-2" },
	{ "192.0.2.128/25:0", "192.0.2.128/25:0" },
	{ "[::]/0:8000-8100", "[::]/0:8000-8100" },
	{ "[::]:443", "[::]:443" },
	{ "[2001:0DB8:0:0::1]:1", "[2001:db8::1]:1" },
	{ "[2001:db8::]/33:1", "[2001:db8::]/33:1" },
	{ "[::1]/128:22", "[::1]:22" },
	{ "[::ffff:192.0.2.1]:22", "192.0.2.1:22" },
	{ "[::ffff:c000:201]/128:22", "192.0.2.1:22" },
	{ "[::ffff:10.0.0.0]/104:22", "10.0.0.0/8:22" },
	{ "[::ffff:0:0]/96:22", "0.0.0.0/0:22" },
	{ "[::192.0.2.1]:22", "[::192.0.2.1]:22" },
	{ "[fe80::]/10:00080", "[fe80::]/10:80" },
	{ "127.0.0.1:80/tcp", "127.0.0.1:80/tcp" },
	{ "10.0.0.0/8:80-90/udp", "10.0.0.0/8:80-90/udp" },
	{ "[::]/0:53/sctp", "[::]/0:53/sctp" },
	{ "[::ffff:10.0.0.0]/104:1-1/mptcp", "10.0.0.0/8:1/mptcp" },
};

static void test_endpoint_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good_endpoints); i++) {
		struct checmate_endpoint endpoint;
		char text[ENDPOINT_TEXT_MAX];
		const char *reason = NULL;

		if (endpoint_parse(good_endpoints[i].text, &endpoint, &reason))
			fail_msg("%s: %s", good_endpoints[i].text, reason);
		assert_int_equal(endpoint_format(&endpoint, text), 0);
		assert_string_equal(text, good_endpoints[i].shortest);
	}
}

static void test_endpoint_bad(void **state)
{
	static const char *const bad[] = {
		"",
		":",
		"80",
		":80",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:-",
		"127.0.0.1:80-",
		"127.0.0.1:-80",
		"127.0.0.1:80-79",
		"127.0.0.1:65536",
		"127.0.0.1:1-65536",
		"127.0.0.1:99999999999999999999",
		"127.0.0.1:0x50",
		"127.0.0.1:http",
		"127.0.0.1:+80",
		"127.0.0.1: 80",
		"127.0.0.1:80 ",
		"127.0.0.1:80:81",
		"127.0.0.1:80-81-82",
		"127.0.0.1:000000000000000000000080-81",
		"127.0.0.1:00000000000000000000000000000080",
		"127.0.0.1:80/",
		"127.0.0.1:80/6",
		"127.0.0.1:80/TCP",
		"127.0.0.1:80/tcp/udp",
		"127.0.0.1/tcp:80",
		"127.0.0.1:80/tcp:80",
		"127.0.0.1:80/tcp-udp",
		"127.0.0:80",
		"127.1:80",
		"1.2.3.4.5:80",
		"256.0.0.0:80",
		"01.2.3.4:80",
		"1.2.3.4/:80",
		"1.2.3.4/33:80",
		"1.2.3.4/-1:80",
		"1.2.3.4/99999999:80",
		"1.2.3.4/8:80",
		"10.0.0.0/8/8:80",
		"10.0.0.0:80/8",
		"localhost:80",
		"*:80",
		"::1:80",
		"[::1]",
		"[::1]80",
		"[::1:80",
		"::1]:80",
		"[]:80",
		"[1.2.3.4]:80",
		"[::1]/129:80",
		"[::1]/64:80",
		"[::1]/ 64:80",
		"[::1%lo]:80",
		"[fe80::1%1]:80",
		"[::ffff:10.0.0.0]/95:80",
		"[::ffff:0:0]/0:80",
		"[::1]x:80",
		"[[::1]]:80",
		"0.0.0.0/00000000:80",
		"[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee:ffff]:1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct checmate_endpoint endpoint = { .protocol = 4711 };
		const char *reason = NULL;

		if (endpoint_parse(bad[i], &endpoint, &reason) != -EINVAL)
			fail_msg("%s was accepted", bad[i]);
		assert_non_null(reason);
		assert_int_equal(endpoint.protocol, 4711);
	}
}

static void test_endpoint_format_bad(void **state)
{
	struct checmate_endpoint good = {
		.family = AF_INET,
		.addr = { htonl(0x0a000000) },
		.mask = { htonl(0xff000000) },
		.port_last = 1,
	};
	char text[ENDPOINT_TEXT_MAX];
	struct checmate_endpoint e;

	(void)state;
	assert_int_equal(endpoint_format(&good, text), 0);
	e = good;
	e.family = AF_UNIX;
	assert_int_equal(endpoint_format(&e, text), -EINVAL);
	e = good;
	e.mask[0] = htonl(0xff00ff00);
	assert_int_equal(endpoint_format(&e, text), -EINVAL);
	e = good;
	e.mask[1] = htonl(0x80000000);
	assert_int_equal(endpoint_format(&e, text), -EINVAL);
	e = good;
	e.addr[0] = htonl(0x0a000001);
	assert_int_equal(endpoint_format(&e, text), -EINVAL);
	e = good;
	e.addr[3] = 1;
	assert_int_equal(endpoint_format(&e, text), -EINVAL);
	e = good;
	e.port_first = 2;
	assert_int_equal(endpoint_format(&e, text), -EINVAL);
	e = good;
	e.protocol = 253;
	assert_int_equal(endpoint_format(&e, text), -EINVAL);
	e = (struct checmate_endpoint){ .family = AF_INET6 };
	e.addr[2] = htonl(0xffff);
	memset(e.mask, 0xff, sizeof(e.mask));
	assert_int_equal(endpoint_format(&e, text), -EINVAL);
}

/* --- every type ----------------------------------------------------------- */

static char *words[] = { "first", "second", "third", NULL };
static const struct param_limits limits = { .min = 10, .max = 20000, .choices = words };

/* A text, and the one that the same bytes are written as; NULL: the same. */
struct good {
	const char *type;
	const char *text;
	const char *written;
};

static const struct good good_texts[] = {
	{ "errno", "EPERM", NULL },
	{ "errno", "1", "EPERM" },
	{ "errno", "13", "EACCES" },
	{ "errno", "EUSERS", NULL },
	{ "errno", "EWOULDBLOCK", "EAGAIN" },
	{ "errno", "ENOTSUP", "EOPNOTSUPP" },
	{ "errno", "EDEADLOCK", "EDEADLK" },
	{ "errno", "ECONNREFUSED", NULL },
	{ "bool", "yes", NULL },
	{ "bool", "no", NULL },
	{ "bool", "true", "yes" },
	{ "bool", "false", "no" },
	{ "bool", "on", "yes" },
	{ "bool", "off", "no" },
	{ "bool", "1", "yes" },
	{ "bool", "0", "no" },
	{ "number", "10", NULL },
	{ "number", "20000", NULL },
	{ "number", "00000000000000000000000000000011", "11" },
	{ "choice", "first", NULL },
	{ "choice", "third", NULL },
	{ "capabilities", "", NULL },
	{ "capabilities", "CAP_CHOWN", NULL },
	{ "capabilities", "cap_net_admin Cap_Sys_Admin", "CAP_NET_ADMIN,CAP_SYS_ADMIN" },
	{ "capabilities", "CAP_BPF,CAP_CHOWN,CAP_BPF", "CAP_CHOWN,CAP_BPF" },
	{ "families", "", NULL },
	{ "families", "AF_INET6,AF_INET AF_UNIX", "AF_UNIX,AF_INET,AF_INET6" },
	{ "families", "AF_LOCAL", "AF_UNIX" },
	{ "families", "AF_ROUTE", "AF_NETLINK" },
	{ "families", "AF_UNSPEC,AF_VSOCK,AF_MCTP", NULL },
	{ "socket-types", "", NULL },
	{ "socket-types", "SOCK_PACKET,SOCK_STREAM", "SOCK_STREAM,SOCK_PACKET" },
	{ "signals", "", NULL },
	{ "signals", "TERM", NULL },
	{ "signals", "SIGKILL,9 KILL", "KILL" },
	{ "signals", "1,64", "HUP,RTMIN+30" },
	{ "signals", "32,33", NULL },
	{ "signals", "RTMIN,RTMIN+3,RTMAX", "RTMIN,RTMIN+3,RTMIN+30" },
	{ "signals", "SIGRTMIN+1,SIGRTMAX-1", "RTMIN+1,RTMIN+29" },
	{ "signals", "IOT,IO,CLD", "ABRT,CHLD,POLL" },
	{ "endpoints", "", NULL },
	{ "endpoints", " ,\n\t, ", "" },
	{ "endpoints", "0.0.0.0:80 [::]:443", "0.0.0.0:80,[::]:443" },
	{ "endpoints", "1.2.3.4:5,\n\t6.7.8.9/32:10-11,", "1.2.3.4:5,6.7.8.9:10-11" },
	{ "endpoints", "10.0.0.0/8:80-90/tcp,[::1]:53/udp", NULL },
	{ "ports", "", NULL },
	{ "ports", "80,8000-8100/tcp,53/udp", NULL },
	{ "ports", "0-65535", NULL },
	{ "ports", "80-80 443-443/sctp", "80,443/sctp" },
	{ "uids", "", NULL },
	{ "uids", "0,1000-1999", NULL },
	{ "uids", "0-4294967294", NULL },
	{ "gids", "7-7 0008", "7,8" },
	{ "paths", "", NULL },
	{ "paths", "/", NULL },
	{ "paths", "/etc/", "/etc" },
	{ "paths", "/etc/passwd,/usr /var/lib/x", "/etc/passwd,/usr,/var/lib/x" },
	{ "paths", "/with\\ blank,/with\\,comma,/with\\\\backslash", NULL },
	{ "paths", "/\\ ,/\\,/", "/\\ ,/\\," },
	{ "paths", "/.../a,/.hidden,/a..,/..b", NULL },
	{ "paths", "/\303\244\303\266", NULL },
	{ "fstypes", "", NULL },
	{ "fstypes", "ext4 tmpfs,fuse.sshfs", "ext4,tmpfs,fuse.sshfs" },
	{ "fstypes", "9p", NULL },
	{ "fstypes", "abcdefghijklmnopqrstuvwxyz01234", NULL },
};

/* What is refused; the explanation quotes @quoted, NULL: the whole text. */
static const struct {
	const char *type;
	const char *text;
	const char *quoted;
} bad_texts[] = {
	{ "errno", "", NULL },
	{ "errno", "0", NULL },
	{ "errno", "-1", NULL },
	{ "errno", "4095", NULL },
	{ "errno", "4096", NULL },
	{ "errno", "512", NULL },
	{ "errno", "18446744073709551617", NULL },
	{ "errno", "eperm", NULL },
	{ "errno", "EPERM ", NULL },
	{ "errno", "E", NULL },
	{ "errno", "EPERMM", NULL },
	{ "errno", "ERESTARTSYS", NULL },
	{ "errno", "1x", NULL },
	{ "errno", "EPERM,EACCES", NULL },
	{ "bool", "", NULL },
	{ "bool", "2", NULL },
	{ "bool", "Yes", NULL },
	{ "bool", "yes ", NULL },
	{ "bool", "y", NULL },
	{ "bool", "00", NULL },
	{ "bool", "yes,no", NULL },
	{ "number", "", NULL },
	{ "number", "9", NULL },
	{ "number", "20001", NULL },
	{ "number", "-10", NULL },
	{ "number", "+10", NULL },
	{ "number", "0x10", NULL },
	{ "number", "10 ", NULL },
	{ "number", "10.0", NULL },
	{ "number", "18446744073709551626", NULL },
	{ "number", "99999999999999999999999999999999", NULL },
	{ "choice", "", NULL },
	{ "choice", "0", NULL },
	{ "choice", "fourth", NULL },
	{ "choice", "First", NULL },
	{ "choice", "firs", NULL },
	{ "choice", "first|second", NULL },
	{ "choice", "first,second", NULL },
	{ "capabilities", "CAP_CHOWN,NET_ADMIN", "NET_ADMIN" },
	{ "capabilities", "CAP_NO_SUCH", NULL },
	{ "capabilities", "CAP_CHOWN=ep", NULL },
	{ "capabilities", "CAP_CHOWN+e", NULL },
	{ "capabilities", "0", NULL },
	{ "capabilities", "cap_0", NULL },
	{ "capabilities", "CAP_", NULL },
	{ "capabilities", "all", NULL },
	{ "families", "INET", NULL },
	{ "families", "af_inet", NULL },
	{ "families", "2", NULL },
	{ "families", "AF_MAX", NULL },
	{ "families", "AF_INET,AF_INE", "AF_INE" },
	{ "socket-types", "STREAM", NULL },
	{ "socket-types", "SOCK_CLOEXEC", NULL },
	{ "socket-types", "1", NULL },
	{ "signals", "0", NULL },
	{ "signals", "65", NULL },
	{ "signals", "-9", NULL },
	{ "signals", "SIG", NULL },
	{ "signals", "SIG9", NULL },
	{ "signals", "SIGSIGTERM", NULL },
	{ "signals", "term", NULL },
	{ "signals", "RTMIN+31", NULL },
	{ "signals", "RTMIN-1", NULL },
	{ "signals", "RTMIN+", NULL },
	{ "signals", "RTMAX-31", NULL },
	{ "signals", "RTMAX+1", NULL },
	{ "signals", "TERM,HUPP", "HUPP" },
	{ "endpoints", "1.2.3.4:5,2.3.4.5:6,x:y", "x:y" },
	{ "endpoints", "1.2.3.4:5\\,2.3.4.5:6", NULL },
	{ "ports", "http", NULL },
	{ "ports", "65536", NULL },
	{ "ports", "80-79", NULL },
	{ "ports", "80/", NULL },
	{ "ports", "80/6", NULL },
	{ "ports", "/tcp", NULL },
	{ "ports", "80/tcp-90", NULL },
	{ "ports", "tcp/80", NULL },
	{ "ports", "1-2-3", NULL },
	{ "ports", "-", NULL },
	{ "ports", "1-", NULL },
	{ "ports", "-1", NULL },
	{ "uids", "root", NULL },
	{ "uids", "4294967295", NULL },
	{ "uids", "-1", NULL },
	{ "uids", "2-1", NULL },
	{ "uids", "0-", NULL },
	{ "gids", "1,,2,x", "x" },
	{ "paths", "etc", NULL },
	{ "paths", "/etc,etc", "etc" },
	{ "paths", "/a//b", NULL },
	{ "paths", "//", NULL },
	{ "paths", "/a/../b", NULL },
	{ "paths", "/a/..", NULL },
	{ "paths", "/./a", NULL },
	{ "paths", "/.", NULL },
	{ "paths", "/a\\", NULL },
	{ "paths", "/a\\b", NULL },
	{ "paths", "/a\\\n", NULL },
	{ "paths", "/a\033[31m", NULL },
	{ "paths", "/a\177", NULL },
	{ "fstypes", "ext4,a/b", "a/b" },
	{ "fstypes", "a\\ b", NULL },
	{ "fstypes", "abcdefghijklmnopqrstuvwxyz012345", NULL },
	{ "fstypes", "\303\244", NULL },
};

/* Parses into *value, which is as large as @type wants and is left alone on failure. */
static int parse(const struct param_type *type, const char *text, void *value, char **ret_reason)
{
	return param_type_parse(type, &limits, text, value, ret_reason);
}

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good_texts); i++) {
		const struct good *good = &good_texts[i];
		const struct param_type *type = param_type_find(good->type);
		_cleanup_free_ char *reason = NULL, *written = NULL;
		_cleanup_free_ void *value = calloc(1, type->size);

		if (parse(type, good->text, value, &reason))
			fail_msg("%s: %s", good->type, reason);
		assert_int_equal(param_type_format(type, &limits, value, &written), 0);
		assert_string_equal(written, good->written ?: good->text);
	}
}

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_texts); i++) {
		const struct param_type *type = param_type_find(bad_texts[i].type);
		const char *quoted = bad_texts[i].quoted ?: bad_texts[i].text;
		_cleanup_free_ char *value = malloc(type->size), *before = malloc(type->size);
		_cleanup_free_ char *reason = NULL, *words = NULL;

		memset(value, 0x5a, type->size);
		memset(before, 0x5a, type->size);
		if (parse(type, bad_texts[i].text, value, &reason) != -EINVAL)
			fail_msg("%s: \"%s\" was accepted", type->name, bad_texts[i].text);
		assert_memory_equal(value, before, type->size);
		assert_true(asprintf(&words, "\"%s\": ", quoted) > 0);
		if (!startswith(reason, words))
			fail_msg("%s: \"%s\": %s", type->name, bad_texts[i].text, reason);
	}
}

/* A text of any length does not make an explanation of any length. */
static void test_long(void **state)
{
	_cleanup_free_ char *text = malloc(100001);

	(void)state;
	memset(text, '7', 100000);
	text[100000] = '\0';
	for (size_t i = 0; param_type_get(i); i++) {
		const struct param_type *type = param_type_get(i);
		_cleanup_free_ void *value = calloc(1, type->size);
		_cleanup_free_ char *reason = NULL;

		assert_int_equal(parse(type, text, value, &reason), -EINVAL);
		assert_non_null(strstr(reason, "777...\": "));
		assert_true(strlen(reason) < 250);
	}
}

/* @n entries, all "@entry". */
static char *repeat(const char *entry, size_t n)
{
	size_t size = strlen(entry) + 1;
	char *text = calloc(n + 1, size), *end = text;

	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		end += sprintf(end, "%s,", entry);
	return text;
}

static void test_list_limits(void **state)
{
	static const struct {
		const char *type;
		const char *entry;
		size_t max;
	} lists[] = {
		{ "endpoints", "255.255.255.255:65000", CHECMATE_LIST_MAX },
		{ "ports", "65000", CHECMATE_LIST_MAX },
		{ "uids", "1000", CHECMATE_LIST_MAX },
		{ "gids", "1000", CHECMATE_LIST_MAX },
		{ "paths", "/a", CHECMATE_TEXT_LIST_MAX },
		{ "fstypes", "ext4", CHECMATE_TEXT_LIST_MAX },
	};
	size_t seen = 0;

	(void)state;
	for (size_t i = 0; param_type_get(i); i++)
		seen += param_type_get(i)->list;
	assert_int_equal(seen, ARRAY_SIZE(lists));

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct param_type *type = param_type_find(lists[i].type);
		_cleanup_free_ char *most = repeat(lists[i].entry, lists[i].max);
		_cleanup_free_ char *more = repeat(lists[i].entry, lists[i].max + 1);
		_cleanup_free_ char *reason = NULL, *text = NULL;
		char number[8];
		_cleanup_free_ __u32 *list = calloc(1, type->size);

		assert_int_equal(parse(type, most, list, &reason), 0);
		assert_int_equal(list[0], lists[i].max);
		assert_int_equal(parse(type, lists[i].entry, list, &reason), 0);
		assert_int_equal(list[0], 1);
		assert_int_equal(parse(type, more, list, &reason), -E2BIG);
		snprintf(number, sizeof(number), "%zu ", lists[i].max);
		assert_non_null(strstr(reason, number));
		assert_int_equal(list[0], 1);

		/* What no parser made. */
		list[1] = 1;
		assert_int_equal(param_type_format(type, &limits, list, &text), -EINVAL);
		list[1] = 0;
		list[0] = lists[i].max + 1;
		assert_int_equal(param_type_format(type, &limits, list, &text), -EINVAL);
		list[0] = 0;
		assert_int_equal(param_type_format(type, &limits, list, &text), -EINVAL);
		assert_null(text);
	}
}

static void test_path_length(void **state)
{
	const struct param_type *type = param_type_find("paths");
	struct checmate_path_prefixes *list = calloc(1, sizeof(*list));
	_cleanup_free_ char *path = calloc(1, 600), *reason = NULL, *text = NULL;

	(void)state;
	path[0] = '/';
	for (size_t n = 1; n < 254; n++)
		path[n] = 'a';
	assert_int_equal(parse(type, path, list, &reason), 0);
	assert_int_equal(list->entry[0].length, 255);
	assert_int_equal(list->entry[0].text[254], '/');
	assert_int_equal(list->entry[0].text[255], '\0');
	path[254] = 'a';
	assert_int_equal(parse(type, path, list, &reason), -EINVAL);
	assert_non_null(strstr(reason, "254 bytes"));

	/* Every byte needs a '\'. */
	for (size_t n = 0; n < 253; n++)
		memcpy(path + 1 + 2 * n, "\\,", 2);
	free(TAKE_PTR(reason));
	assert_int_equal(parse(type, path, list, &reason), 0);
	assert_int_equal(list->entry[0].length, 255);
	assert_int_equal(param_type_format(type, &limits, list, &text), 0);
	assert_string_equal(text, path);
	free(list);
}

static void check_unwritable(const char *name, const void *value)
{
	char *text = NULL;

	assert_int_equal(param_type_format(param_type_find(name), &limits, value, &text), -EINVAL);
	assert_null(text);
}

/* Bytes that mean nothing. */
static void test_format_bad(void **state)
{
	__u64 number;
	__s32 error;
	__u32 word;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		error = (__s32[]){ 0, -1, 4096 }[i];
		check_unwritable("errno", &error);
	}
	word = 2;
	check_unwritable("bool", &word);
	word = 3;
	check_unwritable("choice", &word);
	word = UINT32_MAX;
	check_unwritable("choice", &word);
	number = 9;
	check_unwritable("number", &number);
	number = 20001;
	check_unwritable("number", &number);
	number = 1ULL << 63;
	check_unwritable("capabilities", &number);
	check_unwritable("families", &number);
	check_unwritable("socket-types", &number);
	number = 1;
	check_unwritable("socket-types", &number);
}

static void test_format_bad_entries(void **state)
{
	struct checmate_path_prefixes *paths = calloc(1, sizeof(*paths));
	struct checmate_names *names = calloc(1, sizeof(*names));
	struct checmate_id_ranges *ids = calloc(1, sizeof(*ids));
	static const char *const bad[] = { "", "/a", "a/", "/a//", "/a/../", "/./", "/\n/" };

	(void)state;
	paths->count = names->count = ids->count = 1;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		paths->entry[0].length = strlen(strcpy(paths->entry[0].text, bad[i]));
		check_unwritable("paths", paths);
		memset(paths->entry[0].text, 0, CHECMATE_PATH_MAX);
	}
	memset(paths->entry[0].text, 'a', CHECMATE_PATH_MAX);
	paths->entry[0].text[0] = paths->entry[0].text[CHECMATE_PATH_MAX - 1] = '/';
	for (unsigned int n = CHECMATE_PATH_MAX - 1; n < CHECMATE_PATH_MAX + 2; n++) {
		paths->entry[0].length = n;
		check_unwritable("paths", paths);
	}
	paths->entry[0] = (struct checmate_path_prefix){ .length = 2, .text = "/a/" };
	check_unwritable("paths", paths);
	paths->entry[0] = (struct checmate_path_prefix){ .length = 3, .text = "/a/\0x" };
	check_unwritable("paths", paths);
	paths->entry[0] = (struct checmate_path_prefix){ .length = 3, .text = "/a/", .reserved = 1 };
	check_unwritable("paths", paths);

	check_unwritable("fstypes", names);
	memset(names->entry[0].text, 'a', CHECMATE_NAME_MAX);
	check_unwritable("fstypes", names);
	names->entry[0] = (struct checmate_name){ .text = "a\0b" };
	check_unwritable("fstypes", names);

	ids->entry[0] = (struct checmate_id_range){ .first = 2, .last = 1 };
	check_unwritable("uids", ids);
	ids->entry[0] = (struct checmate_id_range){ .first = 2, .last = UINT32_MAX };
	check_unwritable("gids", ids);
	free(paths);
	free(names);
	free(ids);
}

/* Every errno that has a name, and every member that a set can have. */
static void test_all_names(void **state)
{
	size_t members[3] = {};

	(void)state;
	for (__s32 i = 1; i < 4096; i++) {
		const struct param_type *type = param_type_find("errno");
		_cleanup_free_ char *text = NULL, *reason = NULL;
		__s32 again;

		if (param_type_format(type, &limits, &i, &text))
			continue;
		assert_int_equal(parse(type, text, &again, &reason), 0);
		assert_int_equal(again, i);
	}
	for (size_t i = 0; param_type_get(i); i++) {
		const struct param_type *type = param_type_get(i);

		for (__u64 bit = 1; type->set && bit; bit <<= 1) {
			_cleanup_free_ char *text = NULL, *reason = NULL;
			__u64 again;

			if (param_type_format(type, &limits, &bit, &text))
				continue;
			assert_int_equal(parse(type, text, &again, &reason), 0);
			assert_true(again == bit);
			members[0] += streq(type->name, "capabilities");
			members[1] += streq(type->name, "families");
			members[2] += streq(type->name, "signals");
		}
	}
	assert_true(members[0] > CAP_CHECKPOINT_RESTORE);
	assert_int_equal(members[1], AF_MAX);
	assert_int_equal(members[2], 64);
}

/* --- at random ------------------------------------------------------------ */

/* A generator with a fixed sequence, so that a failure can be repeated. */
#define SEED 20240229

static uint32_t next(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void random_endpoint(uint32_t *seed, struct checmate_endpoint *endpoint)
{
	bool v4 = next(seed) % 2;
	unsigned int words = v4 ? 1 : 4, bits = next(seed) % (words * 32 + 1);
	static const uint16_t protocols[] = { 0, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_MPTCP };
	uint16_t a = next(seed), b = next(seed) % 4 ? next(seed) : a;

	*endpoint = (struct checmate_endpoint){
		.family = v4 ? AF_INET : AF_INET6,
		.port_first = a < b ? a : b,
		.port_last = a < b ? b : a,
		.protocol = protocols[next(seed) % ARRAY_SIZE(protocols)],
	};
	for (unsigned int i = 0; i < words; i++) {
		unsigned int n = bits > 32 ? 32 : bits;

		endpoint->mask[i] = n ? htonl(UINT32_MAX << (32 - n)) : 0;
		/* Runs of zeroes too, for the shortened forms of IPv6. */
		endpoint->addr[i] = next(seed) % 3 ? next(seed) & endpoint->mask[i] : 0;
		bits -= n;
	}
	/* The one kind that is written otherwise. */
	if (!v4 && !endpoint->addr[0] && !endpoint->addr[1] && endpoint->addr[2] == htonl(0xffff))
		endpoint->addr[2] = 0;
}

static void random_path(uint32_t *seed, struct checmate_path_prefix *prefix)
{
	static const char letters[] = "ab. ,\\-_\303\244";
	size_t wanted = next(seed) % (CHECMATE_PATH_MAX - 1) + 1;
	char *text = prefix->text;
	size_t n = 0;

	/* Parts of three letters are neither "." nor "..". */
	text[n++] = '/';
	while (n + 4 <= wanted) {
		for (int i = 0; i < 3; i++)
			text[n++] = letters[next(seed) % (sizeof(letters) - 1)];
		text[n++] = '/';
	}
	prefix->length = n;
}

static void random_entry(uint32_t *seed, const struct param_type *type, void *entry)
{
	uint32_t a = next(seed), b = next(seed) % 4 ? next(seed) : a;
	struct checmate_name *name = entry;

	if (streq(type->name, "endpoints")) {
		random_endpoint(seed, entry);
	} else if (streq(type->name, "ports")) {
		a = (uint16_t)a;
		b = (uint16_t)b;
		*(struct checmate_port_range *)entry = (struct checmate_port_range){
			.first = a < b ? a : b,
			.last = a < b ? b : a,
			.protocol = next(seed) % 2 ? IPPROTO_UDP : 0,
		};
	} else if (type->entries == &param_ids) {
		*(struct checmate_id_range *)entry = (struct checmate_id_range){
			.first = (a < b ? a : b) / 2,
			.last = (a < b ? b : a) / 2,
		};
	} else if (streq(type->name, "paths")) {
		random_path(seed, entry);
	} else {
		size_t n = a % (CHECMATE_NAME_MAX - 1) + 1;

		for (size_t i = 0; i < n; i++)
			name->text[i] = "abcXYZ019._-"[next(seed) % 12];
	}
}

/* A value of @type; its bytes are 0 before. */
static void random_value(uint32_t *seed, const struct param_type *type, char *value)
{
	__u64 number, all = 0;
	__u32 count, word;

	if (type->list) {
		count = next(seed) % 8 ? next(seed) % 8 : next(seed) % (type->entries->max + 1);
		memcpy(value, &count, sizeof(count));
		for (__u32 i = 0; i < count; i++)
			random_entry(seed, type, value + 8 + i * type->entries->size);
	} else if (type->set) {
		for (unsigned int bit = 0; bit < 64; bit++) {
			char name[PARAM_MEMBER_MAX];

			all |= type->set->name(bit, name) ? 0 : 1ULL << bit;
		}
		number = all & ((__u64)next(seed) << 32 | next(seed));
		memcpy(value, &number, sizeof(number));
	} else if (type->single == &param_number) {
		number = limits.min + next(seed) % (limits.max - limits.min + 1);
		memcpy(value, &number, sizeof(number));
	} else if (type->single == &param_errno) {
		do
			word = next(seed) % 140;
		while (!strerrorname_np(word) || !word);
		memcpy(value, &word, sizeof(word));
	} else {
		word = next(seed) % (type->single == &param_bool ? 2 : 3);
		memcpy(value, &word, sizeof(word));
	}
}

/* Bytes, their text, its bytes, their text: both are the same twice. */
static void check_round_trip(const struct param_type *type, const void *value, int round)
{
	_cleanup_free_ char *text = NULL, *again = NULL, *reason = NULL;
	_cleanup_free_ void *parsed = calloc(1, type->size);

	if (param_type_format(type, &limits, value, &text))
		fail_msg("%s, seed %d, round %d: cannot be written", type->name, SEED, round);
	if (parse(type, text, parsed, &reason))
		fail_msg("%s, seed %d, round %d: %s", type->name, SEED, round, reason);
	if (memcmp(value, parsed, type->size))
		fail_msg("%s, seed %d, round %d: %s means something else", type->name, SEED, round,
			 text);
	assert_int_equal(param_type_format(type, &limits, parsed, &again), 0);
	assert_string_equal(text, again);
}

static void test_round_trip(void **state)
{
	uint32_t seed = SEED;

	(void)state;
	print_message("# seed %d\n", SEED);
	for (size_t i = 0; param_type_get(i); i++) {
		const struct param_type *type = param_type_get(i);
		_cleanup_free_ char *value = malloc(type->size);

		for (int round = 0; round < (type->list ? 3000 : 10000); round++) {
			memset(value, 0, type->size);
			random_value(&seed, type, value);
			check_round_trip(type, value, round);
		}
	}
}

/* Some letters of good texts changed: parsing ends, and what is accepted comes back. */
static void test_random_text(void **state)
{
	static const char alphabet[] = "0159aAfFsSeEtT_.:/-+[]%|\\ ,\t\n\177\377";
	size_t accepted = 0;
	uint32_t seed = SEED;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		const struct good *base = &good_texts[round % ARRAY_SIZE(good_texts)];
		const struct param_type *type = param_type_find(base->type);
		_cleanup_free_ char *reason = NULL, *value = calloc(1, type->size);
		char text[128] = "";
		size_t n = strlen(base->text);

		memcpy(text, base->text, n);
		for (unsigned int change = next(&seed) % 3 + 1; change; change--)
			text[next(&seed) % (n + 1)] = alphabet[next(&seed) % (sizeof(alphabet) - 1)];
		if (parse(type, text, value, &reason) < 0) {
			assert_non_null(reason);
			continue;
		}
		check_round_trip(type, value, round);
		accepted++;
	}
	assert_true(accepted > 1000);
}

/* Bytes at random: written only if they come back. */
static void test_random_bytes(void **state)
{
	uint32_t seed = SEED;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		for (size_t i = 0; param_type_get(i); i++) {
			const struct param_type *type = param_type_get(i);
			_cleanup_free_ char *value = NULL, *text = NULL;

			if (type->list && round % 20)
				continue;
			value = calloc(1, type->size);
			random_value(&seed, type, value);
			for (unsigned int n = next(&seed) % 3; n; n--)
				value[next(&seed) % (type->size < 64 ? type->size : 64)] ^=
					1 << next(&seed) % 8;
			if (!param_type_format(type, &limits, value, &text))
				check_round_trip(type, value, round);
		}
	}
}

/* --- limits --------------------------------------------------------------- */

static void test_limits(void **state)
{
	static const struct {
		const char *type;
		const char *min, *max, *choices;
		int result;
	} cases[] = {
		{ "number", "0", "18446744073709551615", NULL, 0 },
		{ "number", "7", "7", NULL, 0 },
		{ "number", "8", "7", NULL, -EINVAL },
		{ "number", NULL, "7", NULL, -EINVAL },
		{ "number", "7", NULL, NULL, -EINVAL },
		{ "number", "", "7", NULL, -EINVAL },
		{ "number", "-1", "7", NULL, -EINVAL },
		{ "number", "0", "7UL", NULL, -EINVAL },
		{ "number", "0", "18446744073709551616", NULL, -EINVAL },
		{ "number", "0", "7", "a|b", -EINVAL },
		{ "choice", NULL, NULL, "one|two-2", 0 },
		{ "choice", NULL, NULL, "one", 0 },
		{ "choice", NULL, NULL, NULL, -EINVAL },
		{ "choice", NULL, NULL, "", -EINVAL },
		{ "choice", NULL, NULL, "one|", -EINVAL },
		{ "choice", NULL, NULL, "|one", -EINVAL },
		{ "choice", NULL, NULL, "one|one", -EINVAL },
		{ "choice", NULL, NULL, "one two", -EINVAL },
		{ "choice", NULL, NULL, "abcdefghijklmnopqrstuvwxyz012345", -EINVAL },
		{ "choice", "0", "1", "one|two", -EINVAL },
		{ "errno", NULL, NULL, NULL, 0 },
		{ "errno", "1", NULL, NULL, -EINVAL },
		{ "bool", NULL, NULL, "a|b", -EINVAL },
		{ "ports", NULL, "7", NULL, -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct param_limits read = { .min = 4711 };
		int r = param_limits_read(param_type_find(cases[i].type), cases[i].min,
					  cases[i].max, cases[i].choices, &read);

		if (r != cases[i].result)
			fail_msg("case %zu: %d", i, r);
		if (r < 0)
			assert_int_equal(read.min, 4711);
		else
			param_limits_done(&read);
	}
}

static void test_many_choices(void **state)
{
	char text[PARAM_CHOICES_MAX * 4 + 8] = "";
	struct param_limits read;

	(void)state;
	for (int i = 0; i < PARAM_CHOICES_MAX; i++)
		sprintf(text + strlen(text), "%s%d", i ? "|" : "", i + 10);
	assert_int_equal(param_limits_read(param_type_find("choice"), NULL, NULL, text, &read), 0);
	param_limits_done(&read);
	strcat(text, "|99");
	assert_int_equal(param_limits_read(param_type_find("choice"), NULL, NULL, text, &read),
			 -EINVAL);
}

/* Every type says what it accepts, and with which limits. */
static void test_form(void **state)
{
	(void)state;
	for (size_t i = 0; param_type_get(i); i++) {
		const struct param_type *type = param_type_get(i);
		_cleanup_free_ char *form = param_type_form(type, &limits);

		assert_true(strlen(form) > 5);
		if (streq(type->name, "choice"))
			assert_string_equal(form, "one of first, second, third");
		if (streq(type->name, "number"))
			assert_string_equal(form, "a number from 10 to 20000");
	}
}

static void test_types(void **state)
{
	(void)state;
	assert_null(param_type_find(""));
	assert_null(param_type_find("endpoint"));
	assert_null(param_type_get(1000));
	for (size_t i = 0; param_type_get(i); i++) {
		const struct param_type *type = param_type_get(i);

		assert_ptr_equal(param_type_find(type->name), type);
		assert_int_equal(!!type->single + !!type->set + !!type->entries, 1);
		assert_int_equal(type->list, !!type->entries);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_endpoint_good),
		cmocka_unit_test(test_endpoint_bad),
		cmocka_unit_test(test_endpoint_format_bad),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_list_limits),
		cmocka_unit_test(test_path_length),
		cmocka_unit_test(test_format_bad),
		cmocka_unit_test(test_format_bad_entries),
		cmocka_unit_test(test_all_names),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_random_text),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_many_choices),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
