// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - Which cgroup is meant, by the form of the argument alone */
#include <errno.h>

#include "command.h"
#include "parse.h"

bool parse_cgroup_id(const char *argument, uint64_t *ret_id)
{
	const char *number = startswith(argument, "id:");

	return number && !parse_u64(number, UINT64_MAX, ret_id);
}

/* The kinds of units that have a cgroup. */
static bool is_unit(const char *argument)
{
	static const char *const kinds[] = { ".service", ".scope", ".slice",
					     ".socket",	 ".mount", ".swap" };
	const char *dot = strrchr(argument, '.');

	for (size_t i = 0; dot != argument && dot && i < ARRAY_SIZE(kinds); i++)
		if (streq(dot, kinds[i]))
			return !strchr(argument, '/');
	return false;
}

static int open_any(const char *argument, bool pids, struct checmate_cgroup **ret_cgroup)
{
	_cleanup_error_ struct checmate_error *error = NULL;
	uint64_t number;
	int r;

	/* Digits alone are a process; a cgroup called so is written with a '/'. */
	r = parse_u64(argument, INT32_MAX, &number);
	if (r == -ERANGE || (!r && !number))
		return usage("%s: not a process id", argument);
	if (!r && !pids)
		return usage("%s: a process id; \"checmatectl status %s\" tells its cgroup, and a "
			     "cgroup of this name is /%s",
			     argument, argument, argument);
	if (!r)
		r = checmate_cgroup_open_pid(number, ret_cgroup, &error);
	else if (parse_cgroup_id(argument, &number))
		r = checmate_cgroup_open_id(number, ret_cgroup, &error);
	else if (is_unit(argument))
		r = checmate_cgroup_open_unit(argument, ret_cgroup, &error);
	else
		r = checmate_cgroup_open(argument, ret_cgroup, &error);
	return r < 0 ? fail(error) : EXIT_DONE;
}

int open_cgroup(const char *argument, struct checmate_cgroup **ret_cgroup)
{
	return open_any(argument, false, ret_cgroup);
}

int open_target(const char *argument, struct checmate_cgroup **ret_cgroup)
{
	return open_any(argument, true, ret_cgroup);
}
