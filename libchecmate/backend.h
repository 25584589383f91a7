/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libchecmate - How policies are put in force: a table of operations */
#pragma once

#include "cgroup.h"
#include "control.h"

/**
 * struct backend - A way to enforce.
 * @name: as checmate_features_backend() returns it.
 * @enable: as checmate_cgroup_enable().
 * @read_local: what is attached to a cgroup itself. -EOPNOTSUPP it cannot have
 *              attachments yet; -ENODEV it is gone.
 * @read_effective: what is enforced in a cgroup, in order of evaluation. Same
 *                  errors.
 * @commit: make a change, wholly or not at all. -ESTALE the generation moved.
 *          Gives no explanation, since only the caller knows what it meant.
 */
struct backend {
	const char *name;
	int (*enable)(struct checmate_cgroup *cgroup, char ***ret_enabled,
		      struct checmate_error **ret_error);
	int (*read_local)(const struct checmate_cgroup *cgroup, struct control_list *ret_list,
			  struct checmate_error **ret_error);
	int (*read_effective)(const struct checmate_cgroup *cgroup, struct control_list *ret_list,
			      struct checmate_error **ret_error);
	int (*commit)(const struct checmate_cgroup *cgroup, const struct control_change *change);
};

/* The controller "checmate" and its control files. */
extern const struct backend backend_checmate;

/* The backend in use. */
static inline const struct backend *backend_get(void)
{
	return &backend_checmate;
}
