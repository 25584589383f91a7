// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Direct calls
 *
 * A hook calls a program through a static call, given the address.  That leads
 * to an indirect call, or to the hook's BPF dispatcher: code that compares the
 * address with up to BPF_DISPATCHER_MAX known ones and jumps there directly.
 * The dispatcher calls any other address indirectly, so it may lag behind.
 *
 * A dispatcher waits for a grace period of RCU after each change.  A work item
 * makes the changes, for programs that have been attached for a while: neither
 * writers nor containers that come and go wait for it.
 *
 * A dispatcher is allocated when the first program of its hook settles, and is
 * never freed: it takes three pages.
 *
 * Locks: settle_lock covers young_callees and nests inside all else.  The
 * dispatchers belong to the work item, which holds no lock but theirs.
 */

#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/jiffies.h>
#include <linux/kconfig.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/sprintf.h>
#include <linux/workqueue.h>

#include "direct.h"
#include "hook_table.h"
#include "limits.h"

#define CHECMATE_HOOK(RET, DEFAULT, NAME, ...)				\
	DEFINE_STATIC_CALL(checmate_call_##NAME, bpf_dispatcher_nop_func);
#include "hook_list.h"
#undef CHECMATE_HOOK

/* The call of each hook, as a dispatcher patches it. */
static const struct {
	struct static_call_key *key;
	void *tramp;
} hook_call[] = {
#define CHECMATE_HOOK(RET, DEFAULT, NAME, ...)				\
	{ &STATIC_CALL_KEY(checmate_call_##NAME),			\
	  STATIC_CALL_TRAMP_ADDR(checmate_call_##NAME) },
#include "hook_list.h"
#undef CHECMATE_HOOK
};

static struct bpf_dispatcher *hook_dispatcher[CHECMATE_NR_HOOKS];

static void settle(struct work_struct *work);
static DECLARE_DELAYED_WORK(settle_work, settle);

static DEFINE_SPINLOCK(settle_lock);

/* Those that have not settled, the oldest first; under settle_lock. */
static LIST_HEAD(young_callees);

/* Those that have settled and that nobody calls. */
static LLIST_HEAD(gone_callees);

/* Without memory the hook goes on with indirect calls. */
static struct bpf_dispatcher *get_dispatcher(enum checmate_hook hook)
{
	struct bpf_dispatcher *dispatcher = hook_dispatcher[hook];

	if (dispatcher)
		return dispatcher;
	dispatcher = kzalloc(sizeof(*dispatcher), GFP_KERNEL);
	if (!dispatcher)
		return NULL;
	mutex_init(&dispatcher->mutex);
	INIT_LIST_HEAD_RCU(&dispatcher->ksym.lnode);
	snprintf(dispatcher->ksym.name, sizeof(dispatcher->ksym.name),
		 "checmate_call_%s", checmate_hook_name(hook));
	dispatcher->sc_key = hook_call[hook].key;
	dispatcher->sc_tramp = hook_call[hook].tramp;
	WRITE_ONCE(hook_dispatcher[hook], dispatcher);
	return dispatcher;
}

/**
 * checmate_count_callees - How many programs of a hook have direct calls
 * @hook: the hook
 *
 * Context: Any context.
 * Return: The number, in which a program that is attached to several cgroups
 * counts once.
 */
unsigned int checmate_count_callees(enum checmate_hook hook)
{
	const struct bpf_dispatcher *dispatcher =
		READ_ONCE(hook_dispatcher[hook]);

	return dispatcher ? READ_ONCE(dispatcher->num_progs) : 0;
}

/*
 * The oldest that is old enough and for which its dispatcher has room.  Those
 * without room stay: any that goes makes some.
 */
static struct checmate_callee *take_old(bool *has_young)
{
	struct checmate_callee *callee;

	guard(spinlock)(&settle_lock);

	list_for_each_entry(callee, &young_callees, node) {
		if (time_before(jiffies, callee->since + CHECMATE_SETTLE_TIME)) {
			*has_young = true;
			return NULL;
		}
		if (checmate_count_callees(callee->hook) == BPF_DISPATCHER_MAX)
			continue;
		callee->is_settled = true;
		list_del_init(&callee->node);
		return callee;
	}
	return NULL;
}

static void settle(struct work_struct *work)
{
	struct llist_node *gone = llist_del_all(&gone_callees);
	struct checmate_callee *callee, *next;
	struct bpf_dispatcher *dispatcher;
	bool has_young = false;

	/* Those that are gone make room for others. */
	llist_for_each_entry_safe(callee, next, gone, gone) {
		dispatcher = hook_dispatcher[callee->hook];
		if (dispatcher)
			bpf_dispatcher_change_prog(dispatcher, callee->prog,
						   NULL);
		callee->free(callee);
		cond_resched();
	}
	/* A program that is taken here is freed in a later round. */
	while ((callee = take_old(&has_young))) {
		dispatcher = get_dispatcher(callee->hook);
		if (dispatcher)
			bpf_dispatcher_change_prog(dispatcher, NULL,
						   callee->prog);
		cond_resched();
	}
	if (has_young)
		schedule_delayed_work(&settle_work, CHECMATE_SETTLE_TIME);
}

/**
 * checmate_settle_callee - Let a program have direct calls, if it stays
 * @callee: the program, which is new
 *
 * Context: Process context.
 */
void checmate_settle_callee(struct checmate_callee *callee)
{
	callee->since = jiffies;
	scoped_guard(spinlock, &settle_lock)
		list_add_tail(&callee->node, &young_callees);
	schedule_delayed_work(&settle_work, CHECMATE_SETTLE_TIME);
}

/**
 * checmate_free_callee - Free a program, once no dispatcher knows it
 * @callee: the program, which no hook can be calling
 *
 * Context: Process context.
 */
void checmate_free_callee(struct checmate_callee *callee)
{
	bool is_settled;

	scoped_guard(spinlock, &settle_lock) {
		is_settled = callee->is_settled;
		if (!is_settled)
			list_del_init(&callee->node);
	}
	if (!is_settled) {
		callee->free(callee);
		return;
	}
	llist_add(&callee->gone, &gone_callees);
	schedule_delayed_work(&settle_work, CHECMATE_SETTLE_TIME);
}

#if IS_ENABLED(CONFIG_SECURITY_CHECMATE_KUNIT_TEST)
/**
 * checmate_flush_callees - Wait until no program is left to be freed
 *
 * Context: Process context, may sleep.
 */
void checmate_flush_callees(void)
{
	flush_delayed_work(&settle_work);
}
#endif
