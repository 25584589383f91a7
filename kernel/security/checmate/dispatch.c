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
#include "common.h"
#include "dispatch.h"
#include "event.h"
#include "program.h"
#include "rewrite.h"
#include "ruleset.h"

/* The verifier does not bound what becomes the errno: it is done here. */
static int denial(int err)
{
	return IS_ERR_VALUE((long)err) ? err : -EPERM;
}

/*
 * BPF_LSM_CGROUP: 1 allows and 0 denies, and either may have set an errno,
 * which denies by itself as it does in mainline.
 */
static int run_cgroup(const struct bpf_prog *prog, const u64 *args)
{
	struct bpf_cg_run_ctx ctx = {};
	struct bpf_run_ctx *old;
	u32 allowed;

	old = bpf_set_run_ctx(&ctx.run_ctx);
	allowed = bpf_prog_run(prog, args);
	bpf_reset_run_ctx(old);

	if (allowed == 1 && !IS_ERR_VALUE((long)ctx.retval))
		return 0;
	return denial(ctx.retval);
}

/* BPF_LSM_MAC: 0 allows, all else denies. */
static int run_mac(const struct bpf_prog *prog, const u64 *args)
{
	struct bpf_tramp_run_ctx ctx = {};
	struct bpf_run_ctx *old;
	int verdict;

	old = bpf_set_run_ctx(&ctx.run_ctx);
	verdict = bpf_prog_run(prog, args);
	bpf_reset_run_ctx(old);

	return verdict ? denial(verdict) : 0;
}

static int run(const struct checmate_program *program, const u64 *args)
{
	return program->is_cgroup ? run_cgroup(program->prog, args) :
				    run_mac(program->prog, args);
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

/*
 * What a program of a hook without a verdict returns means nothing, and must
 * not keep the programs after it from running.
 */
static __always_inline int
run_all(struct checmate_cgroup *cgroup, const struct checmate_ruleset *ruleset,
	enum checmate_hook hook, bool can_deny, const u64 *args,
	int (*run_one)(const struct checmate_program *program, const u64 *args))
{
	unsigned int i;
	int err;

	for (i = ruleset->first[hook]; i < ruleset->first[hook + 1]; i++) {
		struct checmate_program *program = ruleset->program[i];

		err = run_one(program, args);
		if (likely(!err) || !can_deny)
			continue;
		checmate_report_denial(cgroup, program, err);
		if (!program->permissive)
			return err;
	}
	return 0;
}

/*
 * A program may sleep: the ruleset and whatever programs use are then kept by
 * rcu_read_lock_trace(), taken before rcu_read_lock() is given up, and the
 * cgroup by a reference.  One that has none left is about to be freed with
 * nobody in it; what it was told of a denial would never be read.
 */
static int walk_sleepable(struct checmate_cgroup *cgroup,
			  const struct checmate_ruleset *ruleset,
			  enum checmate_hook hook, bool can_deny,
			  const u64 *args)
	__must_hold(RCU)
{
	int err;

	if (!css_tryget(&cgroup->css))
		cgroup = checmate_root_cgroup();
	rcu_read_lock_trace();
	rcu_read_unlock();
	err = run_all(cgroup, ruleset, hook, can_deny, args, run_sleepable);
	rcu_read_lock();
	rcu_read_unlock_trace();
	css_put(&cgroup->css);
	return err;
}

static int walk(struct checmate_cgroup *cgroup,
		const struct checmate_ruleset *ruleset,
		enum checmate_hook hook, bool can_deny, const u64 *args)
{
	if (unlikely(test_bit(hook, ruleset->sleepable)))
		return walk_sleepable(cgroup, ruleset, hook, can_deny, args);
	return run_all(cgroup, ruleset, hook, can_deny, args, run_atomic);
}

/**
 * checmate_dispatch - Let the programs of a hook judge a call
 * @cgroup: the subject
 * @ruleset: its ruleset
 * @hook: the hook that was called
 * @can_deny: whether the hook has a verdict; otherwise all programs run
 * @args: the argument slots of a frame
 *
 * The programs run in order; the first that denies ends the walk.  Permissive
 * programs are only told of.
 *
 * Context: Any context that the hook may be called in, within rcu_read_lock().
 * If a program of the hook can sleep, rcu_read_lock() is given up in between:
 * neither @cgroup nor @ruleset may be used afterwards.
 * Return: 0 if no program denies, otherwise the errno of the first that does.
 */
int checmate_dispatch(struct checmate_cgroup *cgroup,
		      const struct checmate_ruleset *ruleset,
		      enum checmate_hook hook, bool can_deny, const u64 *args)
{
	struct checmate_rewrite rewrite, *outer;
	int err;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(),
			 "checmate: dispatch outside of rcu_read_lock()");

	if (!checmate_can_rewrite(hook))
		return walk(cgroup, ruleset, hook, can_deny, args);
	outer = checmate_begin_rewrite(&rewrite, hook, args);
	err = walk(cgroup, ruleset, hook, can_deny, args);
	checmate_end_rewrite(outer);
	return err;
}
