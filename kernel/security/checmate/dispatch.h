/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Dispatch
 */
#ifndef _SECURITY_CHECMATE_DISPATCH_H
#define _SECURITY_CHECMATE_DISPATCH_H

#include <linux/types.h>

#include "hooks.h"

struct checmate_cgroup;
struct checmate_ruleset;

/*
 * A program sees the frame that a BPF trampoline makes: the address of the
 * hook's function and the number of argument slots in front of the arguments,
 * the previous return value behind them.
 */
#define CHECMATE_FRAME_IP	0
#define CHECMATE_FRAME_NR	1
#define CHECMATE_FRAME_ARGS	2

/* Argument slots of the hook with the most. */
#define CHECMATE_MAX_SLOTS	8

/* All of a frame: head, arguments, return value. */
#define CHECMATE_FRAME_SIZE	(CHECMATE_FRAME_ARGS + CHECMATE_MAX_SLOTS + 1)

int checmate_dispatch(struct checmate_cgroup *cgroup,
		      const struct checmate_ruleset *ruleset,
		      enum checmate_hook hook, bool can_deny, const u64 *args);

#endif /* _SECURITY_CHECMATE_DISPATCH_H */
