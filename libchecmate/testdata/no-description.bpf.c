// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: it does not say which policy it is */
#include "checmate.bpf.h"

char _license[] SEC("license") = "GPL";

CHECMATE_PROGRAM(socket_listen, test_listen, struct socket *sock, int backlog)
{
	return checmate_allow();
}
