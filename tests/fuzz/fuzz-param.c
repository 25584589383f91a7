// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Fuzz target - Parameter values: text to bytes and back
 *
 * The input is tried as the text, and as the bytes, of a value of every type.
 */
#include "cleanup.h"
#include "fuzz.h"
#include "param.h"

static char *words[] = { "one", "two", "three", NULL };
static const struct param_limits limits = { .min = 3, .max = 1000000, .choices = words };

/* The bytes have a text that means them, and no other text. */
static void check_value(const struct param_type *type, const void *value)
{
	_cleanup_free_ char *text = NULL, *again = NULL, *reason = NULL;
	_cleanup_free_ void *parsed = malloc(type->size);

	must(parsed);
	must(!param_type_format(type, &limits, value, &text));
	fuzz_check_harmless(text);
	must(!param_type_parse(type, &limits, text, parsed, &reason));
	must(!memcmp(value, parsed, type->size));
	must(!param_type_format(type, &limits, parsed, &again));
	must(!strcmp(text, again));
}

static void try_text(const struct param_type *type, const char *text)
{
	_cleanup_free_ void *value = calloc(1, type->size);
	_cleanup_free_ char *reason = NULL;

	must(value);
	if (!param_type_parse(type, &limits, text, value, &reason))
		check_value(type, value);
	else
		must(reason);
}

static void try_bytes(const struct param_type *type, const uint8_t *data, size_t size)
{
	_cleanup_free_ void *value = calloc(1, type->size);
	_cleanup_free_ char *text = NULL;

	must(value);
	memcpy(value, data, size < type->size ? size : type->size);
	if (!param_type_format(type, &limits, value, &text))
		check_value(type, value);
}

static void try_limits(const struct param_type *type, const char *min, const char *max,
		       const char *choices)
{
	struct param_limits read;
	char *form;

	if (param_limits_read(type, min, max, choices, &read))
		return;
	form = param_type_form(type, &read);
	must(form && *form);
	fuzz_check_harmless(form);
	free(form);
	param_limits_done(&read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = fuzz_text(data, size);

	for (size_t i = 0; param_type_get(i); i++) {
		const struct param_type *type = param_type_get(i);

		try_text(type, text);
		try_bytes(type, data, size);
		try_limits(type, text, text, NULL);
		try_limits(type, NULL, NULL, text);
	}
	return 0;
}
