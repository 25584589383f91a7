/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Programs
 */
#ifndef _SECURITY_CHECMATE_PROGRAM_H
#define _SECURITY_CHECMATE_PROGRAM_H

#include <linux/refcount.h>
#include <linux/types.h>

#include "hooks.h"

struct bpf_prog;

/**
 * struct checmate_program - A BPF LSM program attached to one cgroup
 * @usage: references: the policy it is in, and every ruleset built from it
 * @hook: the hook it was loaded for
 * @is_cgroup: loaded as BPF_LSM_CGROUP, whose 0 denies; otherwise BPF_LSM_MAC,
 *	whose 0 allows
 * @id: names this attachment; never used again after it is gone
 * @cgroup_id: the cgroup it is attached to
 * @prog: the program, referenced
 *
 * All but @usage is constant once the program is in a policy.
 */
struct checmate_program {
	refcount_t usage;
	enum checmate_hook hook;
	bool is_cgroup;
	u64 id;
	u64 cgroup_id;
	struct bpf_prog *prog;
};

struct checmate_program *checmate_create_program(int fd, u64 cgroup_id);
void checmate_put_program(struct checmate_program *program);

static inline struct checmate_program *
checmate_get_program(struct checmate_program *program)
{
	refcount_inc(&program->usage);
	return program;
}

#endif /* _SECURITY_CHECMATE_PROGRAM_H */
