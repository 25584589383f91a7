// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - explain: who judges what a process does, and what they would say */
#include <string.h>

#include "command.h"
#include "document-source.h"
#include "output.h"
#include "parse.h"
#include "paths.h"
#include "target.h"

/* --- who is asked ------------------------------------------------------------ */

static void add_program(struct libscols_table *table, const char *hook, size_t order,
			const struct json_object *item)
{
	const char *policy = jsondoc_get_text(item, "policy");
	const char *state = text_of(item, "state");
	char program[64], place[24] = "-";

	if (!streq(state, "staged"))
		snprintf(place, sizeof(place), "%zu", order);
	snprintf(program, sizeof(program), "(program %s, id %llu)", text_of(item, "name"),
		 number_of(item, "prog"));
	line_color(table_add(table, (const char *const[]){ hook, place, policy ?: program,
							   state_text(state),
							   jsondoc_get_text(item, "errno") ?: "-",
							   text_of(item, "cgroup") }),
		   3, state_color(state));
}

static void add_hook(struct libscols_table *table, const struct json_object *hook)
{
	for (size_t i = 0; i < jsondoc_count(hook, "programs"); i++)
		add_program(table, text_of(hook, "hook"), i + 1,
			    jsondoc_get_item(hook, "programs", i));
}

/* --- what they would say ------------------------------------------------------ */

static void explain_verdict(const struct json_object *policy)
{
	const char *verdict = jsondoc_get_text(policy, "errno") ?: "an error";
	bool permissive = jsondoc_get_bool(policy, "permissive");

	if (streq(text_of(policy, "state"), "staged"))
		printf("  Judges nothing before an exec begins; what it denies then %s %s.\n",
		       permissive ? "is told only, and would fail with" : "fails with", verdict);
	else if (permissive)
		printf("  What it would let fail with %s is told, and let pass.\n", verdict);
	else
		printf("  What it denies fails with %s.\n", verdict);
}

/* @path is what policies see. */
static void explain_nearest(const struct json_object *nearest, const char *path)
{
	_cleanup_free_ char *shown = jsondoc_printable(path);
	_cleanup_free_ char *fault = jsondoc_path_fault(nearest);
	_cleanup_free_ char *entry = NULL;

	entry = jsondoc_printable(text_of(nearest, "path"));
	if (jsondoc_get_bool(nearest, "covers"))
		printf("      %s: listed, by %s\n", shown ?: path, entry ?: "");
	else if (*text_of(nearest, "path"))
		printf("      %s: not listed; nearest is %s\n", shown ?: path, entry ?: "");
	else
		printf("      %s: not listed, nor anything near\n", shown ?: path);
	if (fault)
		printf("      %s\n", fault);
}

static const char *path_seen(const struct json_object *document)
{
	const struct json_object *path = jsondoc_get_object(document, "path");

	return jsondoc_get_text(path, "resolved") ?: jsondoc_get_text(path, "path");
}

static void explain_path(const struct json_object *path)
{
	_cleanup_free_ char *shown = jsondoc_printable(text_of(path, "path"));
	_cleanup_free_ char *link = jsondoc_printable(text_of(path, "link"));
	_cleanup_free_ char *resolved = jsondoc_printable(text_of(path, "resolved"));
	const char *kind = text_of(path, "kind");

	if (!shown || !link || !resolved)
		return;
	if (streq(kind, "link"))
		printf("%s is %s: %s is a symbolic link\n", shown, resolved, link);
	else if (streq(kind, "unknown"))
		printf("%s cannot be looked at; run as root\n", shown);
	else if (!streq(kind, "exact"))
		printf("%s does not exist\n", shown);
}

