// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Parameters of a single value: errno, bool, number, choice */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "param.h"
#include "parse.h"

static int copy_text(const char *text, char **ret_text)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	*ret_text = copy;
	return 0;
}

/* --- errno ---------------------------------------------------------------- */

/* Largest errno value that the kernel can return. */
#define ERRNO_MAX 4095

/* Second names, which strerrorname_np() does not return. */
static const struct {
	const char *name;
	int value;
} errno_aliases[] = {
	{ "EWOULDBLOCK", EWOULDBLOCK },
	{ "ENOTSUP", ENOTSUP },
	{ "EDEADLOCK", EDEADLOCK },
};

/*
 * Values without a name are refused: among them are the kernel's private ones,
 * by which a system call asks to be restarted.
 */
static int parse_errno(const struct param_limits *limits, const char *text, void *ret_value,
		       const char **ret_reason)
{
	uint64_t number;
	__s32 value = 0;

	(void)limits;
	if (!parse_u64(text, ERRNO_MAX, &number) && number > 0 && strerrorname_np(number))
		value = number;
	for (size_t i = 0; !value && i < ARRAY_SIZE(errno_aliases); i++)
		if (streq(text, errno_aliases[i].name))
			value = errno_aliases[i].value;
	for (int i = 1; !value && i <= ERRNO_MAX; i++) {
		const char *name = strerrorname_np(i);

		if (name && streq(text, name))
			value = i;
	}

	if (!value)
		return param_bad(ret_reason, "not an errno");
	memcpy(ret_value, &value, sizeof(value));
	return 0;
}

static int format_errno(const struct param_limits *limits, const void *value, char **ret_text)
{
	const char *name;
	__s32 number;

	(void)limits;
	memcpy(&number, value, sizeof(number));
	name = number > 0 && number <= ERRNO_MAX ? strerrorname_np(number) : NULL;
	return name ? copy_text(name, ret_text) : -EINVAL;
}

const struct param_single param_errno = { .parse = parse_errno, .format = format_errno };

/* --- bool ----------------------------------------------------------------- */

/* No and yes, by turns; the first two are what is written. */
static const char *const bool_words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };

static int parse_bool(const struct param_limits *limits, const char *text, void *ret_value,
		      const char **ret_reason)
{
	(void)limits;
	for (size_t i = 0; i < ARRAY_SIZE(bool_words); i++) {
		__u32 value = i % 2;

		if (!streq(text, bool_words[i]))
			continue;
		memcpy(ret_value, &value, sizeof(value));
		return 0;
	}
	return param_bad(ret_reason, "neither yes nor no");
}

static int format_bool(const struct param_limits *limits, const void *value, char **ret_text)
{
	__u32 number;

	(void)limits;
	memcpy(&number, value, sizeof(number));
	return number <= 1 ? copy_text(bool_words[number], ret_text) : -EINVAL;
}

const struct param_single param_bool = { .parse = parse_bool, .format = format_bool };

/* --- number --------------------------------------------------------------- */

static int parse_number(const struct param_limits *limits, const char *text, void *ret_value,
			const char **ret_reason)
{
	uint64_t number;
	__u64 value;
	int r;

	r = parse_u64(text, limits->max, &number);
	if (r == -EINVAL)
		return param_bad(ret_reason, "not a number");
	if (r < 0 || number < limits->min)
		return param_bad(ret_reason, "out of range");
	value = number;
	memcpy(ret_value, &value, sizeof(value));
	return 0;
}

static int format_number(const struct param_limits *limits, const void *value, char **ret_text)
{
	char *text;
	__u64 number;

	memcpy(&number, value, sizeof(number));
	if (number < limits->min || number > limits->max)
		return -EINVAL;
	if (asprintf(&text, "%llu", number) < 0)
		return -ENOMEM;
	*ret_text = text;
	return 0;
}

const struct param_single param_number = { .parse = parse_number, .format = format_number };

/* --- choice --------------------------------------------------------------- */

static int parse_choice(const struct param_limits *limits, const char *text, void *ret_value,
			const char **ret_reason)
{
	for (__u32 i = 0; limits->choices[i]; i++) {
		if (!streq(text, limits->choices[i]))
			continue;
		memcpy(ret_value, &i, sizeof(i));
		return 0;
	}
	return param_bad(ret_reason, "not one of the choices");
}

static int format_choice(const struct param_limits *limits, const void *value, char **ret_text)
{
	__u32 number;

	memcpy(&number, value, sizeof(number));
	for (__u32 i = 0; limits->choices[i]; i++)
		if (i == number)
			return copy_text(limits->choices[i], ret_text);
	return -EINVAL;
}

const struct param_single param_choice = { .parse = parse_choice, .format = format_choice };
