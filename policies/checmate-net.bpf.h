/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Checmate policies - Judging the addresses of IPv4 and IPv6 sockets
 *
 * The kernel does not always take an address for what its family says. What is
 * judged here is what the kernel would act upon:
 *
 *   AF_UNSPEC             bind and send on IPv4 sockets, and send on some IPv6
 *                         sockets, treat it as the socket's own family; so it
 *                         is judged as that
 *   ::ffff:a.b.c.d        is the IPv4 address a.b.c.d
 *   AF_INET on IPv6       is IPv4 (UDP does that)
 *   AF_INET6 on IPv4      raw sockets would read an IPv4 address from the bytes
 *                         in between: never allowed
 *   other family on IPv4  the same
 *   AF_SMC sockets        carry IPv4 and IPv6 addresses
 *
 * Whatever cannot be read or understood is to be denied.
 */
#ifndef CHECMATE_NET_BPF_H
#define CHECMATE_NET_BPF_H

#include "checmate.bpf.h"

#define CHECMATE_NET_TCP 6 /* IPPROTO_TCP */
#define CHECMATE_NET_UDP 17 /* IPPROTO_UDP */
#define CHECMATE_NET_SCTP 132 /* IPPROTO_SCTP */
#define CHECMATE_NET_UDPLITE 136 /* IPPROTO_UDPLITE */
#define CHECMATE_NET_RAW 255 /* IPPROTO_RAW */
#define CHECMATE_NET_SMC 256 /* IPPROTO_SMC */
#define CHECMATE_NET_MPTCP 262 /* IPPROTO_MPTCP */

/* What sctp_bind_connect is called for. */
#define CHECMATE_NET_SCTP_SET_PEER_PRIMARY 5
#define CHECMATE_NET_SCTP_PRIMARY 6
#define CHECMATE_NET_SCTP_BINDX_ADD 100
#define CHECMATE_NET_SCTP_CONNECTX 110
#define CHECMATE_NET_SCTP_SENDMSG_CONNECT 126
#define CHECMATE_NET_SCTP_PARAM_ADD_IP bpf_htons(0xc001)
#define CHECMATE_NET_SCTP_PARAM_SET_PRIMARY bpf_htons(0xc004)

/* The part of struct sockaddr_in6 that every kernel path insists on. */
#define CHECMATE_NET_IN6_LEN __builtin_offsetof(struct sockaddr_in6, sin6_scope_id)

/* Instead of a family: a socket without its inner half. */
#define CHECMATE_NET_NO_SOCK 0xffff

/**
 * struct checmate_net_call - A socket call.
 * @address: the beginning of the address, as far as CHECMATE_NET_IN6_LEN, then filled up
 *           with 0.
 * @len: how many bytes there are of it; 0 when it cannot be read.
 * @sk_family: the socket's family, or CHECMATE_NET_NO_SOCK.
 * @sk_protocol: its protocol.
 * @object: what the call is about; of family 0 while it is not understood.
 *
 * What fills in the object is a function that is not static, which the verifier goes through
 * once, whatever came before, and which it knows nothing about when it goes on: all ways to
 * fill it in are one.
 */
struct checmate_net_call {
	struct sockaddr_in6 address;
	__u32 len;
	__u16 sk_family;
	__u16 sk_protocol;
	__u32 reserved;
	struct checmate_event_endpoint object;
};

/*
 * The inner half of a socket, or NULL. To be called once, and ahead of all branches: for each
 * pointer that is read from a structure of the kernel's, each time that it comes by, the
 * verifier searches all of the kernel's types by name.
 */
static __always_inline struct sock *checmate_net_sk(struct socket *sock)
{
	struct sock *sk = sock->sk;

	barrier_var(sk);
	return sk;
}

/**
 * checmate_net_begin() - Find out what a socket call is made with.
 * @sk: the socket's inner half.
 * @address: a socket address in kernel memory.
 * @addrlen: its length in bytes.
 * @call: filled in, but for what it is about.
 */
static __always_inline void checmate_net_begin(struct sock *sk, const void *address, int addrlen,
					       struct checmate_net_call *call)
{
	__u32 len = addrlen;

