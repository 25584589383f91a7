// SPDX-License-Identifier: LGPL-2.1-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "insn.h"

#define KIND(...) \
	insn_classify((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void test_direct(void **state)
{
	(void)state;
	/* call, jmp, jmp short, je, je near, loop */
	assert_int_equal(KIND(0xe8, 1, 2, 3, 4), INSN_CALL);
	assert_int_equal(KIND(0xe9, 1, 2, 3, 4), INSN_JUMP);
	assert_int_equal(KIND(0xeb, 1), INSN_JUMP);
	assert_int_equal(KIND(0x74, 1), INSN_JUMP);
	assert_int_equal(KIND(0x0f, 0x84, 1, 2, 3, 4), INSN_JUMP);
	assert_int_equal(KIND(0xe2, 1), INSN_JUMP);
	/* call with a prefix that only pads it, as a retpoline leaves one */
	assert_int_equal(KIND(0x2e, 0xe8, 1, 2, 3, 4), INSN_CALL);
}

static void test_indirect(void **state)
{
	(void)state;
	/* call *%rax, call *%r11, call *8(%rdi), call *0x1000(%rip), lcall */
	assert_int_equal(KIND(0xff, 0xd0), INSN_CALL | INSN_INDIRECT);
	assert_int_equal(KIND(0x41, 0xff, 0xd3), INSN_CALL | INSN_INDIRECT);
	assert_int_equal(KIND(0xff, 0x57, 8), INSN_CALL | INSN_INDIRECT);
	assert_int_equal(KIND(0xff, 0x15, 0, 0x10, 0, 0), INSN_CALL | INSN_INDIRECT);
	assert_int_equal(KIND(0xff, 0x1f), INSN_CALL | INSN_INDIRECT);
	/* jmp *%rax, notrack jmp *%rax, jmp *%r11 */
	assert_int_equal(KIND(0xff, 0xe0), INSN_JUMP | INSN_INDIRECT);
	assert_int_equal(KIND(0x3e, 0xff, 0xe0), INSN_JUMP | INSN_INDIRECT);
	assert_int_equal(KIND(0x41, 0xff, 0xe3), INSN_JUMP | INSN_INDIRECT);
	/* incl (%rax), decl (%rax), push (%rax) */
	assert_int_equal(KIND(0xff, 0x00), 0);
	assert_int_equal(KIND(0xff, 0x08), 0);
	assert_int_equal(KIND(0xff, 0x30), 0);
}

static void test_leave(void **state)
{
	(void)state;
	/* ret, ret $8, repz ret, iretq, sysretq */
	assert_int_equal(KIND(0xc3), INSN_RETURN);
	assert_int_equal(KIND(0xc2, 8, 0), INSN_RETURN);
	assert_int_equal(KIND(0xf3, 0xc3), INSN_RETURN);
	assert_int_equal(KIND(0x48, 0xcf), INSN_LEAVE);
	assert_int_equal(KIND(0x48, 0x0f, 0x07), INSN_LEAVE);
}

static void test_locked(void **state)
{
	(void)state;
	/* lock incl (%rax), lock cmpxchg %rcx,(%rdx), lock addl %fs: */
	assert_int_equal(KIND(0xf0, 0xff, 0x00), INSN_LOCKED);
	assert_int_equal(KIND(0xf0, 0x48, 0x0f, 0xb1, 0x0a), INSN_LOCKED);
	assert_int_equal(KIND(0x64, 0xf0, 0x01, 0x04, 0x25, 0, 0, 0, 0), INSN_LOCKED);
	/* xchg with memory, between registers, and the nop of two bytes */
	assert_int_equal(KIND(0x48, 0x87, 0x07), INSN_LOCKED);
	assert_int_equal(KIND(0x86, 0x07), INSN_LOCKED);
	assert_int_equal(KIND(0x48, 0x87, 0xc7), 0);
	assert_int_equal(KIND(0x66, 0x90), 0);
}

static void test_others(void **state)
{
	(void)state;
	/* endbr64, nopl, mov, vpxor (whose second byte is no opcode), cut off ones */
	assert_int_equal(KIND(0xf3, 0x0f, 0x1e, 0xfa), 0);
	assert_int_equal(KIND(0x0f, 0x1f, 0x44, 0, 0), 0);
	assert_int_equal(KIND(0x48, 0x8b, 0xc3), 0);
	assert_int_equal(KIND(0xc5, 0xe8, 0xef, 0xd2), 0);
	assert_int_equal(KIND(0x0f), 0);
	assert_int_equal(KIND(0xff), 0);
	assert_int_equal(KIND(0x66), 0);
	assert_int_equal(KIND(0xf0), INSN_LOCKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_direct), cmocka_unit_test(test_indirect),
		cmocka_unit_test(test_leave),  cmocka_unit_test(test_locked),
		cmocka_unit_test(test_others),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
