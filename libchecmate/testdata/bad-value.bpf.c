// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: a value that is none of the choices */
#include "checmate.bpf.h"

CHECMATE_POLICY("bad-value", "1", "A value that is none of the choices");
CHECMATE_PARAM_CHOICE(level, "level", 2, "low|high", "A level");

CHECMATE_HOOK(socket_listen)
int BPF_PROG(test_listen, struct socket *sock, int backlog)
{
	return checmate_allow();
}
