// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - tree: what holds in every cgroup, and where it comes from */
#include <string.h>

#include "command.h"
#include "document-source.h"
#include "output.h"

/* Texts of as many lines as there are policies; the colour is of the worst. */
struct cells {
	char *names;
	char *states;
	char *from;
	enum color color;
};

static void cells_done(struct cells *cells)
{
	free(cells->names);
	free(cells->states);
	free(cells->from);
}

static void add_policy(struct cells *cells, const struct json_object *item)
{
	const char *policy = jsondoc_get_text(item, "policy");
	const char *state = text_of(item, "state");
	enum color color = state_color(state);
	char program[64];

	snprintf(program, sizeof(program), "(program %s)", text_of(item, "name"));
	text_add_line(&cells->names, policy ?: program);
	text_add_line(&cells->states, state_text(state));
	text_add_line(&cells->from,
		      jsondoc_get_bool(item, "inherited") ? text_of(item, "cgroup") : "-");
	cells->color = color > cells->color ? color : cells->color;
}

static void add_node(struct libscols_table *table, struct libscols_line *parent,
		     const struct json_object *node)
{
	_cleanup_(cells_done) struct cells cells = { .color = COLOR_GOOD };
	const char *path = text_of(node, "cgroup"), *slash = strrchr(path, '/');
	struct libscols_line *line;

	for (size_t i = 0; i < jsondoc_count(node, "policies"); i++)
		add_policy(&cells, jsondoc_get_item(node, "policies", i));
	if (jsondoc_get_bool(node, "sealed")) {
		text_add_line(&cells.names, "(sealed)");
		text_add_line(&cells.states, "");
		text_add_line(&cells.from, "");
	}

	line = table_add_below(table, parent,
			       (const char *const[]){ parent && slash ? slash + 1 : path,
						      cells.names, cells.states, cells.from });
	line_color(line, 2, cells.color);
	for (size_t i = 0; i < jsondoc_count(node, "children"); i++)
		add_node(table, line, jsondoc_get_item(node, "children", i));
}

int command_tree(const struct options *options, int argc, char **argv)
{
	static const char *const headings[] = { "CGROUP", "POLICY", "STATE", "FROM", NULL };
	_cleanup_table_ struct libscols_table *table = table_new(headings);
	_cleanup_json_ struct json_object *top = NULL;
	int status;

	status = document_source_tree(options, argc ? argv[0] : "/", &top);
	if (status)
		return status;
	if (options->json) {
		json_print(top);
		return EXIT_DONE;
	}
	if (!options->all && !jsondoc_count(top, "policies") && !jsondoc_count(top, "children")) {
		printf("%s: no policy holds there or below\n", text_of(top, "cgroup"));
		return EXIT_DONE;
	}
	table_is_tree(table);
	add_node(table, NULL, top);
	table_print(table, NULL);
	return EXIT_DONE;
}
