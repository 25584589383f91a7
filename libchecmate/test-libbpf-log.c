// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Tests of what is made of the verifier's and libbpf's words */
#include <bpf/libbpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "libbpf-log.h"

static const char verifier_log[] =
	"reg type unsupported for arg#0 function judge#9\n"
	"0: R1=ctx() R10=fp0\n"
	"; int BPF_PROG(judge, struct socket *sock)\n"
	"0: (79) r1 = *(u64 *)(r1 +0)\n"
	"func 'bpf_lsm_socket_listen' arg0 has btf_id 1234 type STRUCT 'socket'\n"
	"1: R1_w=trusted_ptr_socket()\n"
	"1: (7b) *(u64 *)(r1 +8) = r1\n"
	"R1 invalid mem access 'scalar'\n"
	"processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 "
	"mark_read 0\n";

static const char relocation_log[] =
	"0: R1=ctx() R10=fp0\n"
	"; return sock->no_such_field;\n"
	"0: <invalid CO-RE relocation>\n"
	"failed to resolve CO-RE relocation <byte_off> [7] struct socket.no_such_field (0:0 @ "
	"offset 0)\n"
	"processed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 "
	"mark_read 0\n";

static void check_reason(const char *log, const char *expected)
{
	_cleanup_free_ char *reason = libbpf_log_reason(log);

	if (expected)
		assert_string_equal(reason, expected);
	else
		assert_null(reason);
}

static void test_reason(void **state)
{
	(void)state;
	check_reason("", NULL);
	check_reason("\n\n", NULL);
	check_reason("processed 2 insns\n", NULL);
	check_reason("0: (79) r1 = r2\n; comment\n", NULL);
	check_reason("one line", "one line");
	check_reason(verifier_log, "R1 invalid mem access 'scalar'");
	check_reason(relocation_log, "failed to resolve CO-RE relocation <byte_off> [7] struct "
				     "socket.no_such_field (0:0 @ offset 0)");
}

static void test_tail(void **state)
{
	(void)state;
	assert_string_equal(libbpf_log_tail("", 3), "");
	assert_string_equal(libbpf_log_tail("a\nb\nc\n", 1), "c\n");
	assert_string_equal(libbpf_log_tail("a\nb\nc\n", 2), "b\nc\n");
	assert_string_equal(libbpf_log_tail("a\nb\nc", 2), "b\nc");
	assert_string_equal(libbpf_log_tail("a\nb\nc\n", 3), "a\nb\nc\n");
	assert_string_equal(libbpf_log_tail("a\nb\nc\n", 99), "a\nb\nc\n");
}

static void test_program(void **state)
{
	_cleanup_free_ char *name = NULL;

	(void)state;
	name = libbpf_log_program(
		"libbpf: prog 'other': relo #0\n"
		"libbpf: prog 'judge': BPF program load failed: Permission denied\n"
		"libbpf: failed to load object 'checmate'\n");
	assert_string_equal(name, "judge");
	assert_null(libbpf_log_program("libbpf: failed to load object 'checmate'\n"));
	assert_null(libbpf_log_program("BPF program load failed: x\nprog 'judge'\n"));
	assert_null(libbpf_log_program("prog 'judge BPF program load failed: x\n"));
}

static int printed;

_printf_(2, 0) static int count(enum libbpf_print_level level, const char *format, va_list ap)
{
	(void)level;
	(void)format;
	(void)ap;
	printed++;
	return 0;
}

static void test_capture(void **state)
{
	static const char bad[] = "not an object";
	struct libbpf_log capture;

	(void)state;
	libbpf_set_print(count);

	libbpf_log_begin(&capture);
	assert_null(bpf_object__open_mem(bad, sizeof(bad), NULL));
	assert_non_null(capture.text);
	assert_int_equal(strlen(capture.text), capture.size);
	assert_int_equal(printed, 0);
	libbpf_log_end(&capture);
	assert_null(capture.text);

	/* Outside of a capture libbpf speaks to whom it did before. */
	assert_null(bpf_object__open_mem(bad, sizeof(bad), NULL));
	assert_true(printed > 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reason),
		cmocka_unit_test(test_tail),
		cmocka_unit_test(test_program),
		cmocka_unit_test(test_capture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
