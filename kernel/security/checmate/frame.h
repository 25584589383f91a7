/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Frames
 */
#ifndef _SECURITY_CHECMATE_FRAME_H
#define _SECURITY_CHECMATE_FRAME_H

#include <linux/bpf.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/stddef.h>
#include <linux/types.h>

struct checmate_cgroup;
struct checmate_chain;
struct checmate_step;

/* Argument slots of the hook with the most. */
#define CHECMATE_MAX_SLOTS	8

/*
 * Stands where mainline's context of a BPF_LSM_MAC program has half of a pointer:
 * the low half on big-endian machines, and no aligned pointer is odd; the high
 * half on the others, and no kernel pointer begins with these bytes.
 */
#define CHECMATE_RUN_MARK	0x43686d31

/**
 * struct checmate_run - What a program finds by the task
 * @ctx: base, for helpers
 * @cgroup: for helpers of a BPF_LSM_CGROUP program
 * @tramp: for helpers of a BPF_LSM_MAC program
 * @slot: NULL, where mainline's context of a BPF_LSM_CGROUP program has a pointer
 * @retval: what a BPF_LSM_CGROUP program has set, or 0
 * @mark: CHECMATE_RUN_MARK; helpers neither read nor write it
 * @step: the program that runs, and with it the attachment that it runs for
 *
 * It serves programs of either kind, one after the other, up to the first that
 * has set a return value.
 */
struct checmate_run {
	union {
		struct bpf_run_ctx ctx;
		struct bpf_cg_run_ctx cgroup;
		struct bpf_tramp_run_ctx tramp;
		struct {
			const void *slot;
			u32 retval;
			u32 mark;
		};
	};
	const struct checmate_step *step;
};

/* Leaves @step, which is set before each program. */
static __always_inline void checmate_init_run(struct checmate_run *run)
{
	run->slot = NULL;
	run->retval = 0;
	run->mark = CHECMATE_RUN_MARK;
}

/**
 * struct checmate_frame - What the programs of a hook are run with
 * @run: what helpers find; the first member, which costs least to take the
 *	address of
 * @subject: the cgroup that acts
 * @chain: the programs
 * @ip: the address of the hook's function
 * @nr: the number of argument slots
 * @args: the arguments, and the previous return value behind them
 *
 * A program sees @args, and around it what a BPF trampoline puts there.
 */
struct checmate_frame {
	struct checmate_run run;
	struct checmate_cgroup *subject;
	const struct checmate_chain *chain;
	u64 ip;
	u64 nr;
	u64 args[];
};

static_assert(offsetof(struct checmate_run, step) == 2 * sizeof(u64));
static_assert(offsetof(struct checmate_run, slot) ==
	      offsetof(struct bpf_cg_run_ctx, prog_item));
static_assert(offsetof(struct checmate_run, retval) ==
	      offsetof(struct bpf_cg_run_ctx, retval));
static_assert(offsetof(struct checmate_run, mark) >=
	      offsetofend(struct bpf_cg_run_ctx, retval));
static_assert(offsetof(struct bpf_cg_run_ctx, prog_item) ==
	      offsetof(struct bpf_tramp_run_ctx, bpf_cookie));
static_assert(offsetof(struct bpf_cg_run_ctx, retval) ==
	      offsetof(struct bpf_tramp_run_ctx, saved_run_ctx));
static_assert(offsetof(struct checmate_frame, args) ==
	      offsetof(struct checmate_frame, nr) + sizeof(u64));
static_assert(offsetof(struct checmate_frame, nr) ==
	      offsetof(struct checmate_frame, ip) + sizeof(u64));

#endif /* _SECURITY_CHECMATE_FRAME_H */
