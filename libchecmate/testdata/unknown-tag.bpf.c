// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: a key that does not exist */
#include "checmate.bpf.h"

struct checmate_params {
	CHECMATE_PARAM_BOOL(level, "level", "yes", "A level") CHECMATE_TAG("colour=red");
};

CHECMATE_POLICY("unknown-tag", "1", "A key that does not exist");

CHECMATE_PROGRAM(socket_listen, test_listen, struct socket *sock, int backlog)
{
	return checmate_allow();
}
