/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Limits
 */
#ifndef _SECURITY_CHECMATE_LIMITS_H
#define _SECURITY_CHECMATE_LIMITS_H

#include <linux/jiffies.h>
#include <linux/limits.h>
#include <uapi/linux/checmate.h>

/* Programs attached to one cgroup; keeps its policy within a few pages. */
#define CHECMATE_MAX_LOCAL	1024

/*
 * How long a hook stays on after its last program went, so that a steady
 * coming and going of containers does not patch kernel text each time.
 */
#define CHECMATE_HOOK_LINGER	(2 * HZ)

/*
 * How long programs stay before they get direct calls, so that containers which
 * come and go do not patch kernel text either.
 */
#define CHECMATE_SETTLE_TIME	HZ

#endif /* _SECURITY_CHECMATE_LIMITS_H */
