/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Transactions
 */
#ifndef _SECURITY_CHECMATE_TRANSACTION_H
#define _SECURITY_CHECMATE_TRANSACTION_H

struct checmate_cgroup;
struct checmate_request;

void checmate_inherit_ruleset(struct checmate_cgroup *cgroup);
int checmate_try_request(const struct checmate_request *request);
int checmate_apply_request(const struct checmate_request *request,
			   const struct checmate_request *then);
void checmate_drop_attachments(struct checmate_cgroup *cgroup);

#endif /* _SECURITY_CHECMATE_TRANSACTION_H */
