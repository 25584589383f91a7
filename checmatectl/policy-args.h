/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* checmatectl - The policies that a command line names, and their parameters */
#pragma once

#include "command.h"

/*
 * "NAME=VALUE": what stands before the '=' must be able to be a parameter's name, so a
 * path with a '=' is none.
 */
bool policy_args_is_assignment(const char *argument);

/* Takes it apart in place; NULL when it is none. */
char *policy_args_split(char *argument);

/* The policies of one command line. */
struct policy_args {
	struct checmate_policy **policies;
	size_t n;
};

/* Opens a policy as the options say. Returns 0, -errno. */
int policy_args_open(const struct options *options, const char *name,
		     struct checmate_policy **ret_policy, struct checmate_error **ret_error);

/*
 * Reads "POLICY [PARAM=VALUE…] [POLICY…]". Returns an exit status, after having
 * said why it is not EXIT_DONE.
 */
int policy_args_read(struct policy_args *args, const struct options *options, int argc, char **argv);

/* Before anything is changed: what the kernel refuses, it refuses here. */
int policy_args_load(const struct policy_args *args, struct checmate_error **ret_error);

/* The lists of paths that they have, for jsondoc_paths(). Returns 0, -errno. */
int policy_args_lists(const struct policy_args *args, char ***lists);

void policy_args_done(struct policy_args *args);
