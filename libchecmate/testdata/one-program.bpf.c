// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: one program with a list, which each fault of test-faults.c loads and attaches */
#include "checmate-net.bpf.h"

CHECMATE_POLICY("one-program", "1", "Allow list for binding by one program");
CHECMATE_PARAM_ENDPOINTS(allow, "allow", "", "Local addresses and ports that may be bound");

/* Not static: see struct checmate_net_call. */
__noinline int net_listed(struct checmate_net_call *call)
{
	return call && checmate_net_listed(call, &allow);
}

CHECMATE_HOOK(socket_bind)
int BPF_PROG(test_bind, struct socket *sock, struct sockaddr *address, int addrlen)
{
	struct checmate_net_call call;

	checmate_net_begin(checmate_net_sk(sock), address, addrlen, &call);
	return net_listed(&call) ? checmate_allow() :
				   checmate_deny_endpoint("socket_bind", EPERM, &call.object);
}
