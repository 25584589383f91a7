// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - policy: what policies there are, what one does and takes */
#include "command.h"
#include "daemon-client.h"
#include "output.h"
#include "parse.h"
#include "paths.h"
#include "policy-args.h"

static struct json_object *describe_policy(const struct checmate_policy *policy)
{
	struct json_object *object = json_new();

	json_add_text(object, "name", checmate_policy_name(policy));
	json_add_text(object, "version", checmate_policy_version(policy));
	json_add_text(object, "description", checmate_policy_description(policy));
	json_add_text(object, "path", checmate_policy_path(policy));
	return object;
}

static int direct_list(const struct options *options, struct json_object *array)
{
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_strv_ char **names = NULL;
	int status = EXIT_DONE;

	if (checmate_policy_list(&names, &error) < 0)
		return fail(error);
	for (char **name = names; *name; name++) {
		_cleanup_error_ struct checmate_error *why = NULL;
		_cleanup_policy_ struct checmate_policy *policy = NULL;

		/* One bad object does not hide the others. */
		if (policy_args_open(options, *name, &policy, &why) < 0) {
			status = fail(why);
			continue;
		}
		json_append(array, describe_policy(policy));
	}
	return status;
}

/* The daemon does not tell from where it has one: from the same place as we, as a rule. */
static struct json_object *describe_daemon(const char *name, const char *version,
					   const char *description)
{
	_cleanup_policy_ struct checmate_policy *policy = NULL;
	struct json_object *object = json_new();

	json_add_text(object, "name", name);
	json_add_text(object, "version", version);
	json_add_text(object, "description", description);
	json_add_text(object, "path",
		      checmate_policy_open(name, &policy, NULL) < 0 ? NULL :
								      checmate_policy_path(policy));
	return object;
}

static int daemon_list(const struct options *options, struct json_object *array)
{
	const char *name, *version, *description;
	_cleanup_message_ sd_bus_message *reply = NULL;
	int r, status;

	if (!options->daemon)
		return USE_LIBRARY;
	status = daemon_client_call(options, &reply, "ListPolicies", "");
	if (status)
		return status;
	r = sd_bus_message_enter_container(reply, 'a', "(sss)");
	while (r >= 0 &&
	       (r = sd_bus_message_read(reply, "(sss)", &name, &version, &description)) > 0) {
		/* One that could not be opened has no version, and says why instead. */
		if (*version)
			json_append(array, describe_daemon(name, version, description));
		else
			status = fail_text("%s", description);
	}
	return r < 0 ? daemon_client_failed(r) : status;
}

static int list_policies(const struct options *options)
{
	static const char *const headings[] = { "POLICY", "VERSION", "DESCRIPTION", NULL };
	_cleanup_table_ struct libscols_table *table = table_new(headings);
	_cleanup_json_ struct json_object *array = json_new_array();
	int status;

	status = daemon_list(options, array);
	if (status == USE_LIBRARY)
		status = direct_list(options, array);
	if (status && !json_object_array_length(array))
		return status;
	if (options->json) {
		json_print(array);
		return status;
	}
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		const struct json_object *policy = json_object_array_get_idx(array, i);

		table_add(table, (const char *const[]){ text_of(policy, "name"),
							text_of(policy, "version"),
							text_of(policy, "description") });
	}
	table_print(table, NULL);
	return status;
}

static struct json_object *describe_programs(const struct checmate_policy *policy)
{
	struct json_object *array = json_new_array();

	for (size_t i = 0; i < checmate_policy_count_programs(policy); i++) {
		const struct checmate_program *program = checmate_policy_get_program(policy, i);
		struct json_object *object = json_new();

		json_add_text(object, "name", program->name);
		json_add_text(object, "hook", program->hook);
		json_add_text(object, "type", program->type);
		json_append(array, object);
	}
	return array;
}

static int describe_params(const struct checmate_policy *policy, struct json_object **ret_array,
			   struct checmate_error **ret_error)
{
	_cleanup_json_ struct json_object *array = json_new_array();
	int r;

	for (size_t i = 0; i < checmate_policy_count_params(policy); i++) {
		const struct checmate_param *param = checmate_policy_get_param(policy, i);
		struct json_object *object = json_new();
		_cleanup_free_ char *value = NULL;

		json_append(array, object);
		r = checmate_policy_get(policy, param->name, &value, ret_error);
		if (r < 0)
			return r;
		json_add_text(object, "name", param->name);
		json_add_text(object, "type", param->type);
		json_add_text(object, "form", param->form);
		json_add_text(object, "default", value);
		json_add_text(object, "doc", param->doc);
	}

