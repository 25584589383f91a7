// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Makes the actual bindings of a cgroup the desired ones
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "actual.h"
#include "apply.h"
#include "binding-record.h"
#include "checmate.h"
#include "cleanup.h"
#include "clock.h"
#include "config-policy.h"
#include "container-record.h"
#include "container-root.h"
#include "desired.h"
#include "identity.h"
#include "log.h"
#include "parse.h"
#include "reconcile-step.h"
#include "reconcile.h"
#include "settings.h"
#include "strv.h"

/* The library's cgroup for trying whether the kernel enforces. */
#define SELFTEST_PREFIX "/checmate-selftest."

static void report_drift(const struct site *site, const struct reconcile_step *step)
{
	const char *name = step->desired->policy->name;
	struct log_fields fields = site_log_fields(site, name);
	_cleanup_(binding_record_done) struct binding_record record = {};
	_cleanup_free_ char *text = NULL;
	const char *what = "it is not the one that was put in force";

	if (!step->instance)
		what = "it was taken out of force";
	else if (step->action == RECONCILE_PARAMS)
		what = "a parameter has another value";
	else if (step->action == RECONCILE_MODE)
		what = "its mode is another";

	if (site_make_record(site, step->desired, &record) == 0)
		(void)binding_record_describe(&record, &text);
	fields.origin = text;
	log_event(LOG_WARNING, LOG_ID_DRIFT, &fields,
		  "%s: policy %s is not as %s says: %s; putting it right", site->path, name,
		  step->desired->binding->file, what);
	if (text)
		site_report_change(site, name, "drift", &record, 0);
}

/* Logs and reports a change of a binding in force, and writes its record again. */
static int changed_live(const struct site *site, const struct reconcile_step *step,
			const char *change, uint64_t begun, struct store_error *error)
{
	const char *name = step->desired->policy->name;
	struct log_fields fields = site_log_fields(site, name);
	_cleanup_(binding_record_done) struct binding_record record = {};
	_cleanup_free_ char *text = NULL;

	if (site_make_record(site, step->desired, &record) < 0)
		return store_error_set_oom(error);
	record.instance = step->instance;
	(void)binding_record_describe(&record, &text);
	fields.origin = text;
	log_event(LOG_INFO, LOG_ID_BINDING_CHANGED, &fields, "%s: policy %s has its %s changed",
		  site->path, name, change);
	site_report_change(site, name, change, &record, now_usec() - begun);
	return site_write_record(site, name, &record, error);
}

static int set_params(const struct site *site, const struct reconcile_step *step,
		      struct store_error *error)
{
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	const char *const *params = (const char *const *)step->desired->params;
	uint64_t begun = now_usec();
	int r;

	r = checmate_binding_open(site->cgroup, step->desired->policy->name, &binding, &e);
	if (r >= 0)
		r = checmate_binding_set_params(binding, params, &e);
	if (r < 0)
		return store_error_set_library(error, r, e);
	return changed_live(site, step, "parameters", begun, error);
}

static int set_mode(const struct site *site, const struct reconcile_step *step,
		    struct store_error *error)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	uint64_t begun = now_usec();
	int r;

	r = checmate_binding_set_mode(site->cgroup, step->desired->policy->name,
				      step->desired->policy->permissive, &e);
	if (r < 0)
		return store_error_set_library(error, r, e);
	return changed_live(site, step, "mode", begun, error);
}

static int change_live(const struct site *site, struct reconcile_step *steps, size_t n,
		       struct store_error *error)
{
	int ret = 0;

	for (size_t i = 0; i < n; i++) {
		_cleanup_(store_error_done) struct store_error one = {};
		int r = 0;

		if (steps[i].action == RECONCILE_PARAMS)
			r = set_params(site, &steps[i], &one);
		else if (steps[i].action == RECONCILE_MODE)
			r = set_mode(site, &steps[i], &one);
		if (r >= 0)
			continue;
		store_error_join(error, &one);
		ret = r;
	}
	return ret;
}

