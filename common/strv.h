/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Common - NULL ended arrays of strings */
#pragma once

#include <stdbool.h>
#include <stddef.h>

char **strv_free(char **strv);

static inline void strv_freep(char ***strv)
{
	*strv = strv_free(*strv);
}

#define _cleanup_strv_ _cleanup_(strv_freep)

size_t strv_length(char *const *strv);
bool strv_contains(char *const *strv, const char *string);

/* Appends a copy of @string. @strv may point to NULL. Returns 0, -ENOMEM. */
int strv_extend(char ***strv, const char *string);

void strv_sort(char **strv);
