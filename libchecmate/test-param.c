// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Tests of parameter values */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "cleanup.h"
#include "param.h"

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
		"127.0.0.1:000000000080-81",
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

/* A generator with a fixed sequence, so that a failure can be repeated. */
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
	uint16_t a = next(seed), b = next(seed) % 4 ? next(seed) : a;

	*endpoint = (struct checmate_endpoint){
		.family = v4 ? AF_INET : AF_INET6,
		.port_first = a < b ? a : b,
		.port_last = a < b ? b : a,
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

static void test_round_trip(void **state)
{
	uint32_t seed = 20240229;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct checmate_endpoint endpoint, again;
		char text[ENDPOINT_TEXT_MAX];
		const char *reason = NULL;

		random_endpoint(&seed, &endpoint);
		if (endpoint_format(&endpoint, text))
			fail_msg("round %d cannot be formatted", i);
		if (endpoint_parse(text, &again, &reason))
			fail_msg("round %d: %s: %s", i, text, reason);
		if (memcmp(&endpoint, &again, sizeof(again)))
			fail_msg("round %d: %s means something else", i, text);
	}
}

/* Whatever the text, parsing it ends, and what is accepted comes back. */
static void test_random_text(void **state)
{
	static const char alphabet[] = "0123456789abcdef.:/-[]% ,\t\n\377";
	uint32_t seed = 17;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct checmate_endpoint endpoint, again;
		char text[48], formatted[ENDPOINT_TEXT_MAX];
		const char *base = good_endpoints[i % ARRAY_SIZE(good_endpoints)].text;
		const char *reason = NULL;
		size_t n = strlen(base);

		memcpy(text, base, n + 1);
		for (unsigned int change = next(&seed) % 3 + 1; change; change--)
			text[next(&seed) % n] = alphabet[next(&seed) % (sizeof(alphabet) - 1)];
		if (endpoint_parse(text, &endpoint, &reason))
			continue;
		assert_int_equal(endpoint_format(&endpoint, formatted), 0);
		assert_int_equal(endpoint_parse(formatted, &again, &reason), 0);
		assert_memory_equal(&endpoint, &again, sizeof(again));
	}
}

static void test_format_bad(void **state)
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
	e = (struct checmate_endpoint){ .family = AF_INET6 };
	e.addr[2] = htonl(0xffff);
	memset(e.mask, 0xff, sizeof(e.mask));
	assert_int_equal(endpoint_format(&e, text), -EINVAL);
}

static void check_list(const char *text, const char *expected)
{
	const struct param_type *type = param_type_find("endpoints");
	_cleanup_free_ void *value = calloc(1, type->size);
	_cleanup_free_ char *reason = NULL, *formatted = NULL;

	assert_int_equal(type->parse(text, value, &reason), 0);
	assert_int_equal(type->format(value, &formatted), 0);
	assert_string_equal(formatted, expected);
}

static void test_list(void **state)
{
	(void)state;
	check_list("", "");
	check_list(" ,\n\t, ", "");
	check_list("1.2.3.4:5", "1.2.3.4:5");
	check_list("0.0.0.0:80 [::]:443", "0.0.0.0:80,[::]:443");
	check_list("1.2.3.4:5,\n\t6.7.8.9/32:10-11,", "1.2.3.4:5,6.7.8.9:10-11");
}

static char *make_list(size_t n)
{
	char *text = calloc(n + 1, sizeof("255.255.255.255:65535,")), *end = text;

	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		end += sprintf(end, "255.255.255.255:65%03zu,", i % 500);
	return text;
}

static void test_list_limits(void **state)
{
	const struct param_type *type = param_type_find("endpoints");
	_cleanup_free_ char *most = make_list(CHECMATE_LIST_MAX), *reason = NULL;
	_cleanup_free_ char *more = make_list(CHECMATE_LIST_MAX + 1);
	_cleanup_free_ struct checmate_endpoints *list = calloc(1, type->size);

	(void)state;
	assert_int_equal(type->size, sizeof(*list));
	assert_int_equal(type->parse(most, list, &reason), 0);
	assert_int_equal(list->count, CHECMATE_LIST_MAX);

	assert_int_equal(type->parse("1.2.3.4:5", list, &reason), 0);
	assert_int_equal(list->count, 1);
	assert_int_equal(type->parse(more, list, &reason), -E2BIG);
	assert_non_null(strstr(reason, "256"));
	assert_int_equal(list->count, 1);
	free(TAKE_PTR(reason));

	assert_int_equal(type->parse("1.2.3.4:5,2.3.4.5:6,x:y", list, &reason), -EINVAL);
	assert_non_null(strstr(reason, "\"x:y\""));
	assert_int_equal(list->count, 1);

	list->count = CHECMATE_LIST_MAX + 1;
	free(TAKE_PTR(reason));
	assert_int_equal(type->format(list, &reason), -EINVAL);
	assert_null(reason);
}

static void test_errno(void **state)
{
	static const char *const bad[] = {
		"",	 "0",	   "-1", "4095",   "4096",	  "512", "999999",
		"eperm", "EPERM ", "E",	 "EPERMM", "ERESTARTSYS", "1x",	 "EPERM,EACCES",
	};
	static const struct {
		const char *text;
		int value;
		const char *formatted;
	} good[] = {
		{ "EPERM", EPERM, "EPERM" },
		{ "1", EPERM, "EPERM" },
		{ "13", EACCES, "EACCES" },
		{ "EUSERS", EUSERS, "EUSERS" },
		{ "EWOULDBLOCK", EAGAIN, "EAGAIN" },
		{ "ENOTSUP", EOPNOTSUPP, NULL },
		{ "ECONNREFUSED", ECONNREFUSED, "ECONNREFUSED" },
	};
	const struct param_type *type = param_type_find("errno");
	int32_t value = 4711;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_free_ char *reason = NULL;

		if (type->parse(bad[i], &value, &reason) != -EINVAL)
			fail_msg("\"%s\" was accepted", bad[i]);
		assert_non_null(strstr(reason, bad[i]));
		assert_int_equal(value, 4711);
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_free_ char *reason = NULL, *text = NULL, *again = NULL;

		assert_int_equal(type->parse(good[i].text, &value, &reason), 0);
		assert_int_equal(value, good[i].value);
		assert_int_equal(type->format(&value, &text), 0);
		if (good[i].formatted)
			assert_string_equal(text, good[i].formatted);
		assert_int_equal(type->parse(text, &value, &again), 0);
		assert_int_equal(value, good[i].value);
	}

	/* Every errno that has a name comes back from it. */
	for (int32_t i = 1; i < 4096; i++) {
		_cleanup_free_ char *text = NULL, *reason = NULL;
		int32_t again;

		if (type->format(&i, &text))
			continue;
		assert_int_equal(type->parse(text, &again, &reason), 0);
		assert_int_equal(again, i);
	}
	value = 0;
	assert_int_equal(type->format(&value, NULL), -EINVAL);
	value = -1;
	assert_int_equal(type->format(&value, NULL), -EINVAL);
}

static void test_types(void **state)
{
	(void)state;
	assert_null(param_type_find(""));
	assert_null(param_type_find("endpoint"));
	assert_string_equal(param_type_find("endpoints")->name, "endpoints");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_endpoint_good), cmocka_unit_test(test_endpoint_bad),
		cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_random_text),
		cmocka_unit_test(test_format_bad),    cmocka_unit_test(test_list),
		cmocka_unit_test(test_list_limits),   cmocka_unit_test(test_errno),
		cmocka_unit_test(test_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
