/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - How many of the same are told
 *
 * Of denials with the same key a few are told in each interval, the others are
 * counted; the count is handed out with the next one that is told, or by
 * ratelimit_flush() when no other came.  All keys together have a limit as well.
 * The memory is bounded: keys beyond the maximum share one entry, which has an
 * empty key.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct ratelimit_key - What is the same.
 * @cgroup_id: the cgroup; in log.c, where the names are empty, a user.
 * @policy: the policy's name; ratelimit keeps a copy.
 * @hook: the hook's name, likewise.
 */
struct ratelimit_key {
	uint64_t cgroup_id;
	const char *policy;
	const char *hook;
};

/**
 * struct ratelimit_limits - How many are told.
 * @interval_usec: how long an interval is.
 * @each: how many of one key in an interval.
 * @all: how many of all keys in an interval.
 * @keys: how many keys are told apart.
 */
struct ratelimit_limits {
	uint64_t interval_usec;
	unsigned int each;
	unsigned int all;
	size_t keys;
};

struct ratelimit;

/* Told of @n that were not told of. */
typedef void (*ratelimit_rest_t)(const struct ratelimit_key *key, uint64_t n, void *userdata);

int ratelimit_new(const struct ratelimit_limits *limits, struct ratelimit **ret_ratelimit);
struct ratelimit *ratelimit_free(struct ratelimit *ratelimit);
void ratelimit_freep(struct ratelimit **ratelimit);

bool ratelimit_admit(struct ratelimit *ratelimit, const struct ratelimit_key *key, uint64_t now,
		     uint64_t *ret_suppressed);
uint64_t ratelimit_flush(struct ratelimit *ratelimit, uint64_t now, ratelimit_rest_t rest,
			 void *userdata);
size_t ratelimit_count(const struct ratelimit *ratelimit);
