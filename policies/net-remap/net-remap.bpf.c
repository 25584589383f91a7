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

CHECMATE_POLICY("net-remap", "1", "Binds and connects to other addresses and ports than asked for");

/* The order of the words of "calls". */
enum calls {
	CALLS_BOTH,
	CALLS_BIND,
	CALLS_CONNECT,
};

CHECMATE_PARAM_ENDPOINTS(match, "match", "", "Addresses and ports to replace; empty replaces none");
CHECMATE_PARAM_ENDPOINTS(to, "to", "", "What replaces them; the first entry of the address's kind");
CHECMATE_PARAM_CHOICE(calls, "calls", CALLS_BOTH, "both|bind|connect",
		      "Whether binding, or connecting and sending, is concerned, or both");
CHECMATE_PARAM_ERRNO(deny_errno, "deny-errno", EPERM, "Error when an address cannot be replaced");

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

struct search {
	const struct checmate_endpoints *list;
	struct checmate_event_endpoint *object;
	__u32 found;
};

/* One step of the search for what replaces the object; returns 1 to end it. */
static long replace(__u32 index, struct search *search)
{
	struct checmate_event_endpoint *object = search->object;
	const struct checmate_endpoint *entry;

	/* Not found, so deny: beyond the list. */
	if (index >= CHECMATE_LIST_MAX)
		return 1;
	entry = &search->list->entry[index];

	if (entry->family != object->family ||
	    (entry->protocol && entry->protocol != object->protocol))
		return 0;

	for (int i = 0; i < 4; i++)
		object->addr[i] = (object->addr[i] & ~entry->mask[i]) | entry->addr[i];
	if (object->port < entry->port_first || object->port > entry->port_last)
		object->port = entry->port_first;
	search->found = 1;
	return 1;
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
 * 0 if the address was not understood. Not static: see struct checmate_net_call.
 */
__noinline int remap_judge(struct request *request)
{
	struct search search = {};

	/* Deny: it is never NULL, which the verifier cannot know. */
	if (!request)
		return REMAP_DENY;

	/* Deny: not understood, so it may be one of them. */
	if (!checmate_net_read(&request->call))
		return REMAP_DENY;

	switch (checmate_net_find(&match, &request->call.object)) {
	case 0:
		return REMAP_KEEP;
	case 1:
		break;
	default:
		/* Deny: nobody knows whether it is one of them. */
		return REMAP_DENY;
	}

	search.list = checmate_list(&to);
	search.object = &request->call.object;
	/* Deny: no list was put there. */
	if (!search.list)
		return REMAP_DENY;
	search.found = checmate_zero(search.list->count);
	/* A failing or too long search has found nothing. */
	bpf_loop(search.list->count, replace, &search, 0);
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
static __always_inline int remap_address(const char *hook, struct request *request,
					 struct sockaddr *address)
{
	if (!checmate_net_concerns(&request->call))
		return checmate_allow();
	switch (remap_judge(request)) {
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
	return checmate_deny_endpoint(hook, deny_errno, &request->call.object);
}

CHECMATE_HOOK(socket_bind)
int BPF_PROG(remap_bind, struct socket *sock, struct sockaddr *address, int addrlen)
{
	struct request request = {};

	if (calls == CALLS_CONNECT)
		return checmate_allow();
	checmate_net_begin(checmate_net_sk(sock), address, addrlen, &request.call);
	return remap_address("socket_bind", &request, address);
}

CHECMATE_HOOK(socket_connect)
int BPF_PROG(remap_connect, struct socket *sock, struct sockaddr *address, int addrlen)
{
	struct request request = {};

	if (calls == CALLS_BIND)
		return checmate_allow();
	checmate_net_begin(checmate_net_sk(sock), address, addrlen, &request.call);
	/* Dissolves an association: it reaches nobody. */
	if (checmate_net_unspec(&request.call))
		return checmate_allow();
	return remap_address("socket_connect", &request, address);
}

CHECMATE_HOOK(socket_sendmsg)
int BPF_PROG(remap_sendmsg, struct socket *sock, struct msghdr *msg, int size)
{
	struct request request = {};
	const void *name = msg->msg_name;

	/* Without an address the peer is the one that connect was asked about. */
	if (calls == CALLS_BIND || !name)
		return checmate_allow();

	checmate_net_begin(checmate_net_sk(sock), name, msg->msg_namelen, &request.call);
	if (!checmate_net_concerns(&request.call))
		return checmate_allow();
	switch (remap_judge(&request)) {
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
	return checmate_deny_endpoint("socket_sendmsg", deny_errno, &request.call.object);
}
