// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Rulesets
 *
 * Built off to the side from an attachment set and what is inherited, published
 * by transaction.c, read by dispatch.c.  Nothing here knows what a program
 * does.
 */

#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "chain.h"
#include "limits.h"
#include "attachments.h"
#include "retire.h"
#include "ruleset.h"

/* What is enforced where nothing is attached from here to the root. */
struct checmate_ruleset checmate_empty_ruleset = {
	.usage = REFCOUNT_INIT(1),
	.chain = { &checmate_no_chain },
};

/*
 * Denies every hook, for a removed cgroup that is no longer rebuilt.  All of
 * @index leads to the first chain, with which the array ends.
 */
struct checmate_ruleset checmate_closed_ruleset = {
	.filter = ~0UL,
	.usage = REFCOUNT_INIT(1),
	.chain = { &checmate_closed_chain },
};

/* All chains there may be must be countable in @index. */
static_assert(CHECMATE_NR_HOOKS <= U8_MAX);

/* All programs of a hook must be countable before they are too many. */
static_assert(CHECMATE_MAX_PROGS <= U8_MAX);

static void free_ruleset(struct checmate_retired *retired)
{
	struct checmate_ruleset *ruleset =
		container_of(retired, struct checmate_ruleset, retired);
	unsigned int i;

	for (i = 1; i <= ruleset->nr; i++)
		checmate_put_chain(ruleset->chain[i]);
	kvfree(ruleset);
}

/* How many programs an attachment set adds to each hook. */
static int count_local(const struct checmate_attachments *set,
		       const struct checmate_ruleset *inherited, u8 *local)
{
	unsigned int i, hook;

	for (i = 0; i < set->nr; i++) {
		hook = set->program[i]->hook;
		if (local[hook] + checmate_find_chain(inherited, hook)->nr ==
		    CHECMATE_MAX_PROGS)
			return -ENOSPC;
		local[hook]++;
	}
	return 0;
}

/* Take over the chains to which nothing is added; make the others, empty. */
static int add_chains(struct checmate_ruleset *ruleset,
		      const struct checmate_ruleset *inherited,
		      const u8 *local)
{
	struct checmate_chain *chain, *old;
	unsigned int hook;

	for (hook = 0; hook < CHECMATE_NR_HOOKS; hook++) {
		old = checmate_find_chain(inherited, hook);
		if (local[hook]) {
			chain = checmate_create_chain(hook,
						      local[hook] + old->nr);
			ruleset->retired.bytes +=
				struct_size(chain, step,
					    local[hook] + old->nr + 1);
		} else if (old->nr) {
			chain = checmate_get_chain(old);
		} else {
			continue;
		}
		if (!chain)
			return -ENOMEM;
		ruleset->chain[++ruleset->nr] = chain;
		ruleset->index[hook] = ruleset->nr;
	}
	return 0;
}

/* Leaf before root: the local programs in attach order come first. */
static void fill_chains(struct checmate_ruleset *ruleset,
			const struct checmate_attachments *set,
			const struct checmate_ruleset *inherited,
			const u8 *local)
{
	struct checmate_chain *chain, *old;
	unsigned int i, j, hook;

	for (i = 0; i < set->nr; i++) {
		hook = set->program[i]->hook;
		checmate_add_program(checmate_find_chain(ruleset, hook),
				     set->program[i]);
		__set_bit(checmate_filter_bit(hook), &ruleset->filter);
	}
	for (i = 1; i <= ruleset->nr; i++) {
		chain = ruleset->chain[i];
		if (local[chain->hook]) {
			old = checmate_find_chain(inherited, chain->hook);
			for (j = 0; j < old->nr; j++)
				checmate_add_program(chain, old->step[j].program);
		}
		ruleset->retired.readers_sleep |= chain->is_sleepable;
	}
}

/**
 * checmate_build_ruleset - Build the ruleset of a cgroup
 * @set: what is attached to the cgroup itself, or NULL
 * @inherited: what is enforced for its parent
 *
 * Context: Process context, may sleep.
 * Return: A ruleset with a reference for the caller, which is @inherited itself
 * if @set has nothing to add, or if @inherited denies everything; -ENOSPC if
 * a hook would get more than CHECMATE_MAX_PROGS programs, or -ENOMEM.
 */
struct checmate_ruleset *
checmate_build_ruleset(const struct checmate_attachments *set,
		       struct checmate_ruleset *inherited)
{
	u8 local[CHECMATE_NR_HOOKS] = {};
	struct checmate_ruleset *ruleset;
	unsigned int hook, nr = 0;
	int err;

	if (!set || !set->nr || inherited == &checmate_closed_ruleset)
		return checmate_get_ruleset(inherited);
	err = count_local(set, inherited, local);
	if (err)
		return ERR_PTR(err);

	for (hook = 0; hook < CHECMATE_NR_HOOKS; hook++)
		nr += local[hook] || checmate_find_chain(inherited, hook)->nr;
	ruleset = kvzalloc(struct_size(ruleset, chain, nr + 1),
			   GFP_KERNEL_ACCOUNT);
	if (!ruleset)
		return ERR_PTR(-ENOMEM);
	ruleset->chain[0] = &checmate_no_chain;
	ruleset->filter = inherited->filter;
	refcount_set(&ruleset->usage, 1);
	ruleset->retired.free = free_ruleset;
	ruleset->retired.bytes = struct_size(ruleset, chain, nr + 1);
	err = add_chains(ruleset, inherited, local);
	if (err) {
		free_ruleset(&ruleset->retired);
		return ERR_PTR(err);
	}
	fill_chains(ruleset, set, inherited, local);
	return ruleset;
}

/* Whether a chain has the same program with the same cookie, and enforces it. */
static bool enforces(const struct checmate_chain *chain,
		     const struct checmate_program *program)
{
	unsigned int i;

	for (i = 0; i < chain->nr; i++)
		if (chain->step[i].program->prog == program->prog &&
		    chain->step[i].program->cookie == program->cookie &&
		    !chain->step[i].program->permissive)
			return true;
	return false;
}

/**
 * checmate_is_as_strict - Whether a ruleset enforces all that another does
 * @ruleset: the ruleset
 * @than: the other one
 *
 * Goes by the programs and their cookies: it does not matter which cgroup they
 * are attached to, nor in which order they run.
 *
 * Context: Any context; both are kept by RCU or by a reference.
 * Return: false if @than enforces a program that @ruleset does not.
 */
bool checmate_is_as_strict(const struct checmate_ruleset *ruleset,
			   const struct checmate_ruleset *than)
{
	const struct checmate_chain *chain, *old;
	unsigned int i, j;

	if (ruleset == than)
		return true;
	for (i = 1; i <= than->nr; i++) {
		old = than->chain[i];
		chain = checmate_find_chain(ruleset, old->hook);
		if (chain == old)
			continue;
		for (j = 0; j < old->nr; j++)
			if (!old->step[j].program->permissive &&
			    !enforces(chain, old->step[j].program))
				return false;
	}
	return true;
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
		checmate_retire(&ruleset->retired);
}

#if IS_ENABLED(CONFIG_SECURITY_CHECMATE_KUNIT_TEST)
/**
 * checmate_flush_rulesets - Wait until no ruleset is left to be freed
 *
 * Context: Process context, may sleep.
 */
void checmate_flush_rulesets(void)
{
	checmate_flush_retired();
	checmate_flush_callees();
}
#endif
