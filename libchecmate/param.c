// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libchecmate - Parameter values: text to bytes and back
 *
 * Parsing is strict: what is not understood whole is refused, since a rule that
 * means something else than its author thought is worse than none. Formatting
 * gives the text that parses to the same bytes.
 */
#include "param.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "parse.h"

/* What separates the entries of a list. */
#define SEPARATORS ", \t\n"

/* --- errno ---------------------------------------------------------------- */

/* Largest errno value that the kernel can return. */
#define ERRNO_MAX 4095

/* Second names, which strerrorname_np() does not return. */
static const struct {
	const char *name;
	int value;
} errno_aliases[] = {
	{ "EWOULDBLOCK", EWOULDBLOCK },
	{ "ENOTSUP", ENOTSUP },
	{ "EDEADLOCK", EDEADLOCK },
};

/*
 * Values without a name are refused: among them are the kernel's private ones,
 * by which a system call asks to be restarted.
 */
static int parse_errno(const char *text, void *ret_value, char **ret_reason)
{
	uint64_t number;
	int32_t value = 0;

	if (!parse_u64(text, ERRNO_MAX, &number) && number > 0 && strerrorname_np(number))
		value = number;
	for (size_t i = 0; !value && i < ARRAY_SIZE(errno_aliases); i++)
		if (streq(text, errno_aliases[i].name))
			value = errno_aliases[i].value;
	for (int i = 1; !value && i <= ERRNO_MAX; i++) {
		const char *name = strerrorname_np(i);

		if (name && streq(text, name))
			value = i;
	}

	if (!value) {
		if (asprintf(ret_reason, "\"%s\" is not an errno", text) < 0)
			*ret_reason = NULL;
		return -EINVAL;
	}
	memcpy(ret_value, &value, sizeof(value));
	return 0;
}

static int format_errno(const void *value, char **ret_text)
{
	const char *name;
	int32_t number;
	char *text;

	memcpy(&number, value, sizeof(number));
	name = number > 0 ? strerrorname_np(number) : NULL;
	if (!name)
		return -EINVAL;
	text = strdup(name);
	if (!text)
		return -ENOMEM;
	*ret_text = text;
	return 0;
}

/* --- endpoints ------------------------------------------------------------ */

static int bad(const char **ret_reason, const char *reason)
{
	*ret_reason = reason;
	return -EINVAL;
}

/* The mask of @bits leading ones, in network byte order, @words words long. */
static void make_mask(unsigned int bits, __u32 *mask, size_t words)
{
	for (size_t i = 0; i < words; i++) {
		unsigned int n = bits > 32 ? 32 : bits;

		mask[i] = n ? htonl(UINT32_MAX << (32 - n)) : 0;
		bits -= n;
	}
}

/* The number of leading ones, or -EINVAL when @mask is not a mask. */
static int count_mask(const __u32 *mask, size_t words)
{
	__u32 expected[4];
	int bits = 0;

	for (size_t i = 0; i < words; i++)
		bits += __builtin_popcount(mask[i]);
	make_mask(bits, expected, words);
	return memcmp(mask, expected, words * sizeof(*mask)) ? -EINVAL : bits;
}

static int parse_ports(const char *text, struct checmate_endpoint *endpoint, const char **ret_reason)
{
	const char *dash = strchr(text, '-');
	char first_text[8] = "";
	uint64_t first, last;

	if (dash) {
		if ((size_t)(dash - text) >= sizeof(first_text))
			return bad(ret_reason, "a port is a number from 0 to 65535");
		memcpy(first_text, text, dash - text);
		text = dash + 1;
	}
	if (parse_u64(text, UINT16_MAX, &last))
		return bad(ret_reason, "a port is a number from 0 to 65535");
	first = last;
	if (dash && parse_u64(first_text, UINT16_MAX, &first))
		return bad(ret_reason, "a port is a number from 0 to 65535");
	if (first > last)
		return bad(ret_reason, "the first port is above the last");

	endpoint->port_first = first;
	endpoint->port_last = last;
	return 0;
}

static bool is_mapped(const struct checmate_endpoint *endpoint)
{
	return !endpoint->addr[0] && !endpoint->addr[1] && endpoint->addr[2] == htonl(0xffff);
}

/* An IPv4-mapped prefix is that IPv4 prefix. */
static int unmap(struct checmate_endpoint *endpoint, unsigned int *bits, const char **ret_reason)
{
	if (!is_mapped(endpoint))
		return 0;
	if (*bits < 96)
		return bad(ret_reason, "an IPv4-mapped prefix has at least 96 bits");

	endpoint->family = AF_INET;
	endpoint->addr[0] = endpoint->addr[3];
	memset(&endpoint->addr[1], 0, 3 * sizeof(endpoint->addr[0]));
	*bits -= 96;
	return 0;
}

/* @address without brackets, @prefix NULL when absent. */
static int parse_prefix(int family, const char *address, const char *prefix,
			struct checmate_endpoint *endpoint, const char **ret_reason)
{
	unsigned int bits = family == AF_INET ? 32 : 128;
	uint64_t given;
	int r;

	if (inet_pton(family, address, endpoint->addr) != 1)
		return bad(ret_reason, family == AF_INET ? "not an IPv4 address (IPv6 goes in [])" :
							   "not an IPv6 address in []");
	endpoint->family = family;

	if (prefix) {
		if (parse_u64(prefix, bits, &given))
			return bad(ret_reason, family == AF_INET ?
						       "a prefix is a number from 0 to 32" :
						       "a prefix is a number from 0 to 128");
		bits = given;
	}
	if (family == AF_INET6) {
		r = unmap(endpoint, &bits, ret_reason);
		if (r < 0)
			return r;
	}

