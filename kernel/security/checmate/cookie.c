// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Cookies
 *
 * An attachment has a number, its cookie, which the program finds by a kfunc.  One
 * program thus serves many cgroups and finds out for which of them it runs.
 */

#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/container_of.h>
#include <linux/filter.h>
#include <linux/init.h>
#include <linux/sched.h>

#include "chain.h"
#include "cookie.h"
#include "frame.h"
#include "hook_table.h"
#include "lsm.h"

/*
 * The context of the running program, or NULL if Checmate does not run it.  In
 * mainline a BPF trampoline or the list of a cgroup runs BPF LSM programs, each
 * with a context of its own: a BPF trampoline's has no mark, and that of a cgroup
 * has a pointer where Checmate's has NULL.
 */
static const struct checmate_run *current_run(void)
{
	struct bpf_run_ctx *ctx = current->bpf_ctx;
	const struct checmate_run *run;

	if (!ctx)
		return NULL;
	run = container_of(ctx, struct checmate_run, ctx);
	return !run->slot && run->mark == CHECMATE_RUN_MARK ? run : NULL;
}

__bpf_kfunc_start_defs();

/**
 * bpf_checmate_cookie - The cookie of the attachment that a program runs for
 *
 * A program that is attached to a cgroup and to an ancestor runs once for each
 * attachment, and finds the cookie of that attachment.
 *
 * Context: Any BPF LSM program without timers, for a hook that Checmate covers.
 * Return: The cookie; 0 if the attachment has none, or if Checmate does not run
 * the program.
 */
__bpf_kfunc u64 bpf_checmate_cookie(void)
{
	const struct checmate_run *run = current_run();

	return run ? run->step->program->cookie : 0;
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(checmate_cookie_kfuncs)
BTF_ID_FLAGS(func, bpf_checmate_cookie)
BTF_KFUNCS_END(checmate_cookie_kfuncs)

/*
 * Whether a program may have callbacks of timers.  The kernel calls these in an
 * interrupt and gives them no context: the task's would be that of whatever BPF
 * program was interrupted.  Callbacks of work queues run in a thread that has no
 * context.  The program is being verified, hence helpers still are numbers.
 */
static bool may_have_timers(const struct bpf_prog *prog)
{
	const struct bpf_insn *insn;

	for (insn = prog->insnsi; insn < prog->insnsi + prog->len; insn++)
		if (insn->code == (BPF_JMP | BPF_CALL) && !insn->src_reg &&
		    insn->imm == BPF_FUNC_timer_set_callback)
			return true;
	return false;
}

/* The set is registered for all tracing programs: admit only our hooks'. */
static int filter_kfuncs(const struct bpf_prog *prog, u32 kfunc_id)
{
	if (!btf_id_set8_contains(&checmate_cookie_kfuncs, kfunc_id))
		return 0;
	if (prog->type != BPF_PROG_TYPE_LSM ||
	    checmate_find_hook(prog->aux->attach_btf_id) < 0 ||
	    may_have_timers(prog))
		return -EACCES;
	return 0;
}

static const struct btf_kfunc_id_set cookie_kfunc_set = {
	.owner = THIS_MODULE,
	.set = &checmate_cookie_kfuncs,
	.filter = filter_kfuncs,
};

static int __init register_kfuncs(void)
{
	return register_btf_kfunc_id_set(BPF_PROG_TYPE_LSM, &cookie_kfunc_set);
}
late_initcall(register_kfuncs);
