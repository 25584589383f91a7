// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Test object: a list and a wide number that are changed while they are used
 *
 * A bind is allowed if the number is one of two and its port is on the list.
 * What is wrong has an errno of its own: EIO, the number is a mixture; ENODATA,
 * there is no list; EACCES, the port is not on it.
 */
#include "checmate.bpf.h"

#define ONE 0x00000000ffffffffULL
#define OTHER 0xffffffff00000000ULL

CHECMATE_POLICY("live-change", "1", "A list and a number to be changed while they are used");
CHECMATE_PARAM_PORTS(ports, "ports", "", "Ports that may be bound");
CHECMATE_PARAM_NUMBER(number, "number", ONE, 0, 18446744073709551615, "One of two numbers");

struct search {
	const struct checmate_port_ranges *list;
	__u16 port;
	bool found;
};

static long match(__u32 index, void *context)
{
	struct search *search = context;
	const struct checmate_port_range *range;

	if (index >= CHECMATE_LIST_MAX)
		return 1;
	range = &search->list->entry[index];
	search->found = search->port >= range->first && search->port <= range->last;
	return search->found;
}

CHECMATE_HOOK(socket_bind)
int BPF_PROG(test_bind, struct socket *sock, struct sockaddr *address, int addrlen)
{
	struct search search = { .list = checmate_list(&ports) };
	struct sockaddr_in in = {};
	__u64 seen = number;

	if (seen != ONE && seen != OTHER)
		return checmate_deny("socket_bind", EIO);
	if (!search.list)
		return checmate_deny("socket_bind", ENODATA);
	/* Deny: not understood. */
	if (addrlen < (int)sizeof(in) || bpf_probe_read_kernel(&in, sizeof(in), address))
		return checmate_deny("socket_bind", EINVAL);
	search.port = bpf_ntohs(in.sin_port);
	/* A failing search has found nothing: deny. */
	bpf_loop(search.list->count, match, &search, 0);
	return search.found ? checmate_allow() : checmate_deny("socket_bind", EACCES);
}
