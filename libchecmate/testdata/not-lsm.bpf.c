// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: a program that is not an LSM program */
#include "checmate.bpf.h"

struct checmate_params {
};

CHECMATE_POLICY("not-lsm", "1", "A program that is not an LSM program");

SEC("xdp")
int test_xdp(struct xdp_md *ctx)
{
	return 2;
}
