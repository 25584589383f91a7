/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Limits
 */
#ifndef _SECURITY_CHECMATE_LIMITS_H
#define _SECURITY_CHECMATE_LIMITS_H

#include <linux/jiffies.h>
#include <linux/limits.h>
#include <linux/sizes.h>
#include <uapi/linux/checmate.h>

/* Programs attached to one cgroup; keeps its attachment set within a few pages. */
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

/* Bytes that may wait for readers before a writer waits for them, too. */
#define CHECMATE_MAX_RETIRED	SZ_4M

/*
 * Removed cgroups, kept by sockets, that a transaction of an ancestor rebuilds.
 * Those that were bound earlier are closed instead.
 */
#define CHECMATE_MAX_REMOVED	512

/* Audit records of denials in one cgroup, and the time they are counted in. */
#define CHECMATE_AUDIT_RECORDS	50
#define CHECMATE_AUDIT_WINDOW	(5 * HZ)

#endif /* _SECURITY_CHECMATE_LIMITS_H */
