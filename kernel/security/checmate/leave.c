// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Leaving a cgroup
 *
 * Programs stop applying to a task when the task moves to another cgroup, and to
 * all tasks of a cgroup when the controller is turned off for it.  Whoever owns
 * the directory of a cgroup may do both.  The rule is that delegation can only
 * tighten: unless its opener has CAP_MAC_ADMIN in the initial user namespace, a
 * file of the cgroup core takes no task out of reach of a program that is
 * enforced for it, and turns the controller off for no cgroup that has programs.
 *
 * It is the opener of the file who counts: the descriptor may be written by a
 * more privileged process that does not know what it writes to.  For
 * CLONE_INTO_CGROUP, which opens no such file, it is the caller.
 *
 * A seal holds for everybody, with the capability or without it.
 *
 * All of this runs under cgroup_mutex, and so do writes to control files.  A task
 * or the controller is thus never on its way out of a cgroup when a write to
 * checmate.policy returns.
 */

#include <linux/capability.h>
#include <linux/cgroup.h>
#include <linux/cleanup.h>
#include <linux/cred.h>
#include <linux/errno.h>
#include <linux/lockdep.h>
#include <linux/rcupdate.h>
#include <linux/security.h>
#include <linux/user_namespace.h>

#include "audit.h"
#include "cgroup.h"
#include "common.h"
#include "leave.h"
#include "attachments.h"
#include "request.h"
#include "ruleset.h"
#include "staged.h"

/*
 * The credentials alone: other modules are not called.  A program for capable that
 * denies a privileged manager's helper the capability would keep the helper in the
 * cgroup for which it is to change what is enforced.
 */
static bool may_loosen(const struct cred *cred)
{
	return !cap_capable(cred, &init_user_ns, CAP_MAC_ADMIN, CAP_OPT_NONE);
}

/* Whether the effective programs of @to include all that are enforced at @from. */
static bool is_as_strict(struct cgroup_subsys_state *to,
			 struct cgroup_subsys_state *from)
{
	guard(rcu)();

	return checmate_is_as_strict(checmate_cgroup_ruleset(css_checmate(to)),
				     checmate_cgroup_ruleset(css_checmate(from)));
}

/**
 * checmate_check_leave - Whether a task may go from one cgroup to another
 * @task: the task; a new one is about to begin in @to rather than in @from
 * @from: where it is
 * @to: where it is to be
 * @cred: credentials of whoever asks for it; NULL if the cgroup core moves the
 *	task because a controller is turned on or off
 *
 * Context: Process context; under cgroup_mutex unless both are the same, as in a
 * fork, during which the core keeps tasks where they are.
 * Return: 0; -EROFS if the task would leave a sealed cgroup, or -EPERM if a
 * program that is enforced for it, or staged for its exec, would not be enforced
 * for it anymore and @cred may not do that.
 */
int checmate_check_leave(struct task_struct *task,
			 struct cgroup_subsys_state *from,
			 struct cgroup_subsys_state *to,
			 const struct cred *cred)
{
	struct checmate_cgroup *pos;

	if (from == to)
		return 0;

	lockdep_assert_held(&cgroup_mutex);

	for (pos = css_checmate(from); pos; pos = checmate_cgroup_parent(pos))
		if (checmate_cgroup_extra(pos)->sealed &&
		    !cgroup_is_descendant(to->cgroup, pos->css.cgroup))
			return -EROFS;
	if (!cred)
		return 0;
	/*
	 * An exec may activate a staged request meanwhile.  It publishes the
	 * ruleset before it takes the request off the list.
	 */
	if (!checmate_is_staged_for(task, from->cgroup, to->cgroup) &&
	    is_as_strict(to, from))
		return 0;
	return may_loosen(cred) ? 0 : -EPERM;
}

/* Whether programs are attached to a cgroup or staged for it. */
static bool has_programs(struct checmate_cgroup *cgroup)
{
	const struct checmate_extra *extra = checmate_cgroup_extra(cgroup);

	lockdep_assert_held(&checmate_mutex);

	return (extra->set && extra->set->nr) ||
	       checmate_staged_request(cgroup);
}

/**
 * checmate_check_disable - Whether the controller may be turned off
 * @css: the state of the cgroup for whose children that would be
 * @cred: credentials of whoever asks for it
 *
 * Context: Process context, may sleep; under cgroup_mutex.
 * Return: 0; -EROFS if one of the children, the cgroup itself or an ancestor is
 * sealed, or -EPERM if a child has programs attached or staged and @cred may not
 * drop them.
 */
int checmate_check_disable(struct cgroup_subsys_state *css,
			   const struct cred *cred)
{
	struct cgroup_subsys_state *child;
	struct checmate_cgroup *pos;
	bool loosens = false;

	lockdep_assert_held(&cgroup_mutex);

	guard(mutex)(&checmate_mutex);

	for (pos = css_checmate(css); pos; pos = checmate_cgroup_parent(pos))
		if (checmate_cgroup_extra(pos)->sealed)
			return -EROFS;
	css_for_each_child(child, css) {
		pos = css_checmate(child);
		if (css_is_dying(child))
			continue;
		if (checmate_cgroup_extra(pos)->sealed)
			return -EROFS;
		loosens |= has_programs(pos);
	}
	return loosens && !may_loosen(cred) ? -EPERM : 0;
}

/**
 * checmate_note_disabled - Report what is dropped with the controller
 * @css: the state of a cgroup, which is about to go
 *
 * Reports nothing where the cgroup goes, too.
 *
 * Context: Process context, may sleep; under cgroup_mutex, in the task that turns
 * the controller off.
 */
void checmate_note_disabled(struct cgroup_subsys_state *css)
{
	struct checmate_cgroup *cgroup = css_checmate(css);
	const struct checmate_request *staged;
	const struct checmate_attachments *set;
	unsigned int i;

	lockdep_assert_held(&cgroup_mutex);

	if (!(css->cgroup->self.flags & CSS_ONLINE))
		return;

	guard(mutex)(&checmate_mutex);

	staged = checmate_staged_request(cgroup);
	set = checmate_cgroup_extra(cgroup)->set;
	for (i = 0; set && i < set->nr; i++)
		checmate_report_dropped(cgroup, set->program[i], false);
	for (i = 0; staged && i < staged->edit.nr; i++)
		if (staged->edit.program[i] &&
		    staged->edit.op[i].type == CHECMATE_OP_ATTACH)
			checmate_report_dropped(cgroup, staged->edit.program[i],
						true);
}
