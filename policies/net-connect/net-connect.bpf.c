// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checmate policies - net-connect: which remote addresses and ports may be
 * addressed
 *
 * Every connect(2) to, and every send that names, an IPv4 or IPv6 address is
 * denied unless the list allows it. Sockets and addresses of other kinds are
 * not judged.
 *
 * A caller can also name a destination elsewhere than in the address: in the
 * header of a packet (IP_HDRINCL), as a hop on the way (source routes), and in
 * control messages of SCTP. The hooks cannot read most of these destinations.
 * They are denied unless the list allows every address of the family:
 *
 *   socket_setsockopt     options that name a destination
 *   socket_sendmsg        control messages that name one, and raw sockets
 *                         whose packets bring their own headers
 *   sctp_bind_connect     SCTP's own calls, whose addresses the list has to allow
 */
#include "checmate-cgroup.bpf.h"
#include "checmate-net.bpf.h"

struct checmate_params {
	CHECMATE_PARAM_ENDPOINTS(allow, "allow", "",
				 "Remote addresses and ports that may be reached; empty allows none");
	CHECMATE_PARAM_ERRNO(deny_errno, "deny-errno", "EPERM",
			     "Error that a denied connect or send returns");
};

CHECMATE_POLICY("net-connect", "1", "Allow list for connecting and sending by IPv4 and IPv6");

/* Whether the list allows the address of a call. */
static __always_inline bool net_listed(const struct checmate_self *self,
				       struct checmate_net_call *call)
{
	return checmate_net_listed(self, call, &self->param->allow);
}

/* Whether every address of a family is allowed. */
static __noinline bool net_listed_family(const struct checmate_self *self, __u16 family)
{
	return checmate_net_listed_family(self, &self->param->allow, family);
}

CHECMATE_PROGRAM(socket_connect, net_connect, struct socket *sock, struct sockaddr *address,
		 int addrlen)
{
	struct checmate_net_call call;

	checmate_net_begin(checmate_net_sk(sock), address, addrlen, &call);
	/*
	 * AF_UNSPEC dissolves an association: it reaches nobody. Every connect
	 * of the kernel that takes AF_UNSPEC at all does just that.
	 */
	if (checmate_net_unspec(&call) || !checmate_net_concerns(&call) || net_listed(self, &call))
		return checmate_allow();
	/* Deny: not on the list, or not understood. */
	return checmate_deny_endpoint(self, "socket_connect", self->param->deny_errno, &call.object);
}

/* --- destinations elsewhere ------------------------------------------------- */

/* Levels of socket options and control messages. */
#define SOL_IP 0
#define SOL_IPV6 41
#define SOL_SCTP 132
#define SOL_RAW 255

/* At SOL_IP. */
#define IP_HDRINCL 3
#define IP_OPTIONS 4
#define IP_RETOPTS 7
/* At SOL_IPV6. */
#define IPV6_2292RTHDR 5
#define IPV6_2292PKTOPTIONS 6
#define IPV6_FLOWLABEL_MGR 32
#define IPV6_HDRINCL 36
#define IPV6_RTHDR 57
/* At SOL_SCTP. */
#define SCTP_DSTADDRV4 7
#define SCTP_DSTADDRV6 8
#define SCTP_REMOTE_UDP_ENCAPS_PORT 36

/* Since 6.6; earlier it is a member of its own. */
#define INET_FLAGS_HDRINCL 12

/* IPv4 and IPv6. */
#define BOTH_FAMILIES 0xffff

/* The family of the destinations that a socket option can name; 0 if none. */
static __always_inline __u16 option_family(int level, int optname)
{
	if (level == SOL_IP && (optname == IP_HDRINCL || optname == IP_OPTIONS))
		return AF_INET;
	/* Raw sockets take it at either level. */
	if ((level == SOL_IPV6 || level == SOL_RAW) && optname == IPV6_HDRINCL)
		return AF_INET6;
	/* Flow labels and the old options can contain routing headers. */
	if (level == SOL_IPV6 && (optname == IPV6_RTHDR || optname == IPV6_2292PKTOPTIONS ||
				  optname == IPV6_FLOWLABEL_MGR))
		return AF_INET6;
	/* A UDP port of the peers. */
	if (level == SOL_SCTP && optname == SCTP_REMOTE_UDP_ENCAPS_PORT)
		return BOTH_FAMILIES;
	return 0;
}

/* The family of the destinations that a control message can name; 0 if none. */
static __always_inline __u16 message_family(int level, int type)
{
	if (level == SOL_IP && type == IP_RETOPTS)
		return AF_INET;
	if (level == SOL_IPV6 && (type == IPV6_RTHDR || type == IPV6_2292RTHDR))
		return AF_INET6;
	if (level == SOL_SCTP && type == SCTP_DSTADDRV4)
		return AF_INET;
	/* An IPv4 address may be mapped into it. */
	if (level == SOL_SCTP && type == SCTP_DSTADDRV6)
		return BOTH_FAMILIES;
	return 0;
}

/* Whether destinations of a family may be named where no hook can read them. */
static __always_inline bool family_allowed(const struct checmate_self *self, __u16 family)
{
	switch (family) {
	case 0:
		return true;
	case BOTH_FAMILIES:
		return net_listed_family(self, AF_INET) && net_listed_family(self, AF_INET6);
	default:
		return net_listed_family(self, family);
	}
}