	__builtin_memset(call, 0, sizeof(*call));
	call->sk_family = CHECMATE_NET_NO_SOCK;
	if (sk) {
		call->sk_family = sk->__sk_common.skc_family;
		call->sk_protocol = sk->sk_protocol;
	}
	/* Bytes that the length does not cover are stale. */
	if (addrlen < (int)sizeof(call->address.sin6_family))
		return;
	if (len > CHECMATE_NET_IN6_LEN)
		len = CHECMATE_NET_IN6_LEN;
	if (!bpf_probe_read_kernel(&call->address, len, address))
		call->len = len;
}

/* Whether the address says AF_UNSPEC; one that cannot be read does not. */
static __always_inline bool checmate_net_unspec(const struct checmate_net_call *call)
{
	return call->len && call->address.sin6_family == AF_UNSPEC;
}

static __always_inline bool checmate_net_socket(__u16 family)
{
	return family == AF_INET || family == AF_INET6 || family == AF_SMC;
}

/*
 * Whether a call is a matter of an IP policy. Of those sockets that it concerns everything
 * is, of others addresses of the families that it knows.
 */
static __always_inline bool checmate_net_concerns(const struct checmate_net_call *call)
{
	__u16 family = call->address.sin6_family;

	return checmate_net_socket(call->sk_family) || call->sk_family == CHECMATE_NET_NO_SOCK ||
	       family == AF_INET || family == AF_INET6;
}

/* What reaches a TCP server as a connection is TCP, by whatever name. */
static __always_inline __u16 checmate_net_protocol(__u16 family, __u16 protocol)
{
	if (protocol == CHECMATE_NET_MPTCP || protocol == CHECMATE_NET_SMC || family == AF_SMC)
		return CHECMATE_NET_TCP;
	return protocol;
}

static __always_inline void checmate_net_set_in(struct checmate_event_endpoint *object, __be32 a)
{
	object->family = AF_INET;
	object->addr[0] = a;
	object->addr[1] = 0;
	object->addr[2] = 0;
	object->addr[3] = 0;
}

/* An IPv6 address, or the IPv4 address that is mapped into it. */
static __always_inline void checmate_net_set_in6(struct checmate_event_endpoint *object, __be32 a0,
						 __be32 a1, __be32 a2, __be32 a3)
{
	if (!(a0 | a1 | (a2 ^ bpf_htonl(0xffff)))) {
		checmate_net_set_in(object, a3);
		/* One branch, and not one for each member. */
		barrier();
		return;
	}
	object->family = AF_INET6;
	object->addr[0] = a0;
	object->addr[1] = a1;
	object->addr[2] = a2;
	object->addr[3] = a3;
}

/**
 * checmate_net_read() - What a socket call is about.
 * @call: the call, a matter of an IP policy; its object is filled in.
 *
 * Return: 1; 0 if it is not understood, which is to be denied.
 */
__noinline int checmate_net_read(struct checmate_net_call *call)
{
	__u16 family;

	/* Deny: it is never NULL, which the verifier cannot know. */
	if (!call)
		return 0;
	family = call->address.sin6_family;
	/* Deny: without its inner half a socket cannot be told apart; no address can be read. */
	if (call->sk_family == CHECMATE_NET_NO_SOCK || !call->len)
		return 0;

	if (family == AF_UNSPEC)
		family = call->sk_family == AF_INET6 ? AF_INET6 : AF_INET;

	switch (family) {
	case AF_INET:
		/* Deny: the rest of the address is not there. */
		if (call->len < sizeof(struct sockaddr_in))
			return 0;
		/* Where sockaddr_in has its address. */
		checmate_net_set_in(&call->object, call->address.sin6_flowinfo);
		break;
	case AF_INET6:
		/* Deny: see the table above; or the rest of the address is not there. */
		if (call->sk_family == AF_INET || call->len < CHECMATE_NET_IN6_LEN)
			return 0;
		checmate_net_set_in6(&call->object, call->address.sin6_addr[0],
				     call->address.sin6_addr[1], call->address.sin6_addr[2],
				     call->address.sin6_addr[3]);
		break;
	default:
		/* Deny: see the table above. */
		return 0;
	}
	call->object.port = bpf_ntohs(call->address.sin6_port);
	call->object.protocol = checmate_net_protocol(call->sk_family, call->sk_protocol);
	return 1;
}

