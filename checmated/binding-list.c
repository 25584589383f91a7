// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - The list of all actual bindings
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "actual.h"
#include "binding-list.h"
#include "binding-record.h"
#include "checmate.h"
#include "cleanup.h"
#include "strv.h"

static void listed_binding_done(struct listed_binding *binding)
{
	free(binding->cgroup);
	free(binding->policy);
	free(binding->origin);
	strv_free(binding->params);
}

/* Frees a list. */
void binding_list_free(struct listed_binding *bindings, size_t n)
{
	for (size_t i = 0; i < n; i++)
		listed_binding_done(&bindings[i]);
	free(bindings);
}

static int binding_params(const struct checmate_binding *binding, char ***ret_params,
			  struct checmate_error **ret_error)
{
	_cleanup_strv_ char **params = NULL;

	for (size_t i = 0; i < checmate_binding_count_params(binding); i++) {
		const char *name = checmate_binding_get_param(binding, i)->name;
		_cleanup_free_ char *value = NULL;
		int r;

		r = checmate_binding_get(binding, name, &value, ret_error);
		if (r >= 0)
			r = strv_extend(&params, name);
		if (r >= 0)
			r = strv_extend(&params, value);
		if (r < 0)
			return r;
	}
	*ret_params = TAKE_PTR(params);
	return 0;
}

static int origin_text(struct store *store, const struct checmate_binding *binding,
		       uint64_t cgroup_id, char **ret_text)
{
	_cleanup_(binding_record_done) struct binding_record record = {};
	const struct binding_record manual = { .kind = BINDING_RECORD_MANUAL };
	bool known;
	int r;

	r = binding_record_read(store->binding_record_dir, cgroup_id,
				checmate_binding_policy(binding), &record);
	if (r < 0 && r != -ENOENT)
		return r;
	known = r == 0 && binding_record_is_of(&record, checmate_binding_instance(binding));
	return binding_record_describe(known ? &record : &manual, ret_text);
}

static int describe(struct store *store, const struct checmate_cgroup *cgroup, const char *policy,
		    struct listed_binding *ret, struct checmate_error **ret_error)
{
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	_cleanup_(listed_binding_done) struct listed_binding b = {};
	int r;

	r = checmate_binding_open(cgroup, policy, &binding, ret_error);
	if (r < 0)
		return r;
	r = binding_params(binding, &b.params, ret_error);
	if (r < 0)
		return r;

	b.cgroup_id = checmate_cgroup_id(cgroup);
	b.mode = actual_mode(binding);
	r = origin_text(store, binding, b.cgroup_id, &b.origin);
	if (r < 0)
		return r;
	b.cgroup = strdup(checmate_cgroup_path(cgroup));
	b.policy = strdup(policy);
	if (!b.cgroup || !b.policy)
		return -ENOMEM;

	*ret = b;
	b = (struct listed_binding){};
	return 0;
}

static int list_cgroup(struct store *store, uint64_t id, struct listed_binding **bindings,
		       size_t *n, struct checmate_error **ret_error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *gone = NULL;
	_cleanup_(actual_strv_freep) char **policies = NULL;
	int r;

	r = checmate_cgroup_open_id(id, &cgroup, &gone);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		*ret_error = TAKE_PTR(gone);
	else
		r = checmate_binding_list(cgroup, &policies, ret_error);
	if (r < 0)
		return r;

	for (char **policy = policies; policy && *policy; policy++) {
		_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
		struct listed_binding *more;

		more = reallocarray(*bindings, *n + 1, sizeof(*more));
		if (!more)
			return -ENOMEM;
		*bindings = more;
		r = describe(store, cgroup, *policy, &more[*n], &e);
		if (r == -ENOENT)
			continue; /* removed meanwhile */
		if (r < 0) {
			*ret_error = TAKE_PTR(e);
			return r;
		}
		(*n)++;
	}
	return 0;
}

/**
 * binding_list_read() - Read all bindings
 * @store: the store
 * @ret_bindings: the bindings, to be given to binding_list_free()
 * @ret_n: their number
 * @error: what went wrong
 */
int binding_list_read(struct store *store, struct listed_binding **ret_bindings, size_t *ret_n,
		      struct store_error *error)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	_cleanup_free_ uint64_t *ids = NULL;
	struct listed_binding *bindings = NULL;
	size_t n = 0, n_ids = 0;
	int r;

	r = checmate_binding_list_cgroups(&ids, &n_ids, &e);
	for (size_t i = 0; r >= 0 && i < n_ids; i++)
		r = list_cgroup(store, ids[i], &bindings, &n, &e);
	if (r < 0) {
		binding_list_free(bindings, n);
		return e ? store_error_set_library(error, r, e) :
			   store_error_set(error, r, "%s", strerror(-r));
	}

	*ret_bindings = bindings;
	*ret_n = n;
	return 0;
}
