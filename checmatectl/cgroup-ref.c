// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - The cgroup that a command line names */
#include "cgroup-ref.h"

#include "daemon-client.h"
#include "target.h"

int cgroup_ref_check(const char *argument, bool pids)
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

	status = cgroup_ref_check(argument, pids);
	if (!status && target_open(argument, pids, ret_cgroup, &error) < 0)
		return fail_jsondoc(&error);
	return status;
}

int cgroup_ref_open(const char *argument, struct checmate_cgroup **ret_cgroup)
{
	return open_any(argument, false, ret_cgroup);
}

int cgroup_ref_open_or_pid(const char *argument, struct checmate_cgroup **ret_cgroup)
{
	return open_any(argument, true, ret_cgroup);
}

void cgroup_ref_done(struct cgroup_ref *ref)
{
	free(ref->path);
}

void cgroup_ref_find(const struct options *options, const char *argument, struct cgroup_ref *ret_ref)
{
	_cleanup_(jsondoc_error_done) struct jsondoc_error error = {};
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	_cleanup_json_ struct json_object *status = NULL;

	if (target_open(argument, false, &cgroup, &error) == 0) {
		ret_ref->path = text_new("%s", checmate_cgroup_path(cgroup));
		ret_ref->id = checmate_cgroup_id(cgroup);
		return;
	}
	/* An id can be looked up by root only. */
	status = daemon_client_try(options, "GetStatus", "s", argument);
	ret_ref->path = text_new("%s", jsondoc_get_text(status, "cgroup") ?: argument);
	ret_ref->id = jsondoc_get_number(status, "id");
}
