// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: a key that does not exist */
#include "checmate.bpf.h"

CHECMATE_POLICY("unknown-tag", "1", "A key that does not exist");

volatile int level SEC(".data.param") CHECMATE_TAG("param=level") CHECMATE_TAG("colour=red") = 1;

CHECMATE_HOOK(socket_listen)
int BPF_PROG(test_listen, struct socket *sock, int backlog)
{
	return checmate_allow();
}
