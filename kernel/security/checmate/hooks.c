// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Hooks
 *
 * One thunk for every hook, which asks whether any program may judge the call,
 * and one judge, which lays out the arguments and runs those that do.  Both, and
 * the tables, come from the list that gen-hooks.awk makes.
 *
 * A thunk is called only while its static key is on, which is while a program
 * uses the hook in some cgroup, and a little longer.  Users are counted under
 * checmate_mutex.
 */

#include <linux/binfmts.h>
#include <linux/bpf.h>
#include <linux/bpf_lsm.h>
#include <linux/btf_ids.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/filter.h>
#include <linux/jump_label.h>
#include <linux/kconfig.h>
#include <linux/lockdep.h>
#include <linux/lsm_hooks.h>
#include <linux/math.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/string.h>

#include "cgroup.h"
#include "chain.h"
#include "common.h"
#include "direct.h"
#include "dispatch.h"
#include "frame.h"
#include "hooks.h"
#include "key.h"
#include "ruleset.h"
#include "setup.h"
#include "sock.h"
#include "staged.h"

/* An argument takes as many slots as it needs, the rest of them zero. */
static __always_inline u64 *push(u64 *slot, const void *arg, size_t size)
{
	const size_t slots = DIV_ROUND_UP(size, sizeof(*slot));

	slot[slots - 1] = 0;
	memcpy(slot, arg, size);
	return slot + slots;
}

#define CHECMATE_SLOTS(ARG) DIV_ROUND_UP(sizeof(ARG), sizeof(u64))
#define CHECMATE_PUSH(ARG) slot = push(slot, &(ARG), sizeof(ARG));

/*
 * What a hook returns.  Some have an errno for "nothing to say"; a denial must
 * not be taken for that.
 */
static __always_inline int answer(int err, int nothing)
{
	if (!err)
		return nothing;
	return err == nothing ? -EPERM : err;
}

/*
 * One call for all programs, if there is what to call; programs whose time is
 * measured are called each by itself.
 */
#define RUN(NAME, CAN_DENY)						\
({									\
	const bpf_func_t func = READ_ONCE(chain->func);			\
	struct bpf_run_ctx *outer;					\
	int err = 0;							\
	u32 said;							\
									\
	if (unlikely(!func) ||						\
	    static_branch_unlikely(&bpf_stats_enabled_key)) {		\
		err = checmate_dispatch(cgroup, chain, CAN_DENY,	\
					&frame.head);			\
	} else {							\
		if (IS_ENABLED(CONFIG_PREEMPT_RCU))			\
			migrate_disable();				\
		outer = bpf_set_run_ctx(&frame.head.run.ctx);		\
		said = CHECMATE_CALL(NAME, func, frame.head.args);	\
		bpf_reset_run_ctx(outer);				\
		if (IS_ENABLED(CONFIG_PREEMPT_RCU))			\
			migrate_enable();				\
		if (CAN_DENY &&						\
		    !checmate_is_allowed(chain, &frame.head, said))	\
			err = checmate_resume(cgroup, chain,		\
					      &frame.head, said);	\
	}								\
	err;								\
})

