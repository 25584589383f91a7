// SPDX-License-Identifier: LGPL-2.1-or-later
/* jsondoc - explain: who judges what a process does, and what they would say */
#include <errno.h>
#include <string.h>

#include "build.h"
#include "cgroup-policies.h"
#include "jsondoc.h"
#include "parse.h"

/**
 * struct view - What is explained.
 * @cgroup: the cgroup.
 * @status: what the kernel says of it.
 * @hook: only of this hook; NULL for all.
 * @policies: what holds there.
 */
struct view {
	const struct checmate_cgroup *cgroup;
	struct checmate_status *status;
	const char *hook;
	struct cgroup_policies policies;
};

static void view_done(struct view *view)
{
	cgroup_policies_done(&view->policies);
	checmate_status_free(view->status);
}

/* The @index-th attachment of those enforced and then of those staged here. */
static const struct checmate_attachment *get_item(const struct view *view, size_t index)
{
	size_t n = checmate_status_count_effective(view->status);

	if (index < n)
		return checmate_status_get_effective(view->status, index);
	return checmate_status_get_local(view->status, index - n);
}

/* The next attachment to be shown, or NULL. */
static const struct checmate_attachment *next_item(const struct view *view, size_t *index)
{
	const struct checmate_attachment *item;

	while ((item = get_item(view, *index))) {
		bool local = *index >= checmate_status_count_effective(view->status);

		(*index)++;
		if ((!local || item->staged) && (!view->hook || streq(item->hook, view->hook)))
			return item;
	}
	return NULL;
}

static bool is_shown(const struct view *view, const struct cgroup_policy *policy)
{
	const struct checmate_attachment *item;
	size_t index = 0;

	while ((item = next_item(view, &index)))
		if (cgroup_policies_find(&view->policies, item) == policy)
			return true;
	return false;
}

/* --- a policy --------------------------------------------------------------- */

/* A policy as it is bound: all that is not known is NULL. */
struct bound {
	struct checmate_binding *binding;
	char *verdict;
};

static void bound_done(struct bound *bound)
{
	checmate_binding_free(bound->binding);
	free(bound->verdict);
}

/* The errno that its first parameter of this type says; NULL when it has none. */
static char *read_verdict(const struct checmate_binding *binding)
{
	char *value;

	for (size_t i = 0; i < checmate_binding_count_params(binding); i++) {
		const struct checmate_param *param = checmate_binding_get_param(binding, i);

		if (streq(param->type, "errno") &&
		    !checmate_binding_get(binding, param->name, &value, NULL))
			return value;
	}
	return NULL;
}

/* What cannot be looked at, for want of rights or since it is gone, is not told. */
static void bound_read(struct bound *bound, const char *policy, uint64_t cgroup_id,
		       const char *cgroup_path)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *owner = NULL;

	if (!policy || (checmate_cgroup_open_id(cgroup_id, &owner, NULL) < 0 &&
			checmate_cgroup_open(cgroup_path, &owner, NULL) < 0))
		return;
	/* By its path it may be another one of the same name. */
	if (checmate_cgroup_id(owner) != cgroup_id)
		return;
	if (checmate_binding_open(owner, policy, &bound->binding, NULL) == 0)
		bound->verdict = read_verdict(bound->binding);
}

/* --- the document ------------------------------------------------------------ */

static struct json_object *item_json(int *r, const struct view *view,
				     const struct checmate_attachment *item)
{
	struct json_object *object = build_object(r);
	_cleanup_(bound_done) struct bound bound = {};

	bound_read(&bound, item->policy, item->cgroup_id, item->path);
	build_text(r, object, "policy", item->policy);
	build_text(r, object, "name", item->name);
	build_number(r, object, "prog", item->prog_id);
	build_text(r, object, "cgroup", item->path);
	build_number(r, object, "id", item->cgroup_id);
	build_bool(r, object, "inherited", item->cgroup_id != checmate_cgroup_id(view->cgroup));
	build_text(r, object, "state", state_word(attachment_state(item)));
	build_bool(r, object, "permissive", streq(item->mode, "permissive"));
	build_text(r, object, "errno", bound.verdict);
	return object;
}

