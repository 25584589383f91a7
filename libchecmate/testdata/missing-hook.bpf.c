// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: a hook that does not exist */
#include "checmate.bpf.h"

struct checmate_params {
};

CHECMATE_POLICY("missing-hook", "1", "Judges a hook that does not exist");

CHECMATE_PROGRAM(checmate_no_such_hook, test_hook, struct socket *sock)
{
	return checmate_allow();
}
