/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* checmatectl - Messages on stderr, and the exit statuses that go with them */
#pragma once

#include "checmate.h"
#include "cleanup.h"
#include "jsondoc.h"

/* Exit statuses; those from 125 on are of "run" only, as env(1) has them. */
enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NO_SETUP = 125,
	EXIT_NO_EXEC = 126,
	EXIT_NOT_FOUND = 127,
};

/* Says why the library failed. Returns EXIT_FAILED. */
int fail(const struct checmate_error *error);

/* Says why there is no document. Returns EXIT_FAILED. */
int fail_jsondoc(const struct jsondoc_error *error);

/* Says "THING: REASON; REMEDY". Returns EXIT_FAILED. */
int fail_text(const char *format, ...) _printf_(1, 2);

/* Says what is wrong with the command line. Returns EXIT_USAGE. */
int usage(const char *format, ...) _printf_(1, 2);

/* Says what makes no command fail. */
void say(const char *format, ...) _printf_(1, 2);
