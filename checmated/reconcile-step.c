// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - What has to change so that one actual binding is the desired one
 */

#include <errno.h>
#include <string.h>

#include "actual.h"
#include "binding-record.h"
#include "cleanup.h"
#include "log.h"
#include "parse.h"
#include "reconcile-step.h"

/* Whether the instance of the record is staged. */
static int is_staged(const struct site *site, const struct binding_record *record,
		     struct checmate_error **ret_error)
{
	_cleanup_(checmate_status_freep) struct checmate_status *status = NULL;
	int r;

	r = checmate_status_read(site->cgroup, &status, ret_error);
	if (r < 0)
		return r;
	for (size_t i = 0; i < checmate_status_count_local(status); i++) {
		const struct checmate_attachment *a = checmate_status_get_local(status, i);

		if (a->staged && a->instance && a->instance == record->instance)
			return true;
	}
	return false;
}

/* Updates the record of an actual binding that is as desired. */
static int keep(const struct site *site, const struct reconcile_step *step,
		const struct binding_record *recorded, struct store_error *error)
{
	_cleanup_(binding_record_done) struct binding_record record = {};

	if (site_make_record(site, step->desired, &record) < 0)
		return store_error_set_oom(error);
	record.instance = step->instance;
	if (!recorded->pending && recorded->kind == record.kind &&
	    recorded->digest == record.digest && recorded->instance == record.instance &&
	    streq(recorded->text, record.text))
		return 0;
	return site_write_record(site, step->desired->policy->name, &record, error);
}

/*
 * A sealed cgroup keeps what it has until it is removed; only enforcing is stricter. This is no
 * failure, except for a container that is about to start: it does not start without what its
 * files say.
 */
static void keep_sealed(const struct site *site, bool claims, struct reconcile_step *step)
{
	bool stricter = step->action == RECONCILE_MODE && !step->desired->policy->permissive;

	if (claims || step->action == RECONCILE_KEEP || stricter || !site_is_sealed(site))
		return;
	step->action = step->staged ? RECONCILE_KEEP_STAGED : RECONCILE_KEEP;
	step->drift = false;
	site_log_kept(site, step->desired->policy->name);
}

static int compare(const struct site *site, struct reconcile_step *step,
		   const struct checmate_binding *binding, const struct binding_record *recorded,
		   struct store_error *error)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	enum desired_difference difference;
	int r;

	r = desired_compare(step->desired, binding, &difference, &e);
	if (r < 0)
		return store_error_set_library(error, r, e);
	switch (difference) {
	case DESIRED_SAME:
		step->drift = false;
		return keep(site, step, recorded, error);
	case DESIRED_PARAMS:
		step->action = RECONCILE_PARAMS;
		break;
	case DESIRED_MODE:
		step->action = RECONCILE_MODE;
		break;
	case DESIRED_OTHER:
		step->action = RECONCILE_APPLY;
		break;
	}
	return 0;
}

/**
 * reconcile_step_look() - Compare a desired binding with the actual one
 * @site: the cgroup
 * @claims: the OCI hook asks: the files replace a binding that others have made
 * @step: the desired binding is in it; receives the rest
 * @error: what went wrong
 */
int reconcile_step_look(const struct site *site, bool claims, struct reconcile_step *step,
			struct store_error *error)
{
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	_cleanup_(binding_record_done) struct binding_record record = {};
	const char *name = step->desired->policy->name;
	bool ours, current;
	int r;

	r = site_read_record(site, name, &record, error);
	if (r < 0)
		return r;
	ours = r > 0 && binding_record_is_configured(&record);
	current = ours && !record.pending && record.digest == step->desired->digest;

	r = checmate_binding_open(site->cgroup, name, &binding, &e);
	if (r < 0 && r != -ENOENT)
		return store_error_set_library(error, r, e);
	step->action = RECONCILE_APPLY;
	step->drift = current;
	if (r == -ENOENT)
		return 0;

	step->instance = checmate_binding_instance(binding);
	if (actual_is_dead(binding))
		return 0;
	if ((!ours && !claims) || site_is_undecided(site, name, step->desired)) {
		step->action = RECONCILE_KEEP;
		step->drift = false;
		return 0;
	}
	if (!ours && site->by_user)
		return store_error_set(
			error, -EBUSY,
			"container %s: policy %s is in force in its cgroup %s already, and by no binding file; give it a cgroup of its own",
			site->container->id, name, site->path);

	step->staged = checmate_binding_staged(binding);
	if (!step->staged && ours && !record.pending && record.instance != step->instance) {
		r = is_staged(site, &record, &e);
		if (r < 0)
			return store_error_set_library(error, r, e);
		step->staged = r;
	}
	if (step->staged) {
		/* The record has the digest of a staged set. The next look after the exec compares. */
		step->drift = false;
		if (current && !site->restage)
			step->action = RECONCILE_KEEP_STAGED;
		else
			keep_sealed(site, claims, step);
		return 0;
	}

	step->action = RECONCILE_KEEP;
	r = compare(site, step, binding, &record, error);
	if (r >= 0)
		keep_sealed(site, claims, step);
	return r;
}
