/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Hooks
 */
#ifndef _SECURITY_CHECMATE_HOOKS_H
#define _SECURITY_CHECMATE_HOOKS_H

#include <linux/types.h>

#include "hook_table.h"

bool checmate_hook_is_active(enum checmate_hook hook);
unsigned int checmate_hook_users(enum checmate_hook hook);

void checmate_use_hook(enum checmate_hook hook);
void checmate_unuse_hook(enum checmate_hook hook);

void checmate_add_hooks(void);

#endif /* _SECURITY_CHECMATE_HOOKS_H */