static void add_params(int *r, struct json_object *object, const struct checmate_binding *binding)
{
	struct json_object *params, *docs, *types;

	params = build_object(r);
	build_add(r, object, "params", params);
	docs = build_object(r);
	build_add(r, object, "docs", docs);
	types = build_object(r);
	build_add(r, object, "types", types);
	for (size_t i = 0; binding && i < checmate_binding_count_params(binding); i++) {
		const struct checmate_param *param = checmate_binding_get_param(binding, i);
		_cleanup_free_ char *value = NULL;

		if (checmate_binding_get(binding, param->name, &value, NULL) < 0)
			continue;
		build_text(r, params, param->name, value);
		build_text(r, docs, param->name, param->doc);
		build_text(r, types, param->name, param->type);
	}
}

static struct json_object *policy_json(int *r, const struct cgroup_policy *policy)
{
	struct json_object *object = cgroup_policy_json(r, policy);
	_cleanup_(bound_done) struct bound bound = {};
	const struct checmate_binding *binding;

	bound_read(&bound, policy->policy, policy->cgroup_id, policy->path);
	binding = bound.binding;
	build_bool(r, object, "described", binding);
	build_text(r, object, "version", binding ? checmate_binding_version(binding) : NULL);
	build_text(r, object, "description", binding ? checmate_binding_description(binding) : NULL);
	build_text(r, object, "errno", bound.verdict);
	add_params(r, object, binding);
	return object;
}

/* Those of one hook follow one another, but for the staged ones. */
static struct json_object *hook_programs(int *r, struct json_object *hooks, const char *hook)
{
	struct json_object *object, *programs;

	for (size_t i = 0; *r >= 0 && i < json_object_array_length(hooks); i++) {
		object = json_object_array_get_idx(hooks, i);
		if (streq(jsondoc_get_text(object, "hook"), hook))
			return json_object_object_get(object, "programs");
	}
	object = build_object(r);
	build_text(r, object, "hook", hook);
	programs = build_array(r);
	build_add(r, object, "programs", programs);
	build_append(r, hooks, object);
	return programs;
}

/* A hook that the kernel does not have is a mistake rather than one without policies. */
static int check_hook(const char *name, struct jsondoc_error *error)
{
	_cleanup_(checmate_features_freep) struct checmate_features *features = NULL;
	struct checmate_error *why = NULL;
	size_t n;
	int r;

	r = checmate_features_probe(&features, &why);
	if (r < 0)
		return jsondoc_error_take(error, why, r);
	n = checmate_features_count_hooks(features);
	for (size_t i = 0; i < n; i++)
		if (streq(checmate_features_get_hook(features, i)->name, name))
			return 0;
	if (!n)
		return 0;
	return jsondoc_error_set(
		error, -ENOENT,
		"hook %s: the kernel has none of this name; \"checmatectl features --json\" has all",
		name);
}

int jsondoc_explain(const struct checmate_cgroup *cgroup, const char *hook,
		    struct json_object **ret_document, struct jsondoc_error *error)
{
	_cleanup_(view_done) struct view view = { .cgroup = cgroup, .hook = hook };
	_cleanup_json_ struct json_object *object = NULL;
	struct json_object *hooks, *policies;
	const struct checmate_attachment *item;
	struct checmate_error *why = NULL;
	size_t index = 0;
	int r = 0;

	if (hook)
		r = check_hook(hook, error);
	if (r < 0)
		return r;
	r = checmate_status_read(cgroup, &view.status, &why);
	if (r < 0)
		return jsondoc_error_take(error, why, r);
	r = cgroup_policies_read(&view.policies, cgroup, view.status);
	if (r < 0)
		return r;

	object = build_object(&r);
	build_text(&r, object, "cgroup", checmate_cgroup_path(cgroup));
	build_number(&r, object, "id", checmate_cgroup_id(cgroup));
	hooks = build_array(&r);
	build_add(&r, object, "hooks", hooks);
	policies = build_array(&r);
	build_add(&r, object, "policies", policies);
	while (r >= 0 && (item = next_item(&view, &index)))
		build_append(&r, hook_programs(&r, hooks, item->hook), item_json(&r, &view, item));
	for (size_t i = 0; r >= 0 && i < view.policies.n; i++)
		if (is_shown(&view, &view.policies.items[i]))
			build_append(&r, policies, policy_json(&r, &view.policies.items[i]));
	if (r < 0)
		return r;

	*ret_document = TAKE_PTR(object);
	return 0;
}
