/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* checmatectl - Messages on stderr: "checmatectl: THING: REASON; REMEDY" */
#pragma once

#include "checmate.h"
#include "cleanup.h"
#include "jsondoc.h"

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