/**
 * struct checmate_net_search - A search for an entry of a list that contains the object.
 * @self: the binding.
 * @list: the list.
 * @object: address and port.
 * @found: 1 when there is one; -EINVAL when the instance lacks a row that the list names.
 */
struct checmate_net_search {
	const struct checmate_self *self;
	const struct checmate_list *list;
	const struct checmate_event_endpoint *object;
	__s32 found;
};

static __always_inline bool checmate_net_contains(const struct checmate_endpoint *entry,
						  const struct checmate_event_endpoint *object)
{
	if (entry->family != object->family ||
	    (entry->protocol && entry->protocol != object->protocol))
		return false;
	/* Negative if it is before the first or behind the last. */
	if (((object->port - entry->port_first) | (entry->port_last - object->port)) < 0)
		return false;
	return !(((object->addr[0] ^ entry->addr[0]) & entry->mask[0]) |
		 ((object->addr[1] ^ entry->addr[1]) & entry->mask[1]) |
		 ((object->addr[2] ^ entry->addr[2]) & entry->mask[2]) |
		 ((object->addr[3] ^ entry->addr[3]) & entry->mask[3]));
}

/*
 * Whether an entry of a row contains the object. Not static: the verifier goes through the
 * entries once in each program. Neither is NULL, which the verifier cannot know, nor const:
 * clang would not say what they are.
 */
__noinline int checmate_net_row(union checmate_row *row, struct checmate_event_endpoint *object)
{
	if (!row || !object)
		return 0;
	/* What is not in use has no family. */
	for (__u32 i = 0; i < CHECMATE_ROW_ENDPOINTS; i++)
		if (checmate_net_contains(&row->endpoint[i], object))
			return 1;
	return 0;
}

/* One row of the list; returns 1 to end the search. */
static long checmate_net_match(__u32 index, struct checmate_net_search *search)
{
	const union checmate_row *row;

	row = checmate_row(search->self, search->list->row + index);
	if (!row) {
		search->found = -EINVAL;
		return 1;
	}
	if (!checmate_net_row((void *)row, (void *)search->object))
		return 0;
	search->found = 1;
	return 1;
}

/**
 * checmate_net_find() - Whether an endpoint list contains the object.
 * @self: the binding.
 * @list: a CHECMATE_PARAM_ENDPOINTS of it.
 * @object: address and port.
 *
 * Return: 1 or 0; a negative errno when the list cannot be searched, which is to be denied.
 */
static __always_inline int checmate_net_find(const struct checmate_self *self,
					     const struct checmate_list *list,
					     const struct checmate_event_endpoint *object)
{
	struct checmate_net_search search = {
		.self = self,
		.list = list,
		.object = object,
	};

	/* No entry of any family, as those are that are not in use. */
	if (!object->family)
		return 0;
	search.found = checmate_zero(list->count);
	if (bpf_loop(checmate_list_rows(list, CHECMATE_ROW_ENDPOINTS), checmate_net_match, &search,
		     0) < 0)
		return -EINVAL;
	return search.found;
}

/**
 * checmate_net_listed() - Judge a socket call by an allow list.
 * @self: the binding.
 * @call: the call, a matter of an IP policy; its object is filled in.
 * @list: a CHECMATE_PARAM_ENDPOINTS of the binding.
 *
 * Return: true only when it was understood and an entry was found. A list that cannot be
 * searched and an empty list contain nothing, so an allow list then denies.
 */
static __always_inline bool checmate_net_listed(const struct checmate_self *self,
						struct checmate_net_call *call,
						const struct checmate_list *list)
{
	return checmate_net_read(call) && checmate_net_find(self, list, &call->object) == 1;
}

/* Whether an entry of a row contains all of a family. Not static: as checmate_net_row(). */
__noinline int checmate_net_row_family(union checmate_row *row, __u16 family)
{
	if (!row)
		return 0;
	for (__u32 i = 0; i < CHECMATE_ROW_ENDPOINTS; i++) {
		const struct checmate_endpoint *entry = &row->endpoint[i];

		if (entry->family == family && entry->port_last == 0xffff &&
		    !(entry->protocol | entry->port_first | entry->mask[0] | entry->mask[1] |
		      entry->mask[2] | entry->mask[3]))
			return 1;
	}
	return 0;
}

