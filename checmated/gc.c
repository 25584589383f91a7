// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Frees what is left of cgroups that are gone
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "binding-record.h"
#include "checmate.h"
#include "cleanup.h"
#include "container-record.h"
#include "gc.h"
#include "log.h"
#include "site.h"
#include "strv.h"

/* The library's pins, in a directory for each cgroup's id. */
#define PINS "/sys/fs/bpf/checmate"

/* Returns whether there is a cgroup of this id, or -errno. */
static int exists(uint64_t id, struct store_error *error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	int r;

	r = checmate_cgroup_open_id(id, &cgroup, &e);
	if (r == -ENOENT)
		return false;
	return r < 0 ? store_error_set_library(error, r, e) : true;
}

static int forget_policies(struct store *store, uint64_t id)
{
	_cleanup_strv_ char **policies = NULL;
	int r;

	r = binding_record_policies(store->binding_record_dir, id, &policies);
	for (char **policy = policies; r >= 0 && *policy; policy++) {
		_cleanup_(binding_record_done) struct binding_record record = {};
		bool known = binding_record_read(store->binding_record_dir, id, *policy, &record) ==
			     0;
		const struct site site = {
			.store = store,
			.path = record.cgroup,
			.id = id,
		};

		if (known && !record.pending)
			site_report_change(&site, *policy, "gone", &record, 0);
	}
	return r < 0 ? r : binding_record_forget(store->binding_record_dir, id);
}

static int forget_gone(struct store *store, struct store_error *error)
{
	_cleanup_free_ uint64_t *record_ids = NULL, *container_ids = NULL;
	size_t n_records = 0, n_containers = 0;
	int r;

	r = binding_record_cgroups(store->binding_record_dir, &record_ids, &n_records);
	for (size_t i = 0; r >= 0 && i < n_records; i++) {
		r = exists(record_ids[i], error);
		if (r < 0)
			return r;
		r = r ? 0 : forget_policies(store, record_ids[i]);
	}
	if (r < 0)
		return store_error_set_record(error, r, store->binding_record_dir, "removed");

	r = container_record_tidy(store->container_record_dir);
	if (r >= 0)
		r = container_record_list(store->container_record_dir, &container_ids,
					  &n_containers);
	for (size_t i = 0; r >= 0 && i < n_containers; i++) {
		r = exists(container_ids[i], error);
		if (r < 0)
			return r;
		r = r ? 0 : container_record_remove(store->container_record_dir, container_ids[i]);
	}
	return r < 0 ? store_error_set_record(error, r, store->container_record_dir, "removed") : 0;
}

static bool is_there(const char *dir, uint64_t id)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/%" PRIu64, dir, id) < 0) {
		path = NULL;
		return true;
	}
	return access(path, F_OK) == 0 || errno != ENOENT;
}

/**
 * gc_is_needed() - Whether anything may be left of a cgroup
 * @store: the store
 * @id: the cgroup's id
 *
 * Cheaper than gc_run(), which reads all cgroups. Most cgroups leave nothing.
 */
bool gc_is_needed(const struct store *store, uint64_t id)
{
	return is_there(PINS, id) || is_there(store->binding_record_dir, id) ||
	       is_there(store->container_record_dir, id);
}

/**
 * gc_run() - Free the pins and the records of cgroups that are gone
 * @store: the store
 * @error: what went wrong
 */
int gc_run(struct store *store, struct store_error *error)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	size_t n_gone = 0;
	int r;

	r = checmate_binding_gc(&n_gone, &e);
	if (r < 0)
		return store_error_set_library(error, r, e);
	if (n_gone)
		log_event(LOG_INFO, LOG_ID_CGROUPS_GONE, NULL, "%zu %s of removed cgroups let go",
			  n_gone, n_gone == 1 ? "binding" : "bindings");
	return forget_gone(store, error);
}
