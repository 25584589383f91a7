// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: a name that is a path */
#include "checmate.bpf.h"

CHECMATE_POLICY("../bad", "1", "A name that is a path");

CHECMATE_HOOK(socket_listen)
int BPF_PROG(test_listen, struct socket *sock, int backlog)
{
	return checmate_allow();
}
