/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - The cgroups there are, followed as they come and go
 *
 * A cgroup that is watched is told of as well when somebody wrote to one of its
 * files that change policies, and one that has a wake-up when that time comes.
 * However often that happens, it is told of once per turn of the loop, after
 * everything else that has happened.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct tree;

struct tree_cgroup {
	const char *path; /* below the mount, starts with '/', never the root */
	uint64_t id;
	uint64_t since; /* CLOCK_MONOTONIC in usec, when it was seen first */

	/* The user's own. */
	bool bound; /* binding files give it something */
	bool failed; /* of which not all is in force */
	unsigned int n_troubles; /* looks that did not find all in order, since… */
	uint64_t troubled_since;
	uint64_t retry; /* usec that were waited before the last retry */
};

struct tree_ops {
	/* One has come; those that exist are told of by tree_new(). */
	void (*added)(struct tree_cgroup *cgroup, void *userdata);
	/* It has gone, and ceases to exist after this. Those below it went before. */
	void (*removed)(struct tree_cgroup *cgroup, void *userdata);
	/* It was written to, or is to be looked at for another reason. */
	void (*changed)(struct tree_cgroup *cgroup, void *userdata);
};

/* What comes and goes is told of before what changed. */
#define TREE_PRIORITY_CHANGED (SD_EVENT_PRIORITY_NORMAL + 10)

int tree_new(sd_event *event, const char *root, const struct tree_ops *ops, void *userdata,
	     struct tree **ret_tree);
struct tree *tree_free(struct tree *tree);
void tree_freep(struct tree **tree);

void tree_foreach(struct tree *tree, void (*each)(struct tree_cgroup *cgroup, void *userdata),
		  void *userdata);
struct tree_cgroup *tree_find(struct tree *tree, const char *path);

int tree_watch(struct tree_cgroup *cgroup, bool watch);
int tree_touch(struct tree_cgroup *cgroup);
int tree_wake(struct tree_cgroup *cgroup, uint64_t usec);
