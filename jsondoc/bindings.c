// SPDX-License-Identifier: LGPL-2.1-or-later
/* jsondoc - status without a target: every binding there is */
#include <errno.h>

#include "build.h"
#include "cgroup-policies.h"
#include "jsondoc.h"
#include "strv.h"

static enum state binding_state(const struct checmate_binding *binding)
{
	if (checmate_binding_staged(binding))
		return STATE_STAGED;
	for (size_t i = 0; i < checmate_binding_count_programs(binding); i++)
		if (!checmate_binding_get_program(binding, i)->attached)
			return STATE_DETACHED;
	return checmate_binding_permissive(binding) ? STATE_PERMISSIVE : STATE_IN_FORCE;
}

static int add_binding(struct json_object *array, const struct checmate_cgroup *cgroup,
		       const char *policy, struct jsondoc_error *error)
{
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	_cleanup_json_ struct json_object *params = NULL;
	struct checmate_error *why = NULL;
	struct json_object *object;
	int r;

	r = checmate_binding_open(cgroup, policy, &binding, &why);
	if (r < 0)
		return jsondoc_error_take(error, why, r);
	r = jsondoc_params(binding, NULL, &params, error);
	if (r < 0)
		return r;

	object = build_object(&r);
	build_add(&r, object, "params", TAKE_PTR(params));
	build_text(&r, object, "cgroup", checmate_cgroup_path(cgroup));
	build_number(&r, object, "id", checmate_cgroup_id(cgroup));
	build_text(&r, object, "policy", checmate_binding_policy(binding));
	build_text(&r, object, "version", checmate_binding_version(binding));
	build_text(&r, object, "state", state_word(binding_state(binding)));
	build_bool(&r, object, "permissive", checmate_binding_permissive(binding));
	build_append(&r, array, object);
	return r;
}

static int add_gone(struct json_object *array, uint64_t id)
{
	int r = 0;
	struct json_object *object = build_object(&r);

	build_text(&r, object, "cgroup", NULL);
	build_number(&r, object, "id", id);
	build_text(&r, object, "state", state_word(STATE_GONE));
	build_append(&r, array, object);
	return r;
}

/* A cgroup can go at any moment: then it is shown as gone, or not at all. */
static int add_cgroup(struct json_object *array, uint64_t id, struct jsondoc_error *error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	_cleanup_strv_ char **policies = NULL;
	struct checmate_error *why = NULL;
	int r;

	r = checmate_cgroup_open_id(id, &cgroup, &why);
	if (r == -ENOENT) {
		checmate_error_free(why);
		return add_gone(array, id);
	}
	if (!r)
		r = checmate_binding_list(cgroup, &policies, &why);
	if (r < 0) {
		jsondoc_error_take(error, why, r);
		return r == -ENODEV ? 0 : r;
	}
	for (char **policy = policies; r >= 0 && *policy; policy++) {
		r = add_binding(array, cgroup, *policy, error);
		if (r == -ENOENT)
			r = 0;
	}
	return r == -ENODEV ? 0 : r;
}

int jsondoc_bindings(struct json_object **ret_document, struct jsondoc_error *error)
{
	_cleanup_json_ struct json_object *array = NULL;
	struct checmate_error *why = NULL;
	_cleanup_free_ uint64_t *ids = NULL;
	size_t n;
	int r;

	r = checmate_binding_list_cgroups(&ids, &n, &why);
	if (r < 0)
		return jsondoc_error_take(error, why, r);
	array = build_array(&r);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = add_cgroup(array, ids[i], error);
	if (r < 0)
		return r;

	*ret_document = TAKE_PTR(array);
	return 0;
}
