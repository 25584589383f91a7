// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checmate policies - net-remap: other addresses and ports than were asked for
 *
 * A bind(2), a connect(2) and a send that names an address get the address and
 * port that "to" has for them when theirs is one of "match". What judges later,
 * as the policies of the cgroups above, sees the new address.
 *
 * An entry of "to" is laid over what was asked for: its prefix takes the place
 * of the address's first bits, and a port that is not in its range becomes the
 * first one. So a rewritten address stays as it is when it is rewritten again.
 * sendmmsg(2) does so: it asks once for messages in a row to one address, and
 * the address of the message before is the one that was sent to.
 */
#include "checmate-net.bpf.h"

/* The order of the words of "calls". */
enum calls {
	CALLS_BOTH,
	CALLS_BIND,
	CALLS_CONNECT,
};

struct checmate_params {
	CHECMATE_PARAM_ENDPOINTS(match, "match", "",
				 "Addresses and ports to replace; empty replaces none");
	CHECMATE_PARAM_ENDPOINTS(to, "to", "",
				 "What replaces them; the first entry of the address's kind");
	CHECMATE_PARAM_CHOICE(calls, "calls", "both", "both|bind|connect",
			      "Whether binding, or connecting and sending, is concerned, or both");
	CHECMATE_PARAM_ERRNO(deny_errno, "deny-errno", "EPERM",
			     "Error when an address cannot be replaced");
};

CHECMATE_POLICY("net-remap", "1", "Binds and connects to other addresses and ports than asked for");

enum remap {
	REMAP_KEEP, /* it is not to be replaced */
	REMAP_CHANGE, /* the new address and port were filled in */
	REMAP_DENY, /* it should be replaced, and cannot be */
};

/**
 * struct request - A call, and what becomes of it.
 * @call: the call; its object is replaced.
 * @addr: the new address as the family field has it: of AF_INET6, or the first word.
 * @addr_size: bytes of it.
 */
struct request {
	struct checmate_net_call call;
	__be32 addr[4];
	__u32 addr_size;
	__u32 reserved;
};

/* The search for what replaces the object. */
struct search {
	const struct checmate_self *self;
	struct checmate_event_endpoint *object;
	__u32 found;
};

static __always_inline bool can_replace(const struct checmate_endpoint *entry,
					const struct checmate_event_endpoint *object)
{
	return entry->family == object->family &&
	       (!entry->protocol || entry->protocol == object->protocol);
}

/*
 * Replaces the object by the first entry of a row that can; returns 1 if there is one. Not
 * static: as checmate_net_row().
 */
__noinline int replace_by_row(union checmate_row *row, struct checmate_event_endpoint *object)
{
	if (!row || !object)
		return 0;
	for (__u32 n = 0; n < CHECMATE_ROW_ENDPOINTS; n++) {
		const struct checmate_endpoint *entry = &row->endpoint[n];

		/* What is not in use has no family. */
		if (!can_replace(entry, object))
			continue;
		for (int i = 0; i < 4; i++)
			object->addr[i] = (object->addr[i] & ~entry->mask[i]) | entry->addr[i];
		if (object->port < entry->port_first || object->port > entry->port_last)
			object->port = entry->port_first;
		return 1;
	}
	return 0;
}

/* One row of the list; returns 1 to end the search. */
static long replace(__u32 index, struct search *search)
{
	const union checmate_row *row;

	row = checmate_row(search->self, search->self->param->to.row + index);
	/* Not found, so deny: the instance lacks a row that the list names. */
	if (!row)
		return 1;
	search->found = replace_by_row((void *)row, search->object);
	return search->found != 0;
}

/* The bytes of the new address as the family field of the old one has them. */
static __always_inline void set_addr(struct request *request)
{
	const struct checmate_event_endpoint *object = &request->call.object;

	request->addr[0] = object->addr[0];
	request->addr_size = sizeof(request->addr[0]);
	if (request->call.address.sin6_family != AF_INET6)
		return;
	request->addr_size = sizeof(request->addr);
	if (object->family == AF_INET) {
		request->addr[0] = 0;
		request->addr[1] = 0;
		request->addr[2] = bpf_htonl(0xffff);
		request->addr[3] = object->addr[0];
		barrier();
		return;
	}
	request->addr[1] = object->addr[1];
	request->addr[2] = object->addr[2];
	request->addr[3] = object->addr[3];
}

