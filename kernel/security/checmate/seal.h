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
int checmate_check_leave(struct cgroup_subsys_state *from,
			 struct cgroup_subsys_state *to);
int checmate_check_disable(struct cgroup_subsys_state *css);

#endif /* _SECURITY_CHECMATE_SEAL_H */