static void explain_params(const struct json_object *document, const struct json_object *policy)
{
	const struct json_object *params = jsondoc_get_object(policy, "params");
	const struct json_object *docs = jsondoc_get_object(policy, "docs");

	if (!params)
		return;
	json_object_object_foreach(params, name, value) {
		printf("    %s=%s\n      %s\n", name, json_object_get_string(value),
		       text_of(docs, name));
		for (size_t i = 0; i < jsondoc_count(policy, "nearest"); i++) {
			const struct json_object *nearest = jsondoc_get_item(policy, "nearest", i);

			if (streq(text_of(nearest, "parameter"), name))
				explain_nearest(nearest, path_seen(document));
		}
	}
}

static void explain_policy(const struct json_object *document, const struct json_object *item)
{
	const char *policy = jsondoc_get_text(item, "policy");

	if (!policy) {
		printf("\n(program %s), attached to %s\n", text_of(item, "name"),
		       text_of(item, "cgroup"));
		printf("  Not of Checmate's policies: only its author knows what it denies;\n"
		       "  see \"bpftool prog show id %llu\".\n",
		       number_of(item, "prog"));
		return;
	}
	printf("\n%s, bound to %s\n", policy, text_of(item, "cgroup"));
	if (!jsondoc_get_bool(item, "described")) {
		puts("  What it denies cannot be read; run as root.");
		return;
	}
	printf("  %s\n", text_of(item, "description"));
	explain_verdict(item);
	if (jsondoc_get_bool(item, "inherited"))
		printf("  Inherited by %s.\n", text_of(document, "cgroup"));
	explain_params(document, item);
}

static void explain(const struct json_object *document, const char *hook)
{
	static const char *const headings[] = { "HOOK",	 "ORDER", "POLICY", "STATE",
						"ERRNO", "FROM",  NULL };
	_cleanup_table_ struct libscols_table *table = table_new(headings);

	printf("%s (id %llu)\n", text_of(document, "cgroup"), number_of(document, "id"));
	if (jsondoc_get_object(document, "path"))
		explain_path(jsondoc_get_object(document, "path"));
	for (size_t i = 0; i < jsondoc_count(document, "hooks"); i++)
		add_hook(table, jsondoc_get_item(document, "hooks", i));
	if (!scols_table_get_nlines(table)) {
		printf("\n%s%snothing is judged here by a policy\n", hook ?: "", hook ? ": " : "");
		return;
	}
	table_print(table, "\nAsked in this order; the first that denies ends it:");
	for (size_t i = 0; i < jsondoc_count(document, "policies"); i++)
		explain_policy(document, jsondoc_get_item(document, "policies", i));
}

/* A process says itself which root is meant, another target by a process of it. */
static pid_t find_pid(const char *target)
{
	_cleanup_(jsondoc_error_done) struct jsondoc_error error = {};
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	uint64_t pid;

	if (!parse_u64(target, INT32_MAX, &pid))
		return pid;
	if (target_open(target, true, &cgroup, &error) < 0)
		return 0;
	return jsondoc_root_pid(cgroup);
}

/* The form alone decides what a word is: the name of a hook has no '/'. */
static int read_words(char *const *words, const char **ret_hook, const char **ret_path)
{
	for (; *words; words++) {
		const char **word = is_file_path(*words) ? ret_path : ret_hook;

		if (!**words)
			return usage("explain: the hook's name is empty; without one, all are "
				     "explained");
		if (*word)
			return usage("explain: %s: one hook, and one path of a file", *words);
		*word = *words;
	}
	return EXIT_DONE;
}

int command_explain(const struct options *options, int argc, char **argv)
{
	const char *hook = NULL, *path = NULL;
	_cleanup_json_ struct json_object *document = NULL;
	int status;

	(void)argc;
	status = read_words(argv + 1, &hook, &path) ?:
			 document_source_explain(options, argv[0], hook, &document);
	if (!status && path)
		status = paths_explain(document, path, find_pid(argv[0]));
	if (status)
		return status;
	if (options->json)
		json_print(document);
	else
		explain(document, hook);
	return EXIT_DONE;
}
