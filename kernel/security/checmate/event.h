/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Events
 */
#ifndef _SECURITY_CHECMATE_EVENT_H
#define _SECURITY_CHECMATE_EVENT_H

#include <linux/atomic.h>
#include <linux/types.h>

struct checmate_cgroup;
struct checmate_program;
struct seq_file;

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

void checmate_count_denial(struct checmate_cgroup *cgroup, bool permissive);
void checmate_report_denial(struct checmate_cgroup *cgroup,
			    struct checmate_program *program, int err);
void checmate_show_events(struct seq_file *seq,
			  const struct checmate_events *local,
			  const struct checmate_events *below);

#endif /* _SECURITY_CHECMATE_EVENT_H */
