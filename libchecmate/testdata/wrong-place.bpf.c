// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: a parameter that is a variable */
#include "checmate.bpf.h"

struct checmate_params {
};

CHECMATE_POLICY("wrong-place", "1", "A parameter that is a variable");

CHECMATE_PARAM_ERRNO(error, "error", "EPERM", "An errno");

CHECMATE_PROGRAM(socket_listen, test_listen, struct socket *sock, int backlog)
{
	return checmate_allow();
}
