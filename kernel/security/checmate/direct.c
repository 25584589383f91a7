// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Direct calls
 *
 * A hook calls what judges it through a static call, given the address.  That
 * leads to an indirect call, or to code that compares the address with those it
 * knows and jumps where it is: the kernel's BPF dispatcher, made here for as
 * many hooks as are in use.  Whatever the code does not know it calls
 * indirectly, so it may lag behind.
 *
 * It does on purpose: making programs and patching the call is left to a work
 * item, for chains that have been there for a while.  A chain that settled is
 * freed by the work item too, once no code knows its address.
 *
 * Locks: settle_lock covers young_chains and nests inside all else; settled
 * chains, and the code, belong to the work item alone.  That waits for RCU and
 * patches kernel text, and so holds no lock while it does.
 */

#include <linux/bitmap.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/jiffies.h>
#include <linux/kconfig.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/sprintf.h>
#include <linux/workqueue.h>

#include "chain.h"
#include "direct.h"
#include "dispatch.h"
#include "hooks.h"
#include "limits.h"

/* All that BPF_DISPATCHER_MAX addresses take. */
#define CODE_SIZE SZ_2K

/**
 * struct checmate_code - What the call of a hook is patched to lead to
 * @image: the code
 * @symbol: tells it from other code
 * @old: in a list of code to be freed
 */
struct checmate_code {
	void *image;
	struct bpf_ksym symbol;
	struct list_head old;
};

static void settle(struct work_struct *work);
static DECLARE_DELAYED_WORK(settle_work, settle);

static DEFINE_SPINLOCK(settle_lock);

/* Chains that have not settled, the oldest first; under settle_lock. */
static LIST_HEAD(young_chains);

/* Chains that have settled and that nobody uses. */
static LLIST_HEAD(gone_chains);

/* Of the work item: the settled chains and the code of each hook. */
static struct list_head settled_chains[CHECMATE_NR_HOOKS];
static struct checmate_code *hook_code[CHECMATE_NR_HOOKS];

#ifdef CONFIG_HAVE_STATIC_CALL
static void free_code(struct checmate_code *code)
{
	if (code->image)
		bpf_prog_pack_free(code->image, CODE_SIZE);
	kfree(code);
}

/* The code for what has settled in @hook, or NULL if there is nothing to. */
static struct checmate_code *make_code(enum checmate_hook hook)
{
	s64 address[BPF_DISPATCHER_MAX] = {};
	const struct checmate_chain *chain;
	struct checmate_code *code;
	void *buffer = NULL;
	unsigned int nr = 0;

	list_for_each_entry(chain, &settled_chains[hook], node) {
		if (chain->func == checmate_ask_each)
			continue;
		address[nr++] = (unsigned long)chain->func;
		if (nr == ARRAY_SIZE(address))
			break;
	}
	if (!nr)
		return NULL;

	code = kzalloc(sizeof(*code), GFP_KERNEL);
	if (!code)
		return NULL;
	code->image = bpf_prog_pack_alloc(CODE_SIZE, bpf_jit_fill_hole_with_zero,
					  false);
	buffer = kzalloc(CODE_SIZE, GFP_KERNEL);
	if (!code->image || !buffer ||
	    arch_prepare_bpf_dispatcher(code->image, buffer, address, nr) ||
	    IS_ERR(bpf_arch_text_copy(code->image, buffer, CODE_SIZE))) {
		kfree(buffer);
		free_code(code);
		return NULL;
	}
	kfree(buffer);

	INIT_LIST_HEAD_RCU(&code->symbol.lnode);
	snprintf(code->symbol.name, sizeof(code->symbol.name),
		 "checmate_call_%s_%u", checmate_hook_name(hook), nr);
	bpf_image_ksym_init(code->image, CODE_SIZE, &code->symbol);
	bpf_image_ksym_add(&code->symbol);
	return code;
}

/* What the call led to goes to @old: it may be at work until RCU has passed. */
static void patch_call(enum checmate_hook hook, struct list_head *old)
{
	struct checmate_code *code = make_code(hook);
	void *func = code ? code->image : (void *)bpf_dispatcher_nop_func;

	if (!code && !hook_code[hook])
		return;
	__static_call_update(checmate_hook_call[hook].key,
			     checmate_hook_call[hook].tramp, func);
	if (hook_code[hook]) {
		bpf_image_ksym_del(&hook_code[hook]->symbol);
		list_add(&hook_code[hook]->old, old);
	}
	hook_code[hook] = code;
}
#else
static void free_code(struct checmate_code *code)
{
}

