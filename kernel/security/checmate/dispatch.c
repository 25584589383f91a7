// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Dispatch
 *
 * The only place that decides whether programs allow or deny.  Every verdict
 * that is not plainly "allow" is a denial.
 */

#include <linux/bits.h>
#include <linux/bpf.h>
#include <linux/container_of.h>
#include <linux/err.h>
#include <linux/filter.h>
#include <linux/limits.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/rcupdate_trace.h>
#include <linux/uaccess.h>

#include "cgroup.h"
#include "chain.h"
#include "common.h"
#include "dispatch.h"
#include "event.h"
#include "frame.h"
#include "program.h"
#include "rewrite.h"

/* The verifier does not bound what becomes the errno: it is done here. */
static int denial(int err)
{
	return IS_ERR_VALUE((long)err) ? err : -EPERM;
}

/*
 * What a program has said.  BPF_LSM_CGROUP: 1 allows and 0 denies, and either
 * may have set an errno, which denies by itself as it does in mainline.
 * BPF_LSM_MAC: 0 allows, all else denies.
 */
static int judgement(const struct checmate_program *program, u32 verdict,
		     const union checmate_run_ctx *ctx)
{
	if (!program->is_cgroup)
		return verdict ? denial(verdict) : 0;
	if (verdict == 1 && !IS_ERR_VALUE((long)ctx->cgroup.retval))
		return 0;
	return denial(ctx->cgroup.retval);
}

static int run(const struct checmate_program *program, const u64 *args)
{
	union checmate_run_ctx ctx = {};
	struct bpf_run_ctx *old;
	u32 verdict;

	old = bpf_set_run_ctx(&ctx.ctx);
	verdict = bpf_prog_run(program->prog, args);
	bpf_reset_run_ctx(old);

	return judgement(program, verdict, &ctx);
}

/* Without PREEMPT_RCU, rcu_read_lock() already pins the CPU. */
static int run_atomic(const struct checmate_program *program, const u64 *args)
{
	int err;

	if (IS_ENABLED(CONFIG_PREEMPT_RCU))
		migrate_disable();
	err = run(program, args);
	if (IS_ENABLED(CONFIG_PREEMPT_RCU))
		migrate_enable();
	return err;
}

/*
 * Each program in the way it can be run; called with rcu_read_lock_trace()
 * held, and without rcu_read_lock().
 */
static int run_sleepable(const struct checmate_program *program,
			 const u64 *args)
{
	int err;

	if (program->is_sleepable) {
		might_fault();
		migrate_disable();
		err = run(program, args);
		migrate_enable();
	} else {
		rcu_read_lock();
		err = run_atomic(program, args);
		rcu_read_unlock();
	}
	return err;
}

/* Report a denial; returns whether it is to be enforced. */
static bool enforce(struct checmate_cgroup *cgroup,
		    struct checmate_program *program, int err)
{
	checmate_report_denial(cgroup, program, err);
	return !program->permissive;
}

/* The same where programs run twice: a permissive one is reported once. */
static bool enforce_once(struct checmate_cgroup *cgroup,
			 struct checmate_program *program, int err,
			 struct checmate_rewrite *rewrite, unsigned int i)
{
	const u64 bit = BIT_ULL(i);

	if (program->permissive && rewrite->reported & bit)
		return false;
	rewrite->reported |= bit;
	return enforce(cgroup, program, err);
}

/*
 * What a program of a hook without a verdict returns means nothing, and must
 * not keep the programs after it from running.
 *
 * Where a program changes the address, those before it have evaluated another
 * one: they run again, after each change.
 */
static __always_inline int
run_from(unsigned int i, const struct checmate_chain *chain, bool can_deny,
	 struct checmate_cgroup *cgroup, const u64 *args,
	 struct checmate_rewrite *rewrite,
	 int (*run_one)(const struct checmate_program *program, const u64 *args))
{
	unsigned int j;
	int err;

	for (; i < chain->nr; i++) {
		err = run_one(chain->program[i], args);
		if (unlikely(err) && can_deny &&
		    (rewrite ? enforce_once(cgroup, chain->program[i], err,
					    rewrite, i) :
			       enforce(cgroup, chain->program[i], err)))
			return err;
		if (!rewrite || likely(!rewrite->is_changed))
			continue;
		rewrite->is_changed = false;
		rewrite->is_repeated = true;
		for (j = 0; j < i; j++) {
			err = run_one(chain->program[j], args);
			if (err && enforce_once(cgroup, chain->program[j], err,
						rewrite, j))
				return err;
		}
		rewrite->is_repeated = false;
	}
	return 0;
}

