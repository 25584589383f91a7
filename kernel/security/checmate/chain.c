// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Chains
 *
 * The programs that a hook evaluates for a cgroup and all that is below it.
 */

#include <linux/limits.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "chain.h"
#include "limits.h"

/* The chain of a hook without a program. */
struct checmate_chain checmate_no_chain = {
	.usage = REFCOUNT_INIT(1),
	.step = { { .func = checmate_run_none }, { } },
};

/* Denies every hook; see checmate_closed_ruleset. */
struct checmate_chain checmate_closed_chain = {
	.usage = REFCOUNT_INIT(1),
	.needs_dispatch = true,
	.step = { { .func = checmate_run_none }, { } },
};

/* All programs of a hook must be countable in @nr. */
static_assert(CHECMATE_MAX_PROGS <= U16_MAX);

/**
 * checmate_create_chain - Begin a chain
 * @hook: the hook
 * @room: how many programs it is going to have
 *
 * Context: Process context, may sleep.
 * Return: A chain without programs and with one reference, for
 * checmate_add_program(), or NULL if there is no memory.
 */
struct checmate_chain *checmate_create_chain(enum checmate_hook hook,
					     unsigned int room)
{
	struct checmate_chain *chain =
		kzalloc(struct_size(chain, step, room + 1), GFP_KERNEL_ACCOUNT);

	if (!chain)
		return NULL;
	refcount_set(&chain->usage, 1);
	chain->hook = hook;
	return chain;
}

/**
 * checmate_add_program - Add a program behind those of a chain
 * @chain: a chain that nobody else knows of, with room
 * @program: the program, of which a reference is taken
 *
 * Context: Process context.
 */
void checmate_add_program(struct checmate_chain *chain,
			  struct checmate_program *program)
{
	chain->step[chain->nr++] = (struct checmate_step){
		.func = program->func,
		.allow = program->allow,
		.program = checmate_get_program(program),
	};
	chain->is_sleepable |= program->is_sleepable;
	chain->needs_dispatch |= program->needs_dispatch;
	if (chain->needs_dispatch)
		chain->step[0].func = checmate_run_none;
}

/**
 * checmate_run_none - Stand in for the first program of a chain
 * @args: the arguments of a frame
 * @unused: what a program that is no machine code would need
 *
 * Runs nothing and does not allow: checmate_resume() then evaluates the chain.
 *
 * Context: Any context.
 * Return: What no program returns to allow.
 */
unsigned int checmate_run_none(const void *args, const struct bpf_insn *unused)
{
	return U32_MAX;
}

/**
 * checmate_put_chain - Drop a reference
 * @chain: the chain
 *
 * Context: Process context.  Whoever drops the last reference knows that no
 * hook can still be using the chain.
 */
void checmate_put_chain(struct checmate_chain *chain)
{
	unsigned int i;

	if (!refcount_dec_and_test(&chain->usage))
		return;
	for (i = 0; i < chain->nr; i++)
		checmate_put_program(chain->step[i].program);
	kfree(chain);
}
