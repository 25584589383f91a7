/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Benches - The operations whose cost is counted
 */
#pragma once

#include <stddef.h>

#include "count.h"

/**
 * struct bench_operation - A system call or two, and the hook that judges them
 * @name: what the tables call it
 * @hook: the LSM hook that programs are attached to
 * @count: counts it in this process; the signature is count_run()'s
 */
struct bench_operation {
	const char *name;
	const char *hook;
	int (*count)(unsigned int iterations, struct count *ret_count);
};

/* Ends with one that has no name. */
extern const struct bench_operation bench_operations[];

/* Denied with EPERM: the same names, but not all of them. */
extern const struct bench_operation bench_denied_operations[];

/**
 * bench_find_operation() - Find an operation by name
 * @name: the name
 *
 * Return: the operation, or NULL.
 */
const struct bench_operation *bench_find_operation(const char *name);