static int add_step(const struct site *site, struct apply_batch *batch,
		    const struct reconcile_step *step, struct store_error *error)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	struct apply_item *item = apply_batch_add(batch);
	int r;

	if (!item)
		return store_error_set_oom(error);
	r = config_policy_open(step->desired->policy, &item->policy, &e);
	if (r >= 0)
		r = desired_refresh(step->desired, item->policy, &e);
	if (r < 0)
		return store_error_set_library(error, r, e);
	if (site_make_record(site, step->desired, &item->record) < 0)
		return store_error_set_oom(error);
	item->record.former_instance = step->instance;
	item->replaces = step->instance != 0;
	return 0;
}

static int apply_steps(const struct site *site, struct reconcile_step *const *steps, size_t n,
		       bool stage, struct store_error *error)
{
	_cleanup_(apply_batch_done) struct apply_batch batch = {};
	int r;

	for (size_t i = 0; i < n; i++) {
		r = add_step(site, &batch, steps[i], error);
		if (r < 0)
			return r;
	}
	batch.permissive = n && steps[0]->desired->policy->permissive;
	r = n ? apply_batch_run(site, &batch, stage, error) : 0;
	/* The process whose exec the set was to wait for is gone. */
	return r == -ESRCH && stage ? apply_steps(site, steps, n, false, error) : r;
}

/* Applies all at once or, where that fails, as many as possible: each denies something. */
static int apply_most(const struct site *site, struct reconcile_step *const *steps, size_t n,
		      struct store_error *error)
{
	_cleanup_(store_error_done) struct store_error whole = {};
	int ret, r;

	ret = apply_steps(site, steps, n, false, &whole);
	if (ret >= 0)
		return ret;
	if (n < 2) {
		store_error_join(error, &whole);
		return ret;
	}
	ret = 0;
	for (size_t i = 0; i < n; i++) {
		_cleanup_(store_error_done) struct store_error one = {};

		r = apply_steps(site, &steps[i], 1, false, &one);
		if (r >= 0)
			continue;
		store_error_join(error, &one);
		ret = r;
	}
	return ret;
}

/*
 * A container that does not run yet gets all that is enforced in one set which
 * waits for its exec; the kernel keeps one.  What is permissive denies nothing
 * that the runtime does, and comes at once.
 */
static int apply_mode(const struct site *site, struct reconcile_step *steps, size_t n_steps,
		      bool permissive, struct store_error *error)
{
	_cleanup_free_ struct reconcile_step **some = calloc(n_steps + 1,
							     sizeof(struct reconcile_step *));
	bool stage = site->stage && !permissive && site->store->can_stage;
	bool needed = false;
	size_t n = 0;

	if (!some)
		return store_error_set_oom(error);
	for (size_t i = 0; i < n_steps; i++) {
		struct reconcile_step *step = &steps[i];

		if (step->desired->policy->permissive != permissive)
			continue;
		if (step->action == RECONCILE_APPLY)
			needed = true;
		else if (!stage || step->action != RECONCILE_KEEP_STAGED)
			continue;
		some[n++] = step;
	}
	if (!needed)
		return 0;
	return stage ? apply_steps(site, some, n, true, error) : apply_most(site, some, n, error);
}

/* Removes an actual binding that came from a file and that no file has any more. */
static int remove_one(const struct site *site, const char *policy, struct store_error *error)
{
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	_cleanup_(binding_record_done) struct binding_record record = {};
	int r;

	r = site_read_record(site, policy, &record, error);
	if (r <= 0)
		return r;
	r = checmate_binding_open(site->cgroup, policy, &binding, &e);
	if (r < 0 && r != -ENOENT)
		return store_error_set_library(error, r, e);
	/* Another process has replaced or removed the binding. */
	if (r == -ENOENT || !binding_record_is_of(&record, checmate_binding_instance(binding))) {
		(void)binding_record_remove(site->store->binding_record_dir, site->id, policy);
		return 0;
	}
	if (!binding_record_is_configured(&record))
		return 0;
	/* Without the annotations it is unknown which files match the container. */
	if (record.kind == BINDING_RECORD_CONTAINER && !site->container)
		return 0;
	if (site_is_sealed(site)) {
		site_log_kept(site, policy);
		return 0;
	}
	return site_remove_binding(site, policy, &record, error);
}

