/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - The list of all actual bindings
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "store-error.h"
#include "store.h"

/* A binding, read from the kernel. */
struct listed_binding {
	char *cgroup;
	uint64_t cgroup_id;
	char *policy;
	const char *mode; /* "enforce", "permissive", "staged", "detached" */
	char *origin; /* "manual", "file FILE", "container FILE ID", "unit UNIT" */
	char **params; /* name, value, name, value, …, NULL */
};

void binding_list_free(struct listed_binding *bindings, size_t n);
int binding_list_read(struct store *store, struct listed_binding **ret_bindings, size_t *ret_n,
		      struct store_error *error);