CHECMATE_PROGRAM(socket_setsockopt, net_setsockopt, struct socket *sock, int level, int optname)
{
	struct sock *sk = checmate_net_sk(sock);

	/* The value is in memory of the caller: turning an option off is denied as well. */
	if ((sk && !checmate_net_socket(sk->__sk_common.skc_family)) ||
	    family_allowed(self, option_family(level, optname)))
		return checmate_allow();
	return checmate_deny_text(self, "socket_setsockopt", self->param->deny_errno, "destination");
}

/* Whether packets that are sent by the socket bring their own headers. */
static __always_inline bool has_headers(struct sock *sk)
{
	struct inet_sock *inet = (void *)sk;
	unsigned long flags = 0;

	if (sk->sk_type != SOCK_RAW)
		return false;
	/* They always do: net_setsockopt() denies turning it off. */
	if (sk->sk_protocol == CHECMATE_NET_RAW)
		return true;
	/* IP_HDRINCL was set before the policy was applied. */
	if (bpf_core_field_exists(inet->hdrincl))
		return BPF_CORE_READ_BITFIELD_PROBED(inet, hdrincl);
	/* Deny: not known. */
	if (!bpf_core_field_exists(inet->inet_flags) ||
	    bpf_core_read(&flags, sizeof(flags), &inet->inet_flags))
		return true;
	return flags & (1UL << INET_FLAGS_HDRINCL);
}

/* struct cmsghdr. The kernel translates that of 32-bit programs before the hook. */
struct control {
	__u64 len;
	__s32 level;
	__s32 type;
};

struct scan {
	const struct checmate_self *self;
	__u64 at;
	__u64 left;
	__u32 denied;
};

/* One control message; returns 1 to end it. */
static long scan_message(__u32 index, struct scan *scan)
{
	struct control control;
	__u64 size;

	/* That was the last one. */
	if (scan->left < sizeof(control)) {
		scan->denied = 0;
		return 1;
	}
	/* Deny: not readable, or its length is wrong, which the kernel refuses. */
	if (bpf_probe_read_kernel(&control, sizeof(control), (const void *)scan->at) ||
	    control.len < sizeof(control) || control.len > scan->left)
		return 1;
	/* Deny: it names a destination. */
	if (!family_allowed(scan->self, message_family(control.level, control.type)))
		return 1;
	size = (control.len + 7) & ~7ULL;
	scan->at += size;
	scan->left = size < scan->left ? scan->left - size : 0;
	return 0;
}

/* Whether a control message may name a destination. They are in the kernel's own copy. */
static __always_inline bool has_messages(const struct checmate_self *self, struct msghdr *msg)
{
	struct scan scan = {
		.self = self,
		.at = (__u64)msg->msg_control,
		.left = msg->msg_controllen,
		.denied = 1,
	};

	if (!scan.left)
		return false;
	/* Deny: if there are too many for the loop, denied is still set. */
	bpf_loop(scan.left / sizeof(struct control) + 1, scan_message, &scan, 0);
	return scan.denied;
}

/* --- sends ------------------------------------------------------------------ */

CHECMATE_PROGRAM(socket_sendmsg, net_sendmsg, struct socket *sock, struct msghdr *msg, int size)
{
	struct sock *sk = checmate_net_sk(sock);
	const void *name = msg->msg_name;
	struct checmate_net_call call;

	if (sk && checmate_net_socket(sk->__sk_common.skc_family) &&
	    ((has_headers(sk) && !family_allowed(self, sk->__sk_common.skc_family)) ||
	     has_messages(self, msg)))
		return checmate_deny_text(self, "socket_sendmsg", self->param->deny_errno,
					  "destination");
	/*
	 * No address: the peer is the one that connect was asked about. With an
	 * address: an unconnected send, or TCP's connecting send (MSG_FASTOPEN).
	 */
	if (!name)
		return checmate_allow();

	checmate_net_begin(sk, name, msg->msg_namelen, &call);
	if (!checmate_net_concerns(&call) || net_listed(self, &call))
		return checmate_allow();
	/* Deny: not on the list, or not understood. */
	return checmate_deny_endpoint(self, "socket_sendmsg", self->param->deny_errno, &call.object);
}

/* --- SCTP -------------------------------------------------------------------- */

/* One of the addresses of a peer. */
static long connectx(__u32 index, struct checmate_net_walk *walk)
{
	if (!checmate_net_next(walk) || !net_listed(walk->self, &walk->call))
		return 1;
	if (walk->left)
		return 0;
	walk->denied = 0;
	return 1;
}

CHECMATE_PROGRAM(sctp_bind_connect, net_connectx, struct sock *sk, int optname,
		 struct sockaddr *address, int addrlen)
{
	struct checmate_net_walk walk = {};

	switch (optname) {
	case CHECMATE_NET_SCTP_BINDX_ADD:
	case CHECMATE_NET_SCTP_SET_PEER_PRIMARY:
		/* Allow: local addresses. */
	case CHECMATE_NET_SCTP_PRIMARY:
	case CHECMATE_NET_SCTP_PARAM_SET_PRIMARY:
		/* Allow: an address that the association has already. */
		return checmate_allow();
	case CHECMATE_NET_SCTP_PARAM_ADD_IP:
		/*
		 * It comes with a packet. A stock kernel runs this for the cgroup of the
		 * task that happens to run: allow it for sockets of other cgroups.
		 */
		if (!checmate_sock_inside(self, sk))
			return checmate_allow();
	}
	checmate_net_walk(self, sk, &ctx[2], addrlen, connectx, &walk);
	if (!walk.denied)
		return checmate_allow();
	/* Deny: one is not on the list, or not understood. */
	return checmate_deny_endpoint(self, "sctp_bind_connect", self->param->deny_errno,
				      &walk.call.object);
}
