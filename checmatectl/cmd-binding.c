// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - remove, mode, seal, set, get, gc: policies that are in force */
#include <errno.h>

#include "cgroup-ref.h"
#include "command.h"
#include "daemon-client.h"
#include "document-source.h"
#include "output.h"
#include "parse.h"
#include "paths.h"
#include "policy-args.h"
#include "target.h"

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

/* A cgroup that is gone has no path any more, only its id. */
static int direct_remove(const char *argument, const char *policy, struct cgroup_ref *ret_ref)
{
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	int status;

	if (target_is_id(argument, &ret_ref->id)) {
		if (checmate_binding_remove_id(ret_ref->id, policy, &error) < 0)
			return fail(error);
		ret_ref->path = text_new("%s", argument);
		return EXIT_DONE;
	}
	status = cgroup_ref_open(argument, &cgroup);
	if (status)
		return status;
	if (checmate_binding_remove(cgroup, policy, &error) < 0)
		return fail(error);
	ret_ref->path = text_new("%s", checmate_cgroup_path(cgroup));
	return EXIT_DONE;
}

static int daemon_remove(const struct options *options, const char *argument, const char *policy,
			 struct cgroup_ref *ret_ref)
{
	uint64_t id;
	int status;

	status = cgroup_ref_check(argument, false) ?:
			 daemon_client_call(options, NULL, "Remove", "ss", argument, policy ?: "");
	if (status)
		return status;
	if (target_is_id(argument, &id))
		ret_ref->path = text_new("%s", argument);
	else
		cgroup_ref_find(options, argument, ret_ref);
	return EXIT_DONE;
}

int command_remove(const struct options *options, int argc, char **argv)
{
	const char *policy = argc > 1 ? argv[1] : NULL;
	_cleanup_(cgroup_ref_done) struct cgroup_ref ref = {};
	int status;

	/* Over the bus that is every policy, which nobody says by an empty variable. */
	if (policy && !*policy)
		return usage("remove: the policy's name is empty; without one, all are removed");
	status = daemon_remove(options, argv[0], policy, &ref);
	if (status == USE_LIBRARY)
		status = direct_remove(argv[0], policy, &ref);
	if (!status)
		report_removed(options, ref.path, policy);
	return status;
}

static int direct_mode(const char *argument, const char *policy, bool permissive,
		       struct cgroup_ref *ret_ref)
{
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	int status;

	status = cgroup_ref_open(argument, &cgroup);
	if (status)
		return status;
	if (checmate_binding_set_mode(cgroup, policy, permissive, &error) < 0)
		return fail(error);
	ret_ref->path = text_new("%s", checmate_cgroup_path(cgroup));
	return EXIT_DONE;
}

static int daemon_mode(const struct options *options, char **argv, struct cgroup_ref *ret_ref)
{
	int status;

	status = cgroup_ref_check(argv[0], false) ?:
			 daemon_client_call(options, NULL, "SetMode", "sss", argv[0], argv[1],
					    argv[2]);
	if (!status)
		cgroup_ref_find(options, argv[0], ret_ref);
	return status;
}

int command_mode(const struct options *options, int argc, char **argv)
{
	_cleanup_json_ struct json_object *object = json_new();
	_cleanup_(cgroup_ref_done) struct cgroup_ref ref = {};
	bool permissive = streq(argv[2], "permissive");
	int status;

	(void)argc;
	if (!permissive && !streq(argv[2], "enforce"))
		return usage("mode: %s: it is enforce or permissive", argv[2]);
	status = daemon_mode(options, argv, &ref);
	if (status == USE_LIBRARY)
		status = direct_mode(argv[0], argv[1], permissive, &ref);
	if (status)
		return status;
	json_add_text(object, "cgroup", ref.path);
	json_add_text(object, "policy", argv[1]);
	json_add_text(object, "mode", argv[2]);
	if (options->json)
		json_print(object);
	else
		printf("%s: %s is %s\n", ref.path, argv[1], permissive ? "permissive" : "enforced");
	return EXIT_DONE;
}

