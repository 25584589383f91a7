// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - Tables and JSON on stdout */
#include "output.h"

#include <stdarg.h>

#include "command.h"
#include "parse.h"
#include "text.h"

static void no_memory(void)
{
	exit(fail_text("memory: none left; free some and try again"));
}

static void *need(void *pointer)
{
	if (!pointer)
		no_memory();
	return pointer;
}

/* --color, before it is asked: only on a terminal that has colours. */
static enum {
	COLOR_AUTO,
	COLOR_ALWAYS,
	COLOR_NEVER
} color_when;

bool color_choose(const char *when)
{
	static const char *const words[] = { "auto", "always", "never" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (streq(when, words[i])) {
			color_when = i;
			return true;
		}
	return false;
}

static bool use_color(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (color_when != COLOR_AUTO)
		return color_when == COLOR_ALWAYS;
	return isatty(STDOUT_FILENO) && (!no || !*no) && term && !streq(term, "dumb");
}

static const char *const color_names[] = {
	[COLOR_GOOD] = "green",
	[COLOR_NOTE] = "cyan",
	[COLOR_WARN] = "yellow",
	[COLOR_BAD] = "red",
};

struct libscols_table *table_new(const char *const *headings)
{
	struct libscols_table *table = need(scols_new_table());

	if (scols_table_enable_colors(table, use_color()))
		no_memory();
	for (; *headings; headings++)
		need(scols_table_new_column(table, *headings, 0, 0));
	return table;
}

void table_is_tree(struct libscols_table *table)
{
	for (size_t i = 0; i < scols_table_get_ncols(table); i++) {
		struct libscols_column *column = scols_table_get_column(table, i);

		if (scols_column_set_flags(column, i ? SCOLS_FL_WRAP : SCOLS_FL_TREE) ||
		    (i && scols_column_set_wrapfunc(column, scols_wrapnl_chunksize,
						    scols_wrapnl_nextchunk, NULL)) ||
		    (i && scols_column_set_safechars(column, "\n")))
			no_memory();
	}
}

void text_add(char **text, const char *between, const char *more)
{
	char *longer = text_new("%s%s%s", *text ?: "", *text ? between : "", more);

	free(*text);
	*text = longer;
}

void text_add_line(char **text, const char *line)
{
	text_add(text, "\n", line);
}

char *text_new(const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	text = text_vformat(format, ap);
	va_end(ap);
	return need(text);
}

void line_color(struct libscols_line *line, size_t column, enum color color)
{
	struct libscols_cell *cell = scols_line_get_cell(line, column);

	if (color_names[color] && scols_cell_set_color(cell, color_names[color]))
		no_memory();
}

struct libscols_line *table_add(struct libscols_table *table, const char *const *cells)
{
	return table_add_below(table, NULL, cells);
}

struct libscols_line *table_add_below(struct libscols_table *table, struct libscols_line *parent,
				      const char *const *cells)
{
	struct libscols_line *line = need(scols_table_new_line(table, parent));

	for (size_t i = 0; i < scols_table_get_ncols(table); i++)
		if (scols_line_set_data(line, i, cells[i] ?: ""))
			no_memory();
	return line;
}

void table_print(struct libscols_table *table, const char *title)
{
	if (title)
		puts(title);
	fflush(stdout);
	scols_print_table(table);
}

static const struct {
	const char *word;
	const char *text;
	enum color color;
} states[] = {
	{ "in-force", "in force", COLOR_GOOD },
	{ "staged", "staged", COLOR_NOTE },
	{ "permissive", "permissive", COLOR_WARN },
	{ "detached", "detached", COLOR_BAD },
	{ "gone", "gone", COLOR_BAD },
};

/* One that is newer than we are is shown as it is. */
const char *state_text(const char *state)
{
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (streq(states[i].word, state))
			return states[i].text;
	return state;
}

enum color state_color(const char *state)
{
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (streq(states[i].word, state))
			return states[i].color;
	return COLOR_NONE;
}

struct json_object *json_new(void)
{
	return need(json_object_new_object());
}

struct json_object *json_new_array(void)
{
	return need(json_object_new_array());
}

void json_add(struct json_object *object, const char *key, struct json_object *value)
{
	if (json_object_object_add(object, key, value))
		no_memory();
}

void json_add_text(struct json_object *object, const char *key, const char *text)
{
	json_add(object, key, json_text(text));
}

void json_add_number(struct json_object *object, const char *key, uint64_t number)
{
	json_add(object, key, need(json_object_new_uint64(number)));
}

void json_add_bool(struct json_object *object, const char *key, bool value)
{
	json_add(object, key, need(json_object_new_boolean(value)));
}

void json_append(struct json_object *array, struct json_object *value)
{
	if (json_object_array_add(array, value))
		no_memory();
}

struct json_object *json_text(const char *text)
{
	return text ? need(json_object_new_string(text)) : NULL;
}

struct json_object *json_texts(char *const *strv)
{
	struct json_object *array = json_new_array();

	for (; strv && *strv; strv++)
		json_append(array, need(json_object_new_string(*strv)));
	return array;
}

void json_print(struct json_object *object)
{
	puts(need((void *)jsondoc_text(object, true)));
}

void json_print_line(struct json_object *object)
{
	puts(need((void *)jsondoc_text(object, false)));
}
