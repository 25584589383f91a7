// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Seals
 *
 * What is attached to a sealed cgroup stays, and so do the tasks in it and
 * below: neither a move, nor a fork, nor turning the controller off takes them
 * out of reach.  The seal ends with the cgroup, which is when the last of them
 * is gone.  What is attached to descendants is not its concern.
 *
 * leave.c and attachments.c refuse what a seal forbids.  It is set under
 * cgroup_mutex: no task is on its way out then.
 */

#include <linux/cgroup.h>
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/lockdep.h>

#include "cgroup.h"
#include "common.h"
#include "attachments.h"
#include "request.h"
#include "seal.h"
#include "staged.h"

/* What is staged must not be what the seal is going to forbid. */
static int check_staged(struct checmate_cgroup *cgroup)
{
	const struct checmate_request *staged = checmate_staged_request(cgroup);
	struct checmate_attachments *set __free(checmate_attachments) = NULL;

	if (!staged)
		return 0;
	set = checmate_edit_attachments(cgroup->extra->set, &staged->edit, true);
	if (!IS_ERR(set))
		return 0;
	return PTR_ERR(set) == -ENOMEM ? -ENOMEM : -EBUSY;
}

/**
 * checmate_seal_cgroup - Seal a cgroup
 * @cgroup: the cgroup
 * @on: false only asks for what is the case already
 *
 * Context: Process context, may sleep; under cgroup_mutex.
 * Return: 0; -EROFS if the cgroup is sealed and shall not be, -EBUSY if what is
 * staged would make its attachment set looser, or -ENOMEM.  Nothing has changed
 * on failure.
 */
int checmate_seal_cgroup(struct checmate_cgroup *cgroup, bool on)
{
	int err;

	lockdep_assert_held(&cgroup_mutex);

	guard(mutex)(&checmate_mutex);

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