	make_mask(bits, endpoint->mask, endpoint->family == AF_INET ? 1 : 4);
	for (size_t i = 0; i < ARRAY_SIZE(endpoint->addr); i++)
		if (endpoint->addr[i] & ~endpoint->mask[i])
			return bad(ret_reason, "the address has bits set beyond its prefix");
	return 0;
}

int endpoint_parse(const char *text, struct checmate_endpoint *ret_endpoint, const char **ret_reason)
{
	struct checmate_endpoint endpoint = {};
	char address[64] = "", prefix[8] = "";
	bool has_prefix = false;
	const char *end, *ports;
	int family, r;

	if (text[0] == '[') {
		family = AF_INET6;
		text++;
		end = strchr(text, ']');
		if (!end)
			return bad(ret_reason, "the [ is not closed");
		ports = strchr(end, ':');
	} else {
		family = AF_INET;
		end = text + strcspn(text, "/:");
		ports = strchr(text, ':');
	}
	if (!ports)
		return bad(ret_reason, "the port is missing");

	if ((size_t)(end - text) >= sizeof(address))
		return bad(ret_reason, "the address is too long");
	memcpy(address, text, end - text);

	if (family == AF_INET6)
		end++;
	if (*end == '/') {
		end++;
		if ((size_t)(ports - end) >= sizeof(prefix))
			return bad(ret_reason, "the prefix is too long");
		memcpy(prefix, end, ports - end);
		has_prefix = true;
	} else if (end != ports) {
		return bad(ret_reason, "after the address comes / or :");
	}

	r = parse_prefix(family, address, has_prefix ? prefix : NULL, &endpoint, ret_reason);
	if (r < 0)
		return r;
	r = parse_ports(ports + 1, &endpoint, ret_reason);
	if (r < 0)
		return r;

	*ret_endpoint = endpoint;
	return 0;
}

int endpoint_format(const struct checmate_endpoint *endpoint, char text[ENDPOINT_TEXT_MAX])
{
	bool v4 = endpoint->family == AF_INET;
	size_t words = v4 ? 1 : 4;
	char address[INET6_ADDRSTRLEN], prefix[16] = "", last[16] = "";
	int bits;

	if (!v4 && (endpoint->family != AF_INET6 || is_mapped(endpoint)))
		return -EINVAL;
	bits = count_mask(endpoint->mask, words);
	if (bits < 0 || endpoint->port_first > endpoint->port_last)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(endpoint->addr); i++)
		if ((endpoint->addr[i] & ~endpoint->mask[i]) || (i >= words && endpoint->mask[i]))
			return -EINVAL;

	if (!inet_ntop(endpoint->family, endpoint->addr, address, sizeof(address)))
		return -EINVAL;
	if ((size_t)bits < words * 32)
		snprintf(prefix, sizeof(prefix), "/%d", bits);
	if (endpoint->port_first != endpoint->port_last)
		snprintf(last, sizeof(last), "-%u", endpoint->port_last);
	snprintf(text, ENDPOINT_TEXT_MAX, v4 ? "%s%s:%u%s" : "[%s]%s:%u%s", address, prefix,
		 endpoint->port_first, last);
	return 0;
}

static int parse_endpoints(const char *text, void *ret_value, char **ret_reason)
{
	_cleanup_free_ struct checmate_endpoints *list = NULL;
	_cleanup_free_ char *copy = strdup(text);
	char *entry, *rest = copy;

	*ret_reason = NULL;
	list = calloc(1, sizeof(*list));
	if (!list || !copy)
		return -ENOMEM;

	while ((entry = strsep(&rest, SEPARATORS))) {
		const char *reason;
		int r;

		if (!*entry)
			continue;
		if (list->count == CHECMATE_LIST_MAX) {
			if (asprintf(ret_reason, "more than %d entries", CHECMATE_LIST_MAX) < 0)
				*ret_reason = NULL;
			return -E2BIG;
		}
		r = endpoint_parse(entry, &list->entry[list->count], &reason);
		if (r < 0) {
			if (asprintf(ret_reason, "\"%s\": %s", entry, reason) < 0)
				*ret_reason = NULL;
			return r;
		}
		list->count++;
	}

	memcpy(ret_value, list, sizeof(*list));
	return 0;
}

static int format_endpoints(const void *value, char **ret_text)
{
	const struct checmate_endpoints *list = value;
	_cleanup_free_ char *text = NULL;
	_cleanup_fclose_ FILE *file = NULL;
	size_t size;

	if (list->count > CHECMATE_LIST_MAX)
		return -EINVAL;

	file = open_memstream(&text, &size);
	if (!file)
		return -ENOMEM;
	for (__u32 i = 0; i < list->count; i++) {
		char entry[ENDPOINT_TEXT_MAX];
		int r;

		r = endpoint_format(&list->entry[i], entry);
		if (r < 0)
			return r;
		fprintf(file, "%s%s", i ? "," : "", entry);
	}
	if (fclose(TAKE_PTR(file)) == EOF)
		return -ENOMEM;

	*ret_text = TAKE_PTR(text);
	return 0;
}

/* --- types ---------------------------------------------------------------- */

static const struct param_type types[] = {
	{
		.name = "errno",
		.form = "an errno by name or number, as EPERM or 1",
		.size = sizeof(int32_t),
		.parse = parse_errno,
		.format = format_errno,
	},
	{
		.name = "endpoints",
		.form = "ADDRESS[/PREFIX]:PORT[-PORT], separated by commas or blanks, IPv6 in []",
		.list = true,
		.size = sizeof(struct checmate_endpoints),
		.parse = parse_endpoints,
		.format = format_endpoints,
	},
};

const struct param_type *param_type_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (streq(types[i].name, name))
			return &types[i];
	return NULL;
}
