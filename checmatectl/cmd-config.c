// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - config: whether the daemon would take its binding files */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "command.h"
#include "config-policy.h"
#include "output.h"
#include "parse.h"
#include "paths.h"
#include "settings.h"

static const char *kind_text(const struct config_binding *binding)
{
	switch (config_binding_kind(binding)) {
	case CONFIG_CONTAINERS:
		return "containers";
	case CONFIG_UNITS:
		return "units";
	case CONFIG_SLICES:
		return "slices";
	case CONFIG_CGROUPS:
		return "cgroups";
	}
	return NULL;
}

static struct json_object *describe_pods(const struct config_binding *binding)
{
	struct json_object *array = json_new_array();

	for (char **pod = binding->pods; pod && *pod; pod += 2) {
		_cleanup_free_ char *text = text_new("%s/%s", pod[0], pod[1]);

		json_append(array, json_text(text));
	}
	return array;
}

static struct json_object *describe_match(const struct config_binding *binding)
{
	struct json_object *object = json_new(), *annotations = json_new_array();

	json_add(object, "unit", json_texts(binding->units));
	json_add(object, "slice", json_texts(binding->slices));
	json_add(object, "cgroup", json_texts(binding->cgroups));
	json_add(object, "runtime", json_texts(binding->runtimes));
	json_add(object, "pod", describe_pods(binding));
	json_add(object, "annotation", annotations);
	for (size_t i = 0; i < binding->n_annotations; i++) {
		const struct config_annotation *annotation = &binding->annotations[i];
		_cleanup_free_ char *text = text_new("%s=%s", annotation->key, annotation->glob);

		json_append(annotations, json_text(text));
	}
	return object;
}

static struct json_object *describe_policies(const struct config_binding *binding)
{
	struct json_object *array = json_new_array();

	for (size_t i = 0; i < binding->n_policies; i++) {
		const struct config_policy *policy = &binding->policies[i];
		struct json_object *object = json_new(), *params = json_new();

		json_add_text(object, "policy", policy->name);
		json_add_bool(object, "permissive", policy->permissive);
		for (size_t j = 0; j < policy->n_params; j++)
			json_add_text(params, policy->params[j].name, policy->params[j].value);
		json_add(object, "params", params);
		json_append(array, object);
	}
	return array;
}

static struct json_object *describe(const struct config_binding *binding)
{
	struct json_object *object = json_new();

	json_add_text(object, "file", binding->file);
	json_add(object, "drop_ins", json_texts(binding->drop_ins));
	json_add_text(object, "for", kind_text(binding));
	json_add(object, "match", describe_match(binding));
	json_add_bool(object, "seal", binding->seal);
	json_add(object, "policies", describe_policies(binding));
	return object;
}

/* Returns 0, -errno. */
static int add_lists(const struct config_policy *given, char ***lists)
{
	_cleanup_policy_ struct checmate_policy *policy = NULL;
	int r;

	r = checmate_policy_open(given->name, &policy, NULL);
	if (r < 0)
		return r;
	/* All values were verified. Setting one that is not a list of paths may fail here. */
	for (size_t i = 0; i < given->n_params; i++)
		(void)checmate_policy_set(policy, given->params[i].name, given->params[i].value,
					  NULL);
	return jsondoc_lists_of_policy(policy, NULL, lists);
}

/* The root of containers is not known before there are any; their hook looks at it. */
static void warn_of_paths(const struct config_binding *binding)
{
	_cleanup_strv_ char **lists = NULL;
	int r = 0;

	if (config_binding_kind(binding) == CONFIG_CONTAINERS)
		return;
	for (size_t i = 0; r >= 0 && i < binding->n_policies; i++)
		r = add_lists(&binding->policies[i], &lists);
	if (r >= 0)
		json_object_put(paths_warn(0, lists));
}

/* A line of text for each glob and each policy, as they are in a document; drop-ins below. */
static void add_line(struct libscols_table *table, struct json_object *object)
{
	bool seal = json_object_get_boolean(json_object_object_get(object, "seal"));
	_cleanup_free_ char *kind = text_new("%s%s", text_of(object, "for"), seal ? ", sealed" : "");
	_cleanup_free_ char *match = NULL, *policies = NULL;
	struct libscols_line *line;
	struct json_object *array;

	json_object_object_foreach(json_object_object_get(object, "match"), key, globs) {
		for (size_t i = 0; i < json_object_array_length(globs); i++) {
			_cleanup_free_ char *text =
				text_new("%s %s", key,
					 json_object_get_string(
						 json_object_array_get_idx(globs, i)));

			text_add_line(&match, text);
		}
	}

	array = json_object_object_get(object, "policies");
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		struct json_object *policy = json_object_array_get_idx(array, i);
		bool permissive = json_object_get_boolean(
			json_object_object_get(policy, "permissive"));
		_cleanup_free_ char *text = text_new("%s%s", text_of(policy, "policy"),
						     permissive ? " (permissive)" : "");

		text_add_line(&policies, text);
	}
	line = table_add(table,
			 (const char *const[]){ text_of(object, "file"), kind, match, policies });

	array = json_object_object_get(object, "drop_ins");
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		struct json_object *path = json_object_array_get_idx(array, i);

		table_add_below(table, line,
				(const char *const[]){ json_object_get_string(path), NULL, NULL,
						       NULL });
	}
}

/* A directory that was named is there; of the daemon's own, some may not be. */
static int check_dirs(char **dirs)
{
	for (; *dirs; dirs++) {
		_cleanup_closedir_ DIR *dir = opendir(*dirs);

		if (!dir)
			return fail_text("%s: %s; give a directory of binding files", *dirs,
					 strerror(errno));
	}
	return EXIT_DONE;
}

static int verify(const struct options *options, char **dirs)
{
	static const char *const headings[] = { "FILE", "FOR", "MATCH", "POLICIES", NULL };
	_cleanup_table_ struct libscols_table *table = table_new(headings);
	_cleanup_json_ struct json_object *array = json_new_array();
	_cleanup_(settings_done) struct settings settings = {};
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_free_ char *error = NULL;
	int r;

	if (check_dirs(dirs))
		return EXIT_FAILED;
	r = settings_load(settings_default_dirs, &settings, &error);
	if (r < 0)
		return fail_text("%s", error ? error : strerror(-r));
	r = config_load_verified(*dirs ? (const char *const *)dirs : config_default_dirs, &config,
				 &error);
	if (r < 0)
		return fail_text("%s", error ? error : strerror(-r));

	table_is_tree(table);
	for (size_t i = 0; i < config->n_bindings; i++) {
		struct json_object *object = describe(config->bindings[i]);

		json_append(array, object);
		add_line(table, object);
		warn_of_paths(config->bindings[i]);
	}
	if (options->json)
		json_print(array);
	else
		table_print(table, NULL);
	return EXIT_DONE;
}

int command_config(const struct options *options, int argc, char **argv)
{
	(void)argc;

	if (!streq(argv[0], "verify"))
		return usage("config: it takes verify [DIR…]");
	return verify(options, argv + 1);
}