#define JUDGE(NAME, SUBJECT, CAN_DENY, SLOTS, PUSHES)			\
({									\
	struct {							\
		struct checmate_frame head;				\
		u64 room[(SLOTS) + 1];					\
	} frame __uninitialized;					\
	u64 *slot = frame.head.args;					\
	const struct checmate_chain *chain;				\
	struct checmate_cgroup *cgroup;					\
	int denied;							\
									\
	BUILD_BUG_ON((SLOTS) > CHECMATE_MAX_SLOTS);			\
	frame.head.run = (union checmate_run_ctx){};			\
	frame.head.ip = (unsigned long)bpf_lsm_##NAME;			\
	frame.head.nr = (SLOTS);					\
	PUSHES								\
	*slot = 0;							\
									\
	rcu_read_lock();						\
	cgroup = SUBJECT;						\
	chain = checmate_find_chain(checmate_cgroup_ruleset(cgroup),	\
				    CHECMATE_HOOK_##NAME);		\
	denied = RUN(NAME, CAN_DENY);					\
	rcu_read_unlock();						\
	denied;								\
})

/*
 * A hook that returns a value: programs can only make it an error.  The thunk
 * needs no stack and saves no register; the judge finds out all over again.
 */
#define THUNK_int(DEFAULT, NAME, SUBJECT, CONCERNED, DECLS, ARGS, ...)	\
static noinline int judge_##NAME DECLS					\
{									\
	return answer(JUDGE(NAME, SUBJECT, true, __VA_ARGS__), DEFAULT);\
}									\
									\
static int thunk_##NAME DECLS						\
{									\
	if (unlikely(CONCERNED))					\
		return judge_##NAME ARGS;				\
	return DEFAULT;							\
}

/* A hook that only tells: programs run, there is nothing to deny. */
#define THUNK_void(DEFAULT, NAME, SUBJECT, CONCERNED, DECLS, ARGS, ...)	\
static noinline void judge_##NAME DECLS					\
{									\
	JUDGE(NAME, SUBJECT, false, __VA_ARGS__);			\
}									\
									\
static void thunk_##NAME DECLS						\
{									\
	if (unlikely(CONCERNED))					\
		judge_##NAME ARGS;					\
}

#define CHECMATE_HOOK(RET, DEFAULT, NAME, ...)				\
	CHECMATE_DEFINE_CALL(NAME);					\
	THUNK_##RET(DEFAULT, NAME, __VA_ARGS__)
#include "hook_list.h"
#undef CHECMATE_HOOK

#ifdef CONFIG_HAVE_STATIC_CALL
/* The calls of the judges, for direct.c. */
const struct checmate_call checmate_hook_call[] = {
#define CHECMATE_HOOK(RET, DEFAULT, NAME, ...) CHECMATE_CALL_INIT(NAME),
#include "hook_list.h"
#undef CHECMATE_HOOK
};
#endif

/* What turns the thunks on; users are the programs attached or staged. */
static struct checmate_key hook_key[CHECMATE_NR_HOOKS];

static struct security_hook_list hook_list[] __ro_after_init = {
#define CHECMATE_HOOK(RET, DEFAULT, NAME, ...)				\
	LSM_HOOK_INIT_LAZY(NAME, thunk_##NAME,				\
			   &hook_key[CHECMATE_HOOK_##NAME].key),
#include "hook_list.h"
#undef CHECMATE_HOOK
};

static const char *const hook_name[] = {
#define CHECMATE_HOOK(RET, DEFAULT, NAME, ...) #NAME,
#include "hook_list.h"
#undef CHECMATE_HOOK
};

static const bool hook_can_deny[] = {
#define CHECMATE_CAN_DENY_int true
#define CHECMATE_CAN_DENY_void false
#define CHECMATE_HOOK(RET, DEFAULT, NAME, ...) CHECMATE_CAN_DENY_##RET,
#include "hook_list.h"
#undef CHECMATE_HOOK
};

BTF_ID_LIST(hook_btf_id)
#define CHECMATE_HOOK(RET, DEFAULT, NAME, ...) BTF_ID(func, bpf_lsm_##NAME)
#include "hook_list.h"
#undef CHECMATE_HOOK

/**
 * checmate_find_hook - Find the hook that a program was loaded for
 * @btf_id: the BTF id of the program's attach function
 *
 * Context: Any context.
 * Return: The hook, or -EINVAL if there is none where a program could deny.
 */
int checmate_find_hook(u32 btf_id)
{
	int hook;

	for (hook = 0; hook < CHECMATE_NR_HOOKS; hook++)
		if (hook_btf_id[hook] == btf_id)
			return hook;
	return -EINVAL;
}

/**
 * checmate_hook_btf_id - The BTF id of a hook's attach function
 * @hook: the hook
 *
 * Context: Any context.
 * Return: The id.
 */
u32 checmate_hook_btf_id(enum checmate_hook hook)
{
	return hook_btf_id[hook];
}

/**
 * checmate_hook_name - The name of a hook
 * @hook: the hook
 *
 * Context: Any context.
 * Return: The name as in include/linux/lsm_hook_defs.h.
 */
const char *checmate_hook_name(enum checmate_hook hook)
{
	return hook_name[hook];
}

/**
 * checmate_hook_can_deny - Whether a hook has a verdict
 * @hook: the hook
 *
 * Context: Any context.
 * Return: false if it only tells, and what programs return means nothing.
 */
bool checmate_hook_can_deny(enum checmate_hook hook)
{
	return hook_can_deny[hook];
}

/**
 * checmate_hook_is_active - Whether a hook is on
 * @hook: the hook
 *
 * Context: Any context.
 * Return: true if Checmate's thunk is being called.
 */
bool checmate_hook_is_active(enum checmate_hook hook)
{
	return checmate_key_is_on(&hook_key[hook]);
}

/**
 * checmate_hook_users - How many programs use a hook
 * @hook: the hook
 *
 * Context: Any context, under checmate_mutex.
 * Return: The number over all cgroups, attached or staged.
 */
unsigned int checmate_hook_users(enum checmate_hook hook)
{
	lockdep_assert_held(&checmate_mutex);

	return hook_key[hook].users;
}

/**
 * checmate_use_hook - Count one more program of a hook
 * @hook: the hook; on when this returns
 *
 * To be called before the ruleset with the program is published.
 *
 * Context: Process context, may sleep; under checmate_mutex.
 */
void checmate_use_hook(enum checmate_hook hook)
{
	lockdep_assert_held(&checmate_mutex);

	checmate_use_key(&hook_key[hook]);
}

/**
 * checmate_unuse_hook - Count one program of a hook less
 * @hook: the hook; stays on for CHECMATE_HOOK_LINGER after the last
 *
 * To be called after a ruleset without the program is published.
 *
 * Context: Process context; under checmate_mutex.
 */
void checmate_unuse_hook(enum checmate_hook hook)
{
	lockdep_assert_held(&checmate_mutex);

	checmate_unuse_key(&hook_key[hook]);
}

/**
 * checmate_add_hooks - Register with the LSM framework
 *
 * Context: Boot, once.
 */
void __init checmate_add_hooks(void)
{
	checmate_add_staging();
	checmate_add_sock_pins();
	security_add_hooks(hook_list, ARRAY_SIZE(hook_list), &checmate_lsmid);
	checmate_add_sock_unpin();
}
