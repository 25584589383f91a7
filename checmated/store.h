/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - From what the binding files say to what is in force
 *
 * The store keeps nothing in memory about cgroups: what is in force is asked of
 * libchecmate each time, what should be is worked out of the configuration.  A
 * binding that is in force with the wanted parameters is left alone, so that
 * starting the daemon anew changes nothing.
 *
 * Where several files give the same policy to a cgroup, the last one counts.
 *
 * Failures come back as -errno with a struct store_error; successes are logged
 * here, because only here is known what was done.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "checmate.h"
#include "config-policy.h"

struct store {
	struct config *config;
	const char *state_dir;
};

struct store_error {
	char *text; /* one line */
	char *detail; /* several lines, or NULL */
};

/* What a binding is, read from the kernel. */
struct store_binding {
	char *cgroup;
	uint64_t cgroup_id;
	char *policy;
	const char *mode;
	char *origin;
	char **params; /* name, value, name, value, …, NULL */
};

int store_reconcile(struct store *store, const char *cgroup, struct store_error *error);
int store_apply_container(struct store *store, const char *container, const char *cgroup,
			  uint64_t cgroup_id, const char *const *annotations, char ***ret_policies,
			  struct store_error *error);
int store_apply(struct store *store, const char *cgroup, const struct config_policy *policies,
		size_t n_policies, struct store_error *error);
int store_remove(struct store *store, const char *cgroup, const char *policy,
		 struct store_error *error);
int store_gc(struct store *store, struct store_error *error);

int store_list(struct store *store, struct store_binding **ret_bindings, size_t *ret_n,
	       struct store_error *error);
void store_list_free(struct store_binding *bindings, size_t n);

void store_error_done(struct store_error *error);