static int remove_undesired(const struct site *site, const struct desired_list *list,
			    struct store_error *error)
{
	const char *dir = site->store->binding_record_dir;
	_cleanup_strv_ char **policies = NULL;
	int ret = 0, r;

	r = binding_record_policies(dir, site->id, &policies);
	if (r < 0)
		return store_error_set_record(error, r, dir, "listed");
	for (char **policy = policies; *policy; policy++) {
		_cleanup_(store_error_done) struct store_error one = {};

		if (desired_find(list, *policy) || site_is_undecided(site, *policy, NULL))
			continue;
		r = remove_one(site, *policy, &one);
		if (r >= 0)
			continue;
		store_error_join(error, &one);
		ret = r;
	}
	return ret;
}

/* Whether a file is for containers, rather than for cgroups that may have one in them. */
static bool is_for_containers(const struct config_binding *binding)
{
	return binding->runtimes || binding->pods || binding->n_annotations;
}

/* Compares all bindings of the list. One that cannot be compared stays as it is. */
static int look_at_steps(const struct site *site, bool claims, const struct desired_list *list,
			 struct reconcile_step *steps, struct reconcile_look *look,
			 struct store_error *error)
{
	int ret = 0;

	for (size_t i = 0; i < list->n; i++) {
		_cleanup_(store_error_done) struct store_error one = {};
		int r;

		steps[i] = (struct reconcile_step){ .desired = list->items[i] };
		r = reconcile_step_look(site, claims, &steps[i], &one);
		if (r < 0) {
			steps[i].action = RECONCILE_KEEP;
			store_error_join(error, &one);
			ret = r;
			continue;
		}
		if (steps[i].drift) {
			report_drift(site, &steps[i]);
			look->n_drift++;
		} else if (look->untold && steps[i].action == RECONCILE_APPLY &&
			   is_for_containers(steps[i].desired->binding)) {
			look->n_late++;
		}
	}
	return ret;
}

/*
 * Whether the policies are sealed in the step that applies them. They are not where files gave
 * others before, which have to go first, nor before the hook has told of a container: what it
 * tells may replace policies.
 */
static bool is_sealed_at_once(const struct site *site, bool claims, const struct desired_list *list)
{
	_cleanup_strv_ char **policies = NULL;

	if (!list->seal || !site->store->can_seal || site->later)
		return false;
	return claims || (binding_record_policies(site->store->binding_record_dir, site->id,
						  &policies) >= 0 &&
			  !*policies);
}

/*
 * Seals a cgroup that the step which applied policies has not sealed. This comes last: a sealed
 * cgroup would keep the bindings that are still to be replaced.
 */
static int seal_rest(const struct site *site, bool was_sealed, const struct desired_list *list,
		     struct store_error *error)
{
	if (!list->seal || site->later || was_sealed)
		return 0;
	if (!site_is_sealed(site))
		return site_seal(site, error);
	site_log_sealed(site);
	return 0;
}

/* Makes the desired bindings actual. New ones come first; none goes unless all came. */
static int converge(struct site *site, bool claims, const struct desired_list *list,
		    struct reconcile_look *look, struct store_error *error)
{
	_cleanup_free_ struct reconcile_step *steps = calloc(list->n + 1, sizeof(*steps));
	bool was_sealed;
	int ret, r;

	if (!steps)
		return store_error_set_oom(error);
	ret = look_at_steps(site, claims, list, steps, look, error);
	/* It did not run when its policies were staged, and they still are. */
	site->waits = false;
	for (size_t i = 0; site->container && !claims && i < list->n; i++)
		site->waits |= steps[i].staged;
	site->stage = (claims && !site->at_once) || site->waits;
	was_sealed = list->seal && site_is_sealed(site);
	site->seal = is_sealed_at_once(site, claims, list);

