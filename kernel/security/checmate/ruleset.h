/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Rulesets
 */
#ifndef _SECURITY_CHECMATE_RULESET_H
#define _SECURITY_CHECMATE_RULESET_H

#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "hooks.h"

struct checmate_policy;
struct checmate_program;

/**
 * struct checmate_ruleset - What is enforced for a cgroup, for all hooks
 * @filter: the same, less exactly: checmate_filter_bit() of each
 * @hooks: the hooks that have a program
 * @sleepable: those of them that have one which may sleep
 * @first: index of a hook's first program; the next hook's is where it ends
 * @usage: one reference from every cgroup that points here
 * @free_work: waits for the readers under RCU
 * @rcu: waits for the readers that sleep
 * @program: the programs: for each hook those of the cgroup itself first, then
 *	those of its ancestors up to the root; each referenced
 *
 * A ruleset never changes.  Cgroups that attach nothing share their parent's.
 * Readers hold rcu_read_lock() and no reference; when @usage reaches zero no
 * cgroup points here, and it is freed after a grace period.  A reader about to
 * run a program that may sleep takes rcu_read_lock_trace() before it gives
 * rcu_read_lock() up, so that a grace period of each kind, in this order, waits
 * for it.
 */
struct checmate_ruleset {
	unsigned long filter;
	DECLARE_BITMAP(hooks, CHECMATE_NR_HOOKS);
	DECLARE_BITMAP(sleepable, CHECMATE_NR_HOOKS);
	u16 first[CHECMATE_NR_HOOKS + 1];
	refcount_t usage;
	struct rcu_work free_work;
	struct rcu_head rcu;
	struct checmate_program *program[];
};

extern struct checmate_ruleset checmate_empty_ruleset;

struct checmate_ruleset *
checmate_build_ruleset(const struct checmate_policy *policy,
		       struct checmate_ruleset *inherited);
void checmate_put_rulesets(struct checmate_ruleset *ruleset, unsigned int nr);
void checmate_flush_rulesets(void);

static inline struct checmate_ruleset *
checmate_get_ruleset(struct checmate_ruleset *ruleset)
{
	refcount_inc(&ruleset->usage);
	return ruleset;
}

static inline void checmate_put_ruleset(struct checmate_ruleset *ruleset)
{
	checmate_put_rulesets(ruleset, 1);
}

#endif /* _SECURITY_CHECMATE_RULESET_H */
