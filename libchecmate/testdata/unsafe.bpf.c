// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: what the verifier refuses */
#include "checmate.bpf.h"

CHECMATE_POLICY("unsafe", "1", "Reads memory the verifier does not allow");

CHECMATE_HOOK(socket_listen)
int BPF_PROG(test_listen, struct socket *sock, int backlog)
{
	int *where = (int *)(long)backlog;

	return *where ? checmate_deny("socket_listen", EPERM) : checmate_allow();
}
