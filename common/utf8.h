/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Common - Texts of others that are to be shown */
#pragma once

#include <stddef.h>

/*
 * Bytes of the character that @text begins with, which has @size bytes; 0 when it is
 * none that can be shown: a control character, or not UTF-8.
 */
size_t utf8_length(const char *text, size_t size);

/* Bytes of "\ooo". */
#define OCTAL_LENGTH 4

/* Writes a byte in octal, without a NUL. Returns what follows it. */
char *octal_escape(char *to, char byte);

/* A copy of which every byte that cannot be shown is "\ooo"; NULL: no memory. */
char *utf8_escape(const char *text);
