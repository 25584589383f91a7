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

struct search {
	const struct checmate_endpoints *list;
	struct checmate_event_endpoint subject;
	bool found;
};

/* One step of the search for what replaces the subject; returns 1 to end it. */
static long replace(__u32 index, struct search *search)
{
	struct checmate_event_endpoint *subject = &search->subject;
	const struct checmate_endpoint *entry;

	/* Not found, so deny: beyond the list. */
	if (index >= CHECMATE_LIST_MAX)
		return 1;
	entry = &search->list->entry[index];

	if (entry->family != subject->family ||
	    (entry->protocol && entry->protocol != subject->protocol))
		return 0;

	for (int i = 0; i < 4; i++)
		subject->addr[i] = (subject->addr[i] & ~entry->mask[i]) | entry->addr[i];
	if (subject->port < entry->port_first || subject->port > entry->port_last)
		subject->port = entry->port_first;
	search->found = true;
	return 1;
}

/*
 * What to do about an address. For REMAP_CHANGE @subject is what replaces it, for
 * REMAP_DENY what cannot be replaced; its family is 0 if it was not understood.
 */
static __always_inline enum remap judge(struct socket *sock, const void *address, int addrlen,
					struct checmate_event_endpoint *subject)
{
	struct search search = {};

	switch (checmate_net_read(sock, address, addrlen, subject)) {
	case CHECMATE_NET_OTHER:
		return REMAP_KEEP;
	case CHECMATE_NET_ENDPOINT:
		break;
	default:
		/* Deny: not understood, so it may be one of them. */
		subject->family = 0;
		return REMAP_DENY;
	}

	switch (checmate_net_find(&match, subject)) {
	case 0:
		return REMAP_KEEP;
	case 1:
		break;
	default:
		/* Deny: nobody knows whether it is one of them. */
		return REMAP_DENY;
	}

	search.list = checmate_list(&to);
	search.subject = *subject;
	/* Deny: no list was put there. */
	if (!search.list)
		return REMAP_DENY;
	/* A failing or too long search has found nothing. */
	bpf_loop(search.list->count, replace, &search, 0);
	/* Deny: there is nothing to replace it by. */
	if (!search.found)
		return REMAP_DENY;
	*subject = search.subject;
	return REMAP_CHANGE;
}

static __always_inline int deny(const char *hook, const struct checmate_event_endpoint *subject)
{
	if (subject->family)
		return checmate_deny_endpoint(hook, deny_errno, subject);
	return checmate_deny(hook, deny_errno);
}

/* The bytes of an address as its family field, @family, has them. */
struct shape {
	__be32 addr[4];
	bool is_in6;
};

static __always_inline void set_shape(struct shape *shape, __u16 family,
				      const struct checmate_event_endpoint *subject)
{
	shape->is_in6 = family == AF_INET6;
	if (shape->is_in6 && subject->family == AF_INET) {
		shape->addr[0] = 0;
		shape->addr[1] = 0;
		shape->addr[2] = bpf_htonl(0xffff);
		shape->addr[3] = subject->addr[0];
		return;
	}
	shape->addr[0] = subject->addr[0];
	shape->addr[1] = subject->addr[1];
	shape->addr[2] = subject->addr[2];
	shape->addr[3] = subject->addr[3];
}

/*
 * The verdict on a bind or connect. The kfuncs refuse what is too short and
 * AF_UNSPEC, of which IPv4 sockets would take the bytes: that denies.
 */
static __always_inline int remap_address(const char *hook, struct socket *sock,
					 struct sockaddr *address, int addrlen)
{
	struct checmate_event_endpoint subject = {};
	struct shape shape;
	__u16 family;
	int err;

	switch (judge(sock, address, addrlen, &subject)) {
	case REMAP_KEEP:
		return checmate_allow();
	case REMAP_CHANGE:
		break;
	default:
		return deny(hook, &subject);
	}

	/* Deny: the address cannot be read. */
	if (!checmate_net_family(address, addrlen, &family))
		return deny(hook, &subject);
	set_shape(&shape, family, &subject);
	err = bpf_checmate_set_port(address, bpf_htons(subject.port));
	if (!err && shape.is_in6)
		err = bpf_checmate_set_addr(address, shape.addr, sizeof(shape.addr));
	else if (!err)
		err = bpf_checmate_set_addr(address, shape.addr, sizeof(shape.addr[0]));
	/* Deny: it could not be replaced, or not as a whole. */
	return err ? deny(hook, &subject) : checmate_allow();
}

CHECMATE_HOOK(socket_bind)
int BPF_PROG(remap_bind, struct socket *sock, struct sockaddr *address, int addrlen)
{
	if (calls == CALLS_CONNECT)
		return checmate_allow();
	return remap_address("socket_bind", sock, address, addrlen);
}

CHECMATE_HOOK(socket_connect)
int BPF_PROG(remap_connect, struct socket *sock, struct sockaddr *address, int addrlen)
{
	__u16 family;

	if (calls == CALLS_BIND)
		return checmate_allow();
	/* Dissolves an association: it reaches nobody. */
	if (checmate_net_family(address, addrlen, &family) && family == AF_UNSPEC)
		return checmate_allow();
	return remap_address("socket_connect", sock, address, addrlen);
}

CHECMATE_HOOK(socket_sendmsg)
int BPF_PROG(remap_sendmsg, struct socket *sock, struct msghdr *msg, int size)
{
	struct checmate_event_endpoint subject = {};
	struct shape shape;
	__u16 family;
	int err;

	/* Without an address the peer is the one that connect was asked about. */
	if (calls == CALLS_BIND || !msg->msg_name)
		return checmate_allow();

	switch (judge(sock, msg->msg_name, msg->msg_namelen, &subject)) {
	case REMAP_KEEP:
		return checmate_allow();
	case REMAP_CHANGE:
		break;
	default:
		return deny("socket_sendmsg", &subject);
	}

	/* Deny: the address cannot be read. */
	if (!checmate_net_family(msg->msg_name, msg->msg_namelen, &family))
		return deny("socket_sendmsg", &subject);
	set_shape(&shape, family, &subject);
	err = bpf_checmate_set_msg_port(msg, bpf_htons(subject.port));
	if (!err && shape.is_in6)
		err = bpf_checmate_set_msg_addr(msg, shape.addr, sizeof(shape.addr));
	else if (!err)
		err = bpf_checmate_set_msg_addr(msg, shape.addr, sizeof(shape.addr[0]));
	/* Deny: it could not be replaced, or not as a whole. */
	return err ? deny("socket_sendmsg", &subject) : checmate_allow();
}
