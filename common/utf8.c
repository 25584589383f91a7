// SPDX-License-Identifier: LGPL-2.1-or-later
/* Common - Texts of others that are to be shown */
#include "utf8.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_tail(const unsigned char *bytes, size_t size, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (i >= size || (bytes[i] & 0xc0) != 0x80)
			return false;
	return true;
}

/*
 * The second byte tells the overlong forms, the surrogates, what is beyond Unicode,
 * and the control characters from U+0080.
 */
size_t utf8_length(const char *text, size_t size)
{
	const unsigned char *bytes = (const unsigned char *)text;
	unsigned char first = bytes[0], least = 0x80, most = 0xbf;
	size_t n;

	if (first < 0x80)
		return first >= ' ' && first != 0x7f;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	n = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (!is_tail(bytes, size, n))
		return 0;
	if (first == 0xc2 || first == 0xe0)
		least = 0xa0;
	else if (first == 0xf0)
		least = 0x90;
	else if (first == 0xed)
		most = 0x9f;
	else if (first == 0xf4)
		most = 0x8f;
	return bytes[1] >= least && bytes[1] <= most ? n : 0;
}

static char *octal_escape(char *to, char byte)
{
	unsigned char number = byte;

	*to++ = '\\';
	*to++ = '0' + (number >> 6);
	*to++ = '0' + (number >> 3 & 7);
	*to++ = '0' + (number & 7);
	return to;
}

size_t utf8_escape_to(char *to, const char *text, size_t size,
		      size_t (*length)(const char *text, size_t size))
{
	const char *begin = to;

	while (size) {
		size_t n = length(text, size);

		if (n) {
			memcpy(to, text, n);
			to += n;
		} else {
			n = 1;
			to = octal_escape(to, *text);
		}
		text += n;
		size -= n;
	}
	*to = '\0';
	return to - begin;
}

char *utf8_escape_by(const char *text, size_t (*length)(const char *text, size_t size))
{
	size_t size = strlen(text);
	char *copy = malloc(UTF8_ESCAPED(size));

	if (copy)
		utf8_escape_to(copy, text, size, length);
	return copy;
}

char *utf8_escape(const char *text)
{
	return utf8_escape_by(text, utf8_length);
}
