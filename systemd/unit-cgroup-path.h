/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* systemd - Where the cgroup of a unit is, before systemd makes it */
#pragma once

#include <stdbool.h>

/* The D-Bus name of the type of a unit that has a cgroup, e.g. "Service"; NULL for others. */
const char *unit_cgroup_type(const char *unit);

/* Whether the policies of @unit are staged for the exec of its first command. */
bool unit_cgroup_is_staged(const char *unit);

/**
 * unit_cgroup_path() - Tell where systemd will make a unit's cgroup.
 * @unit: its name.
 * @slice: the slice it is in; not looked at for a slice, whose name says it.
 * @ret_path: receives the path below the mount.
 *
 * Return: 0; -EINVAL @slice is no slice's name, or "-.slice" is @unit; -ENOMEM.
 */
int unit_cgroup_path(const char *unit, const char *slice, char **ret_path);
