// SPDX-License-Identifier: LGPL-2.1-or-later
/* Checmate policies - tests of what kernel-surface takes system calls for */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel-surface/syscalls.h"

/* Of both kinds, in order: the calls of mount(2)'s family. */
static const __u32 mounts[] = {
	21, 22, 52, 155, 165, 166, 217, 428, 429, 430, 431, 432, 433, 442, 467,
};

static void test_known(void **state)
{
	size_t next = 0;

	for (__u32 nr = 0; nr <= 469; nr++) {
		bool expected = next < sizeof(mounts) / sizeof(mounts[0]) && mounts[next] == nr;

		if (expected)
			next++;
		if (surface_mounts(nr) != expected || surface_mounts(nr | 0x40000000) != expected)
			fail_msg("number %u: %d is expected", nr, expected);
	}
	assert_int_equal(next, sizeof(mounts) / sizeof(mounts[0]));
	for (__u32 nr = 512; nr <= 547; nr++)
		assert_false(surface_mounts(nr | 0x40000000));
}

static void test_unknown(void **state)
{
	static const __u32 numbers[] = { 470, 471, 511, 548, 1024, 0x3fffffff, 0x80000000, -1, -2 };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		assert_true(surface_mounts(numbers[i]));
		assert_true(surface_mounts(numbers[i] | 0x40000000));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
