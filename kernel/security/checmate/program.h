/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Programs
 */
#ifndef _SECURITY_CHECMATE_PROGRAM_H
#define _SECURITY_CHECMATE_PROGRAM_H

#include <linux/refcount.h>
#include <linux/types.h>

#include "event.h"
#include "hooks.h"

struct bpf_prog;

/**
 * struct checmate_tally - What an attachment has done so far
 * @usage: one reference from each program that stands for the attachment
 * @events: its denials
 *
 * Outlives a change of the mode, for which the program is made anew.
 */
struct checmate_tally {
	refcount_t usage;
	struct checmate_events events;
};

/**
 * struct checmate_program - A BPF LSM program attached to one cgroup
 * @usage: references: the request that brings it, the policy it is in, and
 *	every ruleset built from it
 * @hook: the hook it was loaded for
 * @is_cgroup: loaded as BPF_LSM_CGROUP, whose 0 denies; otherwise BPF_LSM_MAC,
 *	whose 0 allows
 * @is_sleepable: may sleep
 * @is_alone: not to be called together with others: may sleep, may set an
 *	address, or ends in a program that is not known
 * @permissive: its denials are told and not enforced
 * @id: names this attachment; never used again after it is gone
 * @cgroup_id: the cgroup it is attached to
 * @prog: the program, referenced
 * @tally: counters, referenced
 *
 * All but @usage is constant once the program is in a policy.
 */
struct checmate_program {
	refcount_t usage;
	enum checmate_hook hook;
	bool is_cgroup;
	bool is_sleepable;
	bool is_alone;
	bool permissive;
	u64 id;
	u64 cgroup_id;
	struct bpf_prog *prog;
	struct checmate_tally *tally;
};

struct checmate_program *checmate_create_program(int fd, u64 cgroup_id,
						 bool permissive);
struct checmate_program *
checmate_clone_program(const struct checmate_program *program, bool permissive);
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
