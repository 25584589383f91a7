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

CHECMATE_PARAM_ENDPOINTS(allow, "allow", "",
			 "Local addresses and ports that may be bound; empty allows none");
CHECMATE_PARAM_ERRNO(deny_errno, "deny-errno", EPERM, "Error that a denied bind returns");

/* Not static: see struct checmate_net_call. */
__noinline int net_listed(struct checmate_net_call *call)
{
	/* Deny: it is never NULL, which the verifier cannot know. */
	return call && checmate_net_listed(call, &allow);
}

CHECMATE_HOOK(socket_bind)
int BPF_PROG(net_bind, struct socket *sock, struct sockaddr *address, int addrlen)
{
	struct checmate_net_call call;

	checmate_net_begin(checmate_net_sk(sock), address, addrlen, &call);
	if (!checmate_net_concerns(&call) || net_listed(&call))
		return checmate_allow();
	/* Deny: not on the list, or not understood. */
	return checmate_deny_endpoint("socket_bind", deny_errno, &call.subject);
}
