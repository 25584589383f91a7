/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Common - Numbers and words from text, strictly */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool streq(const char *a, const char *b)
{
	return !strcmp(a, b);
}

/* Returns what follows @prefix in @text, or NULL. */
static inline const char *startswith(const char *text, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(text, prefix, n) ? NULL : text + n;
}

/* Returns where @suffix begins in @text, or NULL. */
static inline const char *endswith(const char *text, const char *suffix)
{
	size_t n = strlen(text), m = strlen(suffix);

	return n >= m && streq(text + n - m, suffix) ? text + n - m : NULL;
}

/**
 * parse_u64() - Digits to number.
 * @text: decimal digits and nothing else: no sign, no blanks.
 * @max: largest accepted value.
 * @ret_value: receives the value.
 *
 * Return: 0; -EINVAL not such digits; -ERANGE above @max.
 */
int parse_u64(const char *text, uint64_t max, uint64_t *ret_value);

/* Whether @word is one of the blank separated words of @text. */
bool word_in_text(const char *text, const char *word, const char *separators);

/*
 * Whether @text is a name: 1 to @max characters of a-z, 0-9, '-', beginning
 * with a letter or digit.
 */
bool name_is_valid(const char *text, size_t max);
