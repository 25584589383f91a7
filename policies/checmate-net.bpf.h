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
 * Whatever cannot be read or understood is CHECMATE_NET_BAD, to be denied.
 */
#ifndef CHECMATE_NET_BPF_H
#define CHECMATE_NET_BPF_H

#include "checmate.bpf.h"

#define CHECMATE_NET_TCP 6 /* IPPROTO_TCP */
#define CHECMATE_NET_SMC 256 /* IPPROTO_SMC */
#define CHECMATE_NET_MPTCP 262 /* IPPROTO_MPTCP */

enum checmate_net_verdict {
	CHECMATE_NET_OTHER, /* no business of an IP policy */
	CHECMATE_NET_ENDPOINT, /* the subject was filled in */
	CHECMATE_NET_BAD, /* to be denied */
};

/* The part of struct sockaddr_in6 that every kernel path insists on. */
#define CHECMATE_NET_IN6_LEN __builtin_offsetof(struct sockaddr_in6, sin6_scope_id)

static __always_inline bool checmate_net_socket(__u16 family)
{
	return family == AF_INET || family == AF_INET6 || family == AF_SMC;
}

/* What reaches a TCP server as a connection is TCP, by whatever name. */
static __always_inline __u16 checmate_net_protocol(struct sock *sk)
{
	__u16 protocol = sk->sk_protocol;

	if (protocol == CHECMATE_NET_MPTCP || protocol == CHECMATE_NET_SMC ||
	    sk->__sk_common.skc_family == AF_SMC)
		return CHECMATE_NET_TCP;
	return protocol;
}

static __always_inline int checmate_net_read_in(const void *address, int addrlen,
						struct checmate_event_endpoint *subject)
{
	struct sockaddr_in in = {};

	/* Deny: the rest of the address is not there. */
	if (addrlen < (int)sizeof(in))
		return CHECMATE_NET_BAD;
	/* Deny: the address cannot be read. */
	if (bpf_probe_read_kernel(&in, sizeof(in), address))
		return CHECMATE_NET_BAD;

	subject->family = AF_INET;
	subject->port = bpf_ntohs(in.sin_port);
	subject->addr[0] = in.sin_addr;
	subject->addr[1] = 0;
	subject->addr[2] = 0;
	subject->addr[3] = 0;
	return CHECMATE_NET_ENDPOINT;
}

/* An IPv6 address, or the IPv4 address that is mapped into it. */
static __always_inline void checmate_net_set_in6(struct checmate_event_endpoint *subject, __be32 a0,
						 __be32 a1, __be32 a2, __be32 a3)
{
	if (!a0 && !a1 && a2 == bpf_htonl(0xffff)) {
		subject->family = AF_INET;
		a0 = a3;
		a2 = 0;
		a3 = 0;
	} else {
		subject->family = AF_INET6;
	}
	subject->addr[0] = a0;
	subject->addr[1] = a1;
	subject->addr[2] = a2;
	subject->addr[3] = a3;
}

static __always_inline int checmate_net_read_in6(const void *address, int addrlen,
						 struct checmate_event_endpoint *subject)
{
	struct sockaddr_in6 in6 = {};

	/* Deny: the rest of the address is not there. */
	if (addrlen < (int)CHECMATE_NET_IN6_LEN)
		return CHECMATE_NET_BAD;
	/* Deny: the address cannot be read. */
	if (bpf_probe_read_kernel(&in6, CHECMATE_NET_IN6_LEN, address))
		return CHECMATE_NET_BAD;

	subject->port = bpf_ntohs(in6.sin6_port);
	checmate_net_set_in6(subject, in6.sin6_addr[0], in6.sin6_addr[1], in6.sin6_addr[2],
			     in6.sin6_addr[3]);
	return CHECMATE_NET_ENDPOINT;
}

/*
 * The family field of an address. False when it cannot be read; an @addrlen
 * that does not cover it is such a case, since the bytes are then stale.
 */
static __always_inline bool checmate_net_family(const void *address, int addrlen, __u16 *ret_family)
{
	__u16 family = 0;

	if (addrlen < (int)sizeof(family))
		return false;
	if (bpf_probe_read_kernel(&family, sizeof(family), address))
		return false;

	*ret_family = family;
	return true;
}

/**
 * checmate_net_read() - What a socket call is about.
 * @sock: the socket.
 * @address: a socket address in kernel memory.
 * @addrlen: its length in bytes.
 * @subject: filled in for CHECMATE_NET_ENDPOINT.
 *
 * Return: an enum checmate_net_verdict.
 */
static __always_inline int checmate_net_read(struct socket *sock, const void *address, int addrlen,
					     struct checmate_event_endpoint *subject)
{
	struct sock *sk = sock->sk;
	__u16 sk_family, family;

