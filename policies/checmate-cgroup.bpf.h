/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Checmate policies - Is another process or socket inside the bound cgroup?
 *
 * Inside is the cgroup that the policy is bound to, and every cgroup below it.
 * Only cgroup v2 is looked at.
 */
#ifndef CHECMATE_CGROUP_BPF_H
#define CHECMATE_CGROUP_BPF_H

#include "checmate.bpf.h"

/* Deepest cgroup that is looked at, the root being 0. */
#define CHECMATE_CGROUP_DEPTH_MAX 64

struct checmate_cgroup_search {
	struct cgroup *cgroup;
	__u64 bound;
	__u32 level;
	__u32 found;
};

/*
 * One of the cgroup's ancestors, from itself on; returns 1 to end. Not a plain loop, which
 * the verifier would go through for each level.
 */
static long checmate_cgroup_ancestor(__u32 index, struct checmate_cgroup_search *search)
{
	struct cgroup *ancestor, *cgroup = search->cgroup;
	__u32 level = search->level - index;

	if (bpf_core_read(&ancestor, sizeof(ancestor), &cgroup->ancestors[level]))
		return 1;
	if (BPF_CORE_READ(ancestor, kn, id) != search->bound)
		return 0;
	search->found = 1;
	return 1;
}

/*
 * Is @cgroup inside? What cannot be read, and what is deeper than
 * CHECMATE_CGROUP_DEPTH_MAX, is not: whoever allows only what is inside denies.
 */
static __always_inline bool checmate_cgroup_inside(const struct checmate_self *self,
						   struct cgroup *cgroup)
{
	struct checmate_cgroup_search search = {
		.cgroup = cgroup,
		.bound = self->head->cgroup,
	};
	int level;

	if (!cgroup)
		return false;
	level = BPF_CORE_READ(cgroup, level);
	if (level < 0 || level > CHECMATE_CGROUP_DEPTH_MAX)
		return false;
	search.level = level;
	search.found = checmate_zero(search.bound);
	bpf_loop(level + 1, checmate_cgroup_ancestor, &search, 0);
	return search.found;
}

/* Is the thread @task inside? A thread that has ended counts as where it was. */
static __always_inline bool checmate_task_inside(const struct checmate_self *self,
						 struct task_struct *task)
{
	return checmate_cgroup_inside(self, BPF_CORE_READ(task, cgroups, dfl_cgrp));
}

/* Is @sock inside? A socket belongs to the cgroup in which it was made. */
static __always_inline bool checmate_sock_inside(const struct checmate_self *self, struct sock *sock)
{
	return checmate_cgroup_inside(self, BPF_CORE_READ(sock, sk_cgrp_data.cgroup));
}

#endif /* CHECMATE_CGROUP_BPF_H */
