/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* checmatectl - The cgroup that a command line names */
#pragma once

#include "command.h"

/* Whether the form of the argument is that of a cgroup, or, with @pids, of a process. */
int cgroup_ref_check(const char *argument, bool pids);

/*
 * Opens what a command that changes something is given: PATH, UNIT or id:NUMBER.
 * Returns an exit status, after having said why it is not EXIT_DONE.
 */
int cgroup_ref_open(const char *argument, struct checmate_cgroup **ret_cgroup);

/* The same for a command that only looks: a process id stands for its cgroup. */
int cgroup_ref_open_or_pid(const char *argument, struct checmate_cgroup **ret_cgroup);

/**
 * struct cgroup_ref - A cgroup that others may have opened.
 * @path: its path; where nobody tells it, what was given in its place.
 * @id: its id, or 0.
 */
struct cgroup_ref {
	char *path;
	uint64_t id;
};

/* Asks the daemon where one's own rights do not do. Prints nothing. */
void cgroup_ref_find(const struct options *options, const char *argument,
		     struct cgroup_ref *ret_ref);

void cgroup_ref_done(struct cgroup_ref *ref);
