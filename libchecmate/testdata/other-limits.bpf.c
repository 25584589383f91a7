// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: choices where there are none */
#include "checmate.bpf.h"

struct checmate_params {
	CHECMATE_PARAM_ERRNO(error, "error", "EPERM", "An errno") CHECMATE_TAG("choices=one|two");
};

CHECMATE_POLICY("other-limits", "1", "Choices where there are none");

CHECMATE_PROGRAM(socket_listen, test_listen, struct socket *sock, int backlog)
{
	return checmate_allow();
}
