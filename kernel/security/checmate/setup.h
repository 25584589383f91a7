/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Setup
 */
#ifndef _SECURITY_CHECMATE_SETUP_H
#define _SECURITY_CHECMATE_SETUP_H

#include <linux/lsm_hooks.h>

extern struct lsm_blob_sizes checmate_blob_sizes;
extern const struct lsm_id checmate_lsmid;

bool checmate_is_active(void);

#endif /* _SECURITY_CHECMATE_SETUP_H */
