// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Parameters that are lists of endpoints and ports */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "param.h"
#include "parse.h"

/* --- ports and protocols -------------------------------------------------- */

/* Those of which a program can make sockets. 0 is every protocol. */
static const struct {
	const char *name;
	__u16 value;
} protocols[] = {
	{ "icmp", IPPROTO_ICMP },	{ "tcp", IPPROTO_TCP },	  { "udp", IPPROTO_UDP },
	{ "dccp", IPPROTO_DCCP },	{ "sctp", IPPROTO_SCTP }, { "icmpv6", IPPROTO_ICMPV6 },
	{ "udplite", IPPROTO_UDPLITE }, { "raw", IPPROTO_RAW },	  { "mptcp", IPPROTO_MPTCP },
};

/*
 * Numbers are refused: in "10.0.0.0:80/8", the 8 is more likely a prefix that
 * went to the wrong place.
 */
static int parse_protocol(const char *text, __u16 *ret_protocol, const char **ret_reason)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (!streq(text, protocols[i].name))
			continue;
		*ret_protocol = protocols[i].value;
		return 0;
	}
	return param_bad(ret_reason, "after the / comes a protocol: tcp, udp, udplite, sctp, dccp, "
				     "mptcp, icmp, icmpv6 or raw");
}

/* Gives "" for every protocol, NULL for one that has no name. */
static const char *protocol_name(__u16 protocol)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i].value == protocol)
			return protocols[i].name;
	return protocol ? NULL : "";
}

static int parse_port_range(const char *text, struct checmate_port_range *ret_range,
			    const char **ret_reason)
{
	struct checmate_port_range range = {};
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	uint64_t first, last;
	char ports[32];
	int r;

	if (n >= sizeof(ports))
		return param_bad(ret_reason, "a port is a number from 0 to 65535");
	memcpy(ports, text, n);
	ports[n] = '\0';
	r = param_range(ports, UINT16_MAX, &first, &last);
	if (r == -ERANGE)
		return param_bad(ret_reason, "the first port is above the last");
	if (r < 0)
		return param_bad(ret_reason, "a port is a number from 0 to 65535");
	if (slash) {
		r = parse_protocol(slash + 1, &range.protocol, ret_reason);
		if (r < 0)
			return r;
	}

	range.first = first;
	range.last = last;
	*ret_range = range;
	return 0;
}

static int format_port_range(const struct checmate_port_range *range, char *text, size_t size)
{
	const char *protocol = protocol_name(range->protocol);
	char last[16] = "";

	if (range->first > range->last || range->reserved || !protocol)
		return -EINVAL;
	if (range->first != range->last)
		snprintf(last, sizeof(last), "-%u", range->last);
	snprintf(text, size, "%u%s%s%s", range->first, last, *protocol ? "/" : "", protocol);
	return 0;
}

static int parse_ports(const char *text, void *ret_entry, const char **ret_reason)
{
	return parse_port_range(text, ret_entry, ret_reason);
}

static int format_ports(const void *entry, char text[PARAM_ENTRY_MAX])
{
	return format_port_range(entry, text, PARAM_ENTRY_MAX);
}

const struct param_list param_ports = {
	.size = sizeof(struct checmate_port_range),
	.max = CHECMATE_LIST_MAX,
	.parse = parse_ports,
	.format = format_ports,
};
static_assert(sizeof(struct checmate_port_ranges) ==
		      8 + CHECMATE_LIST_MAX * sizeof(struct checmate_port_range),
	      "a list is its count and its entries");

