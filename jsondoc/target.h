/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jsondoc - Which cgroup is meant, by the form of the text alone */
#pragma once

#include "jsondoc.h"

/* The number of "id:NUMBER", or false. */
bool target_is_id(const char *target, uint64_t *ret_id);

/*
 * Whether the form is one: digits alone are a process, which stands for its cgroup
 * where @pids says so. Returns 0; -EINVAL and the text.
 */
int target_check(const char *target, bool pids, struct jsondoc_error *error);

/**
 * target_open() - Open PATH, UNIT, id:NUMBER or, with @pids, PID.
 * @target: the text.
 * @pids: a process id is accepted; what changes something accepts none.
 * @ret_cgroup: receives the cgroup.
 * @error: receives the text.
 *
 * Return: 0; -EINVAL the form is none; -ENOENT, -ESRCH there is nothing of this name;
 * -errno.
 */
int target_open(const char *target, bool pids, struct checmate_cgroup **ret_cgroup,
		struct jsondoc_error *error);
