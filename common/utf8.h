/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Common - Texts of others that are to be shown */
#pragma once

#include <stddef.h>

/*
 * Bytes of the character that @text begins with, which has @size bytes; 0 when it is
 * none that can be shown: a control character, or not UTF-8.
 */
size_t utf8_length(const char *text, size_t size);

/* Bytes that an escaped text of @size bytes needs at most: each may become "\ooo". */
#define UTF8_ESCAPED(size) ((size)*4 + 1)

/**
 * utf8_escape_to() - Write a text of which every byte that cannot be shown is "\ooo".
 * @to: receives the text, UTF8_ESCAPED(@size) bytes at most, with a NUL.
 * @text: the text.
 * @size: its bytes.
 * @length: as utf8_length(), of what can be shown there.
 *
 * Return: the bytes before the NUL.
 */
size_t utf8_escape_to(char *to, const char *text, size_t size,
		      size_t (*length)(const char *text, size_t size));

/* The same as a copy, which the caller frees; NULL: no memory. */
char *utf8_escape_by(const char *text, size_t (*length)(const char *text, size_t size));

/* The same by utf8_length(). */
char *utf8_escape(const char *text);
