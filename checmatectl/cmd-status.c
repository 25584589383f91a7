// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - status, features: what is enforced, what could be */
#include <errno.h>

#include "command.h"
#include "holding.h"
#include "output.h"
#include "parse.h"

/* --- one cgroup ----------------------------------------------------------- */

static struct json_object *attachment_json(const struct checmate_attachment *item)
{
	struct json_object *object = json_new();

	json_add_number(object, "id", item->id);
	json_add_text(object, "hook", item->hook);
	json_add_text(object, "name", item->name);
	json_add_text(object, "tag", item->tag);
	json_add_number(object, "prog", item->prog_id);
	json_add_text(object, "mode", item->mode);
	json_add_bool(object, "staged", item->staged);
	json_add_text(object, "policy", item->policy);
	json_add_number(object, "cgroup", item->cgroup_id);
	json_add_text(object, "path", item->path);
	return object;
}

static void add_attachment(struct libscols_table *table, const struct checmate_attachment *item)
{
	char id[24], program[16];

	snprintf(id, sizeof(id), "%llu", (unsigned long long)item->id);
	snprintf(program, sizeof(program), "%u", item->prog_id);
	line_color(table_add(table,
			     (const char *const[]){ id, item->hook, item->policy ?: "-", item->name,
						    program, item->staged ? "staged" : item->mode,
						    item->path }),
		   5, state_color(attachment_state(item)));
}

static void show_json(const struct checmate_cgroup *cgroup, const struct checmate_status *status)
{
	_cleanup_json_ struct json_object *object = json_new();
	struct json_object *local = json_new_array(), *effective = json_new_array();

	for (size_t i = 0; i < checmate_status_count_local(status); i++)
		json_append(local, attachment_json(checmate_status_get_local(status, i)));
	for (size_t i = 0; i < checmate_status_count_effective(status); i++)
		json_append(effective, attachment_json(checmate_status_get_effective(status, i)));

	json_add_text(object, "cgroup", checmate_cgroup_path(cgroup));
	json_add_number(object, "id", checmate_cgroup_id(cgroup));
	json_add_bool(object, "enabled", checmate_status_enabled(status));
	json_add_bool(object, "sealed", checmate_cgroup_sealed(cgroup, NULL) > 0);
	json_add_number(object, "generation", checmate_status_generation(status));
	json_add(object, "local", local);
	json_add(object, "effective", effective);
	json_print(object);
}

static void show_text(const struct checmate_cgroup *cgroup, const struct checmate_status *status)
{
	static const char *const headings[] = {
		"ID", "HOOK", "POLICY", "PROGRAM", "PROG-ID", "MODE", "CGROUP", NULL,
	};
	_cleanup_table_ struct libscols_table *local = table_new(headings);
	_cleanup_table_ struct libscols_table *effective = table_new(headings);

	printf("%s (id %llu)", checmate_cgroup_path(cgroup),
	       (unsigned long long)checmate_cgroup_id(cgroup));
	if (checmate_status_enabled(status))
		printf(", generation %llu%s\n",
		       (unsigned long long)checmate_status_generation(status),
		       checmate_cgroup_sealed(cgroup, NULL) > 0 ? ", sealed" : "");
	else
		puts(", the controller is not enabled here");

	for (size_t i = 0; i < checmate_status_count_local(status); i++)
		add_attachment(local, checmate_status_get_local(status, i));
	for (size_t i = 0; i < checmate_status_count_effective(status); i++)
		add_attachment(effective, checmate_status_get_effective(status, i));

	if (checmate_status_count_local(status))
		table_print(local, "\nAttached here:");
	else
		puts("\nAttached here: nothing");
	if (checmate_status_count_effective(status))
		table_print(effective, "\nEnforced here, in this order:");
	else
		puts("\nEnforced here: nothing");
}

static int show(const struct options *options, const char *argument)
{
	_cleanup_status_ struct checmate_status *status = NULL;
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	int r;

	r = open_target(argument, &cgroup);
	if (r)
		return r;
	if (checmate_status_read(cgroup, &status, &error) < 0)
		return fail(error);

	if (options->json)
		show_json(cgroup, status);
	else
		show_text(cgroup, status);
	return EXIT_DONE;
}

