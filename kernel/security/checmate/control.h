/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Control text
 */
#ifndef _SECURITY_CHECMATE_CONTROL_H
#define _SECURITY_CHECMATE_CONTROL_H

#include <linux/types.h>

/**
 * enum checmate_op_type - What one line of control text asks for
 * @CHECMATE_OP_ATTACH: attach the program behind a file descriptor
 * @CHECMATE_OP_DETACH: detach by attachment id
 * @CHECMATE_OP_DETACH_FD: detach the program behind a file descriptor
 * @CHECMATE_OP_MODE: change the mode by attachment id
 * @CHECMATE_OP_COOKIE: change the cookie by attachment id
 * @CHECMATE_OP_CLEAR: detach all
 */
enum checmate_op_type {
	CHECMATE_OP_ATTACH,
	CHECMATE_OP_DETACH,
	CHECMATE_OP_DETACH_FD,
	CHECMATE_OP_MODE,
	CHECMATE_OP_COOKIE,
	CHECMATE_OP_CLEAR,
};

/**
 * struct checmate_op - One operation of a transaction
 * @type: what to do
 * @fd: file descriptor of the writing task (ATTACH, DETACH_FD)
 * @id: attachment id (DETACH, MODE, COOKIE)
 * @cookie: the cookie (ATTACH, COOKIE)
 * @permissive: the mode (ATTACH, MODE)
 */
struct checmate_op {
	enum checmate_op_type type;
	int fd;
	u64 id;
	u64 cookie;
	bool permissive;
};

/**
 * struct checmate_transaction - What one write asks for, in order
 * @generation: the generation the writer saw, if @has_generation
 * @has_generation: refuse unless the attachment set is still at @generation
 * @at_exec: not now, but when an exec begins
 * @pid: the process whose exec it is, as the writing task numbers it; 0 for the
 *	first one within the cgroup (@at_exec)
 * @except: file descriptor of the writing task, of a file whose exec is none;
 *	-1 for none (@at_exec)
 * @nr: number of operations
 * @op: the operations
 */
struct checmate_transaction {
	u64 generation;
	bool has_generation;
	bool at_exec;
	pid_t pid;
	int except;
	unsigned int nr;
	struct checmate_op op[] __counted_by(nr);
};

struct checmate_transaction *checmate_parse_policy(char *text, size_t len);
int checmate_parse_hook(char *text, size_t len, struct checmate_op *op);
int checmate_parse_switch(char *text, size_t len, bool *on);

#endif /* _SECURITY_CHECMATE_CONTROL_H */
