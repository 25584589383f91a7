// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Changes of bindings on request
 */

#include <errno.h>
#include <string.h>

#include "actual.h"
#include "apply.h"
#include "binding-record.h"
#include "cleanup.h"
#include "clock.h"
#include "config-policy.h"
#include "log.h"
#include "manual.h"
#include "parse.h"
#include "site.h"

/* A binding of a file changes in the file only: the next look would correct it again. */
static int check_manual(const struct site *site, const char *policy, uint64_t instance,
			struct store_error *error)
{
	_cleanup_(binding_record_done) struct binding_record record = {};
	_cleanup_free_ char *text = NULL;
	int r;

	r = site_read_record(site, policy, &record, error);
	if (r <= 0)
		return r;
	if (!binding_record_is_configured(&record) || !binding_record_is_of(&record, instance))
		return 0;
	if (binding_record_describe(&record, &text) < 0)
		return store_error_set_oom(error);
	return store_error_set(
		error, -EPERM,
		"%s: policy %s comes from %s; change that file, then \"systemctl reload checmated\"",
		site->path, policy, text);
}

/* Opens the actual binding of a policy, if requests may change it. */
static int open_manual(const struct site *site, const char *policy,
		       struct checmate_binding **ret_binding, struct store_error *error)
{
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	int r;

	r = checmate_binding_open(site->cgroup, policy, &binding, &e);
	if (r < 0)
		return store_error_set_library(error, r, e);
	r = check_manual(site, policy, checmate_binding_instance(binding), error);
	if (r < 0)
		return r;
	*ret_binding = TAKE_PTR(binding);
	return 0;
}

static int add_policy(const struct site *site, struct apply_batch *batch,
		      const struct config_policy *policy, bool replace, struct store_error *error)
{
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	struct apply_item *item;
	int r;

	for (size_t i = 0; i < batch->n; i++)
		if (streq(checmate_policy_name(batch->items[i].policy), policy->name))
			return store_error_set(error, -EINVAL,
					       "%s: policy %s was given twice; merge the two",
					       site->path, policy->name);
	item = apply_batch_add(batch);
	if (!item)
		return store_error_set_oom(error);
	r = config_policy_open(policy, &item->policy, &e);
	if (r < 0) {
		batch->n--;
		return store_error_set_library(error, r, e);
	}
	item->record = (struct binding_record){
		.kind = BINDING_RECORD_MANUAL,
		.cgroup = strdup(site->path),
		.text = strdup(""),
	};
	if (!item->record.cgroup || !item->record.text)
		return store_error_set_oom(error);

	r = checmate_binding_open(site->cgroup, policy->name, &binding, &e);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return store_error_set_library(error, r, e);
	if (!actual_is_dead(binding) && !replace)
		return store_error_set(error, -EEXIST,
				       "%s: policy %s is in force here already; replace it instead",
				       site->path, policy->name);
	r = actual_is_dead(binding) ?
		    0 :
		    check_manual(site, policy->name, checmate_binding_instance(binding), error);
	if (r < 0)
		return r;
	item->record.former_instance = checmate_binding_instance(binding);
	item->replaces = true;
	return 0;
}

/**
 * manual_apply() - Apply policies on request
 * @store: the store
 * @cgroup: where
 * @policies: the policies, with their parameters
 * @n_policies: their number
 * @opts: how; NULL for the defaults
 * @error: what went wrong
 *
 * Return: 0; -EEXIST if one of the policies is in force in the cgroup and @opts does not
 * say to replace it; -EPERM if a binding file has it; another -errno.
 */
int manual_apply(struct store *store, struct checmate_cgroup *cgroup,
		 const struct config_policy *policies, size_t n_policies,
		 const struct manual_apply_opts *opts, struct store_error *error)
{
	struct site site = site_of(store, cgroup);
	int r = -ESTALE;

	if (n_policies == 0)
		return store_error_set(error, -EINVAL, "%s: no policy was given; name at least one",
				       site.path);

	for (int try = 0; r == -ESTALE && try < APPLY_TRIES; try++) {
		_cleanup_(apply_batch_done) struct apply_batch batch = {
			.permissive = opts && opts->permissive,
		};

		r = 0;
		for (size_t i = 0; r >= 0 && i < n_policies; i++)
			r = add_policy(&site, &batch, &policies[i], opts && opts->replace, error);
		if (r >= 0)
			r = apply_batch_run(&site, &batch, false, error);
	}
	return r;
}

/* Removes a binding that requests may change. */
static int remove_manual(const struct site *site, const char *policy, struct store_error *error)
{
	_cleanup_(binding_record_done) struct binding_record record = {};
	int r;

	r = site_read_record(site, policy, &record, error);
	if (r < 0)
		return r;
	return site_remove_binding(site, policy, r ? &record : NULL, error);
}

