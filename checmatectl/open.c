// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - The cgroup that the command line names */
#include "command.h"
#include "target.h"

int check_target(const char *argument, bool pids)
{
	_cleanup_(jsondoc_error_done) struct jsondoc_error error = {};

	if (target_check(argument, pids, &error) < 0)
		return usage("%s", error.text ?: argument);
	return EXIT_DONE;
}

static int open_any(const char *argument, bool pids, struct checmate_cgroup **ret_cgroup)
{
	_cleanup_(jsondoc_error_done) struct jsondoc_error error = {};
	int status;

	status = check_target(argument, pids);
	if (!status && target_open(argument, pids, ret_cgroup, &error) < 0)
		return fail_jsondoc(&error);
	return status;
}

int open_cgroup(const char *argument, struct checmate_cgroup **ret_cgroup)
{
	return open_any(argument, false, ret_cgroup);
}

int open_target(const char *argument, struct checmate_cgroup **ret_cgroup)
{
	return open_any(argument, true, ret_cgroup);
}