/* --- all bindings --------------------------------------------------------- */

static int params_text(const struct checmate_binding *binding, char **ret_text,
		       struct json_object *object, struct checmate_error **ret_error)
{
	_cleanup_free_ char *text = strdup("");
	int r;

	for (size_t i = 0; i < checmate_binding_count_params(binding); i++) {
		const char *name = checmate_binding_get_param(binding, i)->name;
		_cleanup_free_ char *value = NULL;
		char *longer;

		r = checmate_binding_get(binding, name, &value, ret_error);
		if (r < 0)
			return r;
		json_add_text(object, name, value);
		if (!text || asprintf(&longer, "%s%s%s=%s", text, i ? " " : "", name, value) < 0)
			return -ENOMEM;
		free(text);
		text = longer;
	}
	*ret_text = TAKE_PTR(text);
	return 0;
}

static int add_binding(const struct checmate_cgroup *cgroup, const char *policy,
		       struct libscols_table *table, struct json_object *array,
		       struct checmate_error **ret_error)
{
	_cleanup_binding_ struct checmate_binding *binding = NULL;
	struct json_object *object = json_new(), *params = json_new();
	_cleanup_free_ char *text = NULL;
	enum state state = STATE_IN_FORCE;
	bool attached = true, permissive;
	int r;

	json_append(array, object);
	json_add(object, "params", params);
	r = checmate_binding_open(cgroup, policy, &binding, ret_error);
	if (r < 0)
		return r;
	r = params_text(binding, &text, params, ret_error);
	if (r < 0)
		return r;
	for (size_t i = 0; i < checmate_binding_count_programs(binding); i++)
		attached &= checmate_binding_get_program(binding, i)->attached;
	permissive = checmate_binding_permissive(binding);
	if (checmate_binding_staged(binding))
		state = STATE_STAGED;
	else if (!attached)
		state = STATE_DETACHED;
	else if (permissive)
		state = STATE_PERMISSIVE;

	json_add_text(object, "cgroup", checmate_cgroup_path(cgroup));
	json_add_number(object, "id", checmate_cgroup_id(cgroup));
	json_add_text(object, "policy", checmate_binding_policy(binding));
	json_add_text(object, "version", checmate_binding_version(binding));
	json_add(object, "state", state_json(state));
	json_add_bool(object, "permissive", permissive);
	line_color(table_add(table, (const char *const[]){ checmate_cgroup_path(cgroup),
							   checmate_binding_policy(binding),
							   checmate_binding_version(binding),
							   state_text(state), text }),
		   3, state_color(state));
	return 0;
}

/* A cgroup can go at any moment: then it is shown as gone, or not at all. */
static int add_cgroup(uint64_t id, struct libscols_table *table, struct json_object *array,
		      struct checmate_error **ret_error)
{
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	_cleanup_strv_ char **policies = NULL;
	char name[32];
	int r;

	r = checmate_cgroup_open_id(id, &cgroup, ret_error);
	if (r == -ENOENT) {
		struct json_object *object = json_new();

		snprintf(name, sizeof(name), "id:%llu", (unsigned long long)id);
		json_add_text(object, "cgroup", NULL);
		json_add_number(object, "id", id);
		json_add(object, "state", state_json(STATE_GONE));
		json_append(array, object);
		line_color(table_add(table, (const char *const[]){ name, "-", "-",
								   state_text(STATE_GONE), "" }),
			   3, state_color(STATE_GONE));
		return 0;
	}
	if (r < 0)
		return r;

	r = checmate_binding_list(cgroup, &policies, ret_error);
	for (char **policy = policies; !r && *policy; policy++) {
		r = add_binding(cgroup, *policy, table, array, ret_error);
		if (r == -ENOENT)
			r = 0;
	}
	return r == -ENODEV ? 0 : r;
}