/* One row of the search for an entry that contains all of the object's family. */
static long checmate_net_match_family(__u32 index, struct checmate_net_search *search)
{
	const union checmate_row *row;

	row = checmate_row(search->self, search->list->row + index);
	if (!row) {
		search->found = -EINVAL;
		return 1;
	}
	if (!checmate_net_row_family((void *)row, search->object->family))
		return 0;
	search->found = 1;
	return 1;
}

/**
 * checmate_net_listed_family() - Whether an endpoint list allows every address of a family.
 * @self: the binding.
 * @list: a CHECMATE_PARAM_ENDPOINTS of it.
 * @family: AF_INET or AF_INET6.
 *
 * Return: true only when a single entry contains all addresses, ports and protocols.
 */
static __always_inline bool checmate_net_listed_family(const struct checmate_self *self,
						       const struct checmate_list *list,
						       __u16 family)
{
	const struct checmate_event_endpoint object = { .family = family };
	struct checmate_net_search search = {
		.self = self,
		.list = list,
		.object = &object,
	};

	search.found = checmate_zero(list->count);
	/* A failing search has found nothing. */
	bpf_loop(checmate_list_rows(list, CHECMATE_ROW_ENDPOINTS), checmate_net_match_family,
		 &search, 0);
	return search.found == 1;
}

/**
 * struct checmate_net_walk - The addresses of an SCTP call, one behind the other.
 * @self: the binding.
 * @call: the call, with the address that was reached last.
 * @at: where the next address is.
 * @left: how many bytes there are from there on.
 * @port: the port that port 0 stands for.
 * @denied: cleared by the policy when it has allowed all addresses.
 */
struct checmate_net_walk {
	const struct checmate_self *self;
	struct checmate_net_call call;
	__u64 at;
	__u32 left;
	__u16 port;
	__u16 denied;
};

/* Go to the next address; false if there is none that can be read, which is to be denied. */
static __always_inline bool checmate_net_next(struct checmate_net_walk *walk)
{
	struct checmate_net_call *call = &walk->call;
	__u32 len = walk->left, size;

	__builtin_memset(&call->address, 0, sizeof(call->address));
	__builtin_memset(&call->object, 0, sizeof(call->object));
	call->len = 0;
	if (len > CHECMATE_NET_IN6_LEN)
		len = CHECMATE_NET_IN6_LEN;
	if (len < sizeof(call->address.sin6_family) ||
	    bpf_probe_read_kernel(&call->address, len, (const void *)walk->at))
		return false;
	call->len = len;
	if (!call->address.sin6_port)
		call->address.sin6_port = bpf_htons(walk->port);
	size = call->address.sin6_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
						       sizeof(struct sockaddr_in);
	walk->at += size;
	walk->left = size < walk->left ? walk->left - size : 0;
	return true;
}

/**
 * checmate_net_walk() - Begin with the addresses of an SCTP call.
 * @binding: the binding.
 * @sk: the socket.
 * @argument: where the program finds the pointer to the addresses: in its context.
 * @len: their length in bytes.
 * @step: the policy's bpf_loop() function: goes to the next address, returns 1 to end.
 * @walk: filled in; @step clears its member denied when all addresses are allowed.
 *
 * The pointer is read as a number: the verifier would follow a pointer that moves on for as
 * long as it moves.
 */
#define checmate_net_walk(binding, sk, argument, len, step, walk)                       \
	do {                                                                            \
		checmate_net_begin(sk, NULL, 0, &(walk)->call);                         \
		(walk)->self = binding;                                                 \
		(walk)->denied = 1;                                                     \
		(walk)->left = (len);                                                   \
		/* Deny: not readable. */                                               \
		if (bpf_probe_read_kernel(&(walk)->at, sizeof((walk)->at), argument))   \
			(walk)->left = 0;                                               \
		bpf_loop((walk)->left / sizeof(struct sockaddr_in) + 1, step, walk, 0); \
	} while (0)

#endif /* CHECMATE_NET_BPF_H */
