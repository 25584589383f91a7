// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - status, features: what is enforced, what could be */
#include <errno.h>

#include "command.h"
#include "document-source.h"
#include "output.h"
#include "parse.h"

/* --- one cgroup ----------------------------------------------------------- */

static void add_attachment(struct libscols_table *table, const struct json_object *item)
{
	const char *mode = text_of(item, "mode");
	const char *state = jsondoc_get_bool(item, "staged") ? "staged" :
			    streq(mode, "permissive")	     ? mode :
							       "in-force";
	char id[24], program[24];

	snprintf(id, sizeof(id), "%llu", number_of(item, "id"));
	snprintf(program, sizeof(program), "%llu", number_of(item, "prog"));
	line_color(table_add(table, (const char *const[]){ id, text_of(item, "hook"),
							   jsondoc_get_text(item, "policy") ?: "-",
							   text_of(item, "name"), program,
							   streq(state, "staged") ? state : mode,
							   text_of(item, "path") }),
		   5, state_color(state));
}

static void show_attachments(const struct json_object *status, const char *key, const char *title)
{
	static const char *const headings[] = {
		"ID", "HOOK", "POLICY", "PROGRAM", "PROG-ID", "MODE", "CGROUP", NULL,
	};
	_cleanup_table_ struct libscols_table *table = table_new(headings);
	size_t n = jsondoc_count(status, key);

	for (size_t i = 0; i < n; i++)
		add_attachment(table, jsondoc_get_item(status, key, i));
	if (n)
		table_print(table, title);
}

static void show(const struct json_object *status)
{
	printf("%s (id %llu)", text_of(status, "cgroup"), number_of(status, "id"));
	if (jsondoc_get_bool(status, "enabled"))
		printf(", generation %llu%s\n", number_of(status, "generation"),
		       jsondoc_get_bool(status, "sealed") ? ", sealed" : "");
	else
		puts(", the controller is not enabled here");

	if (!jsondoc_count(status, "local"))
		puts("\nAttached here: nothing");
	show_attachments(status, "local", "\nAttached here:");
	if (!jsondoc_count(status, "effective"))
		puts("\nEnforced here: nothing");
	show_attachments(status, "effective", "\nEnforced here, in this order:");
}

/* --- all bindings --------------------------------------------------------- */

/* "NAME=VALUE NAME=VALUE" */
static char *assignments(const struct json_object *params)
{
	char *text = NULL;

	json_object_object_foreach(params, name, value) {
		_cleanup_free_ char *one = NULL;

		one = text_new("%s=%s", name, json_object_get_string(value));
		text_add(&text, " ", one);
	}
	return text;
}

static void add_binding(struct libscols_table *table, const struct json_object *binding)
{
	struct json_object *params = jsondoc_get_object(binding, "params");
	const char *cgroup = jsondoc_get_text(binding, "cgroup");
	const char *state = text_of(binding, "state");
	_cleanup_free_ char *text = NULL;
	char id[32];

	snprintf(id, sizeof(id), "id:%llu", number_of(binding, "id"));
	if (params)
		text = assignments(params);
	line_color(table_add(table,
			     (const char *const[]){ cgroup ?: id,
						    jsondoc_get_text(binding, "policy") ?: "-",
						    jsondoc_get_text(binding, "version") ?: "-",
						    state_text(state), text }),
		   3, state_color(state));
}

static void show_all(struct json_object *bindings)
{
	static const char *const headings[] = {
		"CGROUP", "POLICY", "VERSION", "STATE", "PARAMETERS", NULL,
	};
	_cleanup_table_ struct libscols_table *table = table_new(headings);

	for (size_t i = 0; i < json_object_array_length(bindings); i++)
		add_binding(table, json_object_array_get_idx(bindings, i));
	if (scols_table_get_nlines(table))
		table_print(table, NULL);
	else
		puts("No policy is in force");
}

int command_status(const struct options *options, int argc, char **argv)
{
	_cleanup_json_ struct json_object *document = NULL;
	int status;

	if (argc)
		status = document_source_status(options, argv[0], &document);
	else
		status = document_source_bindings(options, &document);
	if (status)
		return status;
	if (options->json)
		json_print(document);
	else if (argc)
		show(document);
	else
		show_all(document);
	return EXIT_DONE;
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
