// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Rulesets
 *
 * Built off to the side from a policy and what is inherited, published by
 * transaction.c, read by dispatch.c.  Nothing here knows what a program does.
 */

#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/overflow.h>
#include <linux/panic.h>
#include <linux/rcupdate.h>
#include <linux/rcupdate_trace.h>
#include <linux/slab.h>

#include "common.h"
#include "limits.h"
#include "policy.h"
#include "ruleset.h"

/* What is enforced where nothing is attached from here to the root. */
struct checmate_ruleset checmate_empty_ruleset = {
	.usage = REFCOUNT_INIT(1),
};

/* Frees rulesets; its own, so that a burst of them holds up nobody else. */
static struct workqueue_struct *ruleset_wq __ro_after_init;

/* All programs there may be must be countable in @first. */
static_assert(CHECMATE_NR_HOOKS * CHECMATE_MAX_PROGS <= U16_MAX);

static void free_ruleset(struct work_struct *work)
{
	struct checmate_ruleset *ruleset =
		container_of(to_rcu_work(work), struct checmate_ruleset,
			     free_work);
	unsigned int i;

	for (i = 0; i < ruleset->first[CHECMATE_NR_HOOKS]; i++)
		checmate_put_program(ruleset->program[i]);
	kvfree(ruleset);
}

/* Nobody sleeps in the ruleset anymore: back to where freeing may sleep. */
static void sleepers_left(struct rcu_head *rcu)
{
	struct checmate_ruleset *ruleset =
		container_of(rcu, struct checmate_ruleset, rcu);

	INIT_WORK(&ruleset->free_work.work, free_ruleset);
	queue_work(ruleset_wq, &ruleset->free_work.work);
}

/* No reader is left that has not begun to sleep. */
static void readers_left(struct work_struct *work)
{
	struct checmate_ruleset *ruleset =
		container_of(to_rcu_work(work), struct checmate_ruleset,
			     free_work);

	if (bitmap_empty(ruleset->sleepable, CHECMATE_NR_HOOKS))
		free_ruleset(work);
	else
		call_rcu_tasks_trace(&ruleset->rcu, sleepers_left);
}

/**
 * checmate_build_ruleset - Build the ruleset of a cgroup
 * @policy: what is attached to the cgroup itself, or NULL
 * @inherited: what is enforced for its parent
 *
 * Context: Process context, may sleep.
 * Return: A ruleset with a reference for the caller, which is @inherited itself
 * if @policy has nothing to add; -ENOSPC if a hook would get more than
 * CHECMATE_MAX_PROGS programs, or -ENOMEM.
 */
struct checmate_ruleset *
checmate_build_ruleset(const struct checmate_policy *policy,
		       struct checmate_ruleset *inherited)
{
	unsigned int total = inherited->first[CHECMATE_NR_HOOKS];
	struct checmate_ruleset *ruleset;
	unsigned int i, hook, next = 0;

	if (!policy || !policy->nr)
		return checmate_get_ruleset(inherited);

	total += policy->nr;
	ruleset = kvzalloc(struct_size(ruleset, program, total), GFP_KERNEL);
	if (!ruleset)
		return ERR_PTR(-ENOMEM);
	bitmap_copy(ruleset->hooks, inherited->hooks, CHECMATE_NR_HOOKS);
	bitmap_copy(ruleset->sleepable, inherited->sleepable,
		    CHECMATE_NR_HOOKS);

	ruleset->filter = inherited->filter;
	/* Local programs of a hook are counted in the slot behind it... */
	for (i = 0; i < policy->nr; i++) {
		hook = policy->program[i]->hook;
		__set_bit(hook, ruleset->hooks);
		__set_bit(checmate_filter_bit(hook), &ruleset->filter);
		if (policy->program[i]->is_sleepable)
			__set_bit(hook, ruleset->sleepable);
		ruleset->first[hook + 1]++;
	}
	/* ...and the counts, with the inherited ones, become indices. */
	for (hook = 0; hook < CHECMATE_NR_HOOKS; hook++) {
		unsigned int nr = ruleset->first[hook + 1] +
			inherited->first[hook + 1] - inherited->first[hook];

		if (nr > CHECMATE_MAX_PROGS) {
			kvfree(ruleset);
			return ERR_PTR(-ENOSPC);
		}
		next += nr;
		ruleset->first[hook + 1] = next;
	}

	/* Leaf before root: the local programs in attach order come first. */
	for (i = 0; i < policy->nr; i++) {
		next = ruleset->first[policy->program[i]->hook];
		while (ruleset->program[next])
			next++;
		ruleset->program[next] = checmate_get_program(policy->program[i]);
	}
	for_each_set_bit(hook, inherited->hooks, CHECMATE_NR_HOOKS) {
		next = ruleset->first[hook + 1];
		i = inherited->first[hook + 1];
		while (i-- > inherited->first[hook])
			ruleset->program[--next] =
				checmate_get_program(inherited->program[i]);
	}

	refcount_set(&ruleset->usage, 1);
	INIT_RCU_WORK(&ruleset->free_work, readers_left);
	return ruleset;
}

/**
 * checmate_put_rulesets - Drop references
 * @ruleset: the ruleset, or NULL
 * @nr: how many, at least 1
 *
 * Context: Any context.  The programs are put from a work item after a grace
 * period: their last reference may sleep.
 */
void checmate_put_rulesets(struct checmate_ruleset *ruleset, unsigned int nr)
{
	if (ruleset && refcount_sub_and_test(nr, &ruleset->usage))
		queue_rcu_work(ruleset_wq, &ruleset->free_work);
}

#if IS_ENABLED(CONFIG_SECURITY_CHECMATE_KUNIT_TEST)
/**
 * checmate_flush_rulesets - Wait until no ruleset is left to be freed
 *
 * Context: Process context, may sleep.
 */
void checmate_flush_rulesets(void)
{
	rcu_barrier();
	flush_workqueue(ruleset_wq);
	rcu_barrier_tasks_trace();
	flush_workqueue(ruleset_wq);
}
#endif

static int __init create_wq(void)
{
	ruleset_wq = alloc_workqueue("checmate", WQ_UNBOUND, 1);
	if (!ruleset_wq)
		panic("%s: no memory for a workqueue\n", CHECMATE_NAME);
	return 0;
}
core_initcall(create_wq);
