/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Audit records
 */
#ifndef _SECURITY_CHECMATE_AUDIT_H
#define _SECURITY_CHECMATE_AUDIT_H

#include <linux/siphash.h>
#include <linux/types.h>

struct checmate_cgroup;
struct checmate_program;

/* Cgroups that have a share of their own at a time, and where one may be found. */
#define CHECMATE_AUDIT_SETS	32
#define CHECMATE_AUDIT_WAYS	4

/**
 * struct checmate_share - What one cgroup may put into the audit log
 * @cgroup: the cgroup's id; 0 if nobody has the share
 * @since: when the current window began, in jiffies
 * @records: how many records there were since
 * @suppressed: how many were suppressed since the last record
 */
struct checmate_share {
	u64 cgroup;
	unsigned long since;
	unsigned int records;
	unsigned int suppressed;
};

/**
 * struct checmate_shares - What all cgroups may put into the audit log
 * @own: shares of cgroups, in sets by the cgroup's id
 * @rest: the share of all cgroups that find no place in their set
 * @key: keeps others from finding out which cgroups are in one set
 */
struct checmate_shares {
	struct checmate_share own[CHECMATE_AUDIT_SETS][CHECMATE_AUDIT_WAYS];
	struct checmate_share rest;
	siphash_key_t key;
};

bool checmate_spend_share(struct checmate_shares *shares, u64 cgroup,
			  unsigned long now, unsigned int *ret_suppressed,
			  struct checmate_share *ret_evicted);

void checmate_audit_denial(const struct checmate_cgroup *cgroup,
			   const struct checmate_program *program, int err);
void checmate_report_dropped(const struct checmate_cgroup *cgroup,
			     const struct checmate_program *program,
			     bool staged);

#endif /* _SECURITY_CHECMATE_AUDIT_H */
