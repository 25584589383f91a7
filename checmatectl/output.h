/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* checmatectl - Tables and JSON on stdout */
#pragma once

#include <json-c/json.h>
#include <libsmartcols.h>
#include <stdbool.h>
#include <stdint.h>

#include "cleanup.h"

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

/* Adds a line of as many cells as there are headings; NULL is an empty cell. */
void table_add(struct libscols_table *table, const char *const *cells);

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
struct json_object *json_texts(char *const *strv);

void json_print(struct json_object *object);
