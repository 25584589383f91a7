/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Seals
 */
#ifndef _SECURITY_CHECMATE_SEAL_H
#define _SECURITY_CHECMATE_SEAL_H

#include <linux/types.h>

struct cgroup_subsys_state;
struct checmate_cgroup;

int checmate_seal_cgroup(struct checmate_cgroup *cgroup, bool on);

#endif /* _SECURITY_CHECMATE_SEAL_H */
