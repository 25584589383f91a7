// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * json-check - Whether JSON is as a schema of docs/schema says
 *
 * usage: json-check SCHEMA <JSON
 *        json-check SCHEMA --each-line <LINES
 *
 * With --each-line every line is a document, and there is one at least. Knows as
 * much of JSON Schema as those schemas use; any other keyword is an error, so
 * that nothing passes because it was not looked at.
 * Exit status: 0 it is so, 1 it is not, 2 this cannot be found out.
 */
#include <fcntl.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "file.h"
#include "parse.h"

#define DOCUMENT_MAX (16 * 1024 * 1024)

static struct json_object *root;

/* While alternatives are tried, what is wrong with one of them is nothing to tell. */
static bool quiet;

static void __attribute__((noreturn)) _printf_(1, 2) unknown(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fputs("json-check: ", stderr);
	vfprintf(stderr, format, ap);
	fputs("\n", stderr);
	va_end(ap);
	exit(2);
}

static bool wrong(const char *path, const char *what, struct json_object *value)
{
	if (!quiet)
		printf("%s: %s: %s\n", *path ? path : "/", what, json_object_to_json_string(value));
	return false;
}

static struct json_object *member(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) ? value : NULL;
}

static bool has_type(struct json_object *value, const char *type)
{
	static const struct {
		const char *name;
		enum json_type type;
	} types[] = {
		{ "null", json_type_null },	{ "boolean", json_type_boolean },
		{ "integer", json_type_int },	{ "string", json_type_string },
		{ "object", json_type_object }, { "array", json_type_array },
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (streq(types[i].name, type))
			return json_object_is_type(value, types[i].type);
	unknown("type %s: it is not known here", type);
}

static bool check_type(struct json_object *types, struct json_object *value)
{
	if (!json_object_is_type(types, json_type_array))
		return has_type(value, json_object_get_string(types));
	for (size_t i = 0; i < json_object_array_length(types); i++)
		if (has_type(value, json_object_get_string(json_object_array_get_idx(types, i))))
			return true;
	return false;
}

static bool check_enum(struct json_object *values, struct json_object *value)
{
	for (size_t i = 0; i < json_object_array_length(values); i++)
		if (json_object_equal(json_object_array_get_idx(values, i), value))
			return true;
	return false;
}

static struct json_object *follow(const char *reference)
{
	const char *name = startswith(reference, "#/$defs/");
	struct json_object *found = name ? member(member(root, "$defs"), name) : NULL;

	if (!found)
		unknown("$ref %s: there is none", reference);
	return found;
}

static bool check(struct json_object *schema, struct json_object *value, const char *path);

static bool check_at(struct json_object *schema, struct json_object *value, const char *path,
		     const char *step)
{
	_cleanup_free_ char *longer = NULL;

	if (asprintf(&longer, "%s/%s", path, step) < 0)
		unknown("memory: none left");
	return check(schema, value, longer);
}

static bool check_object(struct json_object *schema, struct json_object *value, const char *path)
{
	struct json_object *properties = member(schema, "properties");
	struct json_object *others = member(schema, "additionalProperties");
	struct json_object *required = member(schema, "required");
	bool good = true;

	for (size_t i = 0; required && i < json_object_array_length(required); i++) {
		struct json_object *name = json_object_array_get_idx(required, i);

		if (!json_object_object_get_ex(value, json_object_get_string(name), NULL))
			good = wrong(path, "a member is missing", name);
	}
	json_object_object_foreach(value, key, item) {
		struct json_object *its = member(properties, key);

		if (!its && json_object_is_type(others, json_type_boolean)) {
			if (!json_object_get_boolean(others))
				good = wrong(path, "there is no such member", value);
			continue;
		}
		if (!its)
			its = others;
		if (its)
			good = check_at(its, item, path, key) && good;
	}
	return good;
}

static bool check_array(struct json_object *schema, struct json_object *value, const char *path)
{
	struct json_object *items = member(schema, "items");
	bool good = true;
	char step[24];

	for (size_t i = 0; items && i < json_object_array_length(value); i++) {
		snprintf(step, sizeof(step), "%zu", i);
		good = check_at(items, json_object_array_get_idx(value, i), path, step) && good;
	}
	return good;
}

static bool check_any(struct json_object *schemas, struct json_object *value, const char *path)
{
	bool before = quiet, good = false;

	quiet = true;
	for (size_t i = 0; !good && i < json_object_array_length(schemas); i++)
		good = check(json_object_array_get_idx(schemas, i), value, path);
	quiet = before;
	return good;
}

static bool check(struct json_object *schema, struct json_object *value, const char *path)
{
	bool good = true;

	json_object_object_foreach(schema, key, rule) {
		if (streq(key, "type"))
			good = (check_type(rule, value) || wrong(path, "another type", value)) &&
			       good;
		else if (streq(key, "enum"))
			good = (check_enum(rule, value) || wrong(path, "another value", value)) &&
			       good;
		else if (streq(key, "minimum"))
			good = (!json_object_is_type(value, json_type_int) ||
				json_object_get_double(value) >= json_object_get_double(rule) ||
				wrong(path, "too small", value)) &&
			       good;
		else if (streq(key, "$ref"))
			good = check(follow(json_object_get_string(rule)), value, path) && good;
		else if (streq(key, "anyOf"))
			good = (check_any(rule, value, path) ||
				wrong(path, "like none of what it can be", value)) &&
			       good;
		else if (!word_in_text("$schema $defs title description properties required "
				       "additionalProperties items",
				       key, " "))
			unknown("keyword %s: it is not known here", key);
	}
	if (json_object_is_type(value, json_type_object))
		return check_object(schema, value, path) && good;
	if (json_object_is_type(value, json_type_array))
		return check_array(schema, value, path) && good;
	return good;
}

/* Text that is no JSON is wrong, too. */
static bool check_text(const char *text)
{
	enum json_tokener_error error;
	struct json_object *value = json_tokener_parse_verbose(text, &error);
	bool good;

	if (error != json_tokener_success) {
		printf("not JSON: %s: %.60s\n", json_tokener_error_desc(error), text);
		return false;
	}
	good = check(root, value, "");
	json_object_put(value);
	return good;
}

static char *read_all(FILE *file)
{
	size_t size = 0;
	char *text = NULL;

	/* There is no NUL in JSON: this is all of it. */
	if (getdelim(&text, &size, '\0', file) < 0)
		unknown("standard input: empty");
	return text;
}

int main(int argc, char **argv)
{
	_cleanup_free_ char *schema = NULL, *text = NULL;
	bool good = true, lines;
	char *rest, *line;

	lines = argc == 3 && streq(argv[2], "--each-line");
	if (argc != 2 && !lines)
		unknown("usage: json-check SCHEMA [--each-line] <JSON");
	if (file_read(AT_FDCWD, argv[1], DOCUMENT_MAX, &schema, NULL) < 0)
		unknown("%s: not read", argv[1]);
	root = json_tokener_parse(schema);
	if (!json_object_is_type(root, json_type_object))
		unknown("%s: not JSON", argv[1]);

	text = read_all(stdin);
	rest = text;
	if (!lines)
		good = check_text(text);
	else
		while ((line = strsep(&rest, "\n")))
			good = (!*line || check_text(line)) && good;
	json_object_put(root);
	return good ? 0 : 1;
}
