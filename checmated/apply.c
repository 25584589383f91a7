// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Policies that are applied to a cgroup in one step
 */

#include <errno.h>
#include <stdlib.h>

#include "actual.h"
#include "apply.h"
#include "binding-record.h"
#include "cleanup.h"
#include "clock.h"
#include "log.h"

/* Frees the items of a batch. */
void apply_batch_done(struct apply_batch *batch)
{
	for (size_t i = 0; i < batch->n; i++) {
		checmate_policy_free(batch->items[i].policy);
		binding_record_done(&batch->items[i].record);
	}
	free(batch->items);
}

/* Adds an empty item to a batch. Returns it, or NULL without memory. */
struct apply_item *apply_batch_add(struct apply_batch *batch)
{
	struct apply_item *items;

	items = reallocarray(batch->items, batch->n + 1, sizeof(*items));
	if (!items)
		return NULL;
	batch->items = items;
	items[batch->n] = (struct apply_item){};
	return &items[batch->n++];
}

static int enable_controller(const struct site *site, struct checmate_error **ret_error)
{
	_cleanup_(actual_strv_freep) char **enabled = NULL;
	int r;

	r = checmate_cgroup_enable(site->cgroup, &enabled, ret_error);
	if (r < 0)
		return r;
	for (char **path = enabled; path && *path; path++)
		log_event(LOG_INFO, LOG_ID_CONTROLLER_ENABLED,
			  &(struct log_fields){ .cgroup = *path },
			  "%s: checmate controller enabled for the cgroups below", *path);
	return 0;
}

/*
 * The record comes first: without it a crash in between would leave a binding
 * that no reload dares to touch.
 */
static int batch_prepare(const struct site *site, struct apply_batch *batch,
			 struct store_error *error)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	int r;

	r = enable_controller(site, &e);
	if (r < 0)
		return store_error_set_library(error, r, e);

	for (size_t i = 0; i < batch->n; i++) {
		struct apply_item *item = &batch->items[i];

		item->record.pending = true;
		item->record.instance = checmate_policy_instance(item->policy);
		r = site_write_record(site, checmate_policy_name(item->policy), &item->record,
				      error);
		if (r < 0)
			return r;
	}
	return 0;
}

static int batch_commit(const struct site *site, const struct apply_batch *batch, bool stage,
			struct store_error *error)
{
	struct checmate_apply_opts opts = {
		.sz = sizeof(opts),
		.permissive = batch->permissive,
		.when_exec = stage,
		.pid = stage ? site->container->pid : 0,
		.seal = site->seal,
	};
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	_cleanup_free_ struct checmate_policy **policies = NULL;
	int r;

	policies = calloc(batch->n, sizeof(struct checmate_policy *));
	if (!policies)
		return store_error_set_oom(error);
	for (size_t i = 0; i < batch->n; i++) {
		policies[i] = batch->items[i].policy;
		opts.replace |= batch->items[i].replaces;
	}
	r = checmate_binding_apply(site->cgroup, policies, batch->n, &opts, &e);
	return r < 0 ? store_error_set_library(error, r, e) : 0;
}

/* Whether the policy is not bound, or another instance of it is. */
static bool is_absent(const struct site *site, const struct apply_item *item)
{
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	int r;

	r = checmate_binding_open(site->cgroup, checmate_policy_name(item->policy), &binding, NULL);
	if (r < 0)
		return r == -ENOENT;
	return !binding_record_is_of(&item->record, checmate_binding_instance(binding));
}

/*
 * A call that failed left the former binding, of which the record speaks as well. Where only
 * reading back failed the new one is in force, and without its record no reload touches it.
 */
static void batch_forget(const struct site *site, const struct apply_batch *batch)
{
	for (size_t i = 0; i < batch->n; i++)
		if (!batch->items[i].replaces && is_absent(site, &batch->items[i]))
			(void)binding_record_remove(site->store->binding_record_dir, site->id,
						    checmate_policy_name(batch->items[i].policy));
}

static void batch_tell(const struct site *site, const struct apply_batch *batch, bool stage,
		       uint64_t usec)
{
	for (size_t i = 0; i < batch->n; i++) {
		const struct apply_item *item = &batch->items[i];
		const char *name = checmate_policy_name(item->policy);
		struct log_fields fields = site_log_fields(site, name);
		_cleanup_free_ char *origin = NULL;

		(void)binding_record_describe(&item->record, &origin);
		fields.origin = origin;
		log_event(LOG_INFO, stage ? LOG_ID_BINDING_STAGED : LOG_ID_BINDING_APPLIED, &fields,
			  stage ? "%s: policy %s is in force from the next exec on" :
				  "%s: policy %s is in force",
			  site->path, name);
		site_report_change(site, name,
				   stage	  ? "staged" :
				   item->replaces ? "replaced" :
						    "applied",
				   &item->record, usec);
	}
}

/*
 * Loading takes its time.  What is staged for a process that runs by then would wait
 * for an exec that may never come.
 */
static int check_waits(const struct site *site, struct store_error *error)
{
	_cleanup_(checmate_status_freep) struct checmate_status *status = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	int r;

	r = checmate_status_read(site->cgroup, &status, &e);
	if (r < 0)
		return store_error_set_library(error, r, e);
	for (size_t i = 0; i < checmate_status_count_local(status); i++)
		if (checmate_status_get_local(status, i)->staged)
			return 0;
	return store_error_set(error, -ESTALE,
			       "%s: its container began to run meanwhile; it is tried again",
			       site->path);
}

/**
 * apply_batch_run() - Apply the policies of a batch
 * @site: where
 * @batch: the policies
 * @stage: activate them with the next exec of the site's container
 * @error: what went wrong
 *
 * Applies all policies or none.
 *
 * Return: 0; -ESTALE if the cgroup changed meanwhile, and then a new batch may succeed;
 * another -errno.
 */
int apply_batch_run(const struct site *site, struct apply_batch *batch, bool stage,
		    struct store_error *error)
{
	uint64_t begun = now_usec();
	int r;

	r = batch_prepare(site, batch, error);
	if (r >= 0 && stage && site->waits)
		r = check_waits(site, error);
	if (r >= 0)
		r = batch_commit(site, batch, stage, error);
	if (r < 0) {
		batch_forget(site, batch);
		return r;
	}

	for (size_t i = 0; i < batch->n; i++) {
		struct apply_item *item = &batch->items[i];

		item->record.pending = false;
		r = site_write_record(site, checmate_policy_name(item->policy), &item->record,
				      error);
		if (r < 0)
			return r;
	}
	batch_tell(site, batch, stage, now_usec() - begun);
	return 0;
}
