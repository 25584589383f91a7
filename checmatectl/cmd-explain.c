// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - explain: who judges what a process does, and what they would say */
#include <errno.h>
#include <string.h>

#include "command.h"
#include "holding.h"
#include "output.h"
#include "parse.h"

/**
 * struct view - What is explained.
 * @cgroup: the cgroup.
 * @status: what the kernel says of it.
 * @hook: only of this hook; NULL for all.
 * @holdings: what holds there.
 */
struct view {
	struct checmate_cgroup *cgroup;
	struct checmate_status *status;
	const char *hook;
	struct holdings holdings;
};

static void view_done(struct view *view)
{
	holdings_done(&view->holdings);
	checmate_status_free(view->status);
	checmate_cgroup_free(view->cgroup);
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
	_cleanup_cgroup_ struct checmate_cgroup *owner = NULL;

	if (!policy || (checmate_cgroup_open_id(cgroup_id, &owner, NULL) < 0 &&
			checmate_cgroup_open(cgroup_path, &owner, NULL) < 0))
		return;
	/* By its path it may be another one of the same name. */
	if (checmate_cgroup_id(owner) != cgroup_id)
		return;
	if (checmate_binding_open(owner, policy, &bound->binding, NULL) == 0)
		bound->verdict = read_verdict(bound->binding);
}

static const char *program_name(const struct checmate_attachment *item, char *buffer, size_t size)
{
	snprintf(buffer, size, "(program %s, id %u)", item->name, item->prog_id);
	return item->policy ?: buffer;
}

/* --- JSON ------------------------------------------------------------------- */

static struct json_object *item_json(const struct view *view, const struct checmate_attachment *item)
{
	struct json_object *object = json_new();
	_cleanup_(bound_done) struct bound bound = {};

	bound_read(&bound, item->policy, item->cgroup_id, item->path);
	json_add_text(object, "policy", item->policy);
	json_add_text(object, "name", item->name);
	json_add_number(object, "prog", item->prog_id);
	json_add_text(object, "cgroup", item->path);
	json_add_number(object, "id", item->cgroup_id);
	json_add_bool(object, "inherited", item->cgroup_id != checmate_cgroup_id(view->cgroup));
	json_add(object, "state", state_json(attachment_state(item)));
	json_add_bool(object, "permissive", streq(item->mode, "permissive"));
	json_add_text(object, "errno", bound.verdict);
	return object;
}

static struct json_object *policy_json(const struct holding *holding)
{
	struct json_object *object = holding_json(holding), *params = json_new();
	_cleanup_(bound_done) struct bound bound = {};

	bound_read(&bound, holding->policy, holding->cgroup_id, holding->path);
	json_add_bool(object, "described", bound.binding);
	json_add_text(object, "version",
		      bound.binding ? checmate_binding_version(bound.binding) : NULL);
	json_add_text(object, "description",
		      bound.binding ? checmate_binding_description(bound.binding) : NULL);
	json_add_text(object, "errno", bound.verdict);
	for (size_t i = 0; bound.binding && i < checmate_binding_count_params(bound.binding); i++) {
		const char *name = checmate_binding_get_param(bound.binding, i)->name;
		_cleanup_free_ char *value = NULL;

		if (!checmate_binding_get(bound.binding, name, &value, NULL))
			json_add_text(params, name, value);
	}
	json_add(object, "params", params);
	return object;
}

/* Those of one hook follow one another, but for the staged ones. */
static struct json_object *hook_programs(struct json_object *hooks, const char *hook)
{
	struct json_object *object, *programs = json_new_array();

	for (size_t i = 0; i < json_object_array_length(hooks); i++) {
		object = json_object_array_get_idx(hooks, i);
		if (streq(json_object_get_string(json_object_object_get(object, "hook")), hook)) {
			json_object_put(programs);
			return json_object_object_get(object, "programs");
		}
	}
	object = json_new();
	json_add_text(object, "hook", hook);
	json_add(object, "programs", programs);
	json_append(hooks, object);
	return programs;
}

static bool is_shown(const struct view *view, const struct holding *holding)
{
	const struct checmate_attachment *item;
	size_t index = 0;

	while ((item = next_item(view, &index)))
		if (holdings_find(&view->holdings, item) == holding)
			return true;
	return false;
}

static void explain_json(const struct view *view)
{
	_cleanup_json_ struct json_object *object = json_new();
	struct json_object *hooks = json_new_array(), *policies = json_new_array();
	const struct checmate_attachment *item;
	size_t index = 0;

	while ((item = next_item(view, &index)))
		json_append(hook_programs(hooks, item->hook), item_json(view, item));
	for (size_t i = 0; i < view->holdings.n; i++)
		if (is_shown(view, &view->holdings.items[i]))
			json_append(policies, policy_json(&view->holdings.items[i]));
	json_add_text(object, "cgroup", checmate_cgroup_path(view->cgroup));
	json_add_number(object, "id", checmate_cgroup_id(view->cgroup));
	json_add(object, "hooks", hooks);
	json_add(object, "policies", policies);
	json_print(object);
}

