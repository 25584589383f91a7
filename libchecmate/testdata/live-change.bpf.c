// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Test object: a list and a wide number that are changed while they are used
 *
 * A bind is allowed if the number is one of two and its port is on the list.
 * What is wrong has an errno of its own: EIO, the number is a mixture; ENODATA,
 * the list lacks a row; EACCES, the port is not on it.
 */
#include "checmate.bpf.h"

#define ONE 0x00000000ffffffffULL
#define OTHER 0xffffffff00000000ULL

struct checmate_params {
	CHECMATE_PARAM_PORTS(ports, "ports", "", "Ports that may be bound");
	/* ONE, in digits. */
	CHECMATE_PARAM_NUMBER(number, "number", "4294967295", 0, 18446744073709551615,
			      "One of two numbers");
};

CHECMATE_POLICY("live-change", "1", "A list and a number to be changed while they are used");

struct search {
	const struct checmate_self *self;
	__u16 port;
	__s32 found;
};

static long match(__u32 index, struct search *search)
{
	const union checmate_row *row;

	row = checmate_row(search->self, search->self->param->ports.row + index);
	if (!row) {
		search->found = -ENODATA;
		return 1;
	}
	for (__u32 i = 0; i < CHECMATE_ROW_PORT_RANGES; i++) {
		const struct checmate_port_range *range = &row->port_range[i];

		/* What is not in use has port 0. */
		if (!range->last || search->port < range->first || search->port > range->last)
			continue;
		search->found = 1;
		return 1;
	}
	return 0;
}

CHECMATE_PROGRAM(socket_bind, test_bind, struct socket *sock, struct sockaddr *address, int addrlen)
{
	struct search search = { .self = self };
	struct sockaddr_in in = {};
	__u64 seen = self->param->number;

	if (seen != ONE && seen != OTHER)
		return checmate_deny(self, "socket_bind", EIO);
	/* Deny: not understood. */
	if (addrlen < (int)sizeof(in) || bpf_probe_read_kernel(&in, sizeof(in), address))
		return checmate_deny(self, "socket_bind", EINVAL);
	search.port = bpf_ntohs(in.sin_port);
	search.found = checmate_zero(seen);
	/* A failing search has found nothing: deny. */
	bpf_loop(checmate_list_rows(&self->param->ports, CHECMATE_ROW_PORT_RANGES), match, &search,
		 0);
	if (search.found < 0)
		return checmate_deny(self, "socket_bind", ENODATA);
	return search.found ? checmate_allow() : checmate_deny(self, "socket_bind", EACCES);
}
