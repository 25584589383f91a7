/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Benches - What the kernel allocates for one task
 *
 * Shared by alloc.bpf.c, which counts, and alloc.c, which says when.
 */
#pragma once

#include <linux/types.h>

/**
 * struct alloc_sum - Allocations
 * @nr: how many there were
 * @bytes: their bytes, as the allocator rounds them
 * @held: of these, the bytes that are not freed yet
 */
struct alloc_sum {
	__u64 nr;
	__u64 bytes;
	__s64 held;
};

/**
 * struct alloc_state - Between the program and those who ask
 * @thread: whose allocations count
 * @on: whether they do now
 * @lost: how many found no room to be remembered
 * @total: of all call sites
 * @percpu: of these, those of per-CPU memory, for one processor
 */
struct alloc_state {
	__u32 thread;
	__u32 on;
	__u64 lost;
	struct alloc_sum total;
	struct alloc_sum percpu;
};

#ifndef __bpf__
#include <stdbool.h>

/**
 * struct alloc_site - What one caller has allocated
 * @name: the function, of its symbol
 * @sum: how much
 */
struct alloc_site {
	char name[64];
	struct alloc_sum sum;
};

void alloc_load(void);
void alloc_start(void);
void alloc_stop(void);
void alloc_total(struct alloc_sum *ret_total, struct alloc_sum *ret_percpu);
unsigned int alloc_sites(struct alloc_site *sites, unsigned int max);
void alloc_unload(void);
#endif
