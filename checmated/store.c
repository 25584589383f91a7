// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - From what the binding files say to what is in force
 */

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "origin.h"
#include "parse.h"
#include "store.h"
#include "strv.h"

/* A policy that a cgroup is to have, and the file that says so; NULL for a request by hand. */
struct wanted {
	const struct config_policy *policy;
	const struct config_binding *binding;
};

struct wanted_list {
	struct wanted *items;
	size_t n;
};

/* Policies opened and given their parameters, about to be applied together. */
struct batch {
	struct checmate_policy **policies;
	const struct wanted **wanted;
	size_t n;
};

/* Who asks for policies. */
struct request {
	enum origin_kind kind;
	const char *container; /* ORIGIN_CONTAINER */
};

static void wanted_list_done(struct wanted_list *list)
{
	free(list->items);
}

static void batch_done(struct batch *batch)
{
	for (size_t i = 0; i < batch->n; i++)
		checmate_policy_free(batch->policies[i]);
	free(batch->policies);
	free(batch->wanted);
}

static void library_strv_freep(char ***strv)
{
	*strv = checmate_strv_free(*strv);
}

void store_error_done(struct store_error *error)
{
	free(error->text);
	free(error->detail);
	*error = (struct store_error){};
}

static int fail(struct store_error *error, int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct store_error *error, int r, const char *format, ...)
{
	va_list ap;

	store_error_done(error);
	va_start(ap, format);
	if (vasprintf(&error->text, format, ap) < 0)
		error->text = NULL;
	va_end(ap);
	return r;
}

static int fail_library(struct store_error *error, int r, const struct checmate_error *e)
{
	const char *log = checmate_error_log(e);

	fail(error, r, "%s", checmate_error_text(e));
	if (log)
		error->detail = strdup(log);
	return r;
}

