/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Dispatch
 */
#ifndef _SECURITY_CHECMATE_DISPATCH_H
#define _SECURITY_CHECMATE_DISPATCH_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "chain.h"
#include "frame.h"

struct checmate_cgroup;

int checmate_dispatch(struct checmate_cgroup *cgroup,
		      const struct checmate_chain *chain, bool can_deny,
		      const struct checmate_frame *frame);
int checmate_resume(struct checmate_cgroup *cgroup,
		    const struct checmate_chain *chain,
		    const struct checmate_frame *frame, u32 answer);

/**
 * checmate_is_allowed - Whether all programs of a chain plainly allow
 * @chain: the chain, of a hook that has a verdict
 * @frame: what its func was run with
 * @answer: what that returned
 *
 * Context: Any context.
 * Return: false if a program denies, or may have done so.
 */
static __always_inline bool
checmate_is_allowed(const struct checmate_chain *chain,
		    const struct checmate_frame *frame, u32 answer)
{
	return likely(answer == chain->allow && !frame->run.cgroup.retval);
}

#endif /* _SECURITY_CHECMATE_DISPATCH_H */
