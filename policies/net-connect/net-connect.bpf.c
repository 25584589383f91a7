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

CHECMATE_HOOK(socket_connect)
int BPF_PROG(net_connect, struct socket *sock, struct sockaddr *address, int addrlen)
{
	__u16 family;

	/*
	 * AF_UNSPEC dissolves an association: it reaches nobody. Every connect
	 * of the kernel that takes AF_UNSPEC at all does just that.
	 */
	if (checmate_net_family(address, addrlen, &family) && family == AF_UNSPEC)
		return checmate_allow();

	return checmate_net_judge("socket_connect", sock, address, addrlen, &allow, deny_errno);
}

CHECMATE_HOOK(socket_sendmsg)
int BPF_PROG(net_sendmsg, struct socket *sock, struct msghdr *msg, int size)
{
	/*
	 * No address: the peer is the one that connect was asked about. With an
	 * address: an unconnected send, or TCP's connecting send (MSG_FASTOPEN).
	 */
	if (!msg->msg_name)
		return checmate_allow();

	return checmate_net_judge("socket_sendmsg", sock, msg->msg_name, msg->msg_namelen, &allow,
				  deny_errno);
}
