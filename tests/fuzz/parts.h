/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz targets - An input of several texts
 *
 * Texts are separated by lines of "%%". The first is a binding file; of those
 * that follow one that begins with '/' is an identity: a cgroup's path, then
 * KEY=VALUE annotations, all in lines of their own; the others are drop-ins.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PARTS_MAX 8

struct part {
	const char *text;
	size_t size;
};

/* Returns how many there are, one at least; what is too much is in the last. */
static inline size_t parts_split(const char *text, size_t size, struct part parts[PARTS_MAX])
{
	static const char separator[] = "%%\n";
	size_t n = 0;

	for (;;) {
		const char *end = n + 1 < PARTS_MAX ?
					  memmem(text, size, separator, strlen(separator)) :
					  NULL;
		size_t length = end ? (size_t)(end - text) : size;

		parts[n++] = (struct part){ .text = text, .size = length };
		if (!end)
			return n;
		text = end + strlen(separator);
		size -= length + strlen(separator);
	}
}
