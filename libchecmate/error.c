// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Explanations of failures */
#include "error.h"
#include "text.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

struct checmate_error {
	char *text;
	char *log;
};

/*
 * Names and texts of others are quoted in explanations, and these are shown on
 * terminals: control characters become '?'.
 */
static void make_harmless(char *text, const char *allowed)
{
	for (; *text; text++)
		if (((unsigned char)*text < ' ' && !strchr(allowed, *text)) || *text == '\177')
			*text = '?';
}

_printf_(3, 0) static void fill(struct checmate_error **ret_error, const char *log,
				const char *format, va_list ap)
{
	struct checmate_error *error;

	if (!ret_error)
		return;

	/* An explanation set further down is replaced by the wider one. */
	*ret_error = checmate_error_free(*ret_error);

	error = calloc(1, sizeof(*error));
	if (!error)
		return;
	error->text = text_vformat(format, ap);
	if (error->text)
		make_harmless(error->text, "");
	if (log && *log)
		error->log = strdup(log);
	if (error->log)
		make_harmless(error->log, "\n\t");
	*ret_error = error;
}

int error_set(struct checmate_error **ret_error, int code, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fill(ret_error, NULL, format, ap);
	va_end(ap);
	return code;
}

int error_set_log(struct checmate_error **ret_error, int code, const char *log, const char *format,
		  ...)
{
	va_list ap;

	va_start(ap, format);
	fill(ret_error, log, format, ap);
	va_end(ap);
	return code;
}

int error_oom(struct checmate_error **ret_error)
{
	return error_set(ret_error, -ENOMEM, "memory: none left; free some and try again");
}

const char *checmate_error_text(const struct checmate_error *error)
{
	if (!error || !error->text)
		return "memory: none left to explain a failure; free some and try again";
	return error->text;
}

const char *checmate_error_log(const struct checmate_error *error)
{
	return error ? error->log : NULL;
}

struct checmate_error *checmate_error_free(struct checmate_error *error)
{
	if (error) {
		free(error->text);
		free(error->log);
		free(error);
	}
	return NULL;
}
