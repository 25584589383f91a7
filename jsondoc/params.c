// SPDX-License-Identifier: LGPL-2.1-or-later
/* jsondoc - get, set: the parameters of a binding */
#include "build.h"
#include "jsondoc.h"

static int add_param(struct json_object *object, const struct checmate_binding *binding,
		     const char *name, struct jsondoc_error *error)
{
	struct checmate_error *why = NULL;
	_cleanup_free_ char *value = NULL;
	int r;

	r = checmate_binding_get(binding, name, &value, &why);
	if (r < 0)
		return jsondoc_error_take(error, why, r);
	build_text(&r, object, name, value);
	return r;
}

int jsondoc_params(const struct checmate_binding *binding, char *const *names,
		   struct json_object **ret_document, struct jsondoc_error *error)
{
	_cleanup_json_ struct json_object *object = NULL;
	size_t n = names ? 0 : checmate_binding_count_params(binding);
	int r = 0;

	object = build_object(&r);
	for (; r >= 0 && names && *names; names++)
		r = add_param(object, binding, *names, error);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = add_param(object, binding, checmate_binding_get_param(binding, i)->name, error);
	if (r < 0)
		return r;

	*ret_document = TAKE_PTR(object);
	return 0;
}

int jsondoc_params_of(const struct checmate_cgroup *cgroup, const char *policy, char *const *names,
		      struct json_object **ret_document, struct jsondoc_error *error)
{
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	struct checmate_error *why = NULL;
	int r;

	r = checmate_binding_open(cgroup, policy, &binding, &why);
	if (r < 0)
		return jsondoc_error_take(error, why, r);
	return jsondoc_params(binding, names, ret_document, error);
}
