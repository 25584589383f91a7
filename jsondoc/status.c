// SPDX-License-Identifier: LGPL-2.1-or-later
/* jsondoc - status: what is attached and enforced in a cgroup */
#include "build.h"
#include "jsondoc.h"

static struct json_object *attachment_json(int *r, const struct checmate_attachment *item)
{
	struct json_object *object = build_object(r);

	build_number(r, object, "id", item->id);
	build_text(r, object, "hook", item->hook);
	build_text(r, object, "name", item->name);
	build_text(r, object, "tag", item->tag);
	build_number(r, object, "prog", item->prog_id);
	build_text(r, object, "mode", item->mode);
	build_bool(r, object, "staged", item->staged);
	build_text(r, object, "policy", item->policy);
	build_number(r, object, "cgroup", item->cgroup_id);
	build_text(r, object, "path", item->path);
	return object;
}

int jsondoc_status(const struct checmate_cgroup *cgroup, struct json_object **ret_document,
		   struct jsondoc_error *error)
{
	_cleanup_(checmate_status_freep) struct checmate_status *status = NULL;
	_cleanup_json_ struct json_object *object = NULL;
	struct json_object *local, *effective;
	struct checmate_error *why = NULL;
	int r;

	r = checmate_status_read(cgroup, &status, &why);
	if (r < 0)
		return jsondoc_error_take(error, why, r);

	object = build_object(&r);
	build_text(&r, object, "cgroup", checmate_cgroup_path(cgroup));
	build_number(&r, object, "id", checmate_cgroup_id(cgroup));
	build_bool(&r, object, "enabled", checmate_status_enabled(status));
	build_bool(&r, object, "sealed", checmate_cgroup_sealed(cgroup, NULL) > 0);
	build_number(&r, object, "generation", checmate_status_generation(status));
	local = build_array(&r);
	build_add(&r, object, "local", local);
	effective = build_array(&r);
	build_add(&r, object, "effective", effective);
	for (size_t i = 0; i < checmate_status_count_local(status); i++)
		build_append(&r, local, attachment_json(&r, checmate_status_get_local(status, i)));
	for (size_t i = 0; i < checmate_status_count_effective(status); i++)
		build_append(&r, effective,
			     attachment_json(&r, checmate_status_get_effective(status, i)));
	if (r < 0)
		return r;

	*ret_document = TAKE_PTR(object);
	return 0;
}
