// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - Which cgroup the daemon is asked about, for what is told of it */
#include "place.h"

#include "remote.h"
#include "target.h"

void place_done(struct place *place)
{
	free(place->path);
}

void place_find(const struct options *options, const char *argument, struct place *ret_place)
{
	_cleanup_(jsondoc_error_done) struct jsondoc_error error = {};
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	_cleanup_json_ struct json_object *status = NULL;

	if (target_open(argument, false, &cgroup, &error) == 0) {
		ret_place->path = text_new("%s", checmate_cgroup_path(cgroup));
		ret_place->id = checmate_cgroup_id(cgroup);
		return;
	}
	/* An id can be looked up by root only. */
	status = remote_try(options, "GetStatus", "s", argument);
	ret_place->path = text_new("%s", jsondoc_get_text(status, "cgroup") ?: argument);
	ret_place->id = jsondoc_get_number(status, "id");
}
