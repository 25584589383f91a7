/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Actual bindings: what the kernel says
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "checmate.h"

/* For _cleanup_() of a list that the library has made. */
static inline void actual_strv_freep(char ***strv)
{
	*strv = checmate_strv_free(*strv);
}

bool actual_is_dead(const struct checmate_binding *binding);
const char *actual_mode(const struct checmate_binding *binding);
