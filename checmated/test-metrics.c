// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - The figures as text: what they are, and that they are OpenMetrics
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "checmate.h"
#include "cleanup.h"
#include "metrics.h"

static const struct metrics_state no_state = { .backend = "checmate", .is_reader = true };

static char *text_of(const struct metrics *metrics, const struct metrics_state *state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	assert_int_equal(metrics_write(metrics, state, to), 0);
	fclose(to);
	assert_int_equal(strlen(text), size);
	return text;
}

static bool has_line(const char *text, const char *line)
{
	size_t n = strlen(line);

	for (const char *found = text; (found = strstr(found, line)); found++)
		if ((found == text || found[-1] == '\n') && found[n] == '\n')
			return true;
	return false;
}

static void check_line(const char *text, const char *line)
{
	if (!has_line(text, line))
		fail_msg("no line '%s' in\n%s", line, text);
}

/*
 * The text goes through the checker beside this, which knows the grammar and
 * nothing of us.
 */
static void check_grammar(const char *text, bool is_good)
{
	FILE *checker = popen("python3 " OPENMETRICS_CHECK, "w");

	assert_non_null(checker);
	assert_true(fputs(text, checker) >= 0);
	assert_int_equal(pclose(checker) == 0, is_good);
}

static void test_nothing_yet(void **state)
{
	_cleanup_(metrics_freep) struct metrics *metrics = NULL;
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_int_equal(metrics_new(&metrics), 0);
	text = text_of(metrics, &no_state);
	check_grammar(text, true);
	check_line(text, "checmate_cgroups_bound 0");
	check_line(text, "checmate_events_lost_total 0");
	check_line(text, "checmate_apply_duration_seconds_count 0");
	check_line(text, "checmate_apply_duration_seconds_sum 0.000000");
	check_line(text, "checmate_drift_total 0");
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
}

static void test_figures(void **state)
{
	static const struct metrics_bindings bindings[] = {
		{ "net-bind", "enforce", 1000 },
		{ "net-bind", "permissive", 1 },
	};
	static const struct metrics_state some = {
		.backend = "checmate",
		.cgroups = 1001,
		.bindings = bindings,
		.n_bindings = ARRAY_SIZE(bindings),
	};
	_cleanup_(metrics_freep) struct metrics *metrics = NULL;
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_int_equal(metrics_new(&metrics), 0);
	for (int i = 0; i < 3; i++)
		metrics_denied(metrics, "net-bind", "socket_bind", false);
	metrics_denied(metrics, "net-bind", "socket_bind", true);
	metrics_denied(metrics, "a", "z", false);
	metrics_lost(metrics, 7);
	metrics_lost(metrics, 1ull << 40);
	metrics_drifted(metrics);
	metrics_failed(metrics);
	metrics_failed(metrics);
	text = text_of(metrics, &some);
	check_grammar(text, true);
	check_line(text, "checmate_bindings{policy=\"net-bind\",mode=\"enforce\"} 1000");
	check_line(text, "checmate_bindings{policy=\"net-bind\",mode=\"permissive\"} 1");
	check_line(text, "checmate_cgroups_bound 1001");
	check_line(text, "checmate_denials_total{policy=\"net-bind\",hook=\"socket_bind\","
			 "mode=\"enforce\"} 3");
	check_line(text, "checmate_denials_total{policy=\"net-bind\",hook=\"socket_bind\","
			 "mode=\"permissive\"} 1");
	check_line(text, "checmate_denials_total{policy=\"a\",hook=\"z\",mode=\"enforce\"} 1");
	check_line(text, "checmate_events_lost_total 1099511627783");
	check_line(text, "checmate_events_reader 0");
	check_line(text, "checmate_drift_total 1");
	check_line(text, "checmate_apply_failures_total 2");
}

