/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What kind of x86-64 instruction it is, by its bytes, as far as the counting of a
 * path asks.
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

enum insn_kind {
	INSN_CALL = 1 << 0,
	INSN_JUMP = 1 << 1,
	/* A call or a jump whose target is in a register or in memory. */
	INSN_INDIRECT = 1 << 2,
	INSN_RETURN = 1 << 3,
	/* Back to where the processor was before an interrupt or a system call. */
	INSN_LEAVE = 1 << 4,
	/* An atomic access: with the lock prefix, or an exchange with memory. */
	INSN_LOCKED = 1 << 5,
};

/**
 * insn_classify() - Tells what kind of instruction it is
 * @bytes: The instruction, in 64-bit mode.
 * @size: Its length.
 *
 * Return: Flags of enum insn_kind, 0 for one that nobody asks about.
 */
static inline unsigned int insn_classify(const uint8_t *bytes, size_t size)
{
	unsigned int kind = 0, operation;
	size_t i;

	for (i = 0; i < size; i++) {
		switch (bytes[i]) {
		case 0xf0:
			kind = INSN_LOCKED;
			continue;
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0x64 ... 0x67:
		case 0xf2:
		case 0xf3:
		case 0x40 ... 0x4f:
			continue;
		}
		break;
	}
	if (i == size)
		return kind;
	switch (bytes[i]) {
	case 0x0f:
		if (i + 1 == size)
			return kind;
		switch (bytes[i + 1]) {
		case 0x07: /* sysret */
		case 0x35: /* sysexit */
			return kind | INSN_LEAVE;
		case 0x80 ... 0x8f:
			return kind | INSN_JUMP;
		}
		return kind;
	case 0x70 ... 0x7f:
	case 0xe0 ... 0xe3:
	case 0xe9:
	case 0xeb:
		return kind | INSN_JUMP;
	case 0xe8:
		return kind | INSN_CALL;
	case 0xc2:
	case 0xc3:
	case 0xca:
	case 0xcb:
		return kind | INSN_RETURN;
	case 0xcf:
		return kind | INSN_LEAVE;
	case 0x86: /* xchg, locked when an operand is in memory */
	case 0x87:
		if (i + 1 < size && bytes[i + 1] >> 6 != 3)
			kind |= INSN_LOCKED;
		return kind;
	case 0xff:
		operation = i + 1 < size ? bytes[i + 1] >> 3 & 7 : 0;
		if (operation == 2 || operation == 3)
			return kind | INSN_CALL | INSN_INDIRECT;
		if (operation == 4 || operation == 5)
			return kind | INSN_JUMP | INSN_INDIRECT;
		return kind;
	}
	return kind;
}
