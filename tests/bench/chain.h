/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Benches - A program that executes itself again and again
 *
 *	bench-exec FD
 *
 * The descriptor is of a file that begins with a struct chain. What lies between the
 * last instruction before execve() and the first one after it is left in the file.
 */
#pragma once

#include <stdint.h>

/* The header has a page of its own: each execution touches that one and no other. */
#define CHAIN_HEADER 4096

/**
 * struct chain - The header
 * @before: the counter before the last execve()
 * @done: how many were counted
 * @wanted: how many are to be
 */
struct chain {
	uint64_t before;
	uint64_t done;
	uint64_t wanted;
};