/* --- text ------------------------------------------------------------------- */

static void explain_policy(const struct view *view, const struct holding *holding)
{
	_cleanup_(bound_done) struct bound bound = {};
	const char *verdict;

	printf("\n%s, %s %s\n", holding->name, holding->policy ? "bound to" : "attached to",
	       holding->path);
	if (!holding->policy) {
		printf("  Not of Checmate's policies: only its author knows what it denies;\n"
		       "  see \"bpftool prog show id %u\".\n",
		       holding->prog_id);
		return;
	}
	bound_read(&bound, holding->policy, holding->cgroup_id, holding->path);
	if (!bound.binding) {
		puts("  What it denies cannot be read; run as root.");
		return;
	}
	printf("  %s\n", checmate_binding_description(bound.binding));

	verdict = bound.verdict ?: "an error";
	if (holding->state == STATE_STAGED)
		printf("  Judges nothing before an exec begins; what it denies then %s %s.\n",
		       holding->permissive ? "is told only, and would fail with" : "fails with",
		       verdict);
	else if (holding->permissive)
		printf("  What it would let fail with %s is told, and let pass.\n", verdict);
	else
		printf("  What it denies fails with %s.\n", verdict);
	if (holding->inherited)
		printf("  Inherited by %s.\n", checmate_cgroup_path(view->cgroup));

	for (size_t i = 0; i < checmate_binding_count_params(bound.binding); i++) {
		const struct checmate_param *param = checmate_binding_get_param(bound.binding, i);
		_cleanup_free_ char *value = NULL;

		if (!checmate_binding_get(bound.binding, param->name, &value, NULL))
			printf("    %s=%s\n      %s\n", param->name, value, param->doc);
	}
}

static void explain_text(const struct view *view)
{
	static const char *const headings[] = { "HOOK",	 "ORDER", "POLICY", "STATE",
						"ERRNO", "FROM",  NULL };
	_cleanup_table_ struct libscols_table *table = table_new(headings);
	const struct checmate_attachment *item;
	size_t index = 0, order = 0;
	const char *hook = "";

	printf("%s (id %llu)\n", checmate_cgroup_path(view->cgroup),
	       (unsigned long long)checmate_cgroup_id(view->cgroup));
	while ((item = next_item(view, &index))) {
		_cleanup_(bound_done) struct bound bound = {};
		enum state state = attachment_state(item);
		char program[64], place[24] = "-";

		order = streq(item->hook, hook) ? order + 1 : 1;
		hook = item->hook;
		if (!item->staged)
			snprintf(place, sizeof(place), "%zu", order);
		bound_read(&bound, item->policy, item->cgroup_id, item->path);
		line_color(table_add(table,
				     (const char *const[]){
					     hook, place,
					     program_name(item, program, sizeof(program)),
					     state_text(state), bound.verdict ?: "-", item->path }),
			   3, state_color(state));
	}
	if (!scols_table_get_nlines(table)) {
		printf("\n%s%snothing is judged here by a policy\n", view->hook ?: "",
		       view->hook ? ": " : "");
		return;
	}
	table_print(table, "\nAsked in this order; the first that denies ends it:");
	for (size_t i = 0; i < view->holdings.n; i++)
		if (is_shown(view, &view->holdings.items[i]))
			explain_policy(view, &view->holdings.items[i]);
}

/* --- the command ------------------------------------------------------------ */

/* A hook that the kernel does not have is a mistake rather than one without policies. */
static int check_hook(const char *name)
{
	_cleanup_features_ struct checmate_features *features = NULL;
	_cleanup_error_ struct checmate_error *error = NULL;
	size_t n;

	if (checmate_features_probe(&features, &error) < 0)
		return fail(error);
	n = checmate_features_count_hooks(features);
	for (size_t i = 0; i < n; i++)
		if (streq(checmate_features_get_hook(features, i)->name, name))
			return EXIT_DONE;
	if (!n)
		return EXIT_DONE;
	return fail_text("hook %s: the kernel has none of this name; \"checmatectl features "
			 "--json\" has all",
			 name);
}

int command_explain(const struct options *options, int argc, char **argv)
{
	_cleanup_(view_done) struct view view = { .hook = argc > 1 ? argv[1] : NULL };
	_cleanup_error_ struct checmate_error *error = NULL;
	int status;

	status = open_target(argv[0], &view.cgroup);
	if (!status && view.hook)
		status = check_hook(view.hook);
	if (status)
		return status;
	if (checmate_status_read(view.cgroup, &view.status, &error) < 0)
		return fail(error);
	if (holdings_read(&view.holdings, view.cgroup, view.status) < 0)
		return fail(NULL);

	if (options->json)
		explain_json(&view);
	else
		explain_text(&view);
	return EXIT_DONE;
}
