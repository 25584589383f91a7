/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Chains
 */
#ifndef _SECURITY_CHECMATE_CHAIN_H
#define _SECURITY_CHECMATE_CHAIN_H

#include <linux/atomic.h>
#include <linux/filter.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include "hooks.h"

struct bpf_prog;
struct checmate_program;

/**
 * struct checmate_chain - The programs of one hook, in order
 * @func: evaluates all of them with one call: the only program, or @made;
 *	checmate_ask_each() as long as there is neither
 * @allow: what @func returns if all allow
 * @usage: one reference from every ruleset that the chain is in
 * @live: how many of these a cgroup may still point to; the others wait for
 *	their readers
 * @hook: the hook
 * @nr: how many programs there are
 * @is_sleepable: one of them may sleep
 * @is_alone: one of them may need more than a call: @func remains
 *	checmate_ask_each()
 * @has_settled: known to direct.c, and freed by it
 * @since: when the chain was made, in jiffies
 * @made: calls the programs in turn, owned; NULL if there is no such program
 * @node: in a list of direct.c
 * @gone: in the list of those to be freed
 * @program: the programs, each referenced
 *
 * Rulesets that have the same programs for a hook, one having it from the
 * other, share the chain.  It is freed with the last of them, and so after the
 * grace periods of each.
 *
 * All but @usage and @live is constant once the chain is in a ruleset, with
 * these exceptions: @func is set once; @has_settled, @made, @node and @gone are
 * direct.c's.
 */
struct checmate_chain {
	bpf_func_t func;
	u32 allow;
	refcount_t usage;
	atomic_t live;
	enum checmate_hook hook;
	u16 nr;
	bool is_sleepable;
	bool is_alone;
	bool has_settled;
	unsigned long since;
	struct bpf_prog *made;
	struct list_head node;
	struct llist_node gone;
	struct checmate_program *program[];
};

extern struct checmate_chain checmate_no_chain;
extern struct checmate_chain checmate_closed_chain;

struct checmate_chain *checmate_create_chain(enum checmate_hook hook,
					     unsigned int room);
void checmate_add_program(struct checmate_chain *chain,
			  struct checmate_program *program);
void checmate_finish_chain(struct checmate_chain *chain);
void checmate_hide_chain(struct checmate_chain *chain);
void checmate_free_chain(struct checmate_chain *chain);
void checmate_put_chain(struct checmate_chain *chain);

bool checmate_is_jited(const struct checmate_chain *chain);
int checmate_make_chain(struct checmate_chain *chain);

/**
 * checmate_get_chain - Share a chain
 * @chain: a chain of a ruleset that a cgroup points to, or is going to
 *
 * Context: Any context.
 * Return: @chain, with a reference for another ruleset, which is live.
 */
static inline struct checmate_chain *
checmate_get_chain(struct checmate_chain *chain)
{
	refcount_inc(&chain->usage);
	atomic_inc(&chain->live);
	return chain;
}

/**
 * checmate_retire_chain - Tell that one ruleset less is in use
 * @chain: a chain of that ruleset, which keeps its reference
 *
 * Context: Any context.
 */
static inline void checmate_retire_chain(struct checmate_chain *chain)
{
	atomic_dec(&chain->live);
}

#endif /* _SECURITY_CHECMATE_CHAIN_H */
