/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Benches - Counting the instructions of an operation
 *
 * For programs that run in a guest started with tests/vm/run --icount: there the
 * time stamp counter goes on by one with each instruction, of whatever program or of
 * the kernel. It also jumps ahead while the only processor is idle, so an operation
 * that is counted must not sleep.
 *
 * A row for ./bench is "arm TAB op TAB value TAB base TAB over" on stdout. A line that
 * begins with "#" is kept in the bench's log and means nothing.
 */
#pragma once

#include <stdint.h>
#include <x86intrin.h>

/**
 * struct count_operation - What is counted
 * @prepare: called before each time, not counted; may be NULL
 * @run: what is counted, without the call itself
 * @finish: called after each time, not counted; may be NULL
 * @data: given to each
 *
 * All return 0 or a negative errno, which ends the counting.
 */
struct count_operation {
	int (*prepare)(void *data);
	int (*run)(void *data);
	int (*finish)(void *data);
	void *data;
};

#define COUNT_TOP 6

/**
 * struct count - What was counted
 * @value: the instructions of most iterations: the mode
 * @other: the same of the second series
 * @iterations: of a series
 * @top: the most frequent values of both series, most frequent first, and how often
 *       each was seen; @n is 0 where there are no more
 */
struct count {
	uint64_t value;
	uint64_t other;
	unsigned int iterations;
	struct {
		uint64_t value;
		unsigned int n;
	} top[COUNT_TOP];
};

/* The instructions so far. Take it twice, and subtract count_overhead(). */
static inline uint64_t count_now(void)
{
	return __rdtsc();
}

/**
 * count_calibrate() - See that instructions are what is counted
 *
 * A loop of known length must count exactly its length. To be called first.
 *
 * Return: 0, or -EIO and a line on stderr.
 */
int count_calibrate(void);

/**
 * count_overhead() - What a pair of count_now() with nothing between counts
 *
 * Return: instructions.
 */
uint64_t count_overhead(void);

/**
 * count_run() - Count an operation
 * @operation: the operation
 * @iterations: how often to run it in a series, after a tenth as often without counting
 * @ret_count: what was counted
 *
 * Two series are run. Their modes must agree, to one in a thousand; if they do not,
 * both are run again, a few times.
 *
 * Return: 0; -EAGAIN if no two series agreed; or what the operation returned.
 */
int count_run(const struct count_operation *operation, unsigned int iterations,
	      struct count *ret_count);

/**
 * count_samples() - Judge what was counted elsewhere
 * @samples: two series of equal length, the second after the first; they get sorted
 * @iterations: of a series
 * @one_in: the two modes must agree to one in so many
 * @ret_count: what they come to
 *
 * Return: 0, or -EAGAIN if the two modes do not agree.
 */
int count_samples(uint64_t *samples, unsigned int iterations, unsigned int one_in,
		  struct count *ret_count);

/**
 * count_row() - Print a row
 * @arm: the arm
 * @op: the operation
 * @value: the figure
 * @base: the arm whose figure of the same operation is subtracted, or NULL
 * @over: the arm by whose difference this one's is divided, or NULL
 */
void count_row(const char *arm, const char *op, uint64_t value, const char *base, const char *over);

/**
 * count_print() - Print a row of what was counted, and its histogram
 * @arm: the arm
 * @op: the operation
 * @count: what was counted
 * @base: as for count_row()
 * @over: as for count_row()
 */
void count_print(const char *arm, const char *op, const struct count *count, const char *base,
		 const char *over);