/*
 * A program may sleep: the chain and whatever programs use are then kept by
 * rcu_read_lock_trace(), taken before rcu_read_lock() is given up, and the
 * cgroup by a reference.  One that has none left is about to be freed with
 * nobody in it; what it was told of a denial would never be read.
 */
static int walk_sleepable(const struct checmate_chain *chain, bool can_deny,
			  const struct checmate_frame *frame,
			  struct checmate_rewrite *rewrite)
	__must_hold(RCU)
{
	struct checmate_cgroup *cgroup = frame->subject;
	int err;

	if (!css_tryget(&cgroup->css))
		cgroup = checmate_root_cgroup();
	rcu_read_lock_trace();
	rcu_read_unlock();
	err = run_from(0, chain, can_deny, cgroup, frame->args, rewrite,
		       run_sleepable);
	rcu_read_lock();
	rcu_read_unlock_trace();
	css_put(&cgroup->css);
	return err;
}

static int walk(const struct checmate_chain *chain, bool can_deny,
		const struct checmate_frame *frame,
		struct checmate_rewrite *rewrite)
{
	if (unlikely(chain->is_sleepable))
		return walk_sleepable(chain, can_deny, frame, rewrite);
	return run_from(0, chain, can_deny, frame->subject, frame->args,
			rewrite, run_atomic);
}

/* Nobody knows what the cgroup's programs would say: deny. */
static int deny_closed(bool can_deny, const struct checmate_frame *frame)
{
	if (!can_deny)
		return 0;
	checmate_count_denial(frame->subject, false);
	return -EPERM;
}

/**
 * checmate_dispatch - Let the programs of a hook judge a call, one by one
 * @chain: the programs
 * @can_deny: whether the hook has a verdict; otherwise all programs run
 * @frame: the subject and the arguments
 *
 * The programs run in order; the first that denies ends the walk.  Denials of
 * permissive programs are only reported.
 *
 * Context: Any context that the hook may be called in, within rcu_read_lock().
 * If a program of the hook can sleep, rcu_read_lock() is given up in between:
 * neither the subject nor @chain may be used afterwards.
 * Return: 0 if no program denies, otherwise the errno of the first that does.
 */
int checmate_dispatch(const struct checmate_chain *chain, bool can_deny,
		      const struct checmate_frame *frame)
{
	struct checmate_rewrite rewrite, *outer;
	int err;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(),
			 "checmate: dispatch outside of rcu_read_lock()");

	if (unlikely(chain == &checmate_closed_chain))
		return deny_closed(can_deny, frame);
	if (!chain->nr || !checmate_can_rewrite(chain->hook))
		return walk(chain, can_deny, frame, NULL);
	outer = checmate_begin_rewrite(&rewrite, chain->hook, frame->args);
	err = walk(chain, can_deny, frame, &rewrite);
	checmate_end_rewrite(outer);
	return err;
}

/**
 * checmate_ask_each - Stand in for a program that runs those of a chain
 * @args: the arguments of a frame
 * @unused: what a program that is no machine code would need
 *
 * Runs none, and neither allows: checmate_resume() then has all of them run.
 *
 * Context: Any context.
 * Return: What no chain has for "allow".
 */
unsigned int checmate_ask_each(const void *args, const struct bpf_insn *unused)
{
	struct checmate_frame *frame =
		container_of(args, struct checmate_frame, args);

	frame->run.tramp.bpf_cookie = 1;
	return U32_MAX;
}

/**
 * checmate_resume - Go on where a chain has ended, or has not begun
 * @chain: the programs, of a hook that has a verdict
 * @frame: the subject and the arguments, and what the last program has left there
 *
 * Finds out what the last program meant, and lets those behind it judge too if
 * that was no denial, or one that is not enforced.  None of them may rewrite.
 *
 * Context: As checmate_dispatch().
 * Return: As checmate_dispatch().
 */
int checmate_resume(const struct checmate_chain *chain,
		    const struct checmate_frame *frame)
{
	const unsigned int last = chain->nr == 1 ? 0 : frame->answer - 1;
	int err;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(),
			 "checmate: dispatch outside of rcu_read_lock()");

	/* If this is not how a chain ends, all judge once more. */
	if (!checmate_has_run(frame) || last >= chain->nr)
		return checmate_dispatch(chain, true, frame);
	err = judgement(chain->program[last],
			chain->nr == 1 ? frame->answer : frame->verdict,
			&frame->run);
	if (err && enforce(frame->subject, chain->program[last], err))
		return err;
	return run_from(last + 1, chain, true, frame->subject, frame->args,
			NULL, run_atomic);
}
