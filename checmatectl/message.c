// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - Messages on stderr */
#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * Every message is written here. nonnull: else a sanitizer's check of @format is taken for a
 * sign that @format may be NULL.
 */
_printf_(1, 0)
	__attribute__((nonnull)) static void put(const char *format, va_list ap, const char *end)
{
	fputs("checmatectl: ", stderr);
	vfprintf(stderr, format, ap);
	fputs(end, stderr);
}

void say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	put(format, ap, "\n");
	va_end(ap);
}

int fail_text(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	put(format, ap, "\n");
	va_end(ap);
	return EXIT_FAILED;
}

int usage(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	put(format, ap, "; see \"checmatectl --help\"\n");
	va_end(ap);
	return EXIT_USAGE;
}

/* The lines of @log, which may be NULL, belong to the message before them. */
static int fail_log(const char *text, const char *log)
{
	say("%s", text);
	while (log && *log) {
		int n = strcspn(log, "\n");

		fprintf(stderr, "    %.*s\n", n, log);
		log += n + (log[n] == '\n');
	}
	return EXIT_FAILED;
}

int fail(const struct checmate_error *error)
{
	return fail_log(checmate_error_text(error), checmate_error_log(error));
}

int fail_jsondoc(const struct jsondoc_error *error)
{
	return error->text ? fail_log(error->text, error->detail) : fail(NULL);
}
