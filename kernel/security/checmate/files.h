/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Control files
 */
#ifndef _SECURITY_CHECMATE_FILES_H
#define _SECURITY_CHECMATE_FILES_H

#include <linux/types.h>

struct cftype;

extern struct cftype checmate_files[];

bool checmate_has_hook_files(void);
int checmate_set_hook_files(bool on);

#endif /* _SECURITY_CHECMATE_FILES_H */
