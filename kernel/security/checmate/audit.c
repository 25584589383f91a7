// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Audit records
 *
 * The audit log keeps what it is given, so denials are limited.  Each cgroup has
 * a share of its own: a cgroup that floods the log hides its own denials, and no
 * other cgroup's.  The next record says how many are missing.
 *
 * There is room for a fixed number of shares.  A share whose window is over may
 * go to another cgroup; what the former one has suppressed is then logged.  If
 * more cgroups are denied at once than there is room for, the others have one
 * share together.
 *
 * share_lock covers the shares, is taken in any context, and nests inside all
 * other locks.  Records are written without it.
 */

#include <linux/audit.h>
#include <linux/cgroup.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/limits.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>

#include "audit.h"
#include "cgroup.h"
#include "common.h"
#include "hook_table.h"
#include "limits.h"
#include "program.h"

#include <trace/events/checmate.h>

static struct checmate_shares denial_shares;
static DEFINE_RAW_SPINLOCK(share_lock);

static bool is_over(const struct checmate_share *share, unsigned long now)
{
	return time_after_eq(now, share->since + CHECMATE_AUDIT_WINDOW);
}

/* The share of a cgroup: the one that it has, one that is free, or the rest. */
static struct checmate_share *find_share(struct checmate_shares *shares,
					 u64 cgroup, unsigned long now,
					 struct checmate_share *ret_evicted)
{
	struct checmate_share *set =
		shares->own[siphash_1u64(cgroup, &shares->key) %
			    CHECMATE_AUDIT_SETS];
	struct checmate_share *share = NULL;
	unsigned int i;

	for (i = 0; i < CHECMATE_AUDIT_WAYS; i++) {
		if (set[i].cgroup == cgroup)
			return &set[i];
		if (set[i].cgroup && !is_over(&set[i], now))
			continue;
		/* Of those that are over, the one that was so first. */
		if (!share || !set[i].cgroup ||
		    (share->cgroup && time_before(set[i].since, share->since)))
			share = &set[i];
	}
	if (!share)
		return &shares->rest;
	*ret_evicted = *share;
	*share = (struct checmate_share){ .cgroup = cgroup, .since = now };
	return share;
}

/**
 * checmate_spend_share - Whether a cgroup may have another record
 * @shares: the shares
 * @cgroup: the cgroup's id
 * @now: the time, in jiffies
 * @ret_suppressed: how many records are missing before this one; set if true is
 *	returned
 * @ret_evicted: set to the share that @cgroup took over from another cgroup, if
 *	it did
 *
 * Context: Any context; the caller holds a lock for @shares.
 * Return: false if the record is to be suppressed, which is counted.
 */
bool checmate_spend_share(struct checmate_shares *shares, u64 cgroup,
			  unsigned long now, unsigned int *ret_suppressed,
			  struct checmate_share *ret_evicted)
{
	struct checmate_share *share =
		find_share(shares, cgroup, now, ret_evicted);

	if (is_over(share, now)) {
		share->since = now;
		share->records = 0;
	}
	if (share->records >= CHECMATE_AUDIT_RECORDS) {
		if (share->suppressed < UINT_MAX)
			share->suppressed++;
		return false;
	}
	share->records++;
	*ret_suppressed = share->suppressed;
	share->suppressed = 0;
	return true;
}

/* A record, in the event of the system call if there is one. */
static struct audit_buffer *begin_record(void)
{
	/* An interrupt is no part of what the task it interrupts does. */
	return audit_log_start(in_task() ? audit_context() : NULL,
			       GFP_ATOMIC | __GFP_NOWARN, AUDIT_KERNEL_OTHER);
}

/* Who acts, at the end of a record. */
static void log_subject(struct audit_buffer *ab)
{
	audit_log_format(ab, " pid=%d comm=",
			 in_task() ? task_tgid_nr(current) : 0);
	if (in_task())
		audit_log_untrustedstring(ab, current->comm);
	else
		audit_log_format(ab, "?");
}

static void log_suppressed(u64 cgroup, unsigned int suppressed)
{
	struct audit_buffer *ab = begin_record();

	if (!ab)
		return;
	audit_log_format(ab, "lsm=%s op=suppressed cgroup=%llu suppressed=%u",
			 CHECMATE_NAME, cgroup, suppressed);
	audit_log_end(ab);
}

/**
 * checmate_audit_denial - Log a denial, unless its cgroup has had its share
 * @cgroup: the cgroup whose task or socket was denied
 * @program: the program that denied
 * @err: the errno, negative
 *
 * Context: Any context, within rcu_read_lock() or with a reference to @cgroup.
 */
void checmate_audit_denial(const struct checmate_cgroup *cgroup,
			   const struct checmate_program *program, int err)
{
	const u64 id = cgroup_id(cgroup->css.cgroup);
	struct checmate_share evicted = {};
	struct audit_buffer *ab;
	unsigned int suppressed;
	unsigned long flags;
	bool may_log;

	raw_spin_lock_irqsave(&share_lock, flags);
	may_log = checmate_spend_share(&denial_shares, id, jiffies, &suppressed,
				       &evicted);
	raw_spin_unlock_irqrestore(&share_lock, flags);
	if (evicted.suppressed)
		log_suppressed(evicted.cgroup, evicted.suppressed);
	if (!may_log)
		return;
	ab = begin_record();
	if (!ab)
		return;
	audit_log_format(ab,
			 "lsm=%s hook=%s res=%d mode=%s errno=%d cgroup=%llu owner=%llu id=%llu prog-id=%u",
			 CHECMATE_NAME, checmate_hook_name(program->hook),
			 program->permissive, checmate_mode_name(program), -err,
			 id, program->cgroup_id, program->id,
			 checmate_prog_id(program));
	log_subject(ab);
	if (suppressed)
		audit_log_format(ab, " suppressed=%u", suppressed);
	audit_log_end(ab);
}

/**
 * checmate_report_dropped - Report a program that goes with the controller
 * @cgroup: the cgroup for which the controller is turned off
 * @program: the program
 * @staged: whether it was staged rather than attached
 *
 * Not limited: who turns the controller off has CAP_MAC_ADMIN.
 *
 * Context: Process context, with a reference to @cgroup.
 */
void checmate_report_dropped(const struct checmate_cgroup *cgroup,
			     const struct checmate_program *program,
			     bool staged)
{
	const u64 id = cgroup_id(cgroup->css.cgroup);
	struct audit_buffer *ab;

	trace_checmate_dropped(id, checmate_hook_name(program->hook),
			       program->id, checmate_prog_id(program),
			       program->permissive, staged);
	if (!audit_enabled)
		return;
	ab = begin_record();
	if (!ab)
		return;
	audit_log_format(ab,
			 "lsm=%s op=disable hook=%s mode=%s state=%s cgroup=%llu id=%llu prog-id=%u",
			 CHECMATE_NAME, checmate_hook_name(program->hook),
			 checmate_mode_name(program),
			 staged ? "staged" : "attached", id, program->id,
			 checmate_prog_id(program));
	log_subject(ab);
	audit_log_end(ab);
}

static int __init init_key(void)
{
	get_random_bytes(&denial_shares.key, sizeof(denial_shares.key));
	return 0;
}
late_initcall(init_key);
