// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - The controller
 *
 * What the cgroup core and the LSM framework call first.  See cgroup.c for the
 * lock rules.
 */

#include <linux/cgroup.h>
#include <linux/cleanup.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/kernfs.h>
#include <linux/llist.h>
#include <linux/lsm_hooks.h>
#include <linux/slab.h>

#include "cgroup.h"
#include "common.h"
#include "files.h"
#include "hooks.h"
#include "leave.h"
#include "lsm.h"
#include "sock.h"
#include "staged.h"
#include "transaction.h"

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
		checmate_start_sock_owners();
		/* Nobody can have been in a cgroup that is not shown yet. */
		if (css->cgroup->kn->flags & KERNFS_ACTIVATED)
			checmate_expect_late_owners();
	}
	checmate_inherit_ruleset(cgroup);
	return 0;
}

/*
 * Going offline changes nothing of what is enforced: sockets may outlive the
 * cgroup, under its attachment set, and changes made to ancestors still reach
 * it.  But no exec is to come in a cgroup that goes.
 */
static void checmate_css_offline(struct cgroup_subsys_state *css)
{
	struct checmate_cgroup *cgroup = css_checmate(css);

	guard(mutex)(&checmate_mutex);

	checmate_drop_staged(cgroup);
}

/* The last reference gone, no task and no socket is left in the cgroup. */
static void checmate_css_free(struct cgroup_subsys_state *css)
{
	struct checmate_cgroup *cgroup = css_checmate(css);

	checmate_drop_attachments(cgroup);
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

/* The callback that activates what is staged stands before all programs. */
static int __init checmate_init(void)
{
	checmate_add_staging();
	checmate_add_sock_owners();
	checmate_add_hooks();
	checmate_add_sock_release();
	checmate_activate();
	pr_info("ready, %d hooks\n", CHECMATE_NR_HOOKS);
	return 0;
}

DEFINE_LSM(checmate) = {
	.name = CHECMATE_NAME,
	.init = checmate_init,
	.blobs = &checmate_blob_sizes,
};
