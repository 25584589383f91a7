// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: choices where there are none */
#include "checmate.bpf.h"

CHECMATE_POLICY("other-limits", "1", "Choices where there are none");

volatile int error SEC(".data.param") CHECMATE_TAG("param=error") CHECMATE_TAG("type=errno")
	CHECMATE_TAG("choices=one|two") = EPERM;

CHECMATE_HOOK(socket_listen)
int BPF_PROG(test_listen, struct socket *sock, int backlog)
{
	return checmate_allow();
}
