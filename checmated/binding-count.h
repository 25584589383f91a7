/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - The number of bindings, by policy and mode
 *
 * The count comes from the kernel. A refresh reads only the cgroups that are new or were
 * touched since the last one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "metrics.h"

struct binding_count;

int binding_count_new(struct binding_count **ret_count);
struct binding_count *binding_count_free(struct binding_count *count);
void binding_count_freep(struct binding_count **count);

void binding_count_touch(struct binding_count *count, uint64_t cgroup_id);
void binding_count_touch_all(struct binding_count *count);
int binding_count_refresh(struct binding_count *count);

size_t binding_count_cgroups(const struct binding_count *count);
int binding_count_by_policy(const struct binding_count *count,
			    struct metrics_bindings **ret_bindings, size_t *ret_n);
