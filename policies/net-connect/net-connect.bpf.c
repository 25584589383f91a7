// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checmate policies - net-connect: which remote addresses and ports may be
 * addressed
 *
 * Every connect(2) to, and every send that names, an IPv4 or IPv6 address is
 * denied unless the list allows it. Sockets and addresses of other kinds are
 * not judged.
 */
#include "checmate-net.bpf.h"

CHECMATE_POLICY("net-connect", "1", "Allow list for connecting and sending by IPv4 and IPv6");

CHECMATE_PARAM_ENDPOINTS(allow, "allow", "",
			 "Remote addresses and ports that may be reached; empty allows none");
CHECMATE_PARAM_ERRNO(deny_errno, "deny-errno", EPERM, "Error that a denied connect or send returns");

/* Not static: see struct checmate_net_call. */
__noinline int net_listed(struct checmate_net_call *call)
{
	/* Deny: it is never NULL, which the verifier cannot know. */
	return call && checmate_net_listed(call, &allow);
}

CHECMATE_HOOK(socket_connect)
int BPF_PROG(net_connect, struct socket *sock, struct sockaddr *address, int addrlen)
{
	struct checmate_net_call call;

	checmate_net_begin(checmate_net_sk(sock), address, addrlen, &call);
	/*
	 * AF_UNSPEC dissolves an association: it reaches nobody. Every connect
	 * of the kernel that takes AF_UNSPEC at all does just that.
	 */
	if (checmate_net_unspec(&call) || !checmate_net_concerns(&call) || net_listed(&call))
		return checmate_allow();
	/* Deny: not on the list, or not understood. */
	return checmate_deny_endpoint("socket_connect", deny_errno, &call.subject);
}

CHECMATE_HOOK(socket_sendmsg)
int BPF_PROG(net_sendmsg, struct socket *sock, struct msghdr *msg, int size)
{
	const void *name = msg->msg_name;
	struct checmate_net_call call;

	/*
	 * No address: the peer is the one that connect was asked about. With an
	 * address: an unconnected send, or TCP's connecting send (MSG_FASTOPEN).
	 */
	if (!name)
		return checmate_allow();

	checmate_net_begin(checmate_net_sk(sock), name, msg->msg_namelen, &call);
	if (!checmate_net_concerns(&call) || net_listed(&call))
		return checmate_allow();
	/* Deny: not on the list, or not understood. */
	return checmate_deny_endpoint("socket_sendmsg", deny_errno, &call.subject);
}
