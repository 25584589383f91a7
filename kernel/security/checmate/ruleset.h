/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Rulesets
 */
#ifndef _SECURITY_CHECMATE_RULESET_H
#define _SECURITY_CHECMATE_RULESET_H

#include <linux/refcount.h>
#include <linux/types.h>

#include "chain.h"
#include "hook_table.h"
#include "retire.h"

struct checmate_attachments;

/**
 * struct checmate_ruleset - What is enforced for a cgroup, for all hooks
 * @index: where in @chain a hook's programs are; 0 for a hook without
 * @nr: how many hooks have programs
 * @filter: which hooks have, less exactly: checmate_filter_bit() of each
 * @usage: one reference from every cgroup that points here
 * @retired: waits for the readers; knows whether a program may sleep
 * @chain: first the one without programs, then those of the hooks that have
 *	some, in the order of hooks, each referenced; in each the programs of the
 *	cgroup itself come first, then those of its ancestors up to the root
 *
 * A ruleset never changes.  Cgroups that attach nothing share their parent's;
 * of a hook to which nothing is attached, a ruleset shares its parent's chain.
 * Readers hold rcu_read_lock() and no reference; when @usage reaches zero no
 * cgroup points here, and it is freed after a grace period.  A reader about to
 * run a program that may sleep takes rcu_read_lock_trace() before it gives
 * rcu_read_lock() up, so that a grace period of each kind, in this order, waits
 * for it.
 */
struct checmate_ruleset {
	u8 index[CHECMATE_NR_HOOKS];
	u16 nr;
	unsigned long filter;
	refcount_t usage;
	struct checmate_retired retired;
	struct checmate_chain *chain[];
};

extern struct checmate_ruleset checmate_empty_ruleset;
extern struct checmate_ruleset checmate_closed_ruleset;

struct checmate_ruleset *
checmate_build_ruleset(const struct checmate_attachments *set,
		       struct checmate_ruleset *inherited);
bool checmate_is_as_strict(const struct checmate_ruleset *ruleset,
			   const struct checmate_ruleset *than);
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

/**
 * checmate_find_chain - The programs of a hook
 * @ruleset: the ruleset
 * @hook: the hook
 *
 * Context: Any context.
 * Return: The chain, which may be without programs; valid as long as @ruleset.
 */
static inline struct checmate_chain *
checmate_find_chain(const struct checmate_ruleset *ruleset,
		    enum checmate_hook hook)
{
	return ruleset->chain[ruleset->index[hook]];
}

#endif /* _SECURITY_CHECMATE_RULESET_H */