static int wanted_list_add(struct wanted_list *list, struct wanted item)
{
	struct wanted *items;

	/* The later file counts. */
	for (size_t i = 0; i < list->n; i++) {
		if (!streq(list->items[i].policy->name, item.policy->name))
			continue;
		list->items[i] = item;
		return 0;
	}

	items = reallocarray(list->items, list->n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	list->items = items;
	items[list->n++] = item;
	return 0;
}

static int wanted_by_config(const struct config *config, const struct identity *identity,
			    struct wanted_list *list)
{
	for (size_t i = 0; i < config->n_bindings; i++) {
		const struct config_binding *binding = config->bindings[i];

		if (!config_match(binding, identity))
			continue;
		for (size_t j = 0; j < binding->n_policies; j++) {
			struct wanted item = {
				.policy = &binding->policies[j],
				.binding = binding,
			};
			int r;

			r = wanted_list_add(list, item);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* Is @binding what applying @policy would make? */
static int same_binding(const struct checmate_binding *binding,
			const struct checmate_policy *policy, struct checmate_error **ret_error)
{
	if (!streq(checmate_binding_version(binding), checmate_policy_version(policy)) ||
	    checmate_binding_count_programs(binding) != checmate_policy_count_programs(policy) ||
	    checmate_binding_count_params(binding) != checmate_policy_count_params(policy))
		return false;

	for (size_t i = 0; i < checmate_binding_count_programs(binding); i++)
		if (!checmate_binding_get_program(binding, i)->attached ||
		    checmate_binding_get_program(binding, i)->permissive)
			return false;

	for (size_t i = 0; i < checmate_policy_count_params(policy); i++) {
		const char *name = checmate_policy_get_param(policy, i)->name;
		_cleanup_free_ char *is = NULL, *should = NULL;
		int r;

		r = checmate_policy_get(policy, name, &should, ret_error);
		if (r < 0)
			return r;
		r = checmate_binding_get(binding, name, &is, ret_error);
		if (r == -ENOENT)
			return false;
		if (r < 0)
			return r;
		if (!streq(is, should))
			return false;
	}
	return true;
}

static uint32_t binding_prog_id(const struct checmate_binding *binding)
{
	const struct checmate_program *program = checmate_binding_get_program(binding, 0);

	return program ? program->id : 0;
}

static int record_origin(struct store *store, const struct request *request, uint64_t cgroup_id,
			 const char *policy, uint32_t prog_id, const struct wanted *wanted,
			 struct store_error *error)
{
	_cleanup_free_ char *text = NULL;
	int r;

	if (asprintf(&text, "%s%s%s", wanted->binding->file, request->container ? " " : "",
		     request->container ? request->container : "") < 0) {
		text = NULL;
		return -ENOMEM;
	}
	r = origin_write(store->state_dir, cgroup_id, policy, prog_id, request->kind, text);
	if (r < 0)
		return fail(error, r, "%s: cannot be written: %s; see to space and permissions",
			    store->state_dir, strerror(-r));
	return 0;
}

/*
 * Has @policy to be applied to @cgroup?  Not where it is in force as wanted, and
 * not, for the mere matching of a path, where somebody asked for it otherwise.
 */
static int is_needed(struct store *store, const struct request *request,
		     const struct checmate_cgroup *cgroup, const struct checmate_policy *policy,
		     const struct wanted *wanted, struct store_error *error)
{
	const char *name = checmate_policy_name(policy);
	uint64_t id = checmate_cgroup_id(cgroup);
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	_cleanup_free_ char *text = NULL;
	enum origin_kind kind;
	int r;

	r = checmate_binding_open(cgroup, name, &binding, &e);
	if (r == -ENOENT)
		return true;
	if (r < 0)
		return fail_library(error, r, e);

	r = origin_read(store->state_dir, id, name, binding_prog_id(binding), &kind, &text);
	if (r < 0)
		return fail(error, r, "%s: cannot be read: %s", store->state_dir, strerror(-r));
	if (request->kind == ORIGIN_CGROUP && kind != ORIGIN_CGROUP)
		return false;

	r = same_binding(binding, policy, &e);
	if (r < 0)
		return fail_library(error, r, e);
	if (r == 0)
		return true;

	/* What a path was given is the container's from now on, whatever the path is given. */
	if (kind != request->kind) {
		r = record_origin(store, request, id, name, binding_prog_id(binding), wanted, error);
		if (r < 0)
			return r;
	}
	return false;
}

static int batch_add(struct batch *batch, struct checmate_policy *policy,
		     const struct wanted *wanted)
{
	struct checmate_policy **policies;
	const struct wanted **all_wanted;

	policies = reallocarray(batch->policies, batch->n + 1, sizeof(struct checmate_policy *));
	if (!policies)
		return -ENOMEM;
	batch->policies = policies;
	all_wanted = reallocarray(batch->wanted, batch->n + 1, sizeof(struct wanted *));
	if (!all_wanted)
		return -ENOMEM;
	batch->wanted = all_wanted;

	policies[batch->n] = policy;
	all_wanted[batch->n] = wanted;
	batch->n++;
	return 0;
}

static int enable_controller(struct checmate_cgroup *cgroup, struct checmate_error **ret_error)
{
	_cleanup_(library_strv_freep) char **enabled = NULL;
	int r;

	r = checmate_cgroup_enable(cgroup, &enabled, ret_error);
	if (r < 0)
		return r;
	for (char **path = enabled; path && *path; path++)
		log_event(LOG_INFO, LOG_ID_CONTROLLER_ENABLED,
			  &(struct log_fields){ .cgroup = *path },
			  "%s: checmate controller enabled for the cgroups below", *path);
	return 0;
}

static int batch_apply(struct store *store, const struct request *request,
		       struct checmate_cgroup *cgroup, struct batch *batch,
		       struct store_error *error)
{
	const struct checmate_apply_opts opts = {
		.sz = sizeof(opts),
		.replace = request->kind != ORIGIN_MANUAL,
	};
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	uint64_t id = checmate_cgroup_id(cgroup);
	int r;

	r = enable_controller(cgroup, &e);
	if (r < 0)
		return fail_library(error, r, e);

	/*
	 * The record comes first: without it a crash in between would leave a
	 * binding that no reload dares to touch.  It names the program, so that
	 * it says nothing about a binding that stays because this fails.
	 */
	for (size_t i = 0; i < batch->n; i++) {
		const struct checmate_program *program;

		r = checmate_policy_load(batch->policies[i], &e);
		if (r < 0)
			return fail_library(error, r, e);
		if (request->kind == ORIGIN_MANUAL)
			continue;
		program = checmate_policy_get_program(batch->policies[i], 0);
		r = record_origin(store, request, id, checmate_policy_name(batch->policies[i]),
				  program ? program->id : 0, batch->wanted[i], error);
		if (r < 0)
			return r;
	}

	r = checmate_binding_apply(cgroup, batch->policies, batch->n, &opts, &e);
	if (r < 0)
		return fail_library(error, r, e);

	for (size_t i = 0; i < batch->n; i++) {
		const struct wanted *wanted = batch->wanted[i];
		const char *name = checmate_policy_name(batch->policies[i]);
		const struct log_fields fields = {
			.cgroup = checmate_cgroup_path(cgroup),
			.cgroup_id = id,
			.policy = name,
			.container = request->container,
			.origin = wanted->binding ? wanted->binding->file : "request",
		};

		log_event(LOG_INFO, LOG_ID_BINDING_APPLIED, &fields, "%s: policy %s is in force",
			  fields.cgroup, name);
	}
	return 0;
}

/* Puts in force what of @list is not yet. */
static int apply_wanted(struct store *store, const struct request *request,
			struct checmate_cgroup *cgroup, const struct wanted_list *list,
			struct store_error *error)
{
	_cleanup_(batch_done) struct batch batch = {};

	for (size_t i = 0; i < list->n; i++) {
		_cleanup_(checmate_policy_freep) struct checmate_policy *policy = NULL;
		_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
		int r;

		r = config_policy_open(list->items[i].policy, &policy, &e);
		if (r < 0)
			return fail_library(error, r, e);

		/* A request by hand for what is there is for the library to refuse. */
		r = request->kind == ORIGIN_MANUAL ?
			    true :
			    is_needed(store, request, cgroup, policy, &list->items[i], error);
		if (r < 0)
			return r;
		if (r == 0)
			continue;

		r = batch_add(&batch, policy, &list->items[i]);
		if (r < 0)
			return fail(error, r, "out of memory");
		TAKE_PTR(policy);
	}

	return batch.n ? batch_apply(store, request, cgroup, &batch, error) : 0;
}

static bool is_wanted(const struct wanted_list *list, const char *policy)
{
	for (size_t i = 0; i < list->n; i++)
		if (streq(list->items[i].policy->name, policy))
			return true;
	return false;
}

static int remove_binding(struct store *store, struct checmate_cgroup *cgroup, const char *policy,
			  struct store_error *error)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	uint64_t id = checmate_cgroup_id(cgroup);
	const struct log_fields fields = {
		.cgroup = checmate_cgroup_path(cgroup),
		.cgroup_id = id,
		.policy = policy,
	};
	int r;

	r = checmate_binding_remove(cgroup, policy, &e);
	if (r < 0)
		return fail_library(error, r, e);
	/* A record that stays says nothing: it names a program that is gone. */
	(void)origin_remove(store->state_dir, id, policy);

	log_event(LOG_INFO, LOG_ID_BINDING_REMOVED, &fields, "%s: policy %s is no longer in force",
		  fields.cgroup, policy);
	return 0;
}

/* Takes out of force what came from a file that no longer says so. */
static int remove_unwanted(struct store *store, struct checmate_cgroup *cgroup,
			   const struct wanted_list *list, struct store_error *error)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	_cleanup_(library_strv_freep) char **policies = NULL;
	int r;

	r = checmate_binding_list(cgroup, &policies, &e);
	if (r < 0)
		return fail_library(error, r, e);

	for (char **policy = policies; policy && *policy; policy++) {
		_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
		_cleanup_free_ char *text = NULL;
		enum origin_kind kind;

		if (is_wanted(list, *policy))
			continue;
		r = checmate_binding_open(cgroup, *policy, &binding, &e);
		if (r < 0)
			return fail_library(error, r, e);
		r = origin_read(store->state_dir, checmate_cgroup_id(cgroup), *policy,
				binding_prog_id(binding), &kind, &text);
		if (r < 0)
			return fail(error, r, "%s: cannot be read: %s", store->state_dir,
				    strerror(-r));
		if (kind != ORIGIN_CGROUP)
			continue;
		r = remove_binding(store, cgroup, *policy, error);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Is the cgroup still the one of its path?  Of one that was removed nobody wants to hear. */
static bool still_there(const struct checmate_cgroup *cgroup)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *now = NULL;
	int r;

	r = checmate_cgroup_open(checmate_cgroup_path(cgroup), &now, NULL);
	return r < 0 ? r != -ENOENT : checmate_cgroup_id(now) == checmate_cgroup_id(cgroup);
}

/**
 * store_reconcile() - Make a cgroup have what the binding files give to its path
 * @store: the store
 * @cgroup: path below the mount
 * @error: what went wrong
 *
 * Bindings made by hand or for a container's annotations are left alone.
 *
 * Return: 0, also when there is no such cgroup any more; -errno.
 */
int store_reconcile(struct store *store, const char *cgroup, struct store_error *error)
{
	const struct request request = { .kind = ORIGIN_CGROUP };
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *c = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	_cleanup_(wanted_list_done) struct wanted_list list = {};
	_cleanup_(identity_done) struct identity identity = {};
	int r;

	r = identity_from_path(cgroup, &identity);
	if (r >= 0)
		r = wanted_by_config(store->config, &identity, &list);
	if (r < 0)
		return fail(error, r, "out of memory");

	r = checmate_cgroup_open(cgroup, &c, &e);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return fail_library(error, r, e);

	/* What is new comes first, so that nothing is in between without either. */
	r = apply_wanted(store, &request, c, &list, error);
	if (r >= 0)
		r = remove_unwanted(store, c, &list, error);
	return r < 0 && still_there(c) ? r : 0;
}

static int names_of(const struct wanted_list *list, char ***ret_names)
{
	_cleanup_strv_ char **names = NULL;
	int r;

	for (size_t i = 0; i < list->n; i++) {
		r = strv_extend(&names, list->items[i].policy->name);
		if (r < 0)
			return r;
	}
	*ret_names = TAKE_PTR(names);
	return 0;
}

/**
 * store_apply_container() - Put in force what the binding files give to a container
 * @store: the store
 * @container: its id
 * @cgroup: path of its cgroup below the mount
 * @cgroup_id: id of that cgroup; the path may be another's by now
 * @annotations: key, value, …, NULL
 * @ret_policies: names of the policies that are in force now, NULL for
 *	none; to be given to strv_free()
 * @error: what went wrong
 *
 * Return: 0 when all of them are in force, -errno when none was added.
 */
int store_apply_container(struct store *store, const char *container, const char *cgroup,
			  uint64_t cgroup_id, const char *const *annotations, char ***ret_policies,
			  struct store_error *error)
{
	const struct request request = {
		.kind = ORIGIN_CONTAINER,
		.container = container,
	};
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *c = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	_cleanup_(wanted_list_done) struct wanted_list list = {};
	_cleanup_(identity_done) struct identity identity = {};
	_cleanup_strv_ char **names = NULL;
	int r;

	r = checmate_cgroup_open(cgroup, &c, &e);
	if (r < 0)
		return fail_library(error, r, e);
	if (streq(checmate_cgroup_path(c), "/"))
		return fail(error, -EINVAL,
			    "container %s: it is in the root cgroup; give it one of its own",
			    container);

	if (checmate_cgroup_id(c) != cgroup_id)
		return fail(error, -ESTALE,
			    "container %s: cgroup %s is not the one it was; start the container anew",
			    container, checmate_cgroup_path(c));

	r = identity_from_path(checmate_cgroup_path(c), &identity);
	if (r >= 0)
		r = identity_set_container(&identity, container);
	if (r >= 0)
		r = identity_add_annotations(&identity, annotations);
	if (r >= 0)
		r = wanted_by_config(store->config, &identity, &list);
	if (r >= 0)
		r = names_of(&list, &names);
	if (r < 0)
		return fail(error, r, "out of memory");

	r = apply_wanted(store, &request, c, &list, error);
	if (r < 0)
		return r;
	*ret_policies = TAKE_PTR(names);
	return 0;
}

/**
 * store_apply() - Put policies in force on request
 * @store: the store
 * @cgroup: path below the mount
 * @policies: which, with their parameters
 * @n_policies: how many
 * @error: what went wrong
 *
 * Return: 0, -EEXIST when one of them is in force there already, another -errno.
 */
int store_apply(struct store *store, const char *cgroup, const struct config_policy *policies,
		size_t n_policies, struct store_error *error)
{
	const struct request request = { .kind = ORIGIN_MANUAL };
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *c = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	_cleanup_(wanted_list_done) struct wanted_list list = {};
	int r;

	if (n_policies == 0)
		return fail(error, -EINVAL, "%s: no policy was given; name at least one", cgroup);
	for (size_t i = 0; i < n_policies; i++) {
		struct wanted item = { .policy = &policies[i] };

		if (is_wanted(&list, policies[i].name))
			return fail(error, -EINVAL, "%s: policy %s was given twice; merge the two",
				    cgroup, policies[i].name);
		r = wanted_list_add(&list, item);
		if (r < 0)
			return fail(error, r, "out of memory");
	}

	r = checmate_cgroup_open(cgroup, &c, &e);
	if (r < 0)
		return fail_library(error, r, e);
	return apply_wanted(store, &request, c, &list, error);
}

/**
 * store_remove() - Take policies out of force on request
 * @store: the store
 * @cgroup: path below the mount
 * @policy: which, or NULL for all
 * @error: what went wrong
 *
 * A policy that a binding file gives to this cgroup comes back with the next
 * reload.
 *
 * Return: 0, -ENOENT when there is none, another -errno.
 */
int store_remove(struct store *store, const char *cgroup, const char *policy,
		 struct store_error *error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *c = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	_cleanup_(library_strv_freep) char **policies = NULL;
	int r;

	r = checmate_cgroup_open(cgroup, &c, &e);
	if (r < 0)
		return fail_library(error, r, e);
	if (policy)
		return remove_binding(store, c, policy, error);

	r = checmate_binding_list(c, &policies, &e);
	if (r < 0)
		return fail_library(error, r, e);
	if (!policies || !policies[0])
		return fail(error, -ENOENT, "%s: no policy is in force here", cgroup);
	for (char **p = policies; *p; p++) {
		r = remove_binding(store, c, *p, error);
		if (r < 0)
			return r;
	}
	return 0;
}

/**
 * store_gc() - Let go of what bpffs still holds for cgroups that are gone
 * @store: the store
 * @error: what went wrong
 */
int store_gc(struct store *store, struct store_error *error)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	_cleanup_free_ uint64_t *ids = NULL;
	size_t n_gone = 0, n_ids;
	int r;

	r = checmate_binding_gc(&n_gone, &e);
	if (r < 0)
		return fail_library(error, r, e);
	if (n_gone)
		log_event(LOG_INFO, LOG_ID_CGROUPS_GONE, NULL, "%zu %s of removed cgroups let go",
			  n_gone, n_gone == 1 ? "binding" : "bindings");

	r = checmate_binding_list_cgroups(&ids, &n_ids, &e);
	if (r < 0)
		return fail_library(error, r, e);
	r = origin_gc(store->state_dir, ids, n_ids);
	if (r < 0)
		return fail(error, r, "%s: cannot be cleaned up: %s", store->state_dir,
			    strerror(-r));
	return 0;
}

static void store_binding_done(struct store_binding *binding)
{
	free(binding->cgroup);
	free(binding->policy);
	free(binding->origin);
	strv_free(binding->params);
}

void store_list_free(struct store_binding *bindings, size_t n)
{
	for (size_t i = 0; i < n; i++)
		store_binding_done(&bindings[i]);
	free(bindings);
}

static const char *binding_mode(const struct checmate_binding *binding)
{
	bool permissive = false;

	for (size_t i = 0; i < checmate_binding_count_programs(binding); i++) {
		if (!checmate_binding_get_program(binding, i)->attached)
			return "detached";
		permissive |= checmate_binding_get_program(binding, i)->permissive;
	}
	return permissive ? "permissive" : "enforce";
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
	static const char *const prefix[] = {
		[ORIGIN_MANUAL] = "manual",
		[ORIGIN_CGROUP] = "cgroup ",
		[ORIGIN_CONTAINER] = "container ",
	};
	_cleanup_free_ char *text = NULL;
	enum origin_kind kind;
	char *whole;
	int r;

	r = origin_read(store->state_dir, cgroup_id, checmate_binding_policy(binding),
			binding_prog_id(binding), &kind, &text);
	if (r < 0)
		return r;
	if (asprintf(&whole, "%s%s", prefix[kind], text) < 0)
		return -ENOMEM;
	*ret_text = whole;
	return 0;
}

static int describe(struct store *store, const struct checmate_cgroup *cgroup, const char *policy,
		    struct store_binding *ret, struct checmate_error **ret_error)
{
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	_cleanup_(store_binding_done) struct store_binding b = {};
	int r;

	r = checmate_binding_open(cgroup, policy, &binding, ret_error);
	if (r < 0)
		return r;
	r = binding_params(binding, &b.params, ret_error);
	if (r < 0)
		return r;

	b.cgroup_id = checmate_cgroup_id(cgroup);
	b.mode = binding_mode(binding);
	r = origin_text(store, binding, b.cgroup_id, &b.origin);
	if (r < 0)
		return r;
	b.cgroup = strdup(checmate_cgroup_path(cgroup));
	b.policy = strdup(policy);
	if (!b.cgroup || !b.policy)
		return -ENOMEM;

	*ret = b;
	b = (struct store_binding){};
	return 0;
}

static int list_cgroup(struct store *store, uint64_t id, struct store_binding **bindings, size_t *n,
		       struct checmate_error **ret_error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *gone = NULL;
	_cleanup_(library_strv_freep) char **policies = NULL;
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
		struct store_binding *more;

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
 * store_list() - All bindings there are
 * @store: the store
 * @ret_bindings: the bindings, to be given to store_list_free()
 * @ret_n: how many
 * @error: what went wrong
 */
int store_list(struct store *store, struct store_binding **ret_bindings, size_t *ret_n,
	       struct store_error *error)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	_cleanup_free_ uint64_t *ids = NULL;
	struct store_binding *bindings = NULL;
	size_t n = 0, n_ids = 0;
	int r;

	r = checmate_binding_list_cgroups(&ids, &n_ids, &e);
	for (size_t i = 0; r >= 0 && i < n_ids; i++) {
		r = list_cgroup(store, ids[i], &bindings, &n, &e);
	}
	if (r < 0) {
		store_list_free(bindings, n);
		return e ? fail_library(error, r, e) : fail(error, r, "%s", strerror(-r));
	}

	*ret_bindings = bindings;
	*ret_n = n;
	return 0;
}
