// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Policies
 *
 * What is attached to one cgroup, and how a transaction makes the next state
 * of it from the last.  No locks: policies do not change.
 */

#include <linux/overflow.h>
#include <linux/slab.h>

#include "common.h"
#include "limits.h"
#include "policy.h"

static bool in_scope(const struct checmate_program *program,
		     enum checmate_hook scope)
{
	return scope == CHECMATE_ALL_HOOKS || program->hook == scope;
}

/*
 * What joins a sealed policy is asked before what was there: that thus judges
 * what a program has rewritten, and nothing is rewritten behind its back.
 */
static int attach(struct checmate_policy *policy,
		  struct checmate_program *program, enum checmate_hook scope,
		  bool sealed)
{
	unsigned int i;

	if (!in_scope(program, scope))
		return -EINVAL;
	for (i = 0; i < policy->nr; i++)
		if (policy->program[i]->prog == program->prog)
			return -EEXIST;
	if (policy->nr >= CHECMATE_MAX_LOCAL)
		return -ENOSPC;
	policy->nr++;
	if (sealed) {
		memmove(&policy->program[1], &policy->program[0],
			flex_array_size(policy, program, i));
		i = 0;
	}
	policy->program[i] = checmate_get_program(program);
	return 0;
}

static void remove_at(struct checmate_policy *policy, unsigned int i)
{
	checmate_put_program(policy->program[i]);
	memmove(&policy->program[i], &policy->program[i + 1],
		flex_array_size(policy, program, policy->nr - i - 1));
	policy->nr--;
}

/* Detach by program if one is given, by id otherwise. */
static int detach(struct checmate_policy *policy, u64 id,
		  const struct checmate_program *program,
		  enum checmate_hook scope)
{
	unsigned int i;

	if (program && !in_scope(program, scope))
		return -EINVAL;
	for (i = 0; i < policy->nr; i++) {
		if (program ? policy->program[i]->prog != program->prog :
			      policy->program[i]->id != id)
			continue;
		remove_at(policy, i);
		return 0;
	}
	return -ENOENT;
}

static int change_mode(struct checmate_policy *policy, u64 id, bool permissive,
		       bool sealed)
{
	struct checmate_program *clone;
	unsigned int i;

	for (i = 0; i < policy->nr; i++)
		if (policy->program[i]->id == id)
			break;
	if (i == policy->nr)
		return -ENOENT;
	if (policy->program[i]->permissive == permissive)
		return 0;
	if (permissive && sealed)
		return -EROFS;
	clone = checmate_clone_program(policy->program[i], permissive);
	if (IS_ERR(clone))
		return PTR_ERR(clone);
	checmate_put_program(policy->program[i]);
	policy->program[i] = clone;
	return 0;
}

static void clear(struct checmate_policy *policy, enum checmate_hook scope)
{
	unsigned int i = policy->nr;

	while (i--)
		if (in_scope(policy->program[i], scope))
			remove_at(policy, i);
}

static int apply(struct checmate_policy *policy, const struct checmate_op *op,
		 struct checmate_program *program, enum checmate_hook scope,
		 bool sealed)
{
	switch (op->type) {
	case CHECMATE_OP_ATTACH:
		return attach(policy, program, scope, sealed);
	case CHECMATE_OP_MODE:
		return change_mode(policy, op->id, op->permissive, sealed);
	case CHECMATE_OP_DETACH:
	case CHECMATE_OP_DETACH_FD:
		if (sealed)
			return -EROFS;
		return detach(policy, op->id, program, scope);
	case CHECMATE_OP_CLEAR:
		if (sealed)
			return -EROFS;
		clear(policy, scope);
		return 0;
	}
	return -EINVAL;
}

/**
 * checmate_edit_policy - Apply a transaction to a policy
 * @old: the policy to start from, or NULL for an empty one; not changed
 * @edit: what to do
 * @sealed: refuse to make the policy looser than it is
 *
 * Context: Process context, may sleep.
 * Return: The new policy with references of its own; -EINVAL if a program is
 * not for the edit's scope, -EEXIST if it is attached already, -ENOENT if there
 * is no such attachment, -ENOSPC if there are too many, -EROFS if @sealed
 * forbids it, or -ENOMEM.
 */
struct checmate_policy *
checmate_edit_policy(const struct checmate_policy *old,
		     const struct checmate_edit *edit, bool sealed)
{
	struct checmate_policy *policy __free(checmate_policy) = NULL;
	unsigned int room = size_add(old ? old->nr : 0, edit->nr);
	unsigned int i;
	int err;

	policy = kvzalloc(struct_size(policy, program, room),
			  GFP_KERNEL_ACCOUNT);
	if (!policy)
		return ERR_PTR(-ENOMEM);
	for (i = 0; old && i < old->nr; i++) {
		policy->nr++;
		policy->program[i] = checmate_get_program(old->program[i]);
	}

	for (i = 0; i < edit->nr; i++) {
		err = apply(policy, &edit->op[i], edit->program[i], edit->scope,
			    sealed);
		if (err)
			return ERR_PTR(err);
	}
	return_ptr(policy);
}

/**
 * checmate_free_policy - Free a policy and drop its references
 * @policy: the policy, or NULL
 *
 * Context: Process context.
 */
void checmate_free_policy(struct checmate_policy *policy)
{
	unsigned int i;

	if (!policy)
		return;
	for (i = 0; i < policy->nr; i++)
		checmate_put_program(policy->program[i]);
	kvfree(policy);
}