static void test_durations(void **state)
{
	_cleanup_(metrics_freep) struct metrics *metrics = NULL;
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_int_equal(metrics_new(&metrics), 0);
	metrics_applied(metrics, 0);
	metrics_applied(metrics, 1000);
	metrics_applied(metrics, 1001);
	metrics_applied(metrics, 10000000);
	metrics_applied(metrics, 10000001);
	text = text_of(metrics, &no_state);
	check_grammar(text, true);
	check_line(text, "checmate_apply_duration_seconds_bucket{le=\"0.001\"} 2");
	check_line(text, "checmate_apply_duration_seconds_bucket{le=\"0.0025\"} 3");
	check_line(text, "checmate_apply_duration_seconds_bucket{le=\"5.0\"} 3");
	check_line(text, "checmate_apply_duration_seconds_bucket{le=\"10.0\"} 4");
	check_line(text, "checmate_apply_duration_seconds_bucket{le=\"+Inf\"} 5");
	check_line(text, "checmate_apply_duration_seconds_count 5");
	check_line(text, "checmate_apply_duration_seconds_sum 20.002002");
}

/* Names come from records that any root process can make. */
static void test_names_of_others(void **state)
{
	_cleanup_(metrics_freep) struct metrics *metrics = NULL;
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_int_equal(metrics_new(&metrics), 0);
	metrics_denied(metrics, "a\"b\\c\ne{}= # ", "", false);
	metrics_denied(metrics, "\xc3\xa4", "}", true);
	text = text_of(metrics, &no_state);
	check_grammar(text, true);
	check_line(text, "checmate_denials_total{policy=\"a\\\"b\\\\c\\ne{}= # \",hook=\"\","
			 "mode=\"enforce\"} 1");
}

static size_t count_lines(const char *text, const char *beginning)
{
	size_t n = 0;

	for (const char *found = text; (found = strstr(found, beginning)); found++)
		n += found == text || found[-1] == '\n';
	return n;
}

static void test_series_are_bounded(void **state)
{
	_cleanup_(metrics_freep) struct metrics *metrics = NULL;
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_int_equal(metrics_new(&metrics), 0);
	for (int i = 0; i < 5000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "p%d", i);
		metrics_denied(metrics, name, "h", false);
		metrics_denied(metrics, "p0", "h", false);
	}
	text = text_of(metrics, &no_state);
	check_grammar(text, true);
	assert_int_equal(count_lines(text, "checmate_denials_total"), 1025);
	check_line(text, "checmate_denials_total{policy=\"p0\",hook=\"h\",mode=\"enforce\"} 5001");
	check_line(text, "checmate_denials_total{policy=\"other\",hook=\"other\",mode=\"enforce\"} "
			 "3976");
}

static void test_a_file_that_is_full(void **state)
{
	_cleanup_(metrics_freep) struct metrics *metrics = NULL;
	_cleanup_fclose_ FILE *to = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(to);
	setvbuf(to, NULL, _IONBF, 0);
	assert_int_equal(metrics_new(&metrics), 0);
	assert_int_equal(metrics_write(metrics, &no_state, to), -EIO);
}

/* The checker would see it. */
static void test_the_checker(void **state)
{
	static const char *const wrong[] = {
		"",
		"a 1\n",
		"# EOF",
		"# EOF\n# EOF\n",
		"# TYPE a counter\na 1\n# EOF\n",
		"# TYPE a gauge\n# TYPE a gauge\na 1\n# EOF\n",
		"# TYPE a gauge\na 1\na 1\n# EOF\n",
		"# TYPE a gauge\na{b=\"c} 1\n# EOF\n",
		"# TYPE a gauge\na{b=\"c\",b=\"d\"} 1\n# EOF\n",
		"# TYPE a gauge\na x\n# EOF\n",
		"# TYPE a gauge\na  1\n# EOF\n",
		"# TYPE a gauge\n\na 1\n# EOF\n",
		"# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\na{x=\"y\"} 2\n# EOF\n",
		"# TYPE a histogram\na_bucket{le=\"1.0\"} 2\na_bucket{le=\"+Inf\"} 1\na_count 1\n"
		"a_sum 1\n# EOF\n",
		"# TYPE a histogram\na_bucket{le=\"1.0\"} 2\na_count 2\na_sum 1\n# EOF\n",
		"# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_count 2\na_sum 1\n# EOF\n",
		"# TYPE a_seconds counter\n# UNIT a_seconds bytes\na_seconds_total 1\n# EOF\n",
		"# TYPE a counter\na_total -1\n# EOF\n",
		"# TYPE a info\na_info 2\n# EOF\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		check_grammar(wrong[i], false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_yet),
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_names_of_others),
		cmocka_unit_test(test_series_are_bounded),
		cmocka_unit_test(test_a_file_that_is_full),
		cmocka_unit_test(test_the_checker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
