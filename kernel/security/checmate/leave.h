/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Leaving a cgroup
 */
#ifndef _SECURITY_CHECMATE_LEAVE_H
#define _SECURITY_CHECMATE_LEAVE_H

struct cgroup_subsys_state;
struct cred;
struct task_struct;

int checmate_check_leave(struct task_struct *task,
			 struct cgroup_subsys_state *from,
			 struct cgroup_subsys_state *to,
			 const struct cred *cred);
int checmate_check_disable(struct cgroup_subsys_state *css,
			   const struct cred *cred);
void checmate_note_disabled(struct cgroup_subsys_state *css);

#endif /* _SECURITY_CHECMATE_LEAVE_H */
