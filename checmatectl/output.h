/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* checmatectl - Tables and JSON on stdout */
#pragma once

#include <json-c/json.h>
#include <libsmartcols.h>
#include <stdbool.h>
#include <stdint.h>

#include "cleanup.h"
#include "jsondoc.h"

static inline void json_putp(struct json_object **object)
{
	json_object_put(*object);
}

static inline void table_unrefp(struct libscols_table **table)
{
	scols_unref_table(*table);
}

#define _cleanup_json_ _cleanup_(json_putp)
#define _cleanup_table_ _cleanup_(table_unrefp)

/*
 * Running out of memory while printing ends the program with EXIT_FAILED: half
 * a table would be worse.
 */

/* A table with these headings; NULL ends them. */
struct libscols_table *table_new(const char *const *headings);

/* What a cell's text means to who reads it. */
enum color {
	COLOR_NONE,
	COLOR_GOOD,
	COLOR_NOTE,
	COLOR_WARN,
	COLOR_BAD,
};

/* Whether to use colours: "auto", "always" or "never". False: it is none of these. */
bool color_choose(const char *when);

/*
 * Adds a line of as many cells as there are headings; NULL is an empty cell. The
 * line is the table's.
 */
struct libscols_line *table_add(struct libscols_table *table, const char *const *cells);

/* The same, below another line; only in a table with a column that is a tree. */
struct libscols_line *table_add_below(struct libscols_table *table, struct libscols_line *parent,
				      const char *const *cells);

/* The first column is a tree, and cells may have several lines. Before any line. */
void table_is_tree(struct libscols_table *table);

/* Adds a line to the text of a cell, which may be NULL; free(3) it. */
void text_add_line(char **text, const char *line);

/* The same with what is between them. */
void text_add(char **text, const char *between, const char *more);

char *text_new(const char *format, ...) _printf_(1, 2);

/* Colours a cell, where colours are used. */
void line_color(struct libscols_line *line, size_t column, enum color color);

/* A text that every document of the kind has. */
static inline const char *text_of(const struct json_object *object, const char *key)
{
	return jsondoc_get_text(object, key) ?: "";
}

static inline unsigned long long number_of(const struct json_object *object, const char *key)
{
	return jsondoc_get_number(object, key);
}

/* Of a state as it is in a document: for a table, and its colour. */
const char *state_text(const char *state);
enum color state_color(const char *state);

/* Prints the table, below @title unless that is NULL. */
void table_print(struct libscols_table *table, const char *title);

struct json_object *json_new(void);
struct json_object *json_new_array(void);

/* Each takes over @value; @text NULL is null. */
void json_add(struct json_object *object, const char *key, struct json_object *value);
void json_add_text(struct json_object *object, const char *key, const char *text);
void json_add_number(struct json_object *object, const char *key, uint64_t number);
void json_add_bool(struct json_object *object, const char *key, bool value);
void json_append(struct json_object *array, struct json_object *value);
struct json_object *json_text(const char *text);
struct json_object *json_texts(char *const *strv);

void json_print(struct json_object *object);

/* In one line. */
void json_print_line(struct json_object *object);
