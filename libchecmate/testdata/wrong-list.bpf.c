// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: a list of another type */
#include "checmate.bpf.h"

CHECMATE_POLICY("wrong-list", "1", "A list of another type");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct checmate_names_map);
} paths SEC(".maps") CHECMATE_TAG("param=paths") CHECMATE_TAG("type=paths");

CHECMATE_HOOK(socket_listen)
int BPF_PROG(test_listen, struct socket *sock, int backlog)
{
	return checmate_allow();
}
