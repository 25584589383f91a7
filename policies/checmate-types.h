/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Checmate policies - Values shared by policies and libchecmate
 *
 * The bytes behind the parameter types. Text is turned into these bytes and
 * back in libchecmate/param.c only.
 */
#ifndef CHECMATE_TYPES_H
#define CHECMATE_TYPES_H

#include <linux/types.h>

/* Most entries a list parameter can have. */
#define CHECMATE_LIST_MAX 256

/**
 * struct checmate_endpoint - An address prefix and a range of ports.
 * @addr: address in network byte order; IPv4 uses the first word, the others
 *        are 0. No bit is set where @mask has none.
 * @mask: network mask of the same shape.
 * @family: AF_INET or AF_INET6. An IPv4-mapped IPv6 address is AF_INET.
 * @port_first: first port, host byte order.
 * @port_last: last port, host byte order, not below @port_first.
 * @reserved: 0.
 */
struct checmate_endpoint {
	__u32 addr[4];
	__u32 mask[4];
	__u16 family;
	__u16 port_first;
	__u16 port_last;
	__u16 reserved;
};

/**
 * struct checmate_endpoints - A list of endpoints, replaced as a whole.
 * @count: how many of @entry are in use, at most CHECMATE_LIST_MAX.
 * @reserved: 0.
 * @entry: the endpoints; unused ones are 0.
 */
struct checmate_endpoints {
	__u32 count;
	__u32 reserved;
	struct checmate_endpoint entry[CHECMATE_LIST_MAX];
};

#endif /* CHECMATE_TYPES_H */
