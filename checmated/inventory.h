/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - How many bindings there are, of which policy and in which mode
 *
 * The kernel knows, and is asked; but of a thousand cgroups only those are looked
 * at again that are new or were touched since.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "metrics.h"

struct inventory;

int inventory_new(struct inventory **ret_inventory);
struct inventory *inventory_free(struct inventory *inventory);
void inventory_freep(struct inventory **inventory);

void inventory_touch(struct inventory *inventory, uint64_t cgroup_id);
void inventory_touch_all(struct inventory *inventory);
int inventory_refresh(struct inventory *inventory);

size_t inventory_cgroups(const struct inventory *inventory);
int inventory_bindings(const struct inventory *inventory, struct metrics_bindings **ret_bindings,
		       size_t *ret_n);
