// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: a list that is one of its entries */
#include "checmate.bpf.h"

struct checmate_params {
	CHECMATE_PARAM(struct checmate_path_prefix, paths, "paths", "paths", "", "A list");
};

CHECMATE_POLICY("wrong-list", "1", "A list that is one of its entries");

CHECMATE_PROGRAM(socket_listen, test_listen, struct socket *sock, int backlog)
{
	return checmate_allow();
}
