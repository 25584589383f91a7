/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Attachment sets
 */
#ifndef _SECURITY_CHECMATE_ATTACHMENTS_H
#define _SECURITY_CHECMATE_ATTACHMENTS_H

#include <linux/cleanup.h>
#include <linux/err.h>

#include "control.h"
#include "program.h"

/**
 * struct checmate_attachments - The programs attached to one cgroup
 * @nr: number of programs
 * @program: the programs in the order they were attached, each referenced
 *
 * An attachment set never changes: a transaction makes a new one from the old.
 */
struct checmate_attachments {
	unsigned int nr;
	struct checmate_program *program[] __counted_by(nr);
};

/* The scope of an edit that may touch programs of every hook. */
#define CHECMATE_ALL_HOOKS	CHECMATE_NR_HOOKS

/**
 * struct checmate_edit - What a transaction does to an attachment set
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

struct checmate_attachments *
checmate_edit_attachments(const struct checmate_attachments *old,
			  const struct checmate_edit *edit, bool sealed);
void checmate_free_attachments(struct checmate_attachments *set);

DEFINE_FREE(checmate_attachments, struct checmate_attachments *,
	    if (!IS_ERR_OR_NULL(_T)) checmate_free_attachments(_T))

#endif /* _SECURITY_CHECMATE_ATTACHMENTS_H */
