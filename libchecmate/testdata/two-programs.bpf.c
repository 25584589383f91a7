// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: one program of each kind */
#include "checmate.bpf.h"

struct checmate_params {
};

CHECMATE_POLICY("two-programs", "2.0~rc1", "One program of each kind");

CHECMATE_PROGRAM(socket_listen, test_listen, struct socket *sock, int backlog)
{
	return checmate_allow();
}

SEC("lsm/socket_shutdown")
int BPF_PROG(test_shutdown, struct socket *sock, int how)
{
	return 0;
}
