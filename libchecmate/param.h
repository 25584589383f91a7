/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libchecmate - Parameter values: text to bytes and back */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "checmate-types.h"

/**
 * struct param_type - A type that a parameter can have.
 * @name: as written in the policy object's decl tag.
 * @form: accepted text, for a person.
 * @list: the value lives in a map of its own, else in a global variable.
 * @size: bytes of a value.
 * @parse: text to @size bytes. On failure returns -EINVAL, -E2BIG or -ENOMEM
 *         and leaves @ret_value alone; *ret_reason receives a text to free, or
 *         NULL when memory is short.
 * @format: bytes to text, to be freed; -EINVAL for bytes that mean nothing.
 */
struct param_type {
	const char *name;
	const char *form;
	bool list;
	size_t size;
	int (*parse)(const char *text, void *ret_value, char **ret_reason);
	int (*format)(const void *value, char **ret_text);
};

/* The type of that name, or NULL. */
const struct param_type *param_type_find(const char *name);

/**
 * endpoint_parse() - One endpoint.
 * @text: ADDRESS[/PREFIX]:PORT[-PORT], an IPv6 address in [].
 * @ret_endpoint: receives the endpoint.
 * @ret_reason: on -EINVAL receives a static text.
 *
 * Return: 0, -EINVAL.
 */
int endpoint_parse(const char *text, struct checmate_endpoint *ret_endpoint,
		   const char **ret_reason);

/* Writes the shortest text of an endpoint. Returns 0; -EINVAL not a valid one. */
#define ENDPOINT_TEXT_MAX 80
int endpoint_format(const struct checmate_endpoint *endpoint, char text[ENDPOINT_TEXT_MAX]);