/* --- endpoints ------------------------------------------------------------ */

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
		return param_bad(ret_reason, "an IPv4-mapped prefix has at least 96 bits");

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
		return param_bad(ret_reason, family == AF_INET ?
						     "not an IPv4 address (IPv6 goes in [])" :
						     "not an IPv6 address in []");
	endpoint->family = family;

	if (prefix) {
		if (parse_u64(prefix, bits, &given))
			return param_bad(ret_reason, family == AF_INET ?
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
			return param_bad(ret_reason, "the address has bits set beyond its prefix");
	return 0;
}

int endpoint_parse(const char *text, struct checmate_endpoint *ret_endpoint, const char **ret_reason)
{
	struct checmate_endpoint endpoint = {};
	struct checmate_port_range range;
	char address[64] = "", prefix[8] = "";
	bool has_prefix = false;
	const char *end, *ports;
	int family, r;

	if (text[0] == '[') {
		family = AF_INET6;
		text++;
		end = strchr(text, ']');
		if (!end)
			return param_bad(ret_reason, "the [ is not closed");
		ports = strchr(end, ':');
	} else {
		family = AF_INET;
		end = text + strcspn(text, "/:");
		ports = strchr(text, ':');
	}
	if (!ports)
		return param_bad(ret_reason, "the port is missing");

	if ((size_t)(end - text) >= sizeof(address))
		return param_bad(ret_reason, "the address is too long");
	memcpy(address, text, end - text);

	if (family == AF_INET6)
		end++;
	if (*end == '/') {
		end++;
		if ((size_t)(ports - end) >= sizeof(prefix))
			return param_bad(ret_reason, "the prefix is too long");
		memcpy(prefix, end, ports - end);
		has_prefix = true;
	} else if (end != ports) {
		return param_bad(ret_reason, "after the address comes / or :");
	}

	r = parse_prefix(family, address, has_prefix ? prefix : NULL, &endpoint, ret_reason);
	if (r < 0)
		return r;
	r = parse_port_range(ports + 1, &range, ret_reason);
	if (r < 0)
		return r;
	endpoint.port_first = range.first;
	endpoint.port_last = range.last;
	endpoint.protocol = range.protocol;

	*ret_endpoint = endpoint;
	return 0;
}

int endpoint_format(const struct checmate_endpoint *endpoint, char text[ENDPOINT_TEXT_MAX])
{
	const struct checmate_port_range range = {
		.first = endpoint->port_first,
		.last = endpoint->port_last,
		.protocol = endpoint->protocol,
	};
	bool v4 = endpoint->family == AF_INET;
	size_t words = v4 ? 1 : 4;
	char address[INET6_ADDRSTRLEN], prefix[16] = "", ports[32];
	int bits, r;

	if (!v4 && (endpoint->family != AF_INET6 || is_mapped(endpoint)))
		return -EINVAL;
	bits = count_mask(endpoint->mask, words);
	if (bits < 0)
		return bits;
	for (size_t i = 0; i < ARRAY_SIZE(endpoint->addr); i++)
		if ((endpoint->addr[i] & ~endpoint->mask[i]) || (i >= words && endpoint->mask[i]))
			return -EINVAL;
	r = format_port_range(&range, ports, sizeof(ports));
	if (r < 0)
		return r;

	if (!inet_ntop(endpoint->family, endpoint->addr, address, sizeof(address)))
		return -EINVAL;
	if ((size_t)bits < words * 32)
		snprintf(prefix, sizeof(prefix), "/%d", bits);
	snprintf(text, ENDPOINT_TEXT_MAX, v4 ? "%s%s:%s" : "[%s]%s:%s", address, prefix, ports);
	return 0;
}

static int parse_endpoint_entry(const char *text, void *ret_entry, const char **ret_reason)
{
	return endpoint_parse(text, ret_entry, ret_reason);
}

static int format_endpoint_entry(const void *entry, char text[PARAM_ENTRY_MAX])
{
	return endpoint_format(entry, text);
}

const struct param_list param_endpoints = {
	.size = sizeof(struct checmate_endpoint),
	.max = CHECMATE_LIST_MAX,
	.parse = parse_endpoint_entry,
	.format = format_endpoint_entry,
};
static_assert(sizeof(struct checmate_endpoints) ==
		      8 + CHECMATE_LIST_MAX * sizeof(struct checmate_endpoint),
	      "a list is its count and its entries");
static_assert(PARAM_ENTRY_MAX >= ENDPOINT_TEXT_MAX, "an endpoint is an entry");
