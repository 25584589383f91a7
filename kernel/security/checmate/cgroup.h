/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - The state of a cgroup
 */
#ifndef _SECURITY_CHECMATE_CGROUP_H
#define _SECURITY_CHECMATE_CGROUP_H

#include <linux/bitops.h>
#include <linux/cgroup.h>
#include <linux/kconfig.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

#include "counters.h"
#include "hook_table.h"

struct checmate_attachments;
struct checmate_request;
struct checmate_ruleset;

/**
 * struct checmate_cgroup - The controller's state of one cgroup
 * @css: base
 * @effective: what is enforced here, with a reference; NULL until the css is
 *	online, and never again
 * @filter: a bit for each hook that @effective has a program for, and perhaps
 *	more
 * @extra: what a cgroup only has if it needs it, owned; checmate_no_extra until
 *	then
 * @local: denials that met what is in this cgroup itself
 * @changed: in the list of cgroups whose files are to be notified, with a
 *	reference; points to itself outside of it
 *
 * @effective and @filter are written under checmate_mutex, by enforce(), and
 * read under RCU.  @extra is set once, by checmate_add_extra().  The counters are
 * atomic, @changed is event.c's.
 *
 * What hooks look at stands together.
 */
struct checmate_cgroup {
	struct cgroup_subsys_state css;
	struct checmate_ruleset __rcu *effective;
	unsigned long filter;
	struct checmate_extra *extra;
	struct checmate_events local;
	struct llist_node changed;
};

/**
 * struct checmate_extra - The rest of the state of a cgroup
 * @cgroup: whose it is
 * @set: what is attached there, owned; NULL if nothing ever was
 * @next: what a transaction under way is going to enforce there, with a
 *	reference; NULL outside of transactions
 * @generation: how often what checmate.policy shows has changed
 * @staged: what waits for an exec, owned, or NULL
 * @sealed: the attachment set does not get looser, and no task leaves
 * @below: denials in the cgroup's descendants, those that are gone included
 * @holders: those of its children that have an attachment set or such children
 * @holder: in that list of its parent, or empty
 * @changed: in the list of cgroups below which something was denied, with a
 *	reference, or empty
 *
 * Cgroups that have, or had, children or something written to their control
 * files have it: most have neither.  @sealed is written under cgroup_mutex and
 * checmate_mutex, and read under either.  The counters are atomic, @changed is
 * event.c's.  The others are used under checmate_mutex.
 */
struct checmate_extra {
	struct checmate_cgroup *cgroup;
	struct checmate_attachments *set;
	struct checmate_ruleset *next;
	u64 generation;
	struct checmate_request *staged;
	bool sealed;
	struct checmate_events below;
	struct list_head holders;
	struct list_head holder;
	struct list_head changed;
};

/* All zeroes, to be read only: for those that have nothing of their own. */
extern const struct checmate_extra checmate_no_extra;

/* The cgroup above all; an array, of a size nobody outside is to rely on. */
extern struct checmate_cgroup checmate_root[];

extern struct mutex checmate_mutex;

static inline struct checmate_cgroup *
css_checmate(struct cgroup_subsys_state *css)
{
	return container_of(css, struct checmate_cgroup, css);
}

/**
 * checmate_current_cgroup - The cgroup that acts
 *
 * An interrupt acts for nobody, least of all for the task it interrupts: the
 * root acts.
 *
 * Context: Any context, within rcu_read_lock().
 * Return: The cgroup, valid until rcu_read_unlock().
 */
static inline struct checmate_cgroup *checmate_current_cgroup(void)
{
	struct task_struct *task = likely(in_task()) ? current : &init_task;

	return css_checmate(task_css(task, checmate_cgrp_id));
}

/**
 * checmate_cgroup_ruleset - What is enforced for a cgroup
 * @cgroup: the cgroup, online or offline
 *
 * Context: Any context, within rcu_read_lock().
 * Return: The ruleset, valid until rcu_read_unlock().
 */
