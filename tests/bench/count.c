// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Benches - Counting the instructions of an operation
 */
#include "count.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 5
#define LOOPS 1000

/* What the counter shows for @run that does nothing. */
static uint64_t nothing_counts;

static int nothing(void *data)
{
	(void)data;
	return 0;
}

/* One instruction, and two for each round. */
static int loop(void *data)
{
	(void)data;
	__asm__ volatile("mov %0, %%ecx\n1:\tdec %%ecx\n\tjnz 1b" : : "i"(LOOPS) : "ecx", "cc");
	return 0;
}

/* Never inlined, so that what it adds is the same for every operation. */
static __attribute__((noinline)) int once(const struct count_operation *operation,
					  uint64_t *ret_value)
{
	uint64_t before, after;
	int r;

	before = count_now();
	r = operation->run(operation->data);
	after = count_now();
	*ret_value = after - before;
	return r;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Of the values that are seen equally often, the lowest comes first. */
static void enter(struct count *count, uint64_t value, unsigned int n)
{
	unsigned int i = COUNT_TOP;

	while (i > 0 && count->top[i - 1].n < n)
		i--;
	if (i == COUNT_TOP)
		return;
	memmove(&count->top[i + 1], &count->top[i], (COUNT_TOP - 1 - i) * sizeof(count->top[0]));
	count->top[i].value = value;
	count->top[i].n = n;
}

/* Sorts; fills the top of @count. */
static void tally(uint64_t *samples, unsigned int n, struct count *count)
{
	memset(count->top, 0, sizeof(count->top));
	qsort(samples, n, sizeof(*samples), compare);
	for (unsigned int i = 0, first = 0; i < n; i++)
		if (i + 1 == n || samples[i + 1] != samples[i]) {
			enter(count, samples[i], i + 1 - first);
			first = i + 1;
		}
}

int count_samples(uint64_t *samples, unsigned int iterations, unsigned int one_in,
		  struct count *ret_count)
{
	struct count count = { .iterations = iterations };
	uint64_t difference;

	if (!iterations || !one_in)
		return -EINVAL;
	tally(samples + iterations, iterations, &count);
	count.other = count.top[0].value;
	tally(samples, iterations, &count);
	count.value = count.top[0].value;
	tally(samples, 2 * iterations, &count);
	difference = count.value > count.other ? count.value - count.other :
						 count.other - count.value;
	if (difference > count.value / one_in)
		return -EAGAIN;
	*ret_count = count;
	return 0;
}

static int series(const struct count_operation *operation, unsigned int n, uint64_t *samples)
{
	for (unsigned int i = 0; i < n; i++) {
		uint64_t value;
		int r;

		if (operation->prepare) {
			r = operation->prepare(operation->data);
			if (r < 0)
				return r;
		}
		r = once(operation, &value);
		if (r < 0)
			return r;
		if (operation->finish) {
			r = operation->finish(operation->data);
			if (r < 0)
				return r;
		}
		if (samples)
			samples[i] = value - nothing_counts;
	}
	return 0;
}

int count_run(const struct count_operation *operation, unsigned int iterations,
	      struct count *ret_count)
{
	uint64_t *samples;
	int r = -EAGAIN;

	samples = calloc(2 * (size_t)iterations, sizeof(*samples));
	if (!samples)
		return -ENOMEM;
	for (int try = 0; try < TRIES && r == -EAGAIN; try++) {
		r = series(operation, iterations / 10 + 1, NULL);
		if (r >= 0)
			r = series(operation, iterations, samples);
		if (r >= 0)
			r = series(operation, iterations, samples + iterations);
		if (r >= 0)
			r = count_samples(samples, iterations, 1000, ret_count);
	}
	free(samples);
	return r;
}

uint64_t count_overhead(void)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 100; i++) {
		uint64_t before = count_now(), after = count_now();

		if (after - before < least)
			least = after - before;
	}
	return least;
}

int count_calibrate(void)
{
	const struct count_operation empty = { .run = nothing }, known = { .run = loop };
	struct count count;
	int r;

	nothing_counts = 0;
	r = count_run(&empty, 1000, &count);
	if (r >= 0) {
		nothing_counts = count.value;
		r = count_run(&known, 1000, &count);
	}
	if (r < 0) {
		fprintf(stderr, "the counter cannot be calibrated: %s\n", strerror(-r));
		return -EIO;
	}
	if (count.value != 1 + 2 * LOOPS) {
		fprintf(stderr, "a loop of %d instructions counts %" PRIu64 "\n", 1 + 2 * LOOPS,
			count.value);
		return -EIO;
	}
	printf("# calibrated: a loop of %d instructions counts %" PRIu64 "\n", 1 + 2 * LOOPS,
	       count.value);
	fflush(stdout);
	return 0;
}

void count_row(const char *arm, const char *op, uint64_t value, const char *base, const char *over)
{
	printf("%s\t%s\t%" PRIu64 "\t%s\t%s\n", arm, op, value, base ? base : "-",
	       over ? over : "-");
	fflush(stdout);
}

void count_print(const char *arm, const char *op, const struct count *count, const char *base,
		 const char *over)
{
	printf("# %s %s, of %u:", arm, op, 2 * count->iterations);
	for (int i = 0; i < COUNT_TOP && count->top[i].n; i++)
		printf(" %" PRIu64 " x %u", count->top[i].value, count->top[i].n);
	printf("; series %" PRIu64 " and %" PRIu64 "\n", count->value, count->other);
	count_row(arm, op, count->value, base, over);
}
