/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Staged transactions
 */
#ifndef _SECURITY_CHECMATE_STAGED_H
#define _SECURITY_CHECMATE_STAGED_H

#include <linux/types.h>

struct cgroup;
struct checmate_cgroup;
struct checmate_request;
struct task_struct;

int checmate_check_request(const struct checmate_request *request);
int checmate_stage_request(struct checmate_request *request);
void checmate_drop_staged(struct checmate_cgroup *cgroup);
const struct checmate_request *
checmate_staged_request(struct checmate_cgroup *cgroup);
bool checmate_is_staged_for(struct task_struct *task, struct cgroup *from,
			    struct cgroup *to);

void checmate_add_staging(void);

#endif /* _SECURITY_CHECMATE_STAGED_H */
