// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Seals
 *
 * What is attached to a sealed cgroup stays, and so do the tasks in it and
 * below: neither a move, nor a fork, nor turning the controller off takes them
 * out of reach.  The seal ends with the cgroup, which is when the last of them
 * is gone.  What is attached to descendants is not its concern.
 *
 * The seal is set under cgroup_mutex: no task is on its way out then.
 */

#include <linux/cgroup.h>
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/lockdep.h>

#include "cgroup.h"
#include "common.h"
#include "policy.h"
#include "request.h"
#include "seal.h"
#include "staged.h"

/* What is staged must not be what the seal is going to forbid. */
static int check_staged(struct checmate_cgroup *cgroup)
{
	const struct checmate_request *staged = checmate_staged_request(cgroup);
	struct checmate_policy *policy __free(checmate_policy) = NULL;

	if (!staged)
		return 0;
	policy = checmate_edit_policy(cgroup->extra->policy, &staged->edit, true);
	if (!IS_ERR(policy))
		return 0;
	return PTR_ERR(policy) == -ENOMEM ? -ENOMEM : -EBUSY;
}

/**
 * checmate_seal_cgroup - Seal a cgroup
 * @cgroup: the cgroup
 * @on: false only asks for what is the case already
 *
 * Context: Process context, may sleep; under cgroup_mutex.
 * Return: 0; -EROFS if the cgroup is sealed and shall not be, -EBUSY if what is
 * staged would make its policy looser, -ENODEV if the cgroup is going, or
 * -ENOMEM.  Nothing has changed on failure.
 */
int checmate_seal_cgroup(struct checmate_cgroup *cgroup, bool on)
{
	int err;

	lockdep_assert_held(&cgroup_mutex);

	guard(mutex)(&checmate_mutex);

	if (css_is_dying(&cgroup->css))
		return -ENODEV;
	if (!on)
		return checmate_cgroup_extra(cgroup)->sealed ? -EROFS : 0;
	err = checmate_add_extra(cgroup);
	if (err)
		return err;
	if (cgroup->extra->sealed)
		return 0;
	err = check_staged(cgroup);
	if (err)
		return err;
	cgroup->extra->sealed = true;
	return 0;
}

/**
 * checmate_check_leave - Whether a task may go from one cgroup to another
 * @from: where it is
 * @to: where it is to be
 *
 * Context: Process context; under cgroup_mutex unless both are the same, as in a
 * fork, during which the core keeps tasks where they are.
 * Return: 0, or -EROFS if it would leave a sealed cgroup.
 */
int checmate_check_leave(struct cgroup_subsys_state *from,
			 struct cgroup_subsys_state *to)
{
	struct checmate_cgroup *pos;

	if (from == to)
		return 0;

	lockdep_assert_held(&cgroup_mutex);

	for (pos = css_checmate(from); pos; pos = checmate_cgroup_parent(pos))
		if (checmate_cgroup_extra(pos)->sealed &&
		    !cgroup_is_descendant(to->cgroup, pos->css.cgroup))
			return -EROFS;
	return 0;
}

/**
 * checmate_check_disable - Whether the controller may be turned off
 * @css: the state of the cgroup for whose children that would be
 *
 * Context: Process context; under cgroup_mutex.
 * Return: 0, or -EROFS if one of the children, the cgroup itself or an ancestor
 * is sealed.
 */
int checmate_check_disable(struct cgroup_subsys_state *css)
{
	struct cgroup_subsys_state *child;
	struct checmate_cgroup *pos;

	lockdep_assert_held(&cgroup_mutex);

	for (pos = css_checmate(css); pos; pos = checmate_cgroup_parent(pos))
		if (checmate_cgroup_extra(pos)->sealed)
			return -EROFS;
	css_for_each_child(child, css)
		if (!css_is_dying(child) &&
		    checmate_cgroup_extra(css_checmate(child))->sealed)
			return -EROFS;
	return 0;
}
