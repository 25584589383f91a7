/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * jsondoc - Building documents
 *
 * Memory may run out at any step. Then *@r becomes -ENOMEM, and from then on nothing
 * happens any more, but that what is given to be added is freed: it is enough to look
 * at *@r in the end.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "cleanup.h"

static inline void json_putp(struct json_object **object)
{
	json_object_put(*object);
}

#define _cleanup_json_ _cleanup_(json_putp)

struct json_object *build_object(int *r);
struct json_object *build_array(int *r);

/* Each takes over @value; NULL is null. */
void build_add(int *r, struct json_object *object, const char *key, struct json_object *value);
void build_append(int *r, struct json_object *array, struct json_object *value);

/* @text NULL is null. */
void build_text(int *r, struct json_object *object, const char *key, const char *text);
void build_number(int *r, struct json_object *object, const char *key, uint64_t number);
void build_bool(int *r, struct json_object *object, const char *key, bool value);
