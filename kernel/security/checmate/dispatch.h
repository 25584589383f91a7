/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Dispatch
 */
#ifndef _SECURITY_CHECMATE_DISPATCH_H
#define _SECURITY_CHECMATE_DISPATCH_H

#include <linux/types.h>

#include "chain.h"
#include "frame.h"

int checmate_dispatch(bool can_deny, const struct checmate_frame *frame);
int checmate_resume(const struct checmate_frame *frame,
		    const struct checmate_step *last, u32 verdict);

/**
 * checmate_allows - Whether a program plainly allows
 * @step: the program, of a hook that has a verdict
 * @frame: what it was run with
 * @verdict: what it returned
 *
 * Context: Any context.
 * Return: false if the program denies, or may do so.
 */
static __always_inline bool
checmate_allows(const struct checmate_step *step,
		const struct checmate_frame *frame, u32 verdict)
{
	return !((step->allow ^ verdict) | (u32)frame->run.cgroup.retval);
}

#endif /* _SECURITY_CHECMATE_DISPATCH_H */