static int show_all(const struct options *options)
{
	static const char *const headings[] = {
		"CGROUP", "POLICY", "VERSION", "STATE", "PARAMETERS", NULL,
	};
	_cleanup_table_ struct libscols_table *table = table_new(headings);
	_cleanup_json_ struct json_object *array = json_new_array();
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_free_ uint64_t *ids = NULL;
	size_t n;

	if (checmate_binding_list_cgroups(&ids, &n, &error) < 0)
		return fail(error);
	for (size_t i = 0; i < n; i++)
		if (add_cgroup(ids[i], table, array, &error) < 0)
			return fail(error);

	if (options->json)
		json_print(array);
	else if (scols_table_get_nlines(table))
		table_print(table, NULL);
	else
		puts("No policy is in force");
	return EXIT_DONE;
}

int command_status(const struct options *options, int argc, char **argv)
{
	return argc ? show(options, argv[0]) : show_all(options);
}

/* --- features ------------------------------------------------------------- */

static const char *const abilities[] = { "any-hook", "permissive", "rewrite",
					 "seal",     "sleepable",  "staging" };

static void features_json(const struct checmate_features *features)
{
	_cleanup_json_ struct json_object *object = json_new();
	struct json_object *items = json_new_array(), *hooks = json_new_array();
	struct json_object *supports = json_new();

	for (size_t i = 0; i < checmate_features_count(features); i++) {
		const struct checmate_feature *item = checmate_features_get(features, i);
		struct json_object *o = json_new();

		json_add_text(o, "name", item->name);
		json_add_bool(o, "present", item->present);
		json_add_text(o, "found", item->found);
		json_add_text(o, "remedy", item->remedy);
		json_append(items, o);
	}
	for (size_t i = 0; i < checmate_features_count_hooks(features); i++) {
		const struct checmate_hook *hook = checmate_features_get_hook(features, i);
		struct json_object *o = json_new();

		json_add_text(o, "name", hook->name);
		json_add_bool(o, "sleepable", hook->sleepable);
		json_add_bool(o, "active", hook->active);
		json_add_number(o, "programs", hook->programs);
		json_append(hooks, o);
	}
	for (size_t i = 0; i < ARRAY_SIZE(abilities); i++)
		json_add_bool(supports, abilities[i],
			      checmate_features_supports(features, abilities[i]));
	json_add_text(object, "backend", checmate_features_backend(features));
	json_add(object, "supports", supports);
	json_add(object, "features", items);
	json_add(object, "hooks", hooks);
	json_print(object);
}

static void features_text(const struct checmate_features *features)
{
	static const char *const headings[] = { "FEATURE", "PRESENT", "FOUND", NULL };
	_cleanup_table_ struct libscols_table *table = table_new(headings);
	const char *backend = checmate_features_backend(features);
	size_t active = 0;

	for (size_t i = 0; i < checmate_features_count(features); i++) {
		const struct checmate_feature *item = checmate_features_get(features, i);

		line_color(table_add(table, (const char *const[]){ item->name,
								   item->present ? "yes" : "no",
								   item->found }),
			   1, item->present ? COLOR_GOOD : COLOR_WARN);
	}
	table_print(table, NULL);
	for (size_t i = 0; i < checmate_features_count_hooks(features); i++)
		active += checmate_features_get_hook(features, i)->active;

	if (backend) {
		printf("\nPolicies are enforced by the backend %s; %zu hooks, %zu in use\n",
		       backend, checmate_features_count_hooks(features), active);
		for (size_t i = 0; i < ARRAY_SIZE(abilities); i++)
			printf("%s%s%s", i ? ", " : "It can: ",
			       checmate_features_supports(features, abilities[i]) ? "" : "not ",
			       abilities[i]);
		putchar('\n');
		return;
	}
	puts("\nThis machine cannot enforce policies:");
	for (size_t i = 0; i < checmate_features_count(features); i++) {
		const struct checmate_feature *item = checmate_features_get(features, i);

		if (!item->present && item->needed)
			printf("  %s is missing; %s\n", item->name, item->remedy);
	}
}

int command_features(const struct options *options, int argc, char **argv)
{
	_cleanup_(checmate_features_freep) struct checmate_features *features = NULL;
	_cleanup_error_ struct checmate_error *error = NULL;

	(void)argc;
	(void)argv;
	if (checmate_features_probe(&features, &error) < 0)
		return fail(error);
	if (options->json)
		features_json(features);
	else
		features_text(features);
	return checmate_features_backend(features) ? EXIT_DONE : EXIT_FAILED;
}
