// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libchecmate - Applying policies to a cgroup
 *
 * Programs, instances and records are made, and the backend attaches the programs. Each step
 * names what the next one makes, so that what a process leaves that dies can be settled.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "backend.h"
#include "error.h"
#include "instance.h"
#include "parse.h"
#include "policy.h"
#include "program-set.h"
#include "record.h"
#include "selftest.h"

/* Bytes of the first version of this structure, which depend on the machine's words. */
#define APPLY_OPTS_FIRST offsetof(struct checmate_apply_opts, except)
static_assert(APPLY_OPTS_FIRST == sizeof(size_t) + 2 * sizeof(uint32_t),
	      "callers built before know the members before this one");

static int read_opts(const struct checmate_apply_opts *opts, struct checmate_apply_opts *ret_opts,
		     struct checmate_error **ret_error)
{
	const char *bytes = (const char *)opts;

	*ret_opts = (struct checmate_apply_opts){};
	if (!opts)
		return 0;
	if (opts->sz < APPLY_OPTS_FIRST)
		return error_set(ret_error, -EINVAL,
				 "apply: opts.sz is %zu; set it to sizeof(struct checmate_apply_opts)",
				 opts->sz);
	for (size_t i = sizeof(*opts); i < opts->sz; i++)
		if (bytes[i])
			return error_set(ret_error, -EINVAL,
					 "apply: an option unknown to libchecmate %s; use a newer one",
					 CHECMATE_VERSION);
	memcpy(ret_opts, opts, opts->sz < sizeof(*opts) ? opts->sz : sizeof(*opts));
	if (ret_opts->pid < 0)
		return error_set(ret_error, -EINVAL,
				 "apply: opts.pid is %d; give a process id, or 0 for any process",
				 (int)ret_opts->pid);
	if (!ret_opts->when_exec && (ret_opts->pid || ret_opts->except))
		return error_set(ret_error, -EINVAL,
				 "apply: opts.pid and opts.except say which exec; set opts.when_exec too");
	return 0;
}

static int check_apply(const struct apply *apply, struct checmate_error **ret_error)
{
	if (!apply->n_policies)
		return error_set(ret_error, -EINVAL, "apply: no policy; give at least one");
	for (size_t i = 0; i < apply->n_policies; i++) {
		const char *name = apply->policies[i]->description.name;

		if (apply->policies[i]->bound)
			return error_set(ret_error, -EBUSY,
					 "policy %s: bound before; open it again for another binding",
					 name);
		for (size_t j = 0; j < i; j++)
			if (streq(name, apply->policies[j]->description.name))
				return error_set(ret_error, -EEXIST,
						 "policy %s: given twice; give it once", name);
	}
	return 0;
}

/* What the backend cannot do is refused before anything is loaded. */
static int check_abilities(const struct backend *backend, const struct apply *apply,
			   struct checmate_error **ret_error)
{
	int r;

	if (apply->when_exec && !backend_can(backend, "staging"))
		return error_set(ret_error, -EOPNOTSUPP,
				 "cgroup %s: the backend %s cannot stage for an exec, only the kernel's controller checmate can; apply at once, before the process is started",
				 apply->cgroup->path, backend->name);
	/* This fails, with the reason: no policy is applied without the seal. */
	if (apply->seal && (!backend_can(backend, "seal") || streq(apply->cgroup->path, "/")))
		return backend->seal(apply->cgroup, ret_error);
	for (size_t i = 0; i < apply->n_policies; i++) {
		r = backend->check(apply->policies[i], ret_error);
		if (r < 0)
			return r;
	}
	return 0;
}

static int open_except(struct apply *apply, const char *path, struct checmate_error **ret_error)
{
	if (!path)
		return 0;
	apply->except_fd = open(path, O_PATH | O_CLOEXEC);
	if (apply->except_fd < 0)
		return error_set(ret_error, -errno,
				 "apply: the executable %s whose exec is not to count: %m; give the path of one",
				 path);
	return 0;
}

