// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - Tables and JSON on stdout */
#include "output.h"

#include "command.h"

static void no_memory(void)
{
	fputs("checmate: memory: none left; free some and try again\n", stderr);
	exit(EXIT_FAILED);
}

static void *need(void *pointer)
{
	if (!pointer)
		no_memory();
	return pointer;
}

struct libscols_table *table_new(const char *const *headings)
{
	struct libscols_table *table = need(scols_new_table());

	for (; *headings; headings++)
		need(scols_table_new_column(table, *headings, 0, 0));
	return table;
}

void table_add(struct libscols_table *table, const char *const *cells)
{
	struct libscols_line *line = need(scols_table_new_line(table, NULL));

	for (size_t i = 0; i < scols_table_get_ncols(table); i++)
		if (scols_line_set_data(line, i, cells[i] ?: ""))
			no_memory();
}

void table_print(struct libscols_table *table, const char *title)
{
	if (title)
		puts(title);
	fflush(stdout);
	scols_print_table(table);
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
	json_add(object, key, text ? need(json_object_new_string(text)) : NULL);
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

struct json_object *json_texts(char *const *strv)
{
	struct json_object *array = json_new_array();

	for (; strv && *strv; strv++)
		json_append(array, need(json_object_new_string(*strv)));
	return array;
}

void json_print(struct json_object *object)
{
	puts(need((void *)json_object_to_json_string_ext(object,
							 JSON_C_TO_STRING_PRETTY |
								 JSON_C_TO_STRING_NOSLASHESCAPE)));
}
