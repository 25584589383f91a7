/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Frames
 */
#ifndef _SECURITY_CHECMATE_FRAME_H
#define _SECURITY_CHECMATE_FRAME_H

#include <linux/bpf.h>
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>

struct checmate_cgroup;
struct checmate_chain;

/* Argument slots of the hook with the most. */
#define CHECMATE_MAX_SLOTS	8

/**
 * union checmate_run_ctx - What helpers of a program find by the task
 * @ctx: base
 * @cgroup: of a BPF_LSM_CGROUP program
 * @tramp: of a BPF_LSM_MAC program
 *
 * All zero it serves programs of either kind, and still does after any that has
 * not set a return value.
 */
union checmate_run_ctx {
	struct bpf_run_ctx ctx;
	struct bpf_cg_run_ctx cgroup;
	struct bpf_tramp_run_ctx tramp;
};

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
	union checmate_run_ctx run;
	struct checmate_cgroup *subject;
	const struct checmate_chain *chain;
	u64 ip;
	u64 nr;
	u64 args[];
};

static_assert(sizeof(union checmate_run_ctx) == 2 * sizeof(u64));
static_assert(offsetof(struct bpf_cg_run_ctx, prog_item) ==
	      offsetof(struct bpf_tramp_run_ctx, bpf_cookie));
static_assert(offsetof(struct bpf_cg_run_ctx, retval) ==
	      offsetof(struct bpf_tramp_run_ctx, saved_run_ctx));
static_assert(offsetof(struct checmate_frame, args) ==
	      offsetof(struct checmate_frame, nr) + sizeof(u64));
static_assert(offsetof(struct checmate_frame, nr) ==
	      offsetof(struct checmate_frame, ip) + sizeof(u64));

#endif /* _SECURITY_CHECMATE_FRAME_H */
