/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Samples - The Test Anything Protocol for the programs that try them
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static unsigned int tap_count, tap_failed;

/* One test and its result; returns the result. */
__attribute__((format(printf, 2, 3))) static inline bool ok(bool good, const char *format, ...)
{
	va_list args;

	printf("%sok %u - ", good ? "" : "not ", ++tap_count);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	if (!good)
		tap_failed++;
	return good;
}

/* The same for a result that is to be a certain number, such as an errno. */
static inline bool is(int have, int want, const char *what)
{
	if (have != want)
		printf("# %s: have %d, want %d\n", what, have, want);
	return ok(have == want, "%s", what);
}

static inline void skip(const char *what, const char *why)
{
	printf("ok %u - %s # SKIP %s\n", ++tap_count, what, why);
}

/* The plan, at the end; returns the exit status of the program. */
static inline int done_testing(void)
{
	printf("1..%u\n", tap_count);
	return tap_failed != 0;
}
