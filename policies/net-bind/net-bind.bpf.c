// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checmate policies - net-bind: which local addresses and ports may be bound
 *
 * Every bind(2) to an IPv4 or IPv6 address is denied unless the list allows it.
 * Sockets and addresses of other kinds are not judged. Port 0, by which a
 * caller asks for any free port, is judged as port 0.
 *
 * The kernel also gives ports to sockets that were never bound. If everybody
 * can reach such a socket, it counts as bound to port 0:
 *
 *   socket_listen         a socket that listens
 *   socket_sendmsg        a UDP socket without a peer that sends
 *   socket_sock_rcv_skb   a UDP socket without a peer that receives: between
 *                         the hook of a send and the send, another thread can
 *                         disconnect the socket, and the send takes a port
 *
 * Another thread can make a socket lose its port and take another one at any
 * time. The bit in sk_userlocks that says that a caller named the port is
 * never cleared, and so the programs rely on that bit and not on the port.
 */
#include "checmate-cgroup.bpf.h"
#include "checmate-net.bpf.h"

/* The order of the words of "ephemeral". */
enum {
	EPHEMERAL_LISTED,
	EPHEMERAL_UDP,
	EPHEMERAL_ANY,
};

struct checmate_params {
	CHECMATE_PARAM_ENDPOINTS(allow, "allow", "",
				 "Local addresses and ports that may be bound; empty allows none");
	CHECMATE_PARAM_ERRNO(deny_errno, "deny-errno", "EPERM", "Error that a denied bind returns");
	CHECMATE_PARAM_CHOICE(
		ephemeral, "ephemeral", "udp", "listed|udp|any",
		"Ports taken without bind(2): as port 0 of the list, allowed for UDP, or allowed");
};

CHECMATE_POLICY("net-bind", "1", "Allow list for binding IPv4 and IPv6 sockets");

/* Bits of sk_userlocks: a caller named the address, the port. */
#define LOCK_ADDR 4
#define LOCK_PORT 8

/* Whether the list allows the address of a call. */
static __always_inline bool net_listed(const struct checmate_self *self,
				       struct checmate_net_call *call)
{
	return checmate_net_listed(self, call, &self->param->allow);
}

/* The same when the object was filled in already. */
static __always_inline bool net_found(const struct checmate_self *self,
				      struct checmate_net_call *call)
{
	return checmate_net_find(self, &self->param->allow, &call->object) == 1;
}

CHECMATE_PROGRAM(socket_bind, net_bind, struct socket *sock, struct sockaddr *address, int addrlen)
{
	struct checmate_net_call call;

	checmate_net_begin(checmate_net_sk(sock), address, addrlen, &call);
	if (!checmate_net_concerns(&call) || net_listed(self, &call))
		return checmate_allow();
	/* Deny: not on the list, or not understood. */
	return checmate_deny_endpoint(self, "socket_bind", self->param->deny_errno, &call.object);
}

/* One of the addresses that an SCTP socket is bound to in addition. */
static long bindx(__u32 index, struct checmate_net_walk *walk)
{
	if (!checmate_net_next(walk) || !net_listed(walk->self, &walk->call))
		return 1;
	if (walk->left)
		return 0;
	walk->denied = 0;
	return 1;
}

CHECMATE_PROGRAM(sctp_bind_connect, net_bindx, struct sock *sk, int optname,
		 struct sockaddr *address, int addrlen)
{
	struct checmate_net_walk walk = {};

	switch (optname) {
	case CHECMATE_NET_SCTP_SET_PEER_PRIMARY:
	case CHECMATE_NET_SCTP_PRIMARY:
	case CHECMATE_NET_SCTP_CONNECTX:
	case CHECMATE_NET_SCTP_SENDMSG_CONNECT:
	case CHECMATE_NET_SCTP_PARAM_ADD_IP:
	case CHECMATE_NET_SCTP_PARAM_SET_PRIMARY:
		/* Allow: these bind nothing. */
		return checmate_allow();
	}
	/* A socket that has a port keeps it, and names it by 0. */
	walk.port = sk->__sk_common.skc_num;
	checmate_net_walk(self, sk, &ctx[2], addrlen, bindx, &walk);
	if (!walk.denied)
		return checmate_allow();
	/* Deny: one is not on the list, or not understood. */
	return checmate_deny_endpoint(self, "sctp_bind_connect", self->param->deny_errno,
				      &walk.call.object);
}

/* LOCK_* of a socket; none if they cannot be read. */
static __always_inline __u32 locks_of(struct sock *sk)
{
	/* SCTP does not set them. Its address is one that was bound, or the wildcard. */
	if (BPF_CORE_READ(sk, sk_protocol) == CHECMATE_NET_SCTP)
		return LOCK_ADDR;
	return BPF_CORE_READ_BITFIELD_PROBED(sk, sk_userlocks);
}