	r = change_live(site, steps, list->n, error);
	ret = r < 0 ? r : ret;
	r = apply_mode(site, steps, list->n, false, error);
	ret = r < 0 ? r : ret;
	r = apply_mode(site, steps, list->n, true, error);
	ret = r < 0 ? r : ret;
	if (ret >= 0 && !claims)
		ret = remove_undesired(site, list, error);
	return ret < 0 ? ret : seal_rest(site, was_sealed, list, error);
}

/**
 * reconcile_site() - Make a cgroup have its desired bindings
 * @site: the cgroup
 * @claims: see reconcile_step_look()
 * @list: its desired bindings
 * @look: what is known of its container; receives the counts
 * @error: what went wrong
 *
 * Return: 0; -errno, and then as many of the desired bindings as possible are in force.
 */
int reconcile_site(struct site *site, bool claims, const struct desired_list *list,
		   struct reconcile_look *look, struct store_error *error)
{
	int r = -ESTALE;

	for (int try = 0; r == -ESTALE && try < APPLY_TRIES; try++) {
		store_error_done(error);
		r = converge(site, claims, list, look, error);
	}
	return r;
}

/* Whether the cgroup still has its path. Errors of a removed cgroup are not reported. */
static bool still_there(const struct checmate_cgroup *cgroup)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *now = NULL;
	int r;

	r = checmate_cgroup_open(checmate_cgroup_path(cgroup), &now, NULL);
	return r < 0 ? r != -ENOENT : checmate_cgroup_id(now) == checmate_cgroup_id(cgroup);
}

/*
 * The library makes its cgroup below the root, where only root can. A cgroup of that name
 * elsewhere gets its policies.
 */
static bool is_selftest(const char *path)
{
	return startswith(path, SELFTEST_PREFIX) && strrchr(path, '/') == path;
}

/* Treats a container that the hook may still report like any other cgroup. */
static void hide_container(struct identity *identity)
{
	free(identity->container);
	identity->container = NULL;
}

static int reconcile_opened(struct site *site, struct reconcile_look *look,
			    struct store_error *error)
{
	const char *dir = site->store->container_record_dir;
	_cleanup_(container_record_done) struct container_record container = {};
	_cleanup_(desired_list_done) struct desired_list list = {}, later = {};
	_cleanup_(identity_done) struct identity identity = {};
	int r;

	r = container_record_read(dir, site->id, &container);
	if (r < 0 && r != -ENOENT)
		return store_error_set_record(error, r, dir, "read");
	site->container = r < 0 ? NULL : &container;

	r = site_identify(site, &identity, error);
	if (r < 0)
		return r;
	look->untold = !site->container && identity_is_container(&identity) &&
		       settings_expects_hook(&site->store->settings, &identity);
	look->started = look->untold && container_root_is_entered(checmate_cgroup_fd(site->cgroup));
	if (look->untold && !look->late && !look->started) {
		r = desired_match(&site->store->desired, &identity, &later);
		if (r < 0)
			return store_error_set_oom(error);
		site->later = &later;
		hide_container(&identity);
	}
	r = desired_match(&site->store->desired, &identity, &list);
	if (r < 0)
		return store_error_set_oom(error);
	look->bound = list.n > 0;
	r = reconcile_site(site, false, &list, look, error);
	site->container = NULL;
	site->later = NULL;
	return r;
}

/**
 * reconcile_cgroup() - Make a cgroup have what the binding files say
 * @store: the store
 * @cgroup: path below the mount
 * @look: how to look, and what was seen
 * @error: what went wrong
 *
 * Corrects as much as possible; removes nothing unless all else succeeded.
 *
 * Return: 0, also if the cgroup is gone; -errno.
 */
int reconcile_cgroup(struct store *store, const char *cgroup, struct reconcile_look *look,
		     struct store_error *error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *c = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	struct site site;
	int r;

	if (is_selftest(cgroup))
		return 0;
	r = checmate_cgroup_open(cgroup, &c, &e);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return store_error_set_library(error, r, e);
	site = site_of(store, c);
	r = reconcile_opened(&site, look, error);
	return r < 0 && still_there(c) ? r : 0;
}
