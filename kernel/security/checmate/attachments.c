// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Attachment sets
 *
 * What is attached to one cgroup, and how a transaction makes the next state
 * of it from the last.  No locks: attachment sets do not change.
 */

#include <linux/overflow.h>
#include <linux/slab.h>

#include "common.h"
#include "limits.h"
#include "attachments.h"

static bool in_scope(const struct checmate_program *program,
		     enum checmate_hook scope)
{
	return scope == CHECMATE_ALL_HOOKS || program->hook == scope;
}

/*
 * A program that is attached to a sealed cgroup runs before those that were
 * there: these evaluate what it has rewritten.
 */
static int attach(struct checmate_attachments *set,
		  struct checmate_program *program, enum checmate_hook scope,
		  bool sealed)
{
	unsigned int i;

	if (!in_scope(program, scope))
		return -EINVAL;
	for (i = 0; i < set->nr; i++)
		if (set->program[i]->prog == program->prog)
			return -EEXIST;
	if (set->nr >= CHECMATE_MAX_LOCAL)
		return -ENOSPC;
	set->nr++;
	if (sealed) {
		memmove(&set->program[1], &set->program[0],
			flex_array_size(set, program, i));
		i = 0;
	}
	set->program[i] = checmate_get_program(program);
	return 0;
}

static void remove_at(struct checmate_attachments *set, unsigned int i)
{
	checmate_put_program(set->program[i]);
	memmove(&set->program[i], &set->program[i + 1],
		flex_array_size(set, program, set->nr - i - 1));
	set->nr--;
}

/* Detach by program if one is given, by id otherwise. */
static int detach(struct checmate_attachments *set, u64 id,
		  const struct checmate_program *program,
		  enum checmate_hook scope)
{
	unsigned int i;

	if (program && !in_scope(program, scope))
		return -EINVAL;
	for (i = 0; i < set->nr; i++) {
		if (program ? set->program[i]->prog != program->prog :
			      set->program[i]->id != id)
			continue;
		remove_at(set, i);
		return 0;
	}
	return -ENOENT;
}

static struct checmate_program **find_attachment(struct checmate_attachments *set,
						 u64 id)
{
	unsigned int i;

	for (i = 0; i < set->nr; i++)
		if (set->program[i]->id == id)
			return &set->program[i];
	return NULL;
}

static int change(struct checmate_program **slot, bool permissive, u64 cookie)
{
	struct checmate_program *clone;

	clone = checmate_clone_program(*slot, permissive, cookie);
	if (IS_ERR(clone))
		return PTR_ERR(clone);
	checmate_put_program(*slot);
	*slot = clone;
	return 0;
}

static int change_mode(struct checmate_attachments *set, u64 id, bool permissive,
		       bool sealed)
{
	struct checmate_program **slot = find_attachment(set, id);

	if (!slot)
		return -ENOENT;
	if ((*slot)->permissive == permissive)
		return 0;
	if (permissive && sealed)
		return -EROFS;
	return change(slot, permissive, (*slot)->cookie);
}

/*
 * The kernel cannot tell whether a program is as strict with another cookie: a
 * seal refuses every change.
 */
static int change_cookie(struct checmate_attachments *set, u64 id, u64 cookie,
			 bool sealed)
{
	struct checmate_program **slot = find_attachment(set, id);

	if (!slot)
		return -ENOENT;
	if ((*slot)->cookie == cookie)
		return 0;
	if (sealed)
		return -EROFS;
	return change(slot, (*slot)->permissive, cookie);
}

static void clear(struct checmate_attachments *set, enum checmate_hook scope)
{
	unsigned int i = set->nr;

	while (i--)
		if (in_scope(set->program[i], scope))
			remove_at(set, i);
}

static int apply(struct checmate_attachments *set, const struct checmate_op *op,
		 struct checmate_program *program, enum checmate_hook scope,
		 bool sealed)
{
	switch (op->type) {
	case CHECMATE_OP_ATTACH:
		return attach(set, program, scope, sealed);
	case CHECMATE_OP_MODE:
		return change_mode(set, op->id, op->permissive, sealed);
	case CHECMATE_OP_COOKIE:
		return change_cookie(set, op->id, op->cookie, sealed);
	case CHECMATE_OP_DETACH:
	case CHECMATE_OP_DETACH_FD:
		if (sealed)
			return -EROFS;
		return detach(set, op->id, program, scope);
	case CHECMATE_OP_CLEAR:
		if (sealed)
			return -EROFS;
		clear(set, scope);
		return 0;
	}
	return -EINVAL;
}

/**
 * checmate_edit_attachments - Apply a transaction to an attachment set
 * @old: the attachment set to start from, or NULL for an empty one; not changed
 * @edit: what to do
 * @sealed: refuse to make the attachment set looser than it is
 *
 * Context: Process context, may sleep.
 * Return: The new attachment set with references of its own; -EINVAL if a
 * program is not for the edit's scope, -EEXIST if it is attached already,
 * -ENOENT if there is no such attachment, -ENOSPC if there are too many, -EROFS
 * if @sealed forbids it, or -ENOMEM.
 */
struct checmate_attachments *
checmate_edit_attachments(const struct checmate_attachments *old,
			  const struct checmate_edit *edit, bool sealed)
{
	struct checmate_attachments *set __free(checmate_attachments) = NULL;
	unsigned int room = size_add(old ? old->nr : 0, edit->nr);
	unsigned int i;
	int err;

	set = kvzalloc(struct_size(set, program, room),
		       GFP_KERNEL_ACCOUNT);
	if (!set)
		return ERR_PTR(-ENOMEM);
	for (i = 0; old && i < old->nr; i++) {
		set->nr++;
		set->program[i] = checmate_get_program(old->program[i]);
	}

	for (i = 0; i < edit->nr; i++) {
		err = apply(set, &edit->op[i], edit->program[i], edit->scope,
			    sealed);
		if (err)
			return ERR_PTR(err);
	}
	return_ptr(set);
}

/**
 * checmate_free_attachments - Free an attachment set and drop its references
 * @set: the attachment set, or NULL
 *
 * Context: Process context.
 */
void checmate_free_attachments(struct checmate_attachments *set)
{
	unsigned int i;

	if (!set)
		return;
	for (i = 0; i < set->nr; i++)
		checmate_put_program(set->program[i]);
	kvfree(set);
}
