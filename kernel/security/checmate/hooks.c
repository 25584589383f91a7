// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Hooks
 *
 * Two functions for every hook, from the list that gen-hooks.awk makes.  The fast
 * path looks whether the cgroup that acts may have a program of the hook.  The
 * slow path lays out the arguments and runs the programs.
 *
 * A fast path is called only while its static key is on, which is while a program
 * uses the hook in some cgroup, and a little longer.  Users are counted under
 * checmate_mutex.
 */

#include <linux/binfmts.h>
#include <linux/bpf.h>
#include <linux/bpf_lsm.h>
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
#include "direct.h"
#include "dispatch.h"
#include "frame.h"
#include "hook_table.h"
#include "hooks.h"
#include "key.h"
#include "lsm.h"
#include "ruleset.h"
#include "sock.h"

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
 * The subject, given the one that a fast path of some kind has found.  That is
 * valid still if the task cannot have been preempted since, which is so where
 * preempt_disable() need not even count; whatever kind of RCU there is.  It is
 * not the one of an interrupt, and may be an old owner of the socket.
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

/* From here to end_run(), helpers find what programs are run with. */
static __always_inline void begin_run(struct checmate_frame *frame)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RCU))
		migrate_disable();
	bpf_set_run_ctx(&frame->run.ctx);
}

static __always_inline void end_run(void)
{
	bpf_reset_run_ctx(NULL);
	if (IS_ENABLED(CONFIG_PREEMPT_RCU))
		migrate_enable();
}

/*
 * Run the programs in order, up to the first that does not plainly allow: a
 * hook without a verdict runs all.  dispatch.c runs them one by one, each with its
 * own context for helpers, while their time is measured, and where a program is
 * running already, as in the task that an interrupt has come upon: that one's
 * context must be kept.  A program that needs more than a call leads there, too:
 * checmate_run_none() stands in for it and does not allow.
 */
#define RUN(NAME, HAS_VERDICT)						\
({									\
	__label__ denied, done;						\
	int verdict = 0;						\
	u32 said;							\
									\
	if (static_branch_unlikely(&bpf_stats_enabled_key) ||		\
	    unlikely(current->bpf_ctx) ||				\
	    (!(HAS_VERDICT) && unlikely(chain->needs_dispatch))) {	\
		verdict = checmate_dispatch(HAS_VERDICT, &frame.head);	\
		goto done;						\
	}								\
	begin_run(&frame.head);						\
	step = chain->step;						\
	do {								\
		frame.head.run.step = step;				\
		said = CHECMATE_CALL(NAME, step->func, frame.head.args); \
		if ((HAS_VERDICT) &&					\
		    unlikely(!checmate_allows(step, &frame.head, said))) \
			goto denied;					\
	} while (unlikely((++step)->func));				\
	end_run();							\
	goto done;							\
denied:									\
	end_run();							\
	verdict = checmate_resume(&frame.head, step, said);		\
done:									\
	verdict;							\
})
#define RUN_int(NAME)	RUN(NAME, true)
#define RUN_void(NAME)	RUN(NAME, false)

#define EVALUATE(RET, NAME, KIND, SUBJECT, SLOTS, PUSHES)		\
({									\
	struct {							\
		struct checmate_frame head;				\
		u64 room[(SLOTS) + 1];					\
	} frame __uninitialized;					\
	u64 *slot = frame.head.args;					\
	const struct checmate_chain *chain;				\
	const struct checmate_step *step;				\
	int err;							\
									\
	BUILD_BUG_ON((SLOTS) > CHECMATE_MAX_SLOTS);			\
	checmate_init_run(&frame.head.run);				\
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
	frame.head.chain = chain;					\
	err = RUN_##RET(NAME);						\
	rcu_read_unlock();						\
	err;								\
})

/*
 * A hook that returns a value: programs can only make it an error.  The fast
 * path needs no stack and saves no register.  The slow path's stack is written in
 * places that the compiler knows, and by no program: a canary would protect
 * nothing.
 */
#define HOOK_int(DEFAULT, NAME, KIND, SUBJECT, CONCERNED, DECLS,	\
		 SLOW_DECLS, SLOW_ARGS, ...)				\
static noinline __no_stack_protector int slow_##NAME SLOW_DECLS	\
{									\
	return answer(EVALUATE(int, NAME, KIND, SUBJECT, __VA_ARGS__),	\
		      DEFAULT);						\
}									\
									\
static int fast_##NAME DECLS						\
{									\
	struct checmate_cgroup *subject;				\
									\
	if (unlikely(CONCERNED))					\
		return slow_##NAME SLOW_ARGS;					\
	return DEFAULT;							\
}

/* A hook without a verdict: programs run, there is nothing to deny. */
#define HOOK_void(DEFAULT, NAME, KIND, SUBJECT, CONCERNED, DECLS,	\
		  SLOW_DECLS, SLOW_ARGS, ...)				\
static noinline __no_stack_protector void slow_##NAME SLOW_DECLS	\
{									\
	EVALUATE(void, NAME, KIND, SUBJECT, __VA_ARGS__);		\
}									\
									\
static void fast_##NAME DECLS						\
{									\
	struct checmate_cgroup *subject;				\
									\
	if (unlikely(CONCERNED))					\
		slow_##NAME SLOW_ARGS;					\
}

#define CHECMATE_HOOK(RET, DEFAULT, NAME, ...)				\
	HOOK_##RET(DEFAULT, NAME, __VA_ARGS__)
#include "hook_list.h"
#undef CHECMATE_HOOK

/* The keys of the fast paths; users are the programs attached or staged. */
static struct checmate_key hook_key[CHECMATE_NR_HOOKS];

static struct security_hook_list hook_list[] __ro_after_init = {
#define CHECMATE_HOOK(RET, DEFAULT, NAME, ...)				\
	LSM_HOOK_INIT_LAZY(NAME, fast_##NAME,				\
			   &hook_key[CHECMATE_HOOK_##NAME].key),
#include "hook_list.h"
#undef CHECMATE_HOOK
};

/**
 * checmate_hook_is_active - Whether a hook is on
 * @hook: the hook
 *
 * Context: Any context.
 * Return: true if its fast path is being called.
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
	security_add_hooks(hook_list, ARRAY_SIZE(hook_list), &checmate_lsmid);
}
