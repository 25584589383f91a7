/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Desired bindings, and how they differ from the actual ones
 *
 * A desired binding is what a binding file says of one policy. An actual binding is
 * what the kernel says, read by the library.
 *
 * The value of a parameter has many forms ("0.0.0.0/0:80" or "0.0.0.0:80"). The
 * library reads one of them back. checmated converts each value to that form when it
 * loads the files.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "checmate.h"
#include "config.h"
#include "identity.h"

/* One policy of one binding file. */
struct desired_binding {
	const struct config_binding *binding; /* the file */
	const struct config_policy *policy;
	char *object; /* checmate_policy_digest() */
	size_t n_programs;
	char **params; /* every parameter of the policy: name, value, …, NULL */
	uint64_t digest; /* of the object, the mode and the parameters */
};

/* The desired bindings of all files, in the order of the files. */
struct desired_set {
	struct desired_binding *items;
	size_t n;
};

/* The desired bindings of one cgroup; each policy once. */
struct desired_list {
	struct desired_binding **items; /* the set's */
	size_t n;
	bool seal; /* by any file that matches, whether or not its policies count */
};

/* How a desired binding differs from the actual one. */
enum desired_difference {
	DESIRED_SAME,
	DESIRED_PARAMS, /* parameters, and nothing else */
	DESIRED_MODE, /* the mode, and nothing else */
	DESIRED_OTHER, /* the binding has to be replaced */
};

int desired_set_load(const struct config *config, struct desired_set *ret_set, char **ret_error);
void desired_set_done(struct desired_set *set);
int desired_refresh(struct desired_binding *desired, const struct checmate_policy *policy,
		    struct checmate_error **ret_error);

int desired_match(const struct desired_set *set, const struct identity *identity,
		  struct desired_list *ret_list);
struct desired_binding *desired_find(const struct desired_list *list, const char *policy);
void desired_list_done(struct desired_list *list);

int desired_compare(const struct desired_binding *desired, const struct checmate_binding *binding,
		    enum desired_difference *ret_difference, struct checmate_error **ret_error);
