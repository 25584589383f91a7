/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - What binding files give, ready to be compared with what is in force
 *
 * Texts of parameters have many forms ("0.0.0.0/0:80" or "0.0.0.0:80"), of
 * which the library knows the one that it reads back.  It is asked for that once,
 * when the files are loaded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "checmate.h"
#include "config.h"

/* A policy that a file gives. */
struct wanted {
	const struct config_binding *binding; /* the file */
	const struct config_policy *policy;
	char *version;
	size_t n_programs;
	char **params; /* every parameter of the policy: name, value, …, NULL */
	uint64_t digest; /* of all that */
};

/* All that the files give; @items are theirs in the order of the files. */
struct wanted_set {
	struct wanted *items;
	size_t n;
};

/* What one cgroup is to have; each policy once. */
struct wanted_list {
	struct wanted **items; /* the set's */
	size_t n;
	bool seal; /* by any file that matches, whether or not its policies count */
};

/* How a binding is not what it should be. */
enum wanted_difference {
	WANTED_SAME,
	WANTED_PARAM, /* one parameter, and nothing else */
	WANTED_MODE, /* whether it is enforced, and nothing else */
	WANTED_OTHER, /* only another instance will do */
};

int wanted_set_load(const struct config *config, struct wanted_set *ret_set, char **ret_error);
void wanted_set_done(struct wanted_set *set);
int wanted_refresh(struct wanted *wanted, const struct checmate_policy *policy,
		   struct checmate_error **ret_error);

int wanted_match(const struct wanted_set *set, const struct identity *identity,
		 struct wanted_list *ret_list);
struct wanted *wanted_find(const struct wanted_list *list, const char *policy);
void wanted_list_done(struct wanted_list *list);

int wanted_compare(const struct wanted *wanted, const struct checmate_binding *binding,
		   enum wanted_difference *ret_difference, size_t *ret_param,
		   struct checmate_error **ret_error);
