/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - The security module
 */
#ifndef _SECURITY_CHECMATE_LSM_H
#define _SECURITY_CHECMATE_LSM_H

#include <linux/lsm_hooks.h>

extern struct lsm_blob_sizes checmate_blob_sizes;
extern const struct lsm_id checmate_lsmid;

void checmate_activate(void);
bool checmate_is_active(void);

#endif /* _SECURITY_CHECMATE_LSM_H */
