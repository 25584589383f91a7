// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "net-probe-uring.h"

static void fatal(const char *what)
{
	perror(what);
	exit(1);
}

static void *map(int ring, size_t size, off_t offset)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, offset);

	if (at == MAP_FAILED)
		fatal("io_uring: mmap");
	return at;
}

int uring_do(const struct io_uring_sqe *request, enum uring_way way)
{
	struct io_uring_params params = {
		.flags = way == URING_POLLED ? IORING_SETUP_SQPOLL : 0,
	};
	unsigned int enter = IORING_ENTER_GETEVENTS;
	struct io_uring_cqe *completions;
	struct io_uring_sqe *requests;
	unsigned int *indices;
	int ring, result;
	char *sq, *cq;

	ring = syscall(SYS_io_uring_setup, 1, &params);
	if (ring < 0)
		fatal("io_uring_setup");
	sq = map(ring, params.sq_off.array + params.sq_entries * sizeof(*indices),
		 IORING_OFF_SQ_RING);
	cq = map(ring, params.cq_off.cqes + params.cq_entries * sizeof(*completions),
		 IORING_OFF_CQ_RING);
	requests = map(ring, params.sq_entries * sizeof(*requests), IORING_OFF_SQES);
	indices = (unsigned int *)(sq + params.sq_off.array);
	completions = (struct io_uring_cqe *)(cq + params.cq_off.cqes);

	requests[0] = *request;
	if (way == URING_WORKER)
		requests[0].flags |= IOSQE_ASYNC;
	indices[0] = 0;
	__atomic_store_n((unsigned int *)(sq + params.sq_off.tail), 1, __ATOMIC_SEQ_CST);

	if (way == URING_POLLED)
		enter |= IORING_ENTER_SQ_WAKEUP;
	/* With a polling thread the number is not looked at. */
	if (syscall(SYS_io_uring_enter, ring, 1, 1, enter, NULL, 0) < 0)
		fatal("io_uring_enter");
	if (__atomic_load_n((unsigned int *)(cq + params.cq_off.tail), __ATOMIC_SEQ_CST) == 0) {
		fputs("io_uring: nothing was completed\n", stderr);
		exit(1);
	}
	result = completions[0].res;
	close(ring);
	return result;
}
