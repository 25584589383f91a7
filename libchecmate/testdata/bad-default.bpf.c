// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: a list that cannot be its default */
#include "checmate.bpf.h"

struct checmate_params {
	CHECMATE_PARAM_PORTS(ports, "ports", "80,http", "Ports");
};

CHECMATE_POLICY("bad-default", "1", "A list that cannot be its default");

CHECMATE_PROGRAM(socket_listen, test_listen, struct socket *sock, int backlog)
{
	return checmate_allow();
}