/*
 * The socket that has the port: of MPTCP the one of the first path, of SMC the TCP socket
 * inside. NULL if there is none, or if the kernel had no MPTCP or SMC when this was loaded.
 */
static __always_inline struct sock *inner_of(struct sock *sk, const struct checmate_net_call *call)
{
	struct mptcp_sock *mptcp = (void *)sk;
	struct smc_sock *smc = (void *)sk;

	if (call->sk_family == AF_SMC || call->sk_protocol == CHECMATE_NET_SMC)
		return bpf_core_field_exists(smc->clcsock) ? BPF_CORE_READ(smc, clcsock, sk) : NULL;
	if (call->sk_protocol == CHECMATE_NET_MPTCP)
		return bpf_core_field_exists(mptcp->first) ? BPF_CORE_READ(mptcp, first) : NULL;
	return sk;
}

/* Fill in the address of a socket as the object. */
static __always_inline void set_address(struct sock *sk, struct checmate_net_call *call)
{
	struct in6_addr address = {};

	if (call->object.family == AF_INET6) {
		BPF_CORE_READ_INTO(&address, sk, __sk_common.skc_v6_rcv_saddr);
		checmate_net_set_in6(&call->object, address.in6_u.u6_addr32[0],
				     address.in6_u.u6_addr32[1], address.in6_u.u6_addr32[2],
				     address.in6_u.u6_addr32[3]);
	} else {
		checmate_net_set_in(&call->object, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
	}
}

/* The verdict on a socket that everybody can reach. It is denied if nobody allowed its port. */
static __always_inline int evaluate_port(const struct checmate_self *self, const char *hook,
					 struct sock *sk)
{
	struct checmate_net_call call;
	struct sock *inner;
	__u32 locks = 0;

	checmate_net_begin(sk, NULL, 0, &call);
	if (sk) {
		/* An AF_SMC socket without its inner socket is of no family that is listed. */
		call.object.family = call.sk_family;
		call.object.protocol = checmate_net_protocol(call.sk_family, call.sk_protocol);
		inner = inner_of(sk, &call);
		/* Without an inner socket nobody has named the port: the socket is unbound. */
		if (inner) {
			call.object.family = BPF_CORE_READ(inner, __sk_common.skc_family);
			locks = locks_of(inner);
		}
		/* Allow: net_bind() allowed the port when a caller named it. */
		if (locks & LOCK_PORT)
			return checmate_allow();
		if (locks & LOCK_ADDR)
			set_address(inner, &call);
		if (net_found(self, &call))
			return checmate_allow();
		/* An SCTP socket keeps its port, so the port itself can be looked up. */
		if (call.sk_protocol == CHECMATE_NET_SCTP) {
			call.object.port = sk->__sk_common.skc_num;
			if (call.object.port && net_found(self, &call))
				return checmate_allow();
		}
	}
	/* Deny: not on the list, or not understood. */
	return checmate_deny_endpoint(self, hook, self->param->deny_errno, &call.object);
}

CHECMATE_PROGRAM(socket_listen, net_listen, struct socket *sock, int backlog)
{
	struct sock *sk = checmate_net_sk(sock);

	if (self->param->ephemeral == EPHEMERAL_ANY ||
	    (sk && !checmate_net_socket(sk->__sk_common.skc_family)))
		return checmate_allow();
	return evaluate_port(self, "socket_listen", sk);
}

/* Whether everybody can send to a socket once it has a port: UDP without a peer. */
static __always_inline bool is_open_udp(struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family, protocol = sk->sk_protocol;

	return (family == AF_INET || family == AF_INET6) && sk->sk_type != SOCK_RAW &&
	       (protocol == CHECMATE_NET_UDP || protocol == CHECMATE_NET_UDPLITE) &&
	       sk->__sk_common.skc_state != TCP_ESTABLISHED;
}

CHECMATE_PROGRAM(socket_sendmsg, net_sendmsg, struct socket *sock, struct msghdr *msg, int size)
{
	struct sock *sk = checmate_net_sk(sock);

	if (self->param->ephemeral != EPHEMERAL_LISTED || (sk && !is_open_udp(sk)))
		return checmate_allow();
	return evaluate_port(self, "socket_sendmsg", sk);
}

CHECMATE_PROGRAM(socket_sock_rcv_skb, net_receive, struct sock *sk)
{
	/*
	 * A stock kernel runs this for the cgroup of the task that happens to run:
	 * allow what arrives for sockets of other cgroups.
	 */
	if (self->param->ephemeral != EPHEMERAL_LISTED || !is_open_udp(sk) ||
	    !checmate_sock_inside(self, sk))
		return checmate_allow();
	return evaluate_port(self, "socket_sock_rcv_skb", sk);
}
