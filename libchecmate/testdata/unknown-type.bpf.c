// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: a parameter type that does not exist */
#include "checmate.bpf.h"

struct checmate_params {
	CHECMATE_PARAM(__u32, level, "level", "colour", "1", "A level");
};

CHECMATE_POLICY("unknown-type", "1", "A parameter type that does not exist");

CHECMATE_PROGRAM(socket_listen, test_listen, struct socket *sock, int backlog)
{
	return checmate_allow();
}
