/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Figures of what the daemon did and saw, as OpenMetrics text
 *
 * Names and labels are a promise, see docs/operations.md.  There are as many
 * series as there are policies, hooks and modes, and none for a cgroup: a machine
 * has any number of those.  Denials by policies beyond a fixed number of series are
 * counted as those of the policy "other", at the hook "other".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/**
 * struct metrics_bindings - How many bindings of a policy there are now.
 * @policy: the policy.
 * @mode: "enforce", "permissive", "staged" or "detached".
 * @n: how many.
 */
struct metrics_bindings {
	const char *policy;
	const char *mode;
	uint64_t n;
};

/**
 * struct metrics_state - What is not counted but looked up.
 * @backend: who enforces.
 * @cgroups: how many cgroups have bindings.
 * @bindings: bindings by policy and mode, in any order.
 * @n_bindings: length of @bindings.
 * @is_reader: denials are read by this process.
 */
struct metrics_state {
	const char *backend;
	uint64_t cgroups;
	const struct metrics_bindings *bindings;
	size_t n_bindings;
	bool is_reader;
};

struct metrics;

int metrics_new(struct metrics **ret_metrics);
struct metrics *metrics_free(struct metrics *metrics);
void metrics_freep(struct metrics **metrics);

void metrics_denied(struct metrics *metrics, const char *policy, const char *hook, bool permissive);
void metrics_lost(struct metrics *metrics, uint64_t n);
void metrics_applied(struct metrics *metrics, uint64_t usec);
void metrics_drifted(struct metrics *metrics);
void metrics_failed(struct metrics *metrics);

int metrics_write(const struct metrics *metrics, const struct metrics_state *state, FILE *to);
