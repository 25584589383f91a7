// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: described twice */
#include "checmate.bpf.h"

struct checmate_params {
};

CHECMATE_POLICY("two-descriptions", "1", "Described twice");

char other[] CHECMATE_TAG("policy=other") CHECMATE_TAG("version=1") = "x";

CHECMATE_PROGRAM(socket_listen, test_listen, struct socket *sock, int backlog)
{
	return checmate_allow();
}