/* Without the lock: to load takes long. */
static int load_all(const struct backend *backend, const struct apply *apply,
		    struct checmate_error **ret_error)
{
	for (size_t i = 0; i < apply->n_policies; i++) {
		int r = policy_get_programs(apply->policies[i], backend, ret_error);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Records of programs that nobody has attached are no binding. */
static int check_exists(const struct apply *apply, const struct control_list *list,
			struct checmate_error **ret_error)
{
	for (size_t i = 0; !apply->replace && i < apply->n_policies; i++) {
		const char *name = apply->policies[i]->description.name;
		struct pin_path path = pin_path(apply->cgroup->id, name, "");
		_cleanup_(record_done) struct record record = {};
		int r;

		r = record_read(&path, &record);
		if (r == -ENOENT)
			continue;
		if (r < 0)
			return pin_explain(&path, r, ret_error);
		if (record_any_attached(&record, list))
			return backend_explain_exists(apply->cgroup, name, ret_error);
	}
	return 0;
}

/* The instances of all policies that have some. */
struct made {
	struct instance *items;
	struct instance **added;
	uint32_t *generations;
	size_t n;
	size_t n_added;
};

static void made_done(struct made *made)
{
	for (size_t i = 0; i < made->n; i++)
		instance_done(&made->items[i]);
	free(made->items);
	free(made->added);
	free(made->generations);
}

static int build_instances(const struct backend *backend, const struct apply *apply,
			   struct made *made)
{
	uint32_t flags = apply->permissive ? backend->flags_permissive : 0;
	int r;

	made->items = calloc(apply->n_policies, sizeof(*made->items));
	made->added = calloc(apply->n_policies, sizeof(*made->added));
	made->generations = calloc(apply->n_policies, sizeof(*made->generations));
	if (!made->items || !made->added || !made->generations)
		return -ENOMEM;
	for (; made->n < apply->n_policies; made->n++) {
		const struct checmate_policy *policy = apply->policies[made->n];

		if (!policy_has_instances(policy))
			continue;
		r = instance_build(&policy->description, policy->values, apply->cgroup->id, flags,
				   &made->items[made->n]);
		if (r < 0)
			return r;
		made->generations[made->n_added] = policy->generation;
		made->added[made->n_added++] = &made->items[made->n];
	}
	return 0;
}

/* Gives each policy its cookie, and with it the name of its program set. */
static int choose_cookies(const struct backend *backend, const struct apply *apply,
			  const struct made *made, struct checmate_error **ret_error)
{
	int r;

	r = instances_place(made->added, made->generations, made->n_added, ret_error);
	if (r < 0)
		return r;
	for (size_t i = 0; i < apply->n_policies; i++) {
		struct checmate_policy *policy = apply->policies[i];

		/* Those without instances have one too, which names them. */
		policy->cookie = (uint64_t)policy->generation * CHECMATE_INSTANCES_MAX;
		if (made->items[i].rows)
			policy->cookie = instance_head(&made->items[i])->cookie;
		program_set_name(policy, backend->set_suffix, policy->cookie, policy->set);
	}
	return 0;
}

/* Leaves nothing of what is not going to be a binding. */
static void drop_new(const struct apply *apply)
{
	for (size_t i = 0; i < apply->n_policies; i++) {
		struct checmate_policy *policy = apply->policies[i];
		struct pin_path path = pin_path(apply->cgroup->id, policy->description.name,
						PIN_NEW);

		(void)record_remove(&path);
		policy->cookie = 0;
	}
}

/* -EAGAIN: what others had loaded is gone by now. */
static int get_programs(struct checmate_policy *policy)
{
	bool exists = program_set_exists(policy->set);
	int r;

	if (!exists && !policy->loaded)
		return -EAGAIN;
	r = exists ? 0 : program_set_pin(policy, policy->set);
	return r < 0 ? r : program_set_use(policy, policy->set);
}

static int record_new(const struct backend *backend, const struct apply *apply,
		      struct checmate_error **ret_error)
{
	struct pin_path directory = pin_path(apply->cgroup->id, NULL, "");
	int r;

	r = pin_make_directory(&directory);
	if (r < 0)
		return pin_explain(&directory, r, ret_error);
	for (size_t i = 0; i < apply->n_policies; i++) {
		struct checmate_policy *policy = apply->policies[i];
		struct pin_path path = pin_path(apply->cgroup->id, policy->description.name,
						PIN_NEW);

		r = record_write(&path, policy->set, policy->cookie, backend->has_links);
		if (!r)
			r = get_programs(policy);
		if (r == -EAGAIN)
			return r;
		if (!r)
			r = record_keep_set(&path);
		if (r < 0)
			return pin_explain(&path, r, ret_error);
	}
	return 0;
}

static int make_bindings(const struct backend *backend, const struct apply *apply,
			 struct checmate_error **ret_error)
{
	_cleanup_(made_done) struct made made = {};
	int r;

	if (build_instances(backend, apply, &made) < 0)
		return error_oom(ret_error);
	r = choose_cookies(backend, apply, &made, ret_error);
	if (!r)
		r = record_new(backend, apply, ret_error);
	if (!r)
		r = instances_add(made.added, made.n_added, ret_error);
	return r;
}

static int apply_locked(const struct backend *backend, const struct apply *apply,
			struct checmate_error **ret_error)
{
	_cleanup_(control_list_done) struct control_list list = {};
	int r;

	r = backend->read_local(apply->cgroup, &list, ret_error);
	if (r < 0)
		return r;
	r = backend->recover(apply->cgroup->id, &list, ret_error);
	if (r < 0)
		return r;
	r = check_exists(apply, &list, ret_error);
	if (r < 0)
		return r;
	r = selftest_run(backend, apply->policies, apply->n_policies, ret_error);
	if (r < 0)
		return r;
	r = make_bindings(backend, apply, ret_error);
	if (!r)
		r = backend->apply(apply, ret_error);
	/* Nothing was committed. */
	if (r < 0 && !apply->policies[0]->bound)
		drop_new(apply);
	return r;
}

/*
 * Loads what is not loaded, and applies. Again if others let go of what they had loaded: then
 * the policy loads programs of its own.
 */
static int load_and_apply(const struct backend *backend, const struct apply *apply,
			  struct checmate_error **ret_error)
{
	int r = -EAGAIN;

	for (int tries = 0; r == -EAGAIN && tries < 2; tries++) {
		_cleanup_close_ int lock = -1;

		r = load_all(backend, apply, ret_error);
		if (!r)
			r = pin_lock(true, &lock, ret_error);
		if (r < 0)
			return r;
		r = apply_locked(backend, apply, ret_error);
		if (r < 0)
			pin_tidy(apply->cgroup->id);
	}
	return r;
}

static void apply_done(struct apply *apply)
{
	cleanup_close(&apply->except_fd);
}

int checmate_binding_apply(struct checmate_cgroup *cgroup, struct checmate_policy *const *policies,
			   size_t n_policies, const struct checmate_apply_opts *caller_opts,
			   struct checmate_error **ret_error)
{
	_cleanup_(apply_done) struct apply apply = {
		.cgroup = cgroup,
		.policies = policies,
		.n_policies = n_policies,
		.except_fd = -1,
	};
	_cleanup_(control_list_done) struct control_list list = {};
	struct checmate_apply_opts opts;
	const struct backend *backend;
	int r;

	r = backend_get(&backend, ret_error);
	if (!r)
		r = read_opts(caller_opts, &opts, ret_error);
	if (r < 0)
		return r;
	apply.replace = opts.replace;
	apply.permissive = opts.permissive;
	apply.when_exec = opts.when_exec;
	apply.pid = opts.pid;
	apply.seal = opts.seal;
	r = check_apply(&apply, ret_error);
	if (!r)
		r = open_except(&apply, opts.except, ret_error);
	/* Asked first: cheaper than loading, and a clearer answer. */
	if (!r)
		r = backend->read_local(cgroup, &list, ret_error);
	if (!r)
		r = check_abilities(backend, &apply, ret_error);
	if (!r)
		r = load_and_apply(backend, &apply, ret_error);
	return r;
}
