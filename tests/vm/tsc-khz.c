// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Print the frequency of this machine's time stamp counter, in kHz.
 *
 * An emulated guest reads the same counter. Left to itself it measures it
 * against a timer that QEMU serves late on a busy machine, and then falls back
 * to a clock that only moves with the tick.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#if defined(__x86_64__) || defined(__i386__)
#include <x86intrin.h>

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Both clocks at one moment: of several tries the least disturbed one. */
static void sample(uint64_t *ret_ns, uint64_t *ret_ticks)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 20; i++) {
		uint64_t before = __rdtsc(), ns = now(), after = __rdtsc();

		if (after - before < best) {
			best = after - before;
			*ret_ns = ns;
			*ret_ticks = before + (after - before) / 2;
		}
	}
}

int main(void)
{
	struct timespec pause = { .tv_nsec = 30 * 1000 * 1000 };
	uint64_t ns[2] = { 0 }, ticks[2] = { 0 };

	sample(&ns[0], &ticks[0]);
	nanosleep(&pause, NULL);
	sample(&ns[1], &ticks[1]);
	printf("%llu\n", (unsigned long long)((ticks[1] - ticks[0]) * 1000000 / (ns[1] - ns[0])));
	return 0;
}
#else
int main(void)
{
	return 1;
}
#endif
