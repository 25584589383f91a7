/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Chains
 */
#ifndef _SECURITY_CHECMATE_CHAIN_H
#define _SECURITY_CHECMATE_CHAIN_H

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
 * @func: judges for all of them with one call: the only program, or @made;
 *	checmate_ask_each() as long as there is none
 * @allow: what @func returns if all allow
 * @usage: one reference from every ruleset that the chain is in
 * @hook: the hook
 * @nr: how many programs there are
 * @is_sleepable: one of them may sleep
 * @is_alone: one of them may need more than a call: @func remains NULL
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
 * All but @usage is constant once the chain is in a ruleset, with these
 * exceptions: @func is set once; @has_settled, @made, @node and @gone are
 * direct.c's.
 */
struct checmate_chain {
	bpf_func_t func;
	u32 allow;
	refcount_t usage;
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

static inline struct checmate_chain *
checmate_get_chain(struct checmate_chain *chain)
{
	refcount_inc(&chain->usage);
	return chain;
}

#endif /* _SECURITY_CHECMATE_CHAIN_H */
