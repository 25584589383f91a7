/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Chains
 */
#ifndef _SECURITY_CHECMATE_CHAIN_H
#define _SECURITY_CHECMATE_CHAIN_H

#include <linux/filter.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include "program.h"

/**
 * struct checmate_step - A program of a chain
 * @func: its machine code; NULL behind the last program
 * @allow: what @func returns to allow
 * @program: the program, referenced
 *
 * What a hook needs to evaluate the program stands together.
 */
struct checmate_step {
	bpf_func_t func;
	u32 allow;
	struct checmate_program *program;
};

/**
 * struct checmate_chain - The programs of one hook, in order
 * @usage: one reference from every ruleset that the chain is in
 * @hook: the hook
 * @nr: how many programs there are
 * @needs_dispatch: dispatch.c evaluates the chain, not the hook itself: a
 *	program needs more than a call, or the chain is checmate_closed_chain
 * @is_sleepable: one of the programs may sleep
 * @step: the programs, and one step more; @func of the first step is
 *	checmate_run_none() if there is no program, or if @needs_dispatch
 *
 * Rulesets that have the same programs for a hook, one having it from the
 * other, share the chain.  It is freed with the last of them, and so after the
 * grace periods of each.
 *
 * All but @usage is constant once the chain is in a ruleset.
 */
struct checmate_chain {
	refcount_t usage;
	enum checmate_hook hook;
	u16 nr;
	bool needs_dispatch;
	bool is_sleepable;
	struct checmate_step step[];
};

extern struct checmate_chain checmate_no_chain;
extern struct checmate_chain checmate_closed_chain;

struct checmate_chain *checmate_create_chain(enum checmate_hook hook,
					     unsigned int room);
void checmate_add_program(struct checmate_chain *chain,
			  struct checmate_program *program);
unsigned int checmate_run_none(const void *args, const struct bpf_insn *unused);
void checmate_put_chain(struct checmate_chain *chain);

static inline struct checmate_chain *
checmate_get_chain(struct checmate_chain *chain)
{
	refcount_inc(&chain->usage);
	return chain;
}

#endif /* _SECURITY_CHECMATE_CHAIN_H */
