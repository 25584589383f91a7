// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: a list that is a number */
#include "checmate.bpf.h"

struct checmate_params {
	CHECMATE_PARAM(__u32, allow, "allow", "endpoints", "", "A list");
};

CHECMATE_POLICY("wrong-layout", "1", "A list that is a number");

CHECMATE_PROGRAM(socket_listen, test_listen, struct socket *sock, int backlog)
{
	return checmate_allow();
}
