/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a program in a guest speaks to the plugin, which sees instructions and the
 * addresses that they read, but no registers: it reads the byte of a table whose index
 * is what it has to say, by an instruction that is found nowhere else. The one before it
 * is for the plugin's sake, see there.
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

/* cpuid */
#define MARK_BEFORE        \
	{                  \
		0x0f, 0xa2 \
	}

static const uint8_t mark_table[256] __attribute__((aligned(256), unused)) = { 0 };

static inline void mark_byte(uint8_t byte)
{
	uintptr_t at = (uintptr_t)mark_table + byte - MARK_DISPLACEMENT;
	uint32_t a = 0, c = 0;

	__asm__ volatile("cpuid\n\tmovb %c3(%2), %%al"
			 : "+a"(a), "+c"(c)
			 : "D"(at), "i"(MARK_DISPLACEMENT)
			 : "ebx", "edx", "memory");
}

static inline void mark_text(const char *text)
{
	for (; *text; text++)
		mark_byte((uint8_t)*text);
}

/* What is between the two is counted, for the arm @arm, if the plugin knows the path. */
static inline void mark_start(const char *path, const char *arm)
{
	mark_text("start ");
	mark_text(path);
	mark_text(" ");
	mark_text(arm);
	mark_text("\n");
}

static inline void mark_stop(void)
{
	mark_text("stop\n");
}
