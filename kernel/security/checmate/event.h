/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Events
 */
#ifndef _SECURITY_CHECMATE_EVENT_H
#define _SECURITY_CHECMATE_EVENT_H

#include <linux/types.h>

#include "counters.h"

struct checmate_cgroup;
struct checmate_program;
struct seq_file;

void checmate_count_denial(struct checmate_cgroup *cgroup, bool permissive);
void checmate_report_denial(struct checmate_cgroup *cgroup,
			    struct checmate_program *program, int err);
void checmate_show_events(struct seq_file *seq,
			  const struct checmate_events *local,
			  const struct checmate_events *below);

#endif /* _SECURITY_CHECMATE_EVENT_H */