	*ret_array = TAKE_PTR(array);
	return 0;
}

static int show_json(const struct checmate_policy *policy)
{
	_cleanup_json_ struct json_object *object = describe_policy(policy);
	_cleanup_error_ struct checmate_error *error = NULL;
	struct json_object *params;

	if (describe_params(policy, &params, &error) < 0)
		return fail(error);
	json_add(object, "programs", describe_programs(policy));
	json_add(object, "params", params);
	json_print(object);
	return EXIT_DONE;
}

static int show_text(const struct checmate_policy *policy)
{
	_cleanup_error_ struct checmate_error *error = NULL;

	printf("%s %s: %s\n%s\n", checmate_policy_name(policy), checmate_policy_version(policy),
	       checmate_policy_description(policy), checmate_policy_path(policy));
	puts("\nHooks:");
	for (size_t i = 0; i < checmate_policy_count_programs(policy); i++) {
		const struct checmate_program *program = checmate_policy_get_program(policy, i);

		printf("  %s (program %s, %s)\n", program->hook, program->name, program->type);
	}
	if (checmate_policy_count_params(policy))
		puts("\nParameters:");
	for (size_t i = 0; i < checmate_policy_count_params(policy); i++) {
		const struct checmate_param *param = checmate_policy_get_param(policy, i);
		_cleanup_free_ char *value = NULL;

		if (checmate_policy_get(policy, param->name, &value, &error) < 0)
			return fail(error);
		printf("  %s=%s\n      %s\n      %s\n", param->name, value, param->doc, param->form);
	}
	return EXIT_DONE;
}

/* Whether this machine would take it. Only root can ask the verifier. */
static int verify_policy(const struct options *options, const char *name,
			 struct libscols_table *table, struct json_object *array)
{
	_cleanup_policy_ struct checmate_policy *policy = NULL;
	_cleanup_error_ struct checmate_error *error = NULL;
	struct json_object *object = json_new();
	_cleanup_strv_ char **lists = NULL;
	bool may_load = !geteuid(), loaded = false;
	const char *result = "loads";
	int r;

	r = policy_args_open(options, name, &policy, &error);
	if (!r)
		r = checmate_policy_check(policy, NULL, &error);
	if (!r && may_load) {
		r = checmate_policy_load(policy, &error);
		loaded = !r;
	}
	if (r < 0)
		result = "refused";
	else if (!may_load)
		result = "not loaded: run as root";

	json_add_text(object, "policy", policy ? checmate_policy_name(policy) : name);
	json_add_text(object, "path", policy ? checmate_policy_path(policy) : NULL);
	json_add_bool(object, "accepted", r >= 0);
	json_add_bool(object, "loaded", loaded);
	json_add_text(object, "error", r < 0 ? checmate_error_text(error) : NULL);
	if (policy)
		(void)jsondoc_lists_of_policy(policy, NULL, &lists);
	json_add(object, "paths", paths_warn(0, lists));
	json_append(array, object);
	line_color(table_add(table,
			     (const char *const[]){ policy ? checmate_policy_name(policy) : name,
						    result }),
		   1,
		   r < 0  ? COLOR_BAD :
		   loaded ? COLOR_GOOD :
			    COLOR_WARN);
	return r < 0 ? fail(error) : EXIT_DONE;
}

static int verify(const struct options *options, char **names)
{
	static const char *const headings[] = { "POLICY", "RESULT", NULL };
	_cleanup_table_ struct libscols_table *table = table_new(headings);
	_cleanup_json_ struct json_object *array = json_new_array();
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_strv_ char **all = NULL;
	int status = EXIT_DONE;

	if (!*names) {
		if (checmate_policy_list(&all, &error) < 0)
			return fail(error);
		names = all;
	}
	for (; *names; names++)
		if (verify_policy(options, *names, table, array))
			status = EXIT_FAILED;
	if (options->json)
		json_print(array);
	else
		table_print(table, NULL);
	return status;
}

int command_policy(const struct options *options, int argc, char **argv)
{
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_policy_ struct checmate_policy *policy = NULL;

	if (streq(argv[0], "list") && argc == 1)
		return list_policies(options);
	if (options->daemon)
		return usage("policy %s: it needs no rights, and --daemon is for list", argv[0]);
	if (streq(argv[0], "verify"))
		return verify(options, argv + 1);
	if (!streq(argv[0], "show") || argc != 2)
		return usage("policy: it takes list, show POLICY or verify [POLICY…]");

	if (policy_args_open(options, argv[1], &policy, &error) < 0)
		return fail(error);
	return options->json ? show_json(policy) : show_text(policy);
}
