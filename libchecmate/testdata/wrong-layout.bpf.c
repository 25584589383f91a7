// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: a list that is an ordinary array */
#include "checmate.bpf.h"

CHECMATE_POLICY("wrong-layout", "1", "A list that is an ordinary array");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} allow SEC(".maps") CHECMATE_TAG("param=allow") CHECMATE_TAG("type=endpoints");

CHECMATE_HOOK(socket_listen)
int BPF_PROG(test_listen, struct socket *sock, int backlog)
{
	return checmate_allow();
}
