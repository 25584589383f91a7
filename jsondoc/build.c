// SPDX-License-Identifier: LGPL-2.1-or-later
/* jsondoc - Building documents, reading them, and why there is none */
#include "build.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "jsondoc.h"
#include "text.h"
#include "utf8.h"

/* --- building ---------------------------------------------------------------- */

static struct json_object *need(int *r, struct json_object *value)
{
	if (!value && *r >= 0)
		*r = -ENOMEM;
	return value;
}

struct json_object *build_object(int *r)
{
	return *r < 0 ? NULL : need(r, json_object_new_object());
}

struct json_object *build_array(int *r)
{
	return *r < 0 ? NULL : need(r, json_object_new_array());
}

void build_add(int *r, struct json_object *object, const char *key, struct json_object *value)
{
	if (*r >= 0 && json_object_object_add(object, key, value))
		*r = -ENOMEM;
	if (*r < 0)
		json_object_put(value);
}

void build_append(int *r, struct json_object *array, struct json_object *value)
{
	if (*r >= 0 && json_object_array_add(array, value))
		*r = -ENOMEM;
	if (*r < 0)
		json_object_put(value);
}

/* Bytes at @text that can stay: ASCII, for which JSON has forms of its own, or UTF-8. */
static size_t plain_length(const char *text, size_t size)
{
	return (unsigned char)*text < 0x80 ? 1 : utf8_length(text, size);
}

static struct json_object *text_json(const char *text)
{
	_cleanup_free_ char *escaped = utf8_escape_by(text, plain_length);

	return escaped ? json_object_new_string(escaped) : NULL;
}

void build_text(int *r, struct json_object *object, const char *key, const char *text)
{
	if (*r >= 0)
		build_add(r, object, key, text ? need(r, text_json(text)) : NULL);
}

void build_number(int *r, struct json_object *object, const char *key, uint64_t number)
{
	if (*r >= 0)
		build_add(r, object, key, need(r, json_object_new_uint64(number)));
}

void build_bool(int *r, struct json_object *object, const char *key, bool value)
{
	if (*r >= 0)
		build_add(r, object, key, need(r, json_object_new_boolean(value)));
}

/* --- reading ----------------------------------------------------------------- */

static struct json_object *get(const struct json_object *object, const char *key,
			       enum json_type type)
{
	struct json_object *value;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, key, &value) || !json_object_is_type(value, type))
		return NULL;
	return value;
}

const char *jsondoc_get_text(const struct json_object *object, const char *key)
{
	struct json_object *value = get(object, key, json_type_string);

	return value ? json_object_get_string(value) : NULL;
}

size_t jsondoc_count(const struct json_object *object, const char *key)
{
	struct json_object *array = get(object, key, json_type_array);

	return array ? json_object_array_length(array) : 0;
}

struct json_object *jsondoc_get_item(const struct json_object *object, const char *key, size_t index)
{
	struct json_object *array = get(object, key, json_type_array);

	return array ? json_object_array_get_idx(array, index) : NULL;
}

struct json_object *jsondoc_get_object(const struct json_object *object, const char *key)
{
	return get(object, key, json_type_object);
}

uint64_t jsondoc_get_number(const struct json_object *object, const char *key)
{
	struct json_object *value = get(object, key, json_type_int);

	return value ? json_object_get_uint64(value) : 0;
}

bool jsondoc_get_bool(const struct json_object *object, const char *key)
{
	struct json_object *value = get(object, key, json_type_boolean);

	return value && json_object_get_boolean(value);
}

const char *jsondoc_text(struct json_object *document, bool pretty)
{
	return json_object_to_json_string_ext(document, JSON_C_TO_STRING_NOSLASHESCAPE |
								(pretty ? JSON_C_TO_STRING_PRETTY :
									  JSON_C_TO_STRING_PLAIN));
}

/* --- errors ------------------------------------------------------------------ */

void jsondoc_error_done(struct jsondoc_error *error)
{
	free(error->text);
	free(error->detail);
	*error = (struct jsondoc_error){};
}

int jsondoc_error_take(struct jsondoc_error *error, struct checmate_error *from, int r)
{
	const char *log = checmate_error_log(from);

	jsondoc_error_done(error);
	error->text = strdup(checmate_error_text(from));
	error->detail = log && *log ? strdup(log) : NULL;
	checmate_error_free(from);
	return r;
}

int jsondoc_error_set(struct jsondoc_error *error, int r, const char *format, ...)
{
	va_list ap;

	jsondoc_error_done(error);
	va_start(ap, format);
	error->text = text_vformat(format, ap);
	va_end(ap);
	return r;
}
