/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Changes of bindings on request
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "checmate.h"
#include "config.h"
#include "store-error.h"
#include "store.h"

struct manual_apply_opts {
	bool replace; /* replace the policies that are in force */
	bool permissive;
};

int manual_apply(struct store *store, struct checmate_cgroup *cgroup,
		 const struct config_policy *policies, size_t n_policies,
		 const struct manual_apply_opts *opts, struct store_error *error);
int manual_remove(struct store *store, struct checmate_cgroup *cgroup, const char *policy,
		  struct store_error *error);
int manual_set_parameters(struct store *store, struct checmate_cgroup *cgroup,
			  const struct config_policy *policy, struct store_error *error);
int manual_set_mode(struct store *store, struct checmate_cgroup *cgroup, const char *policy,
		    bool permissive, struct store_error *error);
int manual_seal(struct store *store, struct checmate_cgroup *cgroup, struct store_error *error);
