/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Counters of denials
 */
#ifndef _SECURITY_CHECMATE_COUNTERS_H
#define _SECURITY_CHECMATE_COUNTERS_H

#include <linux/atomic.h>
#include <linux/types.h>

/**
 * struct checmate_events - How often programs have denied
 * @denied: denials that were enforced
 * @permissive: denials that were not, since the program is permissive
 */
struct checmate_events {
	atomic64_t denied;
	atomic64_t permissive;
};

static inline void checmate_count_event(struct checmate_events *events,
					bool permissive)
{
	atomic64_inc(permissive ? &events->permissive : &events->denied);
}

#endif /* _SECURITY_CHECMATE_COUNTERS_H */