static void patch_call(enum checmate_hook hook, struct list_head *old)
{
}
#endif

/*
 * Take over the chains that are old enough, and are not only waiting to be
 * freed; says whether any is not old enough.
 */
static bool take_young(unsigned long *changed)
{
	struct checmate_chain *chain, *next;
	bool is_young = false;

	spin_lock(&settle_lock);
	list_for_each_entry_safe(chain, next, &young_chains, node) {
		is_young = time_before(jiffies,
				       chain->since + CHECMATE_SETTLE_TIME);
		if (is_young)
			break;
		/* Its rulesets wait for readers, who may sleep for long. */
		if (!atomic_read(&chain->live)) {
			list_del_init(&chain->node);
			continue;
		}
		chain->has_settled = true;
		list_move_tail(&chain->node, &settled_chains[chain->hook]);
		__set_bit(chain->hook, changed);
	}
	spin_unlock(&settle_lock);
	return is_young;
}

static void settle(struct work_struct *work)
{
	DECLARE_BITMAP(changed, CHECMATE_NR_HOOKS) = {};
	struct checmate_code *code, *next_code;
	struct checmate_chain *chain, *next;
	struct llist_node *gone;
	bool again;
	LIST_HEAD(old);
	int hook;

	/* One that has not been seen to settle is not seen gone either. */
	again = take_young(changed);
	gone = llist_del_all(&gone_chains);
	llist_for_each_entry(chain, gone, gone) {
		list_del(&chain->node);
		__set_bit(chain->hook, changed);
		checmate_hide_chain(chain);
		cond_resched();
	}
	for_each_set_bit(hook, changed, CHECMATE_NR_HOOKS) {
		list_for_each_entry(chain, &settled_chains[hook], node) {
			if (chain->func == checmate_ask_each) {
				checmate_make_chain(chain);
				cond_resched();
			}
		}
		patch_call(hook, &old);
	}

	if (gone || !list_empty(&old))
		synchronize_rcu();
	list_for_each_entry_safe(code, next_code, &old, old)
		free_code(code);
	llist_for_each_entry_safe(chain, next, gone, gone) {
		checmate_free_chain(chain);
		cond_resched();
	}
	if (again)
		schedule_delayed_work(&settle_work, CHECMATE_SETTLE_TIME);
}

/**
 * checmate_settle_later - Let a chain have direct calls, if it stays
 * @chain: the chain
 *
 * Context: Process context.
 */
void checmate_settle_later(struct checmate_chain *chain)
{
	scoped_guard(spinlock, &settle_lock) {
		chain->since = jiffies;
		list_add_tail(&chain->node, &young_chains);
	}
	schedule_delayed_work(&settle_work, CHECMATE_SETTLE_TIME);
}

/**
 * checmate_unsettle - Forget a chain
 * @chain: the chain, which no hook can be using
 *
 * Context: Process context.
 * Return: false if nothing here knows the chain anymore; otherwise it will be
 * freed from here.
 */
bool checmate_unsettle(struct checmate_chain *chain)
{
	scoped_guard(spinlock, &settle_lock) {
		if (!chain->has_settled) {
			list_del_init(&chain->node);
			return false;
		}
	}
	llist_add(&chain->gone, &gone_chains);
	schedule_delayed_work(&settle_work, CHECMATE_SETTLE_TIME);
	return true;
}

#if IS_ENABLED(CONFIG_SECURITY_CHECMATE_KUNIT_TEST)
/**
 * checmate_flush_chains - Wait until no chain is left to be freed
 *
 * Context: Process context, may sleep.
 */
void checmate_flush_chains(void)
{
	flush_delayed_work(&settle_work);
}
#endif

static int __init init_settled(void)
{
	int hook;

	for (hook = 0; hook < CHECMATE_NR_HOOKS; hook++)
		INIT_LIST_HEAD(&settled_chains[hook]);
	return 0;
}
core_initcall(init_settled);
