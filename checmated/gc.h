/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Frees what is left of cgroups that are gone
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store-error.h"
#include "store.h"

bool gc_is_needed(const struct store *store, uint64_t id);
int gc_run(struct store *store, struct store_error *error);
