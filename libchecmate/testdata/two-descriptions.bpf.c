// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: described twice */
#include "checmate.bpf.h"

CHECMATE_POLICY("two-descriptions", "1", "Described twice");

char other[] CHECMATE_TAG("policy=other") CHECMATE_TAG("version=1") = "x";

CHECMATE_HOOK(socket_listen)
int BPF_PROG(test_listen, struct socket *sock, int backlog)
{
	return checmate_allow();
}
