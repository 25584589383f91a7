// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: what the verifier refuses */
#include "checmate.bpf.h"

struct checmate_params {
};

CHECMATE_POLICY("unsafe", "1", "Reads memory the verifier does not allow");

CHECMATE_PROGRAM(socket_listen, test_listen, struct socket *sock, int backlog)
{
	int *where = (int *)(long)backlog;

	return *where ? checmate_deny(self, "socket_listen", EPERM) : checmate_allow();
}
