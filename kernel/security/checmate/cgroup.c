// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - The controller
 *
 * Each cgroup has a policy, which is what is attached to it, and a ruleset,
 * which is what is enforced for it: its own policy and that of every ancestor.
 * A write to a control file is a transaction.  It takes effect for the cgroup
 * and all its descendants before write(2) returns, or not at all; or else it is
 * staged, and does so when an exec begins.
 *
 * Lock rules:
 *
 * checmate_mutex covers every policy, every change of a ruleset pointer, what
 * is staged and the accounting of hooks.  It nests inside cgroup_mutex (css
 * callbacks, writes) and inside the active reference of a control file (reads);
 * static keys are flipped while it is held, so cpu_hotplug_lock and
 * jump_label_mutex nest inside it.  Nothing under it takes cgroup_mutex.
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
 * One hook takes checmate_mutex: that which arms what is staged, in a task that
 * opens a file for exec and holds no lock, or that of the file's directory.
 *
 * Hooks read filters and ruleset pointers under RCU alone.  Denials are counted,
 * and cgroups listed to have their files notified, without a lock; the worker
 * that does so takes none of these either, but those of kernfs.
 */

#include <linux/cgroup.h>
#include <linux/cleanup.h>
#include <linux/cred.h>
#include <linux/init.h>
#include <linux/kernfs.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/lockdep.h>
#include <linux/slab.h>

#include "cgroup.h"
#include "common.h"
#include "files.h"
#include "leave.h"
#include "sock.h"
#include "staged.h"
#include "transaction.h"

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

static struct cgroup_subsys_state *
checmate_css_alloc(struct cgroup_subsys_state *parent)
{
	struct checmate_cgroup *cgroup = checmate_root_cgroup();

	if (parent) {
		/* A parent counts the denials of its children, to the last. */
		if (checmate_add_extra(css_checmate(parent)))
			return ERR_PTR(-ENOMEM);
		cgroup = kzalloc(sizeof(*cgroup), GFP_KERNEL);
		if (!cgroup)
			return ERR_PTR(-ENOMEM);
	}
	cgroup->extra = (struct checmate_extra *)&checmate_no_extra;
	init_llist_node(&cgroup->changed);
	return &cgroup->css;
}

/*
 * From here on the cgroup is found by publish().  No task and no socket is in
 * it yet, hence none ever sees it without a ruleset.
 */
static int checmate_css_online(struct cgroup_subsys_state *css)
{
	struct checmate_cgroup *cgroup = css_checmate(css);

	guard(mutex)(&checmate_mutex);

	if (cgroup != checmate_root_cgroup()) {
		checmate_start_sock_pins();
		/* Nobody can have been in a cgroup that is not shown yet. */
		if (css->cgroup->kn->flags & KERNFS_ACTIVATED)
			checmate_expect_late_pins();
	}
	checmate_inherit_ruleset(cgroup);
	return 0;
}

/*
 * Going offline changes nothing of what is enforced: sockets may outlive the
 * cgroup, under its policy, and changes made to ancestors still reach it.  But
 * no exec is to come in a cgroup that goes.
 */
static void checmate_css_offline(struct cgroup_subsys_state *css)
{
	struct checmate_cgroup *cgroup = css_checmate(css);

	guard(mutex)(&checmate_mutex);

	checmate_drop_staged(cgroup);
}

/* The last reference gone, there is nobody left to judge. */
static void checmate_css_free(struct cgroup_subsys_state *css)
{
	struct checmate_cgroup *cgroup = css_checmate(css);

	checmate_drop_policy(cgroup);
	if (cgroup->extra != &checmate_no_extra)
		kfree(cgroup->extra);
	kfree(cgroup);
}

static int checmate_can_attach(struct cgroup_taskset *tset)
{
	struct cgroup_subsys_state *to;
	struct task_struct *task;
	int err;

	cgroup_taskset_for_each(task, to, tset) {
		err = checmate_check_leave(task,
					   task_css(task, checmate_cgrp_id), to,
					   cgroup_taskset_cred(tset));
		if (err)
			return err;
	}
	return 0;
}

/* With CLONE_INTO_CGROUP a child may begin elsewhere than its parent is. */
static int checmate_can_fork(struct task_struct *task, struct css_set *cset)
{
	return checmate_check_leave(task,
				    task_css_check(current, checmate_cgrp_id,
						   true),
				    cset->subsys[checmate_cgrp_id],
				    current_cred());
}

/*
 * The core makes the files of the root at boot, but shows those of the last
 * controller only with the next file that is made there.
 */
static int __init show_root_files(void)
{
	kernfs_activate(checmate_root_cgroup()->css.cgroup->kn);
	return 0;
}
fs_initcall(show_root_files);

struct cgroup_subsys checmate_cgrp_subsys = {
	.css_alloc	= checmate_css_alloc,
	.css_online	= checmate_css_online,
	.css_offline	= checmate_css_offline,
	.css_free	= checmate_css_free,
	.can_attach	= checmate_can_attach,
	.can_fork	= checmate_can_fork,
	.can_disable	= checmate_check_disable,
	.css_killed	= checmate_note_disabled,
	.dfl_cftypes	= checmate_files,
	.threaded	= true,
};
