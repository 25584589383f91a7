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
#include <net/sctp/structs.h>

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
 * The subject, given the one that a thunk of some kind has found.  That is
 * valid still if the task cannot have been preempted since, which is so where
 * preempt_disable() need not even count; whatever kind of RCU there is.  It is
 * not the one of an interrupt, and may be an old pin.
 */
#define SUBJECT_task(SUBJECT)						\
({									\
	if (unlikely(!in_task())) {					\
		subject = checmate_root_cgroup();			\
		/* Not to be made a conditional move, which costs more. */	\
		barrier();						\
	}								\
	subject;							\
})
#define SUBJECT_sock(SUBJECT)						\
	(static_branch_unlikely(&checmate_late_key) ? (SUBJECT) : subject)
#define SUBJECT_socket(SUBJECT) (SUBJECT)
#define FIND_SUBJECT(KIND, SUBJECT)					\
	(IS_ENABLED(CONFIG_PREEMPT_COUNT) ? (SUBJECT) : SUBJECT_##KIND(SUBJECT))

/*
 * One call for all programs.  They are called each by itself while their time is
 * measured, and where a program is running already, as in the task that an
 * interrupt has come upon: its context for helpers must be kept.
 */
#define RUN(NAME)							\
({									\
	u32 said;							\
									\
	if (IS_ENABLED(CONFIG_PREEMPT_RCU))				\
		migrate_disable();					\
	if (static_branch_unlikely(&bpf_stats_enabled_key) ||		\
	    unlikely(current->bpf_ctx)) {				\
		said = checmate_ask_each(frame.head.args, NULL);	\
	} else {							\
		bpf_set_run_ctx(&frame.head.run.ctx);			\
		said = CHECMATE_CALL(NAME, READ_ONCE(chain->func),	\
				     frame.head.args);			\
		bpf_reset_run_ctx(NULL);				\
	}								\
	if (IS_ENABLED(CONFIG_PREEMPT_RCU))				\
		migrate_enable();					\
	said;								\
})

/* The first that denies, if there is one; or else all that have not run. */
#define VERDICT_int(SAID)						\
({									\
	const u32 said = (SAID);					\
	int err = 0;							\
									\
	if (unlikely(!checmate_is_allowed(chain, &frame.head, said))) {	\
		frame.head.answer = said;				\
		err = checmate_resume(chain, &frame.head);		\
	}								\
	err;								\
})
#define VERDICT_void(SAID)						\
({									\
	(void)(SAID);							\
	if (unlikely(!checmate_has_run(&frame.head)))			\
		checmate_dispatch(chain, false, &frame.head);		\
	0;								\
})

#define JUDGE(RET, NAME, KIND, SUBJECT, SLOTS, PUSHES)			\
({									\
	struct {							\
		struct checmate_frame head;				\
		u64 room[(SLOTS) + 1];					\
	} frame __uninitialized;					\
	u64 *slot = frame.head.args;					\
	const struct checmate_chain *chain;				\
	int denied;							\
									\
	BUILD_BUG_ON((SLOTS) > CHECMATE_MAX_SLOTS);			\
	frame.head.run = (union checmate_run_ctx){};			\
	frame.head.ip = (unsigned long)bpf_lsm_##NAME;			\
	frame.head.nr = (SLOTS);					\
	PUSHES								\
	slot[0] = 0;							\
									\
	rcu_read_lock();						\
	subject = FIND_SUBJECT(KIND, SUBJECT);				\
	frame.head.subject = subject;					\
	chain = checmate_find_chain(checmate_cgroup_ruleset(subject),	\
				    CHECMATE_HOOK_##NAME);		\
	denied = VERDICT_##RET(RUN(NAME));				\
	rcu_read_unlock();						\
	denied;								\
})

/*
 * A hook that returns a value: programs can only make it an error.  The thunk
 * needs no stack and saves no register; the judge does all the rest, and asks
 * the ruleset itself.  What is on the judge's stack is written in places that
 * the compiler knows, and by no program: a canary would protect nothing.
 */
#define THUNK_int(DEFAULT, NAME, KIND, SUBJECT, CONCERNED, DECLS,	\
		  JUDGE_DECLS, JUDGE_ARGS, ...)				\
static noinline __no_stack_protector int judge_##NAME JUDGE_DECLS	\
{									\
	return answer(JUDGE(int, NAME, KIND, SUBJECT, __VA_ARGS__),	\
		      DEFAULT);						\
}									\
									\
static int thunk_##NAME DECLS						\
{									\
	struct checmate_cgroup *subject;				\
									\
	if (unlikely(CONCERNED))					\
		return judge_##NAME JUDGE_ARGS;				\
	return DEFAULT;							\
}

/* A hook that only tells: programs run, there is nothing to deny. */
#define THUNK_void(DEFAULT, NAME, KIND, SUBJECT, CONCERNED, DECLS,	\
		   JUDGE_DECLS, JUDGE_ARGS, ...)			\
static noinline __no_stack_protector void judge_##NAME JUDGE_DECLS	\
{									\
	JUDGE(void, NAME, KIND, SUBJECT, __VA_ARGS__);			\
}									\
									\
static void thunk_##NAME DECLS						\
{									\
	struct checmate_cgroup *subject;				\
									\
	if (unlikely(CONCERNED))					\
		judge_##NAME JUDGE_ARGS;				\
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
