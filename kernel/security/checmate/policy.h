/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Policies
 */
#ifndef _SECURITY_CHECMATE_POLICY_H
#define _SECURITY_CHECMATE_POLICY_H

#include <linux/cleanup.h>
#include <linux/err.h>

#include "control.h"
#include "program.h"

/**
 * struct checmate_policy - The programs attached to one cgroup
 * @nr: number of programs
 * @program: the programs in the order they were attached, each referenced
 *
 * A policy never changes: a transaction makes a new one from the old.
 */
struct checmate_policy {
	unsigned int nr;
	struct checmate_program *program[] __counted_by(nr);
};

/* The scope of an edit that may touch programs of every hook. */
#define CHECMATE_ALL_HOOKS	CHECMATE_NR_HOOKS

/**
 * struct checmate_edit - What a transaction does to a policy
 * @nr: number of operations
 * @op: the operations, in order
 * @program: for each operation that names the file descriptor of a program,
 *	that program; NULL for the others
 * @scope: the only hook whose programs may be touched, or CHECMATE_ALL_HOOKS
 */
struct checmate_edit {
	unsigned int nr;
	const struct checmate_op *op;
	struct checmate_program **program;
	enum checmate_hook scope;
};

struct checmate_policy *
checmate_edit_policy(const struct checmate_policy *old,
		     const struct checmate_edit *edit, bool sealed);
void checmate_free_policy(struct checmate_policy *policy);

DEFINE_FREE(checmate_policy, struct checmate_policy *,
	    if (!IS_ERR_OR_NULL(_T)) checmate_free_policy(_T))

#endif /* _SECURITY_CHECMATE_POLICY_H */
