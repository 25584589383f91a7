/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libchecmate - Parameter values: text to bytes and back
 *
 * A type is one of three kinds: a single value, a set of bits, or a list whose
 * entries are all alike. Sets and lists are written with commas or blanks
 * between the entries; "" is the empty one.
 */
#pragma once

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "checmate-types.h"

/*
 * The values of lists, as this library has them: @count of the entries are in use, the others
 * are 0. Programs find them in other places, see instance.h.
 */
#define PARAM_LIST(name, entry_type, max)     \
	struct name {                         \
		__u32 count;                  \
		__u32 reserved;               \
		struct entry_type entry[max]; \
	}
PARAM_LIST(checmate_endpoints, checmate_endpoint, CHECMATE_LIST_MAX);
PARAM_LIST(checmate_port_ranges, checmate_port_range, CHECMATE_LIST_MAX);
PARAM_LIST(checmate_id_ranges, checmate_id_range, CHECMATE_LIST_MAX);
PARAM_LIST(checmate_path_prefixes, checmate_path_prefix, CHECMATE_TEXT_LIST_MAX);
PARAM_LIST(checmate_names, checmate_name, CHECMATE_TEXT_LIST_MAX);

/* Most choices that a parameter can offer. */
#define PARAM_CHOICES_MAX 32

/**
 * struct param_limits - What one parameter makes of its type.
 * @min: smallest number, for the type "number".
 * @max: largest number, likewise.
 * @choices: the words, NULL ended, for the type "choice"; else NULL.
 */
struct param_limits {
	uint64_t min;
	uint64_t max;
	char **choices;
};

/**
 * struct param_single - A single value.
 * @parse: text to bytes. On failure leaves @ret_value alone; *ret_reason
 *         receives a static text. Returns 0, -EINVAL.
 * @format: bytes to text, to be freed. Returns 0; -EINVAL for bytes that mean
 *          nothing; -ENOMEM.
 */
struct param_single {
	int (*parse)(const struct param_limits *limits, const char *text, void *ret_value,
		     const char **ret_reason);
	int (*format)(const struct param_limits *limits, const void *value, char **ret_text);
};

/**
 * struct param_set - A set of at most 64 members, as the bits of a __u64.
 * @find: the bit of the member called @name, or -EINVAL.
 * @name: writes the name of the member @bit. Returns 0; -EINVAL there is none.
 * @unknown: what to say of a text that names no member.
 */
#define PARAM_MEMBER_MAX 48
struct param_set {
	int (*find)(const char *name);
	int (*name)(unsigned int bit, char text[PARAM_MEMBER_MAX]);
	const char *unknown;
};

/**
 * struct param_list - A list: a __u32 count, a __u32 that is 0, the entries.
 * @size: bytes of an entry.
 * @max: most entries.
 * @parse: as of struct param_single, for one entry; what it does not write is 0.
 * @format: writes the text of one entry. Returns 0; -EINVAL for bytes that mean
 *          nothing.
 */
#define PARAM_ENTRY_MAX (2 * CHECMATE_PATH_MAX)
struct param_list {
	size_t size;
	size_t max;
	int (*parse)(const char *text, void *ret_entry, const char **ret_reason);
	int (*format)(const void *entry, char text[PARAM_ENTRY_MAX]);
};

/**
 * struct param_type - A type that a parameter can have.
 * @name: as written in the policy object's decl tag.
 * @form: accepted text, for a person; NULL when it depends on the limits.
 * @list: the value lives in a map of its own, else in a global variable.
 * @size: bytes of a value.
 * @single: the kind; one of these three is not NULL.
 * @set: likewise.
 * @entries: likewise.
 */
struct param_type {
	const char *name;
	const char *form;
	bool list;
	size_t size;
	const struct param_single *single;
	const struct param_set *set;
	const struct param_list *entries;
};

/* The type of that name, or NULL. */
const struct param_type *param_type_find(const char *name);

/* All types, one after the other; NULL when @index is too large. */
const struct param_type *param_type_get(size_t index);

/* The accepted text with the limits in it, to be freed; NULL without memory. */
char *param_type_form(const struct param_type *type, const struct param_limits *limits);

/**
 * param_type_parse() - Text to bytes.
 * @type: type.
 * @limits: what the parameter makes of it.
 * @text: text.
 * @ret_value: receives @type->size bytes.
 * @ret_reason: on failure receives a text to free that quotes what was not
 *              understood, or NULL when memory is short.
 *
 * Return: 0; -EINVAL not understood; -E2BIG too many entries; -ENOMEM.
 */
int param_type_parse(const struct param_type *type, const struct param_limits *limits,
		     const char *text, void *ret_value, char **ret_reason);

/**
 * param_type_format() - Bytes to the text that means them.
 * @type: type.
 * @limits: what the parameter makes of it.
 * @value: @type->size bytes.
 * @ret_text: receives the text, to be freed.
 *
 * Return: 0; -EINVAL the bytes mean nothing; -ENOMEM.
 */
int param_type_format(const struct param_type *type, const struct param_limits *limits,
		      const void *value, char **ret_text);

/**
 * param_limits_read() - Read what a policy says of one of its parameters.
 * @type: its type.
 * @min: smallest number, as text, or NULL.
 * @max: largest number, likewise.
 * @choices: the words, with '|' between them, or NULL.
 * @ret_limits: receives the limits, see param_limits_done().
 *
 * Return: 0; -EINVAL @type wants others, or they are ill-formed; -ENOMEM.
 */
int param_limits_read(const struct param_type *type, const char *min, const char *max,
		      const char *choices, struct param_limits *ret_limits);

void param_limits_done(struct param_limits *limits);

/* Sets *ret_reason, which is static, and returns -EINVAL. */
static inline int param_bad(const char **ret_reason, const char *reason)
{
	*ret_reason = reason;
	return -EINVAL;
}

/**
 * param_range() - NUMBER or NUMBER-NUMBER.
 * @text: text.
 * @max: largest number.
 * @ret_first: receives the first number.
 * @ret_last: receives the last number.
 *
 * Return: 0; -EINVAL not understood; -ERANGE the first is above the last.
 */
int param_range(const char *text, uint64_t max, uint64_t *ret_first, uint64_t *ret_last);

/* --- the kinds, by file --------------------------------------------------- */

/* param-single.c */
extern const struct param_single param_errno, param_bool, param_number, param_choice;
/* param-set.c */
extern const struct param_set param_capabilities, param_families, param_socket_types, param_signals;
/* param-net.c */
extern const struct param_list param_endpoints, param_ports;
/* param-text.c */
extern const struct param_list param_ids, param_paths, param_names;

/**
 * endpoint_parse() - One endpoint.
 * @text: ADDRESS[/PREFIX]:PORT[-PORT][/PROTOCOL], an IPv6 address in [].
 * @ret_endpoint: receives the endpoint.
 * @ret_reason: on -EINVAL receives a static text.
 *
 * Return: 0, -EINVAL.
 */
int endpoint_parse(const char *text, struct checmate_endpoint *ret_endpoint,
		   const char **ret_reason);

/* Writes the shortest text of an endpoint. Returns 0; -EINVAL not a valid one. */
#define ENDPOINT_TEXT_MAX 96
int endpoint_format(const struct checmate_endpoint *endpoint, char text[ENDPOINT_TEXT_MAX]);
