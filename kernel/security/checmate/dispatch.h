/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Dispatch
 */
#ifndef _SECURITY_CHECMATE_DISPATCH_H
#define _SECURITY_CHECMATE_DISPATCH_H

#include <linux/compiler.h>
#include <linux/filter.h>
#include <linux/types.h>

#include "chain.h"
#include "frame.h"

int checmate_dispatch(const struct checmate_chain *chain, bool can_deny,
		      const struct checmate_frame *frame);
int checmate_resume(const struct checmate_chain *chain,
		    const struct checmate_frame *frame);
unsigned int checmate_ask_each(const void *args, const struct bpf_insn *unused);

/**
 * checmate_is_allowed - Whether all programs of a chain plainly allow
 * @chain: the chain, of a hook that has a verdict
 * @frame: what its func was run with
 * @answer: what that returned
 *
 * Context: Any context.
 * Return: false if a program denies, or may do so.
 */
static __always_inline bool
checmate_is_allowed(const struct checmate_chain *chain,
		    const struct checmate_frame *frame, u32 answer)
{
	return !((chain->allow ^ answer) | (u32)frame->run.cgroup.retval);
}

/**
 * checmate_has_run - Whether the programs of a chain have run
 * @frame: what its func was run with
 *
 * Context: Any context.
 * Return: false if func was checmate_ask_each().
 */
static __always_inline bool
checmate_has_run(const struct checmate_frame *frame)
{
	return !frame->run.tramp.bpf_cookie;
}

#endif /* _SECURITY_CHECMATE_DISPATCH_H */
