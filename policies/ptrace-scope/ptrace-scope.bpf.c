// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checmate policies - ptrace-scope: whose memory and state may be reached into
 *
 * The kernel asks before a process attaches to another one, or reads or writes
 * its memory (attach), and before it looks at what only its owner may see
 * (read). It does not ask about threads of the same process. The callers turn
 * every refusal into an errno of their own, so there is none to choose.
 */
#include "checmate-cgroup.bpf.h"

struct checmate_params {
	CHECMATE_PARAM_CHOICE(attach, "attach", "subtree", "none|descendants|subtree",
			      "Whom to trace, and whose memory to read and write");
	CHECMATE_PARAM_CHOICE(inspect, "inspect", "subtree", "none|descendants|subtree|any",
			      "Whose environment, mappings, open files and the like to see");
};

CHECMATE_POLICY("ptrace-scope", "1", "Trace and inspect only processes of the cgroup");

/* As the choices number them. */
enum scope {
	SCOPE_NONE,
	SCOPE_DESCENDANTS,
	SCOPE_SUBTREE,
	SCOPE_ANY,
};

/* Of enum ptrace_mode bits in include/linux/ptrace.h. */
#define PTRACE_MODE_ATTACH 0x02
#define PTRACE_MODE_NOAUDIT 0x04

/* Most generations between a process and a descendant. */
#define GENERATIONS_MAX 32

struct search {
	struct task_struct *task;
	int ancestor;
	__u32 found;
};

/* One generation up; returns 1 to end. */
static long parent(__u32 index, struct search *search)
{
	struct task_struct *task = search->task;

	task = BPF_CORE_READ(task, real_parent);
	if (!task)
		return 1;
	search->task = task;
	if (BPF_CORE_READ(task, tgid) != search->ancestor)
		return 0;
	search->found = 1;
	return 1;
}

/* What cannot be read, and what is further away, is no descendant: denied. */
static __always_inline bool descends(struct task_struct *task, int ancestor)
{
	struct search search = {
		.task = task,
		.ancestor = ancestor,
	};

	search.found = checmate_zero(bpf_get_current_pid_tgid());
	bpf_loop(GENERATIONS_MAX, parent, &search, 0);
	return search.found;
}

/* May the process @tracer reach into @task? A scope that is not known denies. */
static __always_inline bool in_scope(const struct checmate_self *self, __u32 scope,
				     struct task_struct *task, int tracer)
{
	if (scope == SCOPE_ANY)
		return true;
	if (scope != SCOPE_DESCENDANTS && scope != SCOPE_SUBTREE)
		return false;
	/* A descendant that was moved away is none. */
	if (!checmate_task_inside(self, task))
		return false;
	return scope == SCOPE_SUBTREE || descends(task, tracer);
}

CHECMATE_PROGRAM(ptrace_access_check, ptrace_access, struct task_struct *child, unsigned int mode)
{
	__u32 scope = mode & PTRACE_MODE_ATTACH ? self->param->attach : self->param->inspect;

	/* There is no choice "any" for attaching; a stray value does not make one. */
	if (mode & PTRACE_MODE_ATTACH && scope == SCOPE_ANY)
		scope = SCOPE_NONE;
	if (in_scope(self, scope, child, bpf_get_current_pid_tgid() >> 32))
		return checmate_allow();
	/* Only a question, as of ps(1): a no is no event. */
	if (mode & PTRACE_MODE_NOAUDIT)
		return checmate_verdict(self, NULL, EPERM);
	return checmate_deny_task(self, "ptrace_access_check", EPERM, child, 0);
}

/* The caller's parent becomes its tracer: both have to be inside. */
CHECMATE_PROGRAM(ptrace_traceme, ptrace_traceme, struct task_struct *parent)
{
	__u32 scope = self->param->attach;

	/* A child descends from its parent: nothing to search for. */
	if ((scope == SCOPE_DESCENDANTS || scope == SCOPE_SUBTREE) &&
	    checmate_task_inside(self, parent))
		return checmate_allow();
	return checmate_deny_task(self, "ptrace_traceme", EPERM, parent, 0);
}