/**
 * manual_remove() - Remove bindings on request
 * @store: the store
 * @cgroup: where
 * @policy: the policy, or NULL for all
 * @error: what went wrong
 *
 * Return: 0; -ENOENT if there is none; -EPERM if a binding file has one of them, and
 * then none is removed; another -errno.
 */
int manual_remove(struct store *store, struct checmate_cgroup *cgroup, const char *policy,
		  struct store_error *error)
{
	const struct site site = site_of(store, cgroup);
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	_cleanup_(actual_strv_freep) char **policies = NULL;
	int r;

	if (policy) {
		_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;

		r = open_manual(&site, policy, &binding, error);
		return r < 0 ? r : remove_manual(&site, policy, error);
	}

	r = checmate_binding_list(cgroup, &policies, &e);
	if (r < 0)
		return store_error_set_library(error, r, e);
	if (!policies || !policies[0])
		return store_error_set(error, -ENOENT, "%s: no policy is in force here", site.path);
	for (char **p = policies; *p; p++) {
		_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;

		r = open_manual(&site, *p, &binding, error);
		if (r < 0)
			return r;
	}
	for (char **p = policies; *p; p++) {
		r = remove_manual(&site, *p, error);
		if (r < 0)
			return r;
	}
	return 0;
}

static void report_change(const struct site *site, const char *policy, const char *change,
			  uint64_t begun)
{
	_cleanup_(store_error_done) struct store_error error = {};
	const struct binding_record manual = { .kind = BINDING_RECORD_MANUAL };
	struct log_fields fields = site_log_fields(site, policy);
	_cleanup_(binding_record_done) struct binding_record record = {};
	bool known = site_read_record(site, policy, &record, &error) > 0;

	log_event(LOG_INFO, LOG_ID_BINDING_CHANGED, &fields, "%s: policy %s has its %s changed",
		  site->path, policy, change);
	site_report_change(site, policy, change, known ? &record : &manual, now_usec() - begun);
}

static int set_params(struct checmate_binding *binding, const struct config_policy *policy,
		      struct store_error *error)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	_cleanup_free_ const char **params = NULL;
	int r;

	params = calloc(2 * policy->n_params + 1, sizeof(*params));
	if (!params)
		return store_error_set_oom(error);
	for (size_t i = 0; i < policy->n_params; i++) {
		params[2 * i] = policy->params[i].name;
		params[2 * i + 1] = policy->params[i].value;
	}
	r = checmate_binding_set_params(binding, params, &e);
	return r < 0 ? store_error_set_library(error, r, e) : 0;
}

/**
 * manual_set_parameters() - Set parameters of a policy in force, all together
 * @store: the store
 * @cgroup: where
 * @policy: the policy, and the parameters
 * @error: what went wrong
 *
 * Return: 0; -ENOENT if there is no such policy or parameter; -EPERM if a binding file
 * has the policy; another -errno.
 */
int manual_set_parameters(struct store *store, struct checmate_cgroup *cgroup,
			  const struct config_policy *policy, struct store_error *error)
{
	const struct site site = site_of(store, cgroup);
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	uint64_t begun = now_usec();
	int r;

	r = open_manual(&site, policy->name, &binding, error);
	if (!r)
		r = set_params(binding, policy, error);
	if (r < 0)
		return r;
	report_change(&site, policy->name, "parameters", begun);
	return 0;
}

/**
 * manual_set_mode() - Set the mode of a policy in force
 * @store: the store
 * @cgroup: where
 * @policy: the policy
 * @permissive: permissive, else enforced
 * @error: what went wrong
 *
 * Return: as manual_set_parameters().
 */
int manual_set_mode(struct store *store, struct checmate_cgroup *cgroup, const char *policy,
		    bool permissive, struct store_error *error)
{
	const struct site site = site_of(store, cgroup);
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	uint64_t begun = now_usec();
	int r;

	r = open_manual(&site, policy, &binding, error);
	if (r < 0)
		return r;
	r = checmate_binding_set_mode(cgroup, policy, permissive, &e);
	if (r < 0)
		return store_error_set_library(error, r, e);
	report_change(&site, policy, "mode", begun);
	return 0;
}

/**
 * manual_seal() - Seal a cgroup on request
 * @store: the store
 * @cgroup: which
 * @error: what went wrong
 */
int manual_seal(struct store *store, struct checmate_cgroup *cgroup, struct store_error *error)
{
	const struct site site = site_of(store, cgroup);

	return site_seal(&site, error);
}
