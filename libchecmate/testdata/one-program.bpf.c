// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: one program with a list, which each fault of test-faults.c loads and attaches */
#include "checmate-net.bpf.h"

struct checmate_params {
	CHECMATE_PARAM_ENDPOINTS(allow, "allow", "", "Local addresses and ports that may be bound");
};

CHECMATE_POLICY("one-program", "1", "Allow list for binding by one program");

CHECMATE_PROGRAM(socket_bind, test_bind, struct socket *sock, struct sockaddr *address, int addrlen)
{
	struct checmate_net_call call;

	checmate_net_begin(checmate_net_sk(sock), address, addrlen, &call);
	return checmate_net_listed(self, &call, &self->param->allow) ?
		       checmate_allow() :
		       checmate_deny_endpoint(self, "socket_bind", EPERM, &call.object);
}
