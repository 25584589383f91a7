// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - The state of a cgroup
 *
 * Each cgroup has an attachment set, which is what is attached to it, and a
 * ruleset, which is what is enforced for it: its own attachment set and that of
 * every ancestor.  A write to a control file is a transaction.  It takes effect
 * for the cgroup and all its descendants before write(2) returns, or not at
 * all; or else it is staged, and does so when an exec begins.
 *
 * Lock rules:
 *
 * checmate_mutex covers every attachment set, every change of a ruleset
 * pointer, what is staged and the accounting of hooks.  It nests inside
 * cgroup_mutex (css callbacks, writes) and inside the active reference of a
 * control file (reads); static keys are flipped while it is held, so
 * cpu_hotplug_lock and jump_label_mutex nest inside it.  Nothing under it takes
 * cgroup_mutex.
 *
 * A write to a control file holds cgroup_mutex while it changes what is enforced:
 * no task leaves the cgroup meanwhile, and the controller stays on.  Nothing that
 * runs with the active reference of a control file takes cgroup_mutex, under
 * which the core waits for that reference to go.  So a write gives its active
 * reference up, holds one to the css instead, and looks whether the css is dying
 * by then.
 *
 * Checks of a migration hold cpu_hotplug_lock and must not take checmate_mutex,
 * inside which that lock nests.  They read rulesets and what is staged under RCU.
 *
 * One hook takes checmate_mutex: the one that activates what is staged, in a task that
 * opens a file for exec and holds no lock, or that of the file's directory.
 *
 * Hooks read filters and ruleset pointers under RCU alone.  Denials are counted,
 * and cgroups listed to have their files notified, without a lock; the worker
 * that does so takes none of these either, but those of kernfs.
 */

#include <linux/cgroup.h>
#include <linux/kconfig.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "cgroup.h"

/* Protects what the lock rules above say. */
DEFINE_MUTEX(checmate_mutex);

struct checmate_cgroup checmate_root[1];

/* The css comes with every cgroup: debugging aside, it stays small. */
static_assert(IS_ENABLED(CONFIG_LOCKDEP) ||
	      IS_ENABLED(CONFIG_DEBUG_OBJECTS) ||
	      sizeof(struct checmate_cgroup) <= 256);

const struct checmate_extra checmate_no_extra;

/**
 * checmate_add_extra - Let a cgroup have what not every cgroup needs
 * @cgroup: the cgroup, which may have it already
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int checmate_add_extra(struct checmate_cgroup *cgroup)
{
	struct checmate_extra *none = (struct checmate_extra *)&checmate_no_extra;
	struct checmate_extra *extra;

	if (checmate_cgroup_extra(cgroup) != none)
		return 0;
	extra = kzalloc(sizeof(*extra), GFP_KERNEL_ACCOUNT);
	if (!extra)
		return -ENOMEM;
	extra->cgroup = cgroup;
	INIT_LIST_HEAD(&extra->holders);
	INIT_LIST_HEAD(&extra->holder);
	INIT_LIST_HEAD(&extra->changed);
	/* Somebody else may be faster, or have been. */
	if (cmpxchg(&cgroup->extra, none, extra) != none)
		kfree(extra);
	return 0;
}
