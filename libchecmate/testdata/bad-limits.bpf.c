// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: the smallest number is above the largest */
#include "checmate.bpf.h"

struct checmate_params {
	CHECMATE_PARAM_NUMBER(number, "number", "1", 2, 1, "A number");
};

CHECMATE_POLICY("bad-limits", "1", "The smallest number is above the largest");

CHECMATE_PROGRAM(socket_listen, test_listen, struct socket *sock, int backlog)
{
	return checmate_allow();
}