	/* Deny: a socket without its inner half cannot be told apart. */
	if (!sk)
		return CHECMATE_NET_BAD;
	sk_family = sk->__sk_common.skc_family;
	subject->protocol = checmate_net_protocol(sk);

	if (!checmate_net_family(address, addrlen, &family))
		/* Deny where it would have been ours. */
		return checmate_net_socket(sk_family) ? CHECMATE_NET_BAD : CHECMATE_NET_OTHER;

	if (family == AF_UNSPEC && checmate_net_socket(sk_family))
		family = sk_family == AF_INET6 ? AF_INET6 : AF_INET;

	switch (family) {
	case AF_INET:
		return checmate_net_read_in(address, addrlen, subject);
	case AF_INET6:
		/* Deny: see the table above. */
		if (sk_family == AF_INET)
			return CHECMATE_NET_BAD;
		return checmate_net_read_in6(address, addrlen, subject);
	default:
		/* Deny: see the table above. */
		return checmate_net_socket(sk_family) ? CHECMATE_NET_BAD : CHECMATE_NET_OTHER;
	}
}

struct checmate_net_search {
	const struct checmate_endpoints *list;
	struct checmate_event_endpoint subject;
	int found;
};

/* One step of the search; returns 1 to end it. */
static long checmate_net_match(__u32 index, struct checmate_net_search *search)
{
	const struct checmate_event_endpoint *subject = &search->subject;
	const struct checmate_endpoint *entry;

	/* Beyond the list: it cannot be right, and nothing was found. */
	if (index >= CHECMATE_LIST_MAX) {
		search->found = -EINVAL;
		return 1;
	}
	entry = &search->list->entry[index];

	if (entry->family != subject->family || subject->port < entry->port_first ||
	    subject->port > entry->port_last ||
	    (entry->protocol && entry->protocol != subject->protocol))
		return 0;
	if (((subject->addr[0] ^ entry->addr[0]) & entry->mask[0]) ||
	    ((subject->addr[1] ^ entry->addr[1]) & entry->mask[1]) ||
	    ((subject->addr[2] ^ entry->addr[2]) & entry->mask[2]) ||
	    ((subject->addr[3] ^ entry->addr[3]) & entry->mask[3]))
		return 0;

	search->found = 1;
	return 1;
}

/**
 * checmate_net_find() - Whether an endpoint list contains the subject.
 * @param: a CHECMATE_PARAM_ENDPOINTS.
 * @subject: address and port.
 *
 * Return: 1 or 0; a negative errno when there is no list or it cannot be searched,
 * which is to be denied.
 */
static __always_inline int checmate_net_find(void *param,
					     const struct checmate_event_endpoint *subject)
{
	struct checmate_net_search search = {
		.list = checmate_list(param),
		.subject = *subject,
	};

	/* No list was put there. */
	if (!search.list)
		return -ENOENT;
	if (bpf_loop(search.list->count, checmate_net_match, &search, 0) < 0)
		return -EINVAL;
	return search.found;
}

/**
 * checmate_net_listed() - Whether an endpoint list contains the subject.
 * @param: a CHECMATE_PARAM_ENDPOINTS.
 * @subject: address and port.
 *
 * Return: true only when an entry was found. No list, a list that cannot be
 * searched and an empty list contain nothing, so an allow list then denies.
 */
static __always_inline bool checmate_net_listed(void *param,
						const struct checmate_event_endpoint *subject)
{
	return checmate_net_find(param, subject) == 1;
}

/**
 * checmate_net_judge() - Judge a socket call by an allow list.
 * @hook: the LSM hook's name.
 * @sock: the socket.
 * @address: a socket address in kernel memory.
 * @addrlen: its length in bytes.
 * @allow: a CHECMATE_PARAM_ENDPOINTS.
 * @error: the errno of a denial.
 *
 * Return: the verdict: allowed if the address is on the list or no business of
 * an IP policy; denied if it is not on the list or not understood.
 */
static __always_inline int checmate_net_judge(const char *hook, struct socket *sock,
					      const void *address, int addrlen, void *allow,
					      __s32 error)
{
	struct checmate_event_endpoint subject = {};

	switch (checmate_net_read(sock, address, addrlen, &subject)) {
	case CHECMATE_NET_OTHER:
		return checmate_allow();
	case CHECMATE_NET_ENDPOINT:
		if (checmate_net_listed(allow, &subject))
			return checmate_allow();
		/* Deny: not on the list. */
		return checmate_deny_endpoint(hook, error, &subject);
	default:
		/* Deny: not understood. */
		return checmate_deny(hook, error);
	}
}

#endif /* CHECMATE_NET_BPF_H */
