// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Dispatch
 *
 * The only place that decides whether programs allow or deny.  Every verdict
 * that is not plainly "allow" is a denial.
 */

#include <linux/bpf.h>
#include <linux/err.h>
#include <linux/filter.h>
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

/* Tell of a denial; says whether it is to be enforced. */
static bool enforce(struct checmate_cgroup *cgroup,
		    struct checmate_program *program, int err)
{
	checmate_report_denial(cgroup, program, err);
	return !program->permissive;
}

/*
 * What a program of a hook without a verdict returns means nothing, and must
 * not keep the programs after it from running.
 */
static __always_inline int
run_from(unsigned int i, struct checmate_cgroup *cgroup,
	 const struct checmate_chain *chain, bool can_deny, const u64 *args,
	 int (*run_one)(const struct checmate_program *program, const u64 *args))
{
	int err;

	for (; i < chain->nr; i++) {
		err = run_one(chain->program[i], args);
		if (unlikely(err) && can_deny &&
		    enforce(cgroup, chain->program[i], err))
			return err;
	}
	return 0;
}

/*
 * A program may sleep: the chain and whatever programs use are then kept by
 * rcu_read_lock_trace(), taken before rcu_read_lock() is given up, and the
 * cgroup by a reference.  One that has none left is about to be freed with
 * nobody in it; what it was told of a denial would never be read.
 */
static int walk_sleepable(struct checmate_cgroup *cgroup,
			  const struct checmate_chain *chain, bool can_deny,
			  const u64 *args)
	__must_hold(RCU)
{
	int err;

	if (!css_tryget(&cgroup->css))
		cgroup = checmate_root_cgroup();
	rcu_read_lock_trace();
	rcu_read_unlock();
	err = run_from(0, cgroup, chain, can_deny, args, run_sleepable);
	rcu_read_lock();
	rcu_read_unlock_trace();
	css_put(&cgroup->css);
	return err;
}

static int walk(struct checmate_cgroup *cgroup,
		const struct checmate_chain *chain, bool can_deny,
		const u64 *args)
{
	if (unlikely(chain->is_sleepable))
		return walk_sleepable(cgroup, chain, can_deny, args);
	return run_from(0, cgroup, chain, can_deny, args, run_atomic);
}

/**
 * checmate_dispatch - Let the programs of a hook judge a call, one by one
 * @cgroup: the subject
 * @chain: the programs
 * @can_deny: whether the hook has a verdict; otherwise all programs run
 * @frame: the arguments
 *
 * The programs run in order; the first that denies ends the walk.  Permissive
 * programs are only told of.
 *
 * Context: Any context that the hook may be called in, within rcu_read_lock().
 * If a program of the hook can sleep, rcu_read_lock() is given up in between:
 * neither @cgroup nor @chain may be used afterwards.
 * Return: 0 if no program denies, otherwise the errno of the first that does.
 */
int checmate_dispatch(struct checmate_cgroup *cgroup,
		      const struct checmate_chain *chain, bool can_deny,
		      const struct checmate_frame *frame)
{
	struct checmate_rewrite rewrite, *outer;
	int err;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(),
			 "checmate: dispatch outside of rcu_read_lock()");

	if (!chain->nr || !checmate_can_rewrite(chain->hook))
		return walk(cgroup, chain, can_deny, frame->args);
	outer = checmate_begin_rewrite(&rewrite, chain->hook, frame->args);
	err = walk(cgroup, chain, can_deny, frame->args);
	checmate_end_rewrite(outer);
	return err;
}

/**
 * checmate_resume - Go on where a chain has ended
 * @cgroup: the subject
 * @chain: the programs, of a hook that has a verdict
 * @frame: the arguments, and what the last program has left there
 * @answer: what @chain's func returned; checmate_is_allowed() is false
 *
 * Finds out what the last program meant, and lets those behind it judge too if
 * that was no denial, or one that is not enforced.  None of them may rewrite.
 *
 * Context: As checmate_dispatch().
 * Return: As checmate_dispatch().
 */
int checmate_resume(struct checmate_cgroup *cgroup,
		    const struct checmate_chain *chain,
		    const struct checmate_frame *frame, u32 answer)
{
	const unsigned int last = chain->nr == 1 ? 0 : answer - 1;
	int err;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(),
			 "checmate: dispatch outside of rcu_read_lock()");

	/* Not how a chain ends: whatever that was, all judge once more. */
	if (last >= chain->nr)
		return checmate_dispatch(cgroup, chain, true, frame);
	err = judgement(chain->program[last],
			chain->nr == 1 ? answer : frame->verdict, &frame->run);
	if (err && enforce(cgroup, chain->program[last], err))
		return err;
	return run_from(last + 1, cgroup, chain, true, frame->args, run_atomic);
}
