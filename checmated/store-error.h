/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - What a change of bindings failed with
 *
 * Functions that change bindings return -errno and fill a struct store_error. They log
 * success themselves, because only they know what they did; the caller logs a failure.
 */
#pragma once

#include "checmate.h"
#include "cleanup.h"

struct store_error {
	char *text; /* one line */
	char *detail; /* several lines, or NULL */
};

void store_error_done(struct store_error *error);
_printf_(3, 4) int store_error_set(struct store_error *error, int r, const char *format, ...);
int store_error_set_oom(struct store_error *error);
int store_error_set_library(struct store_error *error, int r, const struct checmate_error *e);
int store_error_set_record(struct store_error *error, int r, const char *dir, const char *what);
void store_error_join(struct store_error *all, struct store_error *one);
