/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Requests
 */
#ifndef _SECURITY_CHECMATE_REQUEST_H
#define _SECURITY_CHECMATE_REQUEST_H

#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/types.h>

#include "control.h"
#include "attachments.h"
#include "retire.h"

struct checmate_cgroup;
struct file;
struct pid;

/**
 * struct checmate_request - A transaction for a cgroup and all that it names
 * @cgroup: the cgroup, which outlives the request for as long as that can be
 *	found
 * @txn: the transaction, owned
 * @edit: what it does, with a reference to each program
 * @pid: the process whose exec it waits for, with a reference; NULL for the
 *	first one within the cgroup
 * @except: file whose exec is none, with a reference, or NULL
 * @staged: in the list of those that wait for an exec
 * @retired: waits for those who look through that list
 *
 * A request does not change.
 */
struct checmate_request {
	struct checmate_cgroup *cgroup;
	struct checmate_transaction *txn;
	struct checmate_edit edit;
	struct pid *pid;
	struct file *except;
	struct list_head staged;
	struct checmate_retired retired;
};

struct checmate_request *
checmate_create_request(struct checmate_cgroup *cgroup,
			struct checmate_transaction *txn,
			enum checmate_hook scope);
bool checmate_is_gone(struct pid *pid);
void checmate_free_request(struct checmate_request *request);

DEFINE_FREE(checmate_request, struct checmate_request *,
	    if (!IS_ERR_OR_NULL(_T)) checmate_free_request(_T))

#endif /* _SECURITY_CHECMATE_REQUEST_H */
