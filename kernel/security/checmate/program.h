/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Programs
 */
#ifndef _SECURITY_CHECMATE_PROGRAM_H
#define _SECURITY_CHECMATE_PROGRAM_H

#include <linux/filter.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include "counters.h"
#include "direct.h"
#include "hook_table.h"

struct bpf_prog;

/**
 * struct checmate_tally - What an attachment has done so far
 * @usage: one reference from each program that stands for the attachment
 * @events: its denials
 *
 * Outlives a change of the mode or the cookie, for which the program is made
 * anew.
 */
struct checmate_tally {
	refcount_t usage;
	struct checmate_events events;
};

/**
 * struct checmate_program - A BPF LSM program attached to one cgroup
 * @usage: references: the request that brings it, the attachment set it is in,
 *	and every ruleset built from it
 * @allow: what it returns to allow: 1 if it was loaded as BPF_LSM_CGROUP, 0 if
 *	as BPF_LSM_MAC
 * @func: its machine code
 * @hook: the hook it was loaded for
 * @needs_dispatch: needs more than a call: may sleep, may set an address, ends
 *	in a program that is not known, or is no machine code
 * @is_sleepable: may sleep
 * @permissive: its denials are reported and not enforced
 * @id: names this attachment; never used again after it is gone
 * @cgroup_id: the cgroup it is attached to
 * @cookie: the cookie of the attachment; 0 if it has none
 * @prog: the program, referenced
 * @tally: counters, referenced
 * @callee: for direct.c
 *
 * All but @usage and @callee is constant once the program is in an attachment
 * set.
 */
struct checmate_program {
	refcount_t usage;
	u32 allow;
	bpf_func_t func;
	enum checmate_hook hook;
	bool needs_dispatch;
	bool is_sleepable;
	bool permissive;
	u64 id;
	u64 cgroup_id;
	u64 cookie;
	struct bpf_prog *prog;
	struct checmate_tally *tally;
	struct checmate_callee callee;
};

struct checmate_program *checmate_create_program(int fd, u64 cgroup_id,
						 bool permissive, u64 cookie);
struct checmate_program *
checmate_clone_program(const struct checmate_program *program, bool permissive,
		       u64 cookie);
u32 checmate_prog_id(const struct checmate_program *program);
const char *checmate_mode_name(const struct checmate_program *program);
void checmate_put_program(struct checmate_program *program);

static inline struct checmate_program *
checmate_get_program(struct checmate_program *program)
{
	refcount_inc(&program->usage);
	return program;
}

#endif /* _SECURITY_CHECMATE_PROGRAM_H */
