/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libchecmate - What this machine offers */
#pragma once

#include "control.h"

/**
 * features_choose() - The backend that this machine has, unless one is forced.
 *
 * Return: its name, or NULL when it has none.
 */
const char *features_choose(void);

/* The hooks that the controller says it has; none where there is none. */
int features_read_hooks(struct control_hooks *ret_hooks);
