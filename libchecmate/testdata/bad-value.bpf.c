// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: a value that is none of the choices */
#include "checmate.bpf.h"

struct checmate_params {
	CHECMATE_PARAM_CHOICE(level, "level", "medium", "low|high", "A level");
};

CHECMATE_POLICY("bad-value", "1", "A value that is none of the choices");

CHECMATE_PROGRAM(socket_listen, test_listen, struct socket *sock, int backlog)
{
	return checmate_allow();
}
