// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - apply, replace, remove, mode, seal, set, get, gc: policies in force in a cgroup */
#include <errno.h>

#include "command.h"
#include "output.h"
#include "parse.h"
#include "source.h"
#include "target.h"

static void report_apply(const struct options *options, const struct checmate_cgroup *cgroup,
			 const struct selection *selection, char *const *enabled)
{
	_cleanup_json_ struct json_object *object = json_new();
	_cleanup_json_ struct json_object *names = json_new_array();

	if (options->json) {
		for (size_t i = 0; i < selection->n; i++) {
			const char *name = checmate_policy_name(selection->policies[i]);

			json_append(names, json_object_new_string(name));
		}
		json_add_text(object, "cgroup", checmate_cgroup_path(cgroup));
		json_add_number(object, "id", checmate_cgroup_id(cgroup));
		json_add(object, "enabled", json_texts(enabled));
		json_add(object, "applied", TAKE_PTR(names));
		json_add_bool(object, "permissive", options->permissive);
		json_add_bool(object, "staged", options->when_exec);
		json_print(object);
		return;
	}
	for (size_t i = 0; i < selection->n; i++)
		printf("%s: %s is %s%s\n", checmate_cgroup_path(cgroup),
		       checmate_policy_name(selection->policies[i]),
		       options->when_exec ? "staged until an exec" : "in force",
		       options->permissive ? ", permissive" : "");
}

/* Told at once, since it stays even when applying fails then. */
static void report_enabled(const struct options *options, char *const *enabled)
{
	for (; !options->json && *enabled; enabled++)
		printf("%s: controller checmate turned on for its children\n", *enabled);
}

static int apply(const struct options *options, bool replace, int argc, char **argv)
{
	struct checmate_apply_opts opts = {
		.sz = sizeof(opts),
		.replace = replace,
		.permissive = options->permissive,
		.when_exec = options->when_exec,
		.pid = options->pid,
		.except = options->except,
	};
	_cleanup_(selection_done) struct selection selection = {};
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	_cleanup_strv_ char **enabled = NULL;
	int status;

	if (!options->when_exec && (options->pid || options->except))
		return usage("--%s goes with --when-exec", options->pid ? "pid" : "except");
	status = select_policies(&selection, options, argc - 1, argv + 1);
	if (status)
		return status;
	status = open_cgroup(argv[0], &cgroup);
	if (status)
		return status;
	if (selection_load(&selection, &error) < 0)
		return fail(error);
	if (checmate_cgroup_enable(cgroup, &enabled, &error) < 0)
		return fail(error);
	report_enabled(options, enabled);
	if (checmate_binding_apply(cgroup, selection.policies, selection.n, &opts, &error) < 0)
		return fail(error);
	report_apply(options, cgroup, &selection, enabled);
	return EXIT_DONE;
}

int command_apply(const struct options *options, int argc, char **argv)
{
	return apply(options, options->replace, argc, argv);
}

int command_replace(const struct options *options, int argc, char **argv)
{
	return apply(options, true, argc, argv);
}

static void report_removed(const struct options *options, const char *cgroup, const char *policy)
{
	_cleanup_json_ struct json_object *object = json_new();

	if (options->json) {
		json_add_text(object, "cgroup", cgroup);
		json_add_text(object, "removed", policy);
		json_print(object);
		return;
	}
	printf("%s: %s%s\n", cgroup, policy ?: "every policy", " is removed");
}

int command_remove(const struct options *options, int argc, char **argv)
{
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	const char *policy = argc > 1 ? argv[1] : NULL;
	uint64_t id;
	int status;

	/* A cgroup that is gone has no path any more, only its id. */
	if (target_is_id(argv[0], &id)) {
		if (checmate_binding_remove_id(id, policy, &error) < 0)
			return fail(error);
		report_removed(options, argv[0], policy);
		return EXIT_DONE;
	}
	status = open_cgroup(argv[0], &cgroup);
	if (status)
		return status;
	if (checmate_binding_remove(cgroup, policy, &error) < 0)
		return fail(error);
	report_removed(options, checmate_cgroup_path(cgroup), policy);
	return EXIT_DONE;
}

