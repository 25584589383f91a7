/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - What the parts of the daemon share
 */
#pragma once

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "binding-count.h"
#include "cgroup-watch.h"
#include "denial-reader.h"
#include "metrics-http.h"
#include "metrics.h"
#include "polkit.h"
#include "store.h"

struct manager {
	sd_event *event;
	sd_bus *bus;
	struct cgroup_watch *cgroups;
	struct polkit *polkit; /* finds out who may */
	const char *backend; /* what enforces: "checmate" or "bpf-link" */
	uint32_t n_bindings; /* when they were last counted */
	uint64_t counted; /* at this time; 0: it does not hold any more */
	sd_event_source *gc_source; /* lets go of what removed cgroups left, a little later */
	sd_event_source *status_source; /* tells systemd, once per turn */
	size_t n_bound; /* cgroups that have desired bindings */
	size_t n_failed; /* those whose desired bindings are not all in force */
	char *refused; /* the last reload, if it was; why */
	char *status; /* as systemd knows it */
	bool running; /* systemd was told READY=1 */
	const char *const *dirs; /* of binding files */
	struct denial_reader *reader; /* of denial events */
	struct metrics *metrics;
	struct binding_count *binding_count; /* for the metrics */
	struct metrics_http *metrics_http; /* NULL: the metrics socket was not passed */
	struct store store;
};
