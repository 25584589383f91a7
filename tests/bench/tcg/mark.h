/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a program in a guest speaks to the plugin, which sees instructions and the
 * addresses that they read, but no registers: it reads the byte of a table whose index
 * is what it has to say, by an instruction that is found nowhere else.
 */

#pragma once

#include <stdint.h>

/* The displacement that tells the instruction from all others. */
#define MARK_DISPLACEMENT 0x4d4b4843

/* movb MARK_DISPLACEMENT(%rdi), %al */
#define MARK_BYTES                                 \
	{                                          \
		0x8a, 0x87, 0x43, 0x48, 0x4b, 0x4d \
	}

static const uint8_t mark_table[256] __attribute__((aligned(256), unused)) = { 0 };

static inline void mark_byte(uint8_t byte)
{
	uintptr_t at = (uintptr_t)mark_table + byte - MARK_DISPLACEMENT;

	__asm__ volatile("movb %c1(%0), %%al" : : "D"(at), "i"(MARK_DISPLACEMENT) : "al", "memory");
}

static inline void mark_text(const char *text)
{
	for (; *text; text++)
		mark_byte((uint8_t)*text);
}
