// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: no program */
#include "checmate.bpf.h"

struct checmate_params {
	CHECMATE_PARAM_ERRNO(error, "error", "EPERM", "An errno");
};

CHECMATE_POLICY("no-program", "1", "No program");
