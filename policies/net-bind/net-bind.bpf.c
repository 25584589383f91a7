// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checmate policies - net-bind: which local addresses and ports may be bound
 *
 * Every bind(2) to an IPv4 or IPv6 address is denied unless the list allows it.
 * Sockets and addresses of other kinds are not judged. Port 0, by which a
 * caller asks for any free port, is judged as port 0.
 */
#include "checmate-net.bpf.h"

CHECMATE_POLICY("net-bind", "1", "Allow list for binding IPv4 and IPv6 sockets");

CHECMATE_PARAM_ENDPOINTS(allow, "allow",
			 "Local addresses and ports that may be bound; empty allows none");
CHECMATE_PARAM_ERRNO(deny_errno, "deny-errno", EPERM, "Error that a denied bind returns");

CHECMATE_HOOK(socket_bind)
int BPF_PROG(net_bind, struct socket *sock, struct sockaddr *address, int addrlen)
{
	struct checmate_net_subject subject = {};

	switch (checmate_net_read(sock, address, addrlen, &subject)) {
	case CHECMATE_NET_OTHER:
		return checmate_allow();
	case CHECMATE_NET_ENDPOINT:
		if (checmate_net_listed(&allow, &subject))
			return checmate_allow();
		/* Deny: not on the list. */
		return checmate_deny(deny_errno);
	default:
		/* Deny: not understood. */
		return checmate_deny(deny_errno);
	}
}
