/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - The cgroups of the machine, and what happens to them
 *
 * The watch reports cgroups that come and go. On request it also reports a cgroup when
 * a process has written to one of its files that change policies, or at a given time. It
 * reports such a change once per turn of the loop, after all other events.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct cgroup_watch;

struct watched_cgroup {
	const char *path; /* below the mount, starts with '/', never the root */
	uint64_t id;
	uint64_t since; /* CLOCK_MONOTONIC in usec, when it was seen first */

	/* The caller's own. */
	bool bound; /* it has desired bindings */
	bool failed; /* not all desired bindings are in force */
	unsigned int n_troubles; /* looks that did not find all in order, since… */
	uint64_t troubled_since;
	uint64_t retry; /* usec that were waited before the last retry */
};

struct cgroup_watch_ops {
	/* A cgroup has come. cgroup_watch_new() reports those that exist. */
	void (*added)(struct watched_cgroup *cgroup, void *userdata);
	/* @cgroup has gone; freed after this. Those below it were reported before. */
	void (*removed)(struct watched_cgroup *cgroup, void *userdata);
	/* A file of @cgroup was written to, or the caller has asked for a report. */
	void (*changed)(struct watched_cgroup *cgroup, void *userdata);
};

/* Cgroups that come and go are reported before those that changed. */
#define CGROUP_WATCH_PRIORITY_CHANGED (SD_EVENT_PRIORITY_NORMAL + 10)

int cgroup_watch_new(sd_event *event, const char *root, const struct cgroup_watch_ops *ops,
		     void *userdata, struct cgroup_watch **ret_watch);
struct cgroup_watch *cgroup_watch_free(struct cgroup_watch *watch);
void cgroup_watch_freep(struct cgroup_watch **watch);

void cgroup_watch_foreach(struct cgroup_watch *watch,
			  void (*each)(struct watched_cgroup *cgroup, void *userdata),
			  void *userdata);
struct watched_cgroup *cgroup_watch_find(struct cgroup_watch *watch, const char *path);

int cgroup_watch_writes(struct watched_cgroup *cgroup, bool on);
int cgroup_watch_touch(struct watched_cgroup *cgroup);
int cgroup_watch_wake(struct watched_cgroup *cgroup, uint64_t usec);
