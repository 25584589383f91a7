// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: a program that may sleep */
#include "checmate.bpf.h"

struct checmate_params {
};

CHECMATE_POLICY("sleepable", "1", "A program that may sleep");

SEC("lsm.s/socket_listen")
int BPF_PROG(test_listen, struct socket *sock, int backlog)
{
	return 0;
}
