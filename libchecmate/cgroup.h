/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libchecmate - cgroups */
#pragma once

#include "checmate.h"

/**
 * struct checmate_cgroup - A cgroup, held open.
 * @fd: its directory.
 * @id: its id.
 * @path: relative to the mount, "/" for the root.
 */
struct checmate_cgroup {
	int fd;
	uint64_t id;
	char *path;
};

/* Opens the parent; -ENOENT for the root. */
int cgroup_open_parent(const struct checmate_cgroup *cgroup, struct checmate_cgroup **ret_parent,
		       struct checmate_error **ret_error);
