// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Applies the policies of a container before it starts
 */

#include <errno.h>
#include <string.h>

#include "checmate.h"
#include "cleanup.h"
#include "config-match.h"
#include "container-apply.h"
#include "desired.h"
#include "identity.h"
#include "parse.h"
#include "reconcile.h"
#include "site.h"
#include "strv.h"

static int names_of(const struct desired_list *list, char ***ret_names)
{
	_cleanup_strv_ char **names = calloc(1, sizeof(*names));
	int r;

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++) {
		r = strv_extend(&names, list->items[i]->policy->name);
		if (r < 0)
			return r;
	}
	*ret_names = TAKE_PTR(names);
	return 0;
}

/* The process may be in a cgroup that the runtime made inside. */
static int check_process(const struct container_record *container, const char *path,
			 struct store_error *error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *now = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	const char *rest;
	int r;

	if (!container->pid)
		return 0;
	r = checmate_cgroup_open_pid(container->pid, &now, &e);
	if (r < 0)
		return store_error_set_library(error, r, e);
	rest = startswith(checmate_cgroup_path(now), path);
	if (!rest || (*rest != '\0' && *rest != '/'))
		return store_error_set(
			error, -EINVAL,
			"container %s: its process %d is in %s and not in %s; start the container anew",
			container->id, (int)container->pid, checmate_cgroup_path(now), path);
	return 0;
}

static int check_container(const struct container_record *container,
			   const struct checmate_cgroup *cgroup, struct store_error *error)
{
	const char *path = checmate_cgroup_path(cgroup);

	if (streq(path, "/"))
		return store_error_set(error, -EINVAL,
				       "container %s: it is in the root cgroup; give it one of its own",
				       container->id);
	if (checmate_cgroup_id(cgroup) != container->cgroup_id)
		return store_error_set(error, -ESTALE,
				       "container %s: cgroup %s is not the one it was; start the container anew",
				       container->id, path);
	return check_process(container, path, error);
}

/*
 * Two containers in one cgroup would have one set of policies, that of the last, and
 * so would one of which something else is told once it runs.  Returns whether it is
 * the one that was asked for before, or -errno.
 */
static int check_record(struct store *store, const struct container_record *container,
			const char *path, struct store_error *error)
{
	_cleanup_(container_record_done) struct container_record known = {};
	_cleanup_(store_error_done) struct store_error gone = {};
	int r;

	r = container_record_read(store->container_record_dir, container->cgroup_id, &known);
	if (r == -ENOENT)
		return false;
	if (r < 0)
		return store_error_set_record(error, r, store->container_record_dir, "read");
	if (container_record_equal(&known, container))
		return true;
	if (known.pid && check_process(&known, path, &gone) >= 0)
		return store_error_set(
			error, -EBUSY,
			"container %s: container %s is in its cgroup %s already; give each a cgroup of its own",
			container->id, known.id, path);
	return false;
}

/* Whether a binding file that matches names the annotation. */
static bool is_expected(const struct store *store, const struct identity *identity, const char *key)
{
	for (size_t i = 0; i < store->config->n_bindings; i++) {
		const struct config_binding *binding = store->config->bindings[i];

		for (size_t j = 0; j < binding->n_annotations; j++)
			if (streq(binding->annotations[j].key, key) &&
			    config_match(binding, identity))
				return true;
	}
	return false;
}

/*
 * By these annotations crun chooses a handler, which runs the container in the process
 * that would execute its program: what is staged for that exec is never activated.
 * Returns whether there is one, or -EINVAL unless the administrator's files expect it.
 */
static int check_handler(const struct site *site, const struct identity *identity,
			 struct store_error *error)
{
	static const char *const keys[] = { "run.oci.handler", "module.wasm.image/variant" };
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!identity_annotation(identity, keys[i]))
			continue;
		if (!is_expected(site->store, identity, keys[i]))
			return store_error_set(
				error, -EINVAL,
				"container %s: annotation %s chooses a handler, which executes no program; remove it, or expect it in a binding file by Annotation=%s=",
				site->container->id, keys[i], keys[i]);
		found = true;
	}
	return found;
}

/**
 * container_apply() - Apply what the binding files say of a container
 * @store: the store
 * @container: the hook's report
 * @by_user: a user other than root sent the report
 * @ret_policies: the names of the container's policies, in force or staged for its first
 *	instruction; to be given to strv_free()
 * @error: what went wrong
 *
 * The hook may report a container again: policies in force or staged stay.
 *
 * Return: 0 if the container has all of its policies; -errno if it must not start.
 */
int container_apply(struct store *store, const struct container_record *container, bool by_user,
		    char ***ret_policies, struct store_error *error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *c = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	_cleanup_(desired_list_done) struct desired_list list = {};
	_cleanup_(identity_done) struct identity identity = {};
	_cleanup_strv_ char **names = NULL;
	struct container_record told = *container;
	struct reconcile_look look = {};
	struct site site;
	int r;

	r = checmate_cgroup_open(container->cgroup, &c, &e);
	if (r < 0)
		return store_error_set_library(error, r, e);
	r = check_container(container, c, error);
	if (r >= 0)
		r = check_record(store, container, checmate_cgroup_path(c), error);
	if (r < 0)
		return r;

	site = site_of(store, c);
	site.restage = !r;
	site.by_user = by_user;
	site.container = container;
	r = site_identify(&site, &identity, error);
	if (r < 0)
		return r;
	r = desired_match(&store->desired, &identity, &list);
	if (r >= 0)
		r = names_of(&list, &names);
	if (r < 0)
		return store_error_set_oom(error);

	r = list.n && store->can_stage ? check_handler(&site, &identity, error) : 0;
	if (r < 0)
		return r;
	site.at_once = r;
	r = reconcile_site(&site, true, &list, &look, error);
	if (r < 0)
		return r;
	/* Last: with the record, reconcile_cgroup() would treat the container as running. */
	told.cgroup = (char *)site.path;
	r = container_record_write(store->container_record_dir, &told);
	if (r < 0)
		return store_error_set_record(error, r, store->container_record_dir, "written");

	*ret_policies = TAKE_PTR(names);
	return 0;
}