/*
 * Decides about an address: returns an enum remap. The object is the address that replaces
 * it for REMAP_CHANGE, and the address that cannot be replaced for REMAP_DENY; its family is
 * 0 if the address was not understood.
 */
static __noinline int remap_judge(const struct checmate_self *self, struct request *request)
{
	struct search search = { .self = self, .object = &request->call.object };

	/* Deny: not understood, so it may be one of them. */
	if (!checmate_net_read(&request->call))
		return REMAP_DENY;

	switch (checmate_net_find(self, &self->param->match, &request->call.object)) {
	case 0:
		return REMAP_KEEP;
	case 1:
		break;
	default:
		/* Deny: nobody knows whether it is one of them. */
		return REMAP_DENY;
	}

	search.found = checmate_zero(self->param->to.count);
	/* A failing search has found nothing. */
	bpf_loop(checmate_list_rows(&self->param->to, CHECMATE_ROW_ENDPOINTS), replace, &search, 0);
	/* Deny: there is nothing to replace it by. */
	if (!search.found)
		return REMAP_DENY;
	set_addr(request);
	return REMAP_CHANGE;
}

/* What the kfuncs are to be told, of which the verifier wants to see the bounds. */
static __always_inline __u32 addr_size(const struct request *request)
{
	return request->addr_size == sizeof(request->addr) ? sizeof(request->addr) :
							     sizeof(request->addr[0]);
}

/*
 * The verdict on a bind or connect, begun. The kfuncs refuse what is too short and
 * AF_UNSPEC, of which IPv4 sockets would take the bytes: that denies.
 */
static __always_inline int remap_address(const struct checmate_self *self, const char *hook,
					 struct request *request, struct sockaddr *address)
{
	if (!checmate_net_concerns(&request->call))
		return checmate_allow();
	switch (remap_judge(self, request)) {
	case REMAP_KEEP:
		return checmate_allow();
	case REMAP_CHANGE:
		if (!bpf_checmate_set_port(address, bpf_htons(request->call.object.port)) &&
		    !bpf_checmate_set_addr(address, request->addr, addr_size(request)))
			return checmate_allow();
		/* Deny: it could not be replaced, or not as a whole. */
		break;
	default:
		break;
	}
	return checmate_deny_endpoint(self, hook, self->param->deny_errno, &request->call.object);
}

CHECMATE_PROGRAM(socket_bind, remap_bind, struct socket *sock, struct sockaddr *address, int addrlen)
{
	struct request request = {};

	if (self->param->calls == CALLS_CONNECT)
		return checmate_allow();
	checmate_net_begin(checmate_net_sk(sock), address, addrlen, &request.call);
	return remap_address(self, "socket_bind", &request, address);
}

CHECMATE_PROGRAM(socket_connect, remap_connect, struct socket *sock, struct sockaddr *address,
		 int addrlen)
{
	struct request request = {};

	if (self->param->calls == CALLS_BIND)
		return checmate_allow();
	checmate_net_begin(checmate_net_sk(sock), address, addrlen, &request.call);
	/* Dissolves an association: it reaches nobody. */
	if (checmate_net_unspec(&request.call))
		return checmate_allow();
	return remap_address(self, "socket_connect", &request, address);
}

CHECMATE_PROGRAM(socket_sendmsg, remap_sendmsg, struct socket *sock, struct msghdr *msg, int size)
{
	struct request request = {};
	const void *name = msg->msg_name;

	/* Without an address the peer is the one that connect was asked about. */
	if (self->param->calls == CALLS_BIND || !name)
		return checmate_allow();

	checmate_net_begin(checmate_net_sk(sock), name, msg->msg_namelen, &request.call);
	if (!checmate_net_concerns(&request.call))
		return checmate_allow();
	switch (remap_judge(self, &request)) {
	case REMAP_KEEP:
		return checmate_allow();
	case REMAP_CHANGE:
		if (!bpf_checmate_set_msg_port(msg, bpf_htons(request.call.object.port)) &&
		    !bpf_checmate_set_msg_addr(msg, request.addr, addr_size(&request)))
			return checmate_allow();
		/* Deny: it could not be replaced, or not as a whole. */
		break;
	default:
		break;
	}
	return checmate_deny_endpoint(self, "socket_sendmsg", self->param->deny_errno,
				      &request.call.object);
}
