/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz targets - What they share
 *
 * Each fuzz-*.c gives one input to one part of the library and checks what has
 * to hold whatever the input was. Built with libFuzzer they look for inputs by
 * themselves, see "./check fuzz"; built with main.c they try the files given.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define must(condition)                                                                         \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                               \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input as text, up to its first NUL; to be freed. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);

	must(text);
	return text;
}

/* What an input made never reaches a terminal as more than text. */
static inline void fuzz_check_harmless(const char *text)
{
	must(text);
	for (; *text; text++)
		must((unsigned char)*text >= ' ' && *text != '\177');
}
