// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: a scalar outside of the parameter section */
#include "checmate.bpf.h"

CHECMATE_POLICY("wrong-place", "1", "A scalar outside of the parameter section");

volatile int error CHECMATE_TAG("param=error") CHECMATE_TAG("type=errno");

CHECMATE_HOOK(socket_listen)
int BPF_PROG(test_listen, struct socket *sock, int backlog)
{
	return checmate_allow();
}
