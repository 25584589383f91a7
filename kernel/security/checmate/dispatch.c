// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Dispatch
 *
 * The only place that decides whether programs allow or deny.  Every verdict
 * that is not plainly "allow" is a denial.
 */

#include <linux/bits.h>
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
static int verdict_of(const struct checmate_program *program, u32 verdict,
		      const struct checmate_run *run)
{
	if (!program->allow)
		return verdict ? denial(verdict) : 0;
	if (verdict == 1 && !IS_ERR_VALUE((long)run->cgroup.retval))
		return 0;
	return denial(run->cgroup.retval);
}

static int run_step(const struct checmate_step *step, const u64 *args)
{
	struct checmate_run run;
	struct bpf_run_ctx *old;
	u32 verdict;

	checmate_init_run(&run);
	run.step = step;
	old = bpf_set_run_ctx(&run.ctx);
	verdict = bpf_prog_run(step->program->prog, args);
	bpf_reset_run_ctx(old);

	return verdict_of(step->program, verdict, &run);
}

/* Without PREEMPT_RCU, rcu_read_lock() already pins the CPU. */
static int run_atomic(const struct checmate_step *step, const u64 *args)
{
	int err;

	if (IS_ENABLED(CONFIG_PREEMPT_RCU))
		migrate_disable();
	err = run_step(step, args);
	if (IS_ENABLED(CONFIG_PREEMPT_RCU))
		migrate_enable();
	return err;
}

/*
 * Each program in the way it can be run; called with rcu_read_lock_trace()
 * held, and without rcu_read_lock().
 */
static int run_sleepable(const struct checmate_step *step, const u64 *args)
{
	int err;

	if (step->program->is_sleepable) {
		might_fault();
		migrate_disable();
		err = run_step(step, args);
		migrate_enable();
	} else {
		rcu_read_lock();
		err = run_atomic(step, args);
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
	 int (*run_one)(const struct checmate_step *step, const u64 *args))
{
	unsigned int j;
	int err;

	for (; i < chain->nr; i++) {
		err = run_one(&chain->step[i], args);
		if (unlikely(err) && can_deny &&
		    (rewrite ? enforce_once(cgroup, chain->step[i].program, err,
					    rewrite, i) :
			       enforce(cgroup, chain->step[i].program, err)))
			return err;
		if (!rewrite || likely(!rewrite->is_changed))
			continue;
		rewrite->is_changed = false;
		rewrite->is_repeated = true;
		for (j = 0; j < i; j++) {
			err = run_one(&chain->step[j], args);
			if (err && enforce_once(cgroup, chain->step[j].program, err,
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
static int walk_sleepable(bool can_deny, const struct checmate_frame *frame,
			  struct checmate_rewrite *rewrite)
	__must_hold(RCU)
{
	struct checmate_cgroup *cgroup = frame->subject;
	int err;

	if (!css_tryget(&cgroup->css))
		cgroup = checmate_root_cgroup();
	rcu_read_lock_trace();
	rcu_read_unlock();
	err = run_from(0, frame->chain, can_deny, cgroup, frame->args, rewrite,
		       run_sleepable);
	rcu_read_lock();
	rcu_read_unlock_trace();
	css_put(&cgroup->css);
	return err;
}

static int walk(bool can_deny, const struct checmate_frame *frame,
		struct checmate_rewrite *rewrite)
{
	if (unlikely(frame->chain->is_sleepable))
		return walk_sleepable(can_deny, frame, rewrite);
	return run_from(0, frame->chain, can_deny, frame->subject, frame->args,
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
 * checmate_dispatch - Evaluate the programs of a hook, one by one
 * @can_deny: whether the hook has a verdict; otherwise all programs run
 * @frame: the subject, the programs and the arguments
 *
 * The programs run in order; the first that denies ends the walk.  Denials of
 * permissive programs are only reported.
 *
 * Context: Any context that the hook may be called in, within rcu_read_lock().
 * If a program of the hook can sleep, rcu_read_lock() is given up in between:
 * neither the subject nor the programs may be used afterwards.
 * Return: 0 if no program denies, otherwise the errno of the first that does.
 */
int checmate_dispatch(bool can_deny, const struct checmate_frame *frame)
{
	const struct checmate_chain *chain = frame->chain;
	struct checmate_rewrite rewrite, *outer;
	int err;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(),
			 "checmate: dispatch outside of rcu_read_lock()");

	if (unlikely(chain == &checmate_closed_chain))
		return deny_closed(can_deny, frame);
	if (!chain->nr || !checmate_can_rewrite(chain->hook))
		return walk(can_deny, frame, NULL);
	outer = checmate_begin_rewrite(&rewrite, chain->hook, frame->args);
	err = walk(can_deny, frame, &rewrite);
	checmate_end_rewrite(outer);
	return err;
}

/**
 * checmate_resume - Go on where a program has not plainly allowed
 * @frame: the subject, the programs of a hook that has a verdict, the arguments,
 *	and what the program has left there
 * @last: the program, or the stand-in for the first
 * @verdict: what it returned
 *
 * Finds out what the program meant, and evaluates those behind it too if that
 * was no denial, or one that is not enforced.  None of them may rewrite.
 *
 * Context: As checmate_dispatch().
 * Return: As checmate_dispatch().
 */
int checmate_resume(const struct checmate_frame *frame,
		    const struct checmate_step *last, u32 verdict)
{
	const struct checmate_chain *chain = frame->chain;
	int err;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(),
			 "checmate: dispatch outside of rcu_read_lock()");

	if (last->func == checmate_run_none)
		return checmate_dispatch(true, frame);
	err = verdict_of(last->program, verdict, &frame->run);
	if (err && enforce(frame->subject, last->program, err))
		return err;
	return run_from(last - chain->step + 1, chain, true, frame->subject, frame->args,
			NULL, run_atomic);
}
