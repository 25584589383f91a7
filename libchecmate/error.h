/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libchecmate - Explanations of failures */
#pragma once

#include "checmate.h"
#include "cleanup.h"

#define _cleanup_error_ _cleanup_(checmate_error_freep)

/**
 * error_set() - Explain a failure.
 * @ret_error: where to, or NULL.
 * @code: negative errno value, passed through.
 * @format: "thing: reason; remedy".
 *
 * Return: @code, so that it can end a function.
 */
int error_set(struct checmate_error **ret_error, int code, const char *format, ...) _printf_(3, 4);

/* As error_set(), with a log of several lines; @log is copied, may be NULL. */
int error_set_log(struct checmate_error **ret_error, int code, const char *log, const char *format,
		  ...) _printf_(4, 5);

/* Replaces a reason by out of memory; the usual end of a failed allocation. */
int error_oom(struct checmate_error **ret_error);
