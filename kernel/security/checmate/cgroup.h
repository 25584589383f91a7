/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - The controller
 */
#ifndef _SECURITY_CHECMATE_CGROUP_H
#define _SECURITY_CHECMATE_CGROUP_H

#include <linux/cgroup.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

struct checmate_policy;
struct checmate_ruleset;

/**
 * struct checmate_cgroup - The controller's state of one cgroup
 * @css: base
 * @effective: what is enforced here, with a reference; NULL until the css is
 *	online, and never again
 * @policy: what is attached here, owned; NULL if nothing ever was
 * @generation: number of transactions that changed @policy
 * @staged: ruleset of a transaction under way, with a reference
 *
 * All are written under checmate_mutex; @effective is read under RCU, the
 * others under checmate_mutex.
 */
struct checmate_cgroup {
	struct cgroup_subsys_state css;
	struct checmate_ruleset __rcu *effective;
	struct checmate_policy *policy;
	u64 generation;
	struct checmate_ruleset *staged;
};

extern struct mutex checmate_mutex;
extern unsigned int checmate_epoch;

static inline struct checmate_cgroup *
css_checmate(struct cgroup_subsys_state *css)
{
	return container_of(css, struct checmate_cgroup, css);
}

/**
 * checmate_current_cgroup - The cgroup that judges what current does
 *
 * An interrupt acts for nobody, least of all for the task it interrupts: the
 * root judges it.
 *
 * Context: Any context, within rcu_read_lock().
 * Return: The cgroup, valid until rcu_read_unlock().
 */
static inline struct checmate_cgroup *checmate_current_cgroup(void)
{
	struct task_struct *task = likely(in_task()) ? current : &init_task;

	return css_checmate(task_css(task, checmate_cgrp_id));
}

/**
 * checmate_cgroup_ruleset - What is enforced for a cgroup
 * @cgroup: the cgroup, online or offline
 *
 * Context: Any context, within rcu_read_lock().
 * Return: The ruleset, valid until rcu_read_unlock().
 */
static inline const struct checmate_ruleset *
checmate_cgroup_ruleset(const struct checmate_cgroup *cgroup)
{
	return rcu_dereference(cgroup->effective);
}

static inline const struct checmate_ruleset *checmate_current_ruleset(void)
{
	return checmate_cgroup_ruleset(checmate_current_cgroup());
}

const struct checmate_ruleset *checmate_root_ruleset(void);

#endif /* _SECURITY_CHECMATE_CGROUP_H */
