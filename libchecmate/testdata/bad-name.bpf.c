// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: a name that is a path */
#include "checmate.bpf.h"

struct checmate_params {
};

CHECMATE_POLICY("../bad", "1", "A name that is a path");

CHECMATE_PROGRAM(socket_listen, test_listen, struct socket *sock, int backlog)
{
	return checmate_allow();
}
