/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Direct calls
 */
#ifndef _SECURITY_CHECMATE_DIRECT_H
#define _SECURITY_CHECMATE_DIRECT_H

#include <linux/bpf.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/static_call.h>
#include <linux/types.h>

#include "hook_table.h"

/*
 * The call by which a hook runs a program: indirect at first, then through the
 * BPF dispatcher of the hook.  Without static calls it remains indirect.
 */
#ifdef CONFIG_HAVE_STATIC_CALL
#define CHECMATE_HOOK(RET, DEFAULT, NAME, ...)				\
	DECLARE_STATIC_CALL(checmate_call_##NAME, bpf_dispatcher_nop_func);
#include "hook_list.h"
#undef CHECMATE_HOOK
#define CHECMATE_CALL(NAME, FUNC, ARGS)					\
	static_call(checmate_call_##NAME)(ARGS, NULL, FUNC)
#else
#define CHECMATE_CALL(NAME, FUNC, ARGS)	(FUNC)(ARGS, NULL)
#endif

/**
 * struct checmate_callee - A program that is to have direct calls
 * @hook: the hook that calls it
 * @prog: the program
 * @free: frees the structure of which this is part
 * @since: when the program was attached, in jiffies
 * @is_settled: left young_callees; the work item may have told the dispatcher
 * @node: in young_callees, or empty
 * @gone: in the list of those to be freed
 *
 * @is_settled and @node are used under settle_lock.
 */
struct checmate_callee {
	enum checmate_hook hook;
	struct bpf_prog *prog;
	void (*free)(struct checmate_callee *callee);
	unsigned long since;
	bool is_settled;
	struct list_head node;
	struct llist_node gone;
};

#ifdef CONFIG_HAVE_STATIC_CALL
void checmate_settle_callee(struct checmate_callee *callee);
void checmate_free_callee(struct checmate_callee *callee);
unsigned int checmate_count_callees(enum checmate_hook hook);
void checmate_flush_callees(void);
#else
static inline void checmate_settle_callee(struct checmate_callee *callee)
{
}

static inline void checmate_free_callee(struct checmate_callee *callee)
{
	callee->free(callee);
}

static inline unsigned int checmate_count_callees(enum checmate_hook hook)
{
	return 0;
}

static inline void checmate_flush_callees(void)
{
}
#endif

#endif /* _SECURITY_CHECMATE_DIRECT_H */
