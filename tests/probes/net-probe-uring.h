/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checmate policies - One request by io_uring
 *
 * By system calls alone: a test program needs no more.
 */
#pragma once

#include <linux/io_uring.h>

enum uring_way {
	URING_INLINE, /* as part of the system call, where the request can */
	URING_WORKER, /* by a worker thread */
	URING_POLLED, /* by the thread that polls the ring */
};

/*
 * Does what @request says and waits for it. Returns what it returned, a negative
 * errno if it failed. Ends the process when there is no io_uring.
 */
int uring_do(const struct io_uring_sqe *request, enum uring_way way);
