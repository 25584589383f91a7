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

#include "common.h"
#include "dispatch.h"
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

/*
 * What a program of a hook without a verdict returns means nothing, and must
 * not keep the programs after it from running.
 */
static int run_all(const struct checmate_ruleset *ruleset,
		   enum checmate_hook hook, bool can_deny, const u64 *args)
{
	unsigned int i;
	int err;

	for (i = ruleset->first[hook]; i < ruleset->first[hook + 1]; i++) {
		const struct checmate_program *program = ruleset->program[i];

		if (program->is_cgroup)
			err = run_cgroup(program->prog, args);
		else
			err = run_mac(program->prog, args);
		if (err && can_deny)
			return err;
	}
	return 0;
}

/**
 * checmate_dispatch - Let the programs of a hook judge a call
 * @ruleset: the ruleset of the subject
 * @hook: the hook that was called
 * @can_deny: whether the hook has a verdict; otherwise all programs run
 * @args: the argument slots of a frame
 *
 * The programs run in order; the first that denies ends the walk.
 *
 * Context: Any context, within rcu_read_lock().
 * Return: 0 if no program denies, otherwise the errno of the first that does.
 */
int checmate_dispatch(const struct checmate_ruleset *ruleset,
		      enum checmate_hook hook, bool can_deny, const u64 *args)
{
	struct checmate_rewrite rewrite, *outer;
	int err;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(),
			 "checmate: dispatch outside of rcu_read_lock()");

	/* Without PREEMPT_RCU, rcu_read_lock() already pins the CPU. */
	if (IS_ENABLED(CONFIG_PREEMPT_RCU))
		migrate_disable();
	if (checmate_can_rewrite(hook)) {
		outer = checmate_begin_rewrite(&rewrite, args);
		err = run_all(ruleset, hook, can_deny, args);
		checmate_end_rewrite(outer);
	} else {
		err = run_all(ruleset, hook, can_deny, args);
	}
	if (IS_ENABLED(CONFIG_PREEMPT_RCU))
		migrate_enable();
	return err;
}
