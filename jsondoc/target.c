// SPDX-License-Identifier: LGPL-2.1-or-later
/* jsondoc - Which cgroup is meant, by the form of the text alone */
#include "target.h"

#include <errno.h>

#include "parse.h"

bool target_is_id(const char *target, uint64_t *ret_id)
{
	const char *number = startswith(target, "id:");

	return number && !parse_u64(number, UINT64_MAX, ret_id);
}

/* The kinds of units that have a cgroup. */
static bool is_unit(const char *target)
{
	static const char *const kinds[] = { ".service", ".scope", ".slice",
					     ".socket",	 ".mount", ".swap" };
	const char *dot = strrchr(target, '.');

	for (size_t i = 0; dot != target && dot && i < ARRAY_SIZE(kinds); i++)
		if (streq(dot, kinds[i]))
			return !strchr(target, '/');
	return false;
}

int target_check(const char *target, bool pids, struct jsondoc_error *error)
{
	uint64_t number;
	int r;

	/* Digits alone are a process; a cgroup called so is written with a '/'. */
	r = parse_u64(target, INT32_MAX, &number);
	if (r == -ERANGE || (!r && !number))
		return jsondoc_error_set(error, -EINVAL, "%s: not a process id", target);
	if (!r && !pids)
		return jsondoc_error_set(error, -EINVAL,
					 "%s: a process id; \"checmatectl status %s\" tells its cgroup, and a "
					 "cgroup of this name is /%s",
					 target, target, target);
	return 0;
}

int target_open(const char *target, bool pids, struct checmate_cgroup **ret_cgroup,
		struct jsondoc_error *error)
{
	struct checmate_error *why = NULL;
	uint64_t number;
	int r;

	r = target_check(target, pids, error);
	if (r < 0)
		return r;
	if (!parse_u64(target, INT32_MAX, &number))
		r = checmate_cgroup_open_pid(number, ret_cgroup, &why);
	else if (target_is_id(target, &number))
		r = checmate_cgroup_open_id(number, ret_cgroup, &why);
	else if (is_unit(target))
		r = checmate_cgroup_open_unit(target, ret_cgroup, &why);
	else
		r = checmate_cgroup_open(target, ret_cgroup, &why);
	return r < 0 ? jsondoc_error_take(error, why, r) : 0;
}
