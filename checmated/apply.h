/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Policies that are applied to a cgroup in one step
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "binding-record.h"
#include "checmate.h"
#include "site.h"
#include "store-error.h"

/* How often an operation makes a new batch. The library retries by itself before. */
#define APPLY_TRIES 3

/* A policy, opened, of a batch. */
struct apply_item {
	struct checmate_policy *policy;
	struct binding_record record;
	bool replaces; /* an actual binding of the policy */
};

/* Policies that are applied in one step. */
struct apply_batch {
	struct apply_item *items;
	size_t n;
	bool permissive;
};

void apply_batch_done(struct apply_batch *batch);
struct apply_item *apply_batch_add(struct apply_batch *batch);
int apply_batch_run(const struct site *site, struct apply_batch *batch, bool stage,
		    struct store_error *error);
