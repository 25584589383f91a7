// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: two parameters of one name */
#include "checmate.bpf.h"

struct checmate_params {
	CHECMATE_PARAM_ERRNO(one, "error", "EPERM", "One");
	CHECMATE_PARAM_ERRNO(two, "error", "EPERM", "Two");
};

CHECMATE_POLICY("same-params", "1", "Two parameters of one name");

CHECMATE_PROGRAM(socket_listen, test_listen, struct socket *sock, int backlog)
{
	return checmate_allow();
}