int command_mode(const struct options *options, int argc, char **argv)
{
	_cleanup_json_ struct json_object *object = json_new();
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	bool permissive = streq(argv[2], "permissive");
	int status;

	(void)argc;
	if (!permissive && !streq(argv[2], "enforce"))
		return usage("mode: %s: it is enforce or permissive", argv[2]);
	status = open_cgroup(argv[0], &cgroup);
	if (status)
		return status;
	if (checmate_binding_set_mode(cgroup, argv[1], permissive, &error) < 0)
		return fail(error);
	json_add_text(object, "cgroup", checmate_cgroup_path(cgroup));
	json_add_text(object, "policy", argv[1]);
	json_add_text(object, "mode", argv[2]);
	if (options->json)
		json_print(object);
	else
		printf("%s: %s is %s\n", checmate_cgroup_path(cgroup), argv[1],
		       permissive ? "permissive" : "enforced");
	return EXIT_DONE;
}

int command_seal(const struct options *options, int argc, char **argv)
{
	_cleanup_json_ struct json_object *object = json_new();
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	int status;

	(void)argc;
	status = open_cgroup(argv[0], &cgroup);
	if (status)
		return status;
	if (checmate_cgroup_seal(cgroup, &error) < 0)
		return fail(error);
	json_add_text(object, "cgroup", checmate_cgroup_path(cgroup));
	json_add_bool(object, "sealed", true);
	if (options->json)
		json_print(object);
	else
		printf("%s: sealed until it is removed\n", checmate_cgroup_path(cgroup));
	return EXIT_DONE;
}

static int open_binding(char **argv, struct checmate_binding **ret_binding)
{
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	int status;

	status = open_cgroup(argv[0], &cgroup);
	if (status)
		return status;
	if (checmate_binding_open(cgroup, argv[1], ret_binding, &error) < 0)
		return fail(error);
	return EXIT_DONE;
}

static int show_params(const struct options *options, char **argv, char *const *names)
{
	static const char *const headings[] = { "PARAMETER", "VALUE", NULL };
	_cleanup_table_ struct libscols_table *table = table_new(headings);
	_cleanup_json_ struct json_object *params = NULL;
	int status;

	status = source_params(options, argv[0], argv[1], names, &params);
	if (status)
		return status;
	if (options->json) {
		json_print(params);
		return EXIT_DONE;
	}
	json_object_object_foreach(params, name, value)
		table_add(table, (const char *const[]){ name, json_object_get_string(value) });
	if (scols_table_get_nlines(table))
		table_print(table, NULL);
	return EXIT_DONE;
}

/* All are checked before the first is set. */
static int set_params(struct checmate_binding *binding, char *const *names, char *const *values)
{
	_cleanup_error_ struct checmate_error *error = NULL;

	for (size_t i = 0; names[i]; i++)
		if (checmate_binding_check(binding, names[i], values[i], &error) < 0)
			return fail(error);
	for (size_t i = 0; names[i]; i++)
		if (checmate_binding_set(binding, names[i], values[i], &error) < 0)
			return fail(error);
	return EXIT_DONE;
}

int command_set(const struct options *options, int argc, char **argv)
{
	_cleanup_binding_ struct checmate_binding *binding = NULL;
	_cleanup_strv_ char **names = NULL, **values = NULL;
	int status;

	for (int i = 2; i < argc; i++) {
		const char *value = split_assignment(argv[i]);

		if (!value)
			return usage("set: %s: not PARAM=VALUE", argv[i]);
		if (strv_extend(&names, argv[i]) < 0 || strv_extend(&values, value) < 0)
			return fail(NULL);
	}
	status = open_binding(argv, &binding);
	if (!status)
		status = set_params(binding, names, values);
	return status ?: show_params(options, argv, names);
}

int command_get(const struct options *options, int argc, char **argv)
{
	return show_params(options, argv, argc > 2 ? argv + 2 : NULL);
}

int command_gc(const struct options *options, int argc, char **argv)
{
	_cleanup_json_ struct json_object *object = json_new();
	_cleanup_error_ struct checmate_error *error = NULL;
	size_t n;

	(void)argc;
	(void)argv;
	if (checmate_binding_gc(&n, &error) < 0)
		return fail(error);
	json_add_number(object, "dropped", n);
	if (options->json)
		json_print(object);
	else
		printf("%zu dropped\n", n);
	return EXIT_DONE;
}
