// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - The root of a process, from its mountinfo
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cleanup.h"
#include "container-root.h"

static void test_root_of(void **unused)
{
	static const struct {
		const char *text;
		const char *root;
	} known[] = {
		{ "", NULL },
		{ "22 27 0:21 / /proc rw - proc proc rw\n", NULL },
		{ "27 1 254:0 / / rw - ext4 /dev/vda rw\n22 27 0:21 / /proc rw\n", "254:0 /" },
		{ "9 8 254:0 /b/root\\040fs / rw\n", "254:0 /b/root\\040fs" },
		{ "9 8 254:0 / / rw\n10 9 0:45 / / rw - overlay\n", "0:45 /" },
		{ "9 8 254:0 /", NULL },
		{ "/ / / / /", "/ /" },
		{ "\n \n  /\n", NULL },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		_cleanup_free_ char *text = strdup(known[i].text), *root = NULL;

		assert_non_null(text);
		assert_int_equal(container_root_of(text, &root), 0);
		if (!known[i].root)
			assert_null(root);
		else
			assert_string_equal(root, known[i].root);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_root_of),
	};

	return cmocka_run_group_tests_name("container-root", tests, NULL, NULL);
}
