/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libchecmate - What this machine offers */
#pragma once

#include "control.h"

/**
 * features_choose() - The backend that this machine has, unless one is forced.
 * @ret_name: receives its name.
 * @ret_error: explanation, or NULL.
 *
 * The other backend would take the pins of this one for its own, so what cannot
 * be read is not taken for missing.
 *
 * Return: 0; -ENOMEM; -EMFILE or -ENFILE no file can be opened.
 */
int features_choose(const char **ret_name, struct checmate_error **ret_error);

/* The hooks that the controller says it has; none where there is none. */
int features_read_hooks(struct control_hooks *ret_hooks);