static inline const struct checmate_ruleset *
checmate_cgroup_ruleset(const struct checmate_cgroup *cgroup)
{
	return rcu_dereference(cgroup->effective);
}

/**
 * checmate_effective_ruleset - What is enforced for a cgroup
 * @cgroup: the cgroup
 *
 * Context: Process context; under checmate_mutex.
 * Return: The ruleset, or NULL if the cgroup is not online yet; without a
 * reference for the caller.
 */
static inline struct checmate_ruleset *
checmate_effective_ruleset(const struct checmate_cgroup *cgroup)
{
	return rcu_dereference_protected(cgroup->effective,
					 lockdep_is_held(&checmate_mutex));
}

/**
 * checmate_cgroup_parent - The cgroup above
 * @cgroup: the cgroup
 *
 * Context: Any context, within rcu_read_lock() or with a reference to @cgroup.
 * Return: The parent, valid for as long as @cgroup is; NULL for the root.
 */
static inline struct checmate_cgroup *
checmate_cgroup_parent(const struct checmate_cgroup *cgroup)
{
	return cgroup->css.parent ? css_checmate(cgroup->css.parent) : NULL;
}

/**
 * checmate_cgroup_extra - What a cgroup has if it needs it
 * @cgroup: the cgroup
 *
 * Context: Any context.
 * Return: It, or checmate_no_extra, which must not be written to.
 */
static inline struct checmate_extra *
checmate_cgroup_extra(const struct checmate_cgroup *cgroup)
{
	/* What is behind it was there before: it is set by cmpxchg(). */
	return READ_ONCE(cgroup->extra);
}

/**
 * checmate_root_cgroup - The cgroup above all
 *
 * Context: Any context.
 * Return: The root cgroup, which never goes.
 */
static inline struct checmate_cgroup *checmate_root_cgroup(void)
{
	return checmate_root;
}

/**
 * checmate_cgroup_concerned - Whether a cgroup may have programs of a hook
 * @cgroup: the cgroup
 * @hook: the hook
 *
 * Context: Any context, within rcu_read_lock() or with preemption disabled.
 * Return: false if no program of the hook is enforced for the cgroup.  true
 * says nothing: several hooks share a bit, and the programs of a transaction that
 * is being published count already.
 */
static __always_inline bool
checmate_cgroup_concerned(const struct checmate_cgroup *cgroup,
			  enum checmate_hook hook)
{
	/* The acquire costs nothing, and is one instruction on x86. */
	return test_bit_acquire(checmate_filter_bit(hook), &cgroup->filter);
}

/*
 * Where preempt_disable() counts nothing there is nothing to undo: not even for
 * the compiler, which could not keep the answer in the processor's flags.
 */
static __always_inline void checmate_end_question(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_COUNT))
		preempt_enable();
}

/**
 * checmate_current_concerned - Whether the cgroup of current may have programs of a hook
 * @hook: the hook
 * @subject: set to the cgroup of current; where a task may be preempted, it may
 *	be gone when this returns
 *
 * In an interrupt, where the root acts, the answer of the task that is
 * interrupted will do: what is enforced for the root is so for every cgroup.
 *
 * Context: Any context.
 * Return: As checmate_cgroup_concerned().
 */
static __always_inline bool
checmate_current_concerned(enum checmate_hook hook,
			   struct checmate_cgroup **subject)
{
	struct cgroup_subsys_state *css;
	bool concerned;

	/* Keeps the css as rcu_read_lock() would, without a call. */
	preempt_disable();
	css = task_css_check(current, checmate_cgrp_id,
			     rcu_read_lock_sched_held());
	*subject = css_checmate(css);
	concerned = checmate_cgroup_concerned(*subject, hook);
	checmate_end_question();
	return concerned;
}

int checmate_add_extra(struct checmate_cgroup *cgroup);

#endif /* _SECURITY_CHECMATE_CGROUP_H */
