// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Events
 *
 * All that happens beyond the denial itself, and only then: the way of a call
 * that is allowed does not lead here.
 */

#include <linux/audit.h>
#include <linux/cgroup.h>
#include <linux/rcupdate.h>
#include <linux/ratelimit.h>
#include <linux/seq_file.h>

#include "cgroup.h"
#include "common.h"
#include "event.h"
#include "hooks.h"
#include "program.h"

#define CREATE_TRACE_POINTS
#include <trace/events/checmate.h>

/* Audit keeps what it is given: as many records as a person can look at. */
static DEFINE_RATELIMIT_STATE(audit_limit, 5 * HZ, 50);

static void audit_denial(const struct checmate_cgroup *cgroup,
			 const struct checmate_program *program, int err)
{
	struct audit_buffer *ab;

	if (!audit_enabled || !__ratelimit(&audit_limit))
		return;
	/* An interrupt is no part of what the task it interrupts does. */
	ab = audit_log_start(in_task() ? audit_context() : NULL,
			     GFP_ATOMIC | __GFP_NOWARN, AUDIT_KERNEL_OTHER);
	if (!ab)
		return;
	audit_log_format(ab,
			 "lsm=%s hook=%s res=%d mode=%s errno=%d cgroup=%llu owner=%llu id=%llu prog-id=%u pid=%d comm=",
			 CHECMATE_NAME, checmate_hook_name(program->hook),
			 program->permissive, checmate_mode_name(program), -err,
			 cgroup_id(cgroup->css.cgroup), program->cgroup_id,
			 program->id, checmate_prog_id(program),
			 in_task() ? task_tgid_nr(current) : 0);
	if (in_task())
		audit_log_untrustedstring(ab, current->comm);
	else
		audit_log_format(ab, "?");
	audit_log_end(ab);
}

/**
 * checmate_report_denial - Tell that a program has denied
 * @cgroup: the cgroup whose task or socket it met
 * @program: the program
 * @err: the errno, negative
 *
 * Context: Any context, within rcu_read_lock() or with a reference to @cgroup.
 */
void checmate_report_denial(struct checmate_cgroup *cgroup,
			    struct checmate_program *program, int err)
{
	const bool permissive = program->permissive;
	struct checmate_cgroup *pos;

	checmate_count_event(&program->tally->events, permissive);
	checmate_count_event(&cgroup->local, permissive);
	cgroup_file_notify(&cgroup->local_file);
	for (pos = cgroup; pos; pos = checmate_cgroup_parent(pos)) {
		checmate_count_event(&pos->events, permissive);
		cgroup_file_notify(&pos->events_file);
	}

	trace_checmate_denied(cgroup_id(cgroup->css.cgroup),
			      checmate_hook_name(program->hook), program->id,
			      checmate_prog_id(program), err, permissive);
	audit_denial(cgroup, program, err);
}

/**
 * checmate_show_events - Print counters, one to a line
 * @seq: where to
 * @events: the counters
 *
 * Context: Process context.
 */
void checmate_show_events(struct seq_file *seq,
			  const struct checmate_events *events)
{
	seq_printf(seq, "denied %lld\npermissive %lld\n",
		   atomic64_read(&events->denied),
		   atomic64_read(&events->permissive));
}