static int direct_seal(const char *argument, struct cgroup_ref *ret_ref)
{
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	int status;

	status = cgroup_ref_open(argument, &cgroup);
	if (status)
		return status;
	if (checmate_cgroup_seal(cgroup, &error) < 0)
		return fail(error);
	ret_ref->path = text_new("%s", checmate_cgroup_path(cgroup));
	return EXIT_DONE;
}

static int daemon_seal(const struct options *options, const char *argument,
		       struct cgroup_ref *ret_ref)
{
	int status;

	status = cgroup_ref_check(argument, false) ?:
			 daemon_client_call(options, NULL, "Seal", "s", argument);
	if (!status)
		cgroup_ref_find(options, argument, ret_ref);
	return status;
}

int command_seal(const struct options *options, int argc, char **argv)
{
	_cleanup_json_ struct json_object *object = json_new();
	_cleanup_(cgroup_ref_done) struct cgroup_ref ref = {};
	int status;

	(void)argc;
	status = daemon_seal(options, argv[0], &ref);
	if (status == USE_LIBRARY)
		status = direct_seal(argv[0], &ref);
	if (status)
		return status;
	json_add_text(object, "cgroup", ref.path);
	json_add_bool(object, "sealed", true);
	if (options->json)
		json_print(object);
	else
		printf("%s: sealed until it is removed\n", ref.path);
	return EXIT_DONE;
}

static int show_params(const struct options *options, char **argv, char *const *names)
{
	static const char *const headings[] = { "PARAMETER", "VALUE", NULL };
	_cleanup_table_ struct libscols_table *table = table_new(headings);
	_cleanup_json_ struct json_object *params = NULL;
	int status;

	status = document_source_params(options, argv[0], argv[1], names, &params);
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

/* All take effect together. */
static int direct_set(char **argv, char *const *names, char *const *params)
{
	_cleanup_binding_ struct checmate_binding *binding = NULL;
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	_cleanup_strv_ char **lists = NULL;
	int status;

	status = cgroup_ref_open(argv[0], &cgroup);
	if (status)
		return status;
	if (checmate_binding_open(cgroup, argv[1], &binding, &error) < 0)
		return fail(error);
	if (checmate_binding_set_params(binding, (const char *const *)params, &error) < 0)
		return fail(error);
	if (jsondoc_lists_of_binding(binding, names, &lists) >= 0)
		json_object_put(paths_warn(jsondoc_root_pid(cgroup), lists));
	return EXIT_DONE;
}

static void warn_values(const struct options *options, char **argv, char *const *words)
{
	_cleanup_(cgroup_ref_done) struct cgroup_ref ref = {};
	_cleanup_strv_ char **all = NULL;
	int r = strv_extend(&all, argv[1]);

	for (size_t i = 0; r >= 0 && words[i]; i++)
		r = strv_extend(&all, words[i]);
	if (r < 0)
		return;
	cgroup_ref_find(options, argv[0], &ref);
	json_object_put(paths_warn_words(ref.path, strv_length(all), all));
}

static int daemon_set(const struct options *options, char **argv, char **words)
{
	_cleanup_message_ sd_bus_message *message = NULL;
	int status, r;

	status = cgroup_ref_check(argv[0], false) ?:
			 daemon_client_new(options, "SetParameters", &message);
	if (status)
		return status;
	r = sd_bus_message_append(message, "ss", argv[0], argv[1]);
	if (r >= 0)
		r = sd_bus_message_append_strv(message, words);
	if (r < 0)
		return daemon_client_failed(r);
	status = daemon_client_send(options, message, NULL);
	if (!status)
		warn_values(options, argv, words);
	return status;
}

int command_set(const struct options *options, int argc, char **argv)
{
	_cleanup_strv_ char **words = NULL, **names = NULL, **params = NULL;
	int status;

	for (int i = 2; i < argc; i++) {
		const char *value;

		if (strv_extend(&words, argv[i]) < 0)
			return fail(NULL);
		value = policy_args_split(argv[i]);
		if (!value)
			return usage("set: %s: not PARAM=VALUE", argv[i]);
		if (strv_extend(&names, argv[i]) < 0 || strv_extend(&params, argv[i]) < 0 ||
		    strv_extend(&params, value) < 0)
			return fail(NULL);
	}
	status = daemon_set(options, argv, words);
	if (status == USE_LIBRARY)
		status = direct_set(argv, names, params);
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
