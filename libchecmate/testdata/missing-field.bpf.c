// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: a kernel field that does not exist */
#include "checmate.bpf.h"

struct checmate_params {
};

CHECMATE_POLICY("missing-field", "1", "Reads a kernel field that does not exist");

struct sock___checmate {
	int checmate_no_such_field;
} __attribute__((preserve_access_index));

CHECMATE_PROGRAM(socket_listen, test_listen, struct socket *sock, int backlog)
{
	struct sock___checmate *sk = (void *)sock->sk;

	return sk->checmate_no_such_field ? checmate_deny(self, "socket_listen", EPERM) :
					    checmate_allow();
}
