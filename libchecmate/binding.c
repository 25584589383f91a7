// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libchecmate - Policies in force in a cgroup
 *
 * Everything that changes pins holds their lock, and so does what looks at
 * several. The first thing that is done with the lock is to settle what a
 * process left that died with it; how, the backend knows.
 */
#include "checmate.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "backend.h"
#include "binding-globals.h"
#include "error.h"
#include "libbpf-log.h"
#include "parse.h"
#include "pin.h"
#include "policy.h"
#include "selftest.h"
#include "strv.h"

struct checmate_binding {
	uint64_t cgroup_id;
	bool staged;
	bool permissive;
	struct description description;
	struct pin_path path;
	struct pin_programs pins;
	struct control_list list;
	struct checmate_program *programs;
};

/* --- apply ---------------------------------------------------------------- */

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

static int load_all(const struct backend *backend, const struct apply *apply,
		    struct checmate_error **ret_error)
{
	uint32_t flags = apply->permissive ? backend->flags_permissive : 0;
	int r;

	for (size_t i = 0; i < apply->n_policies; i++) {
		r = checmate_policy_load(apply->policies[i], ret_error);
		if (r < 0)
			return r;
		r = binding_globals_write(apply->policies[i], apply->cgroup->id, flags);
		if (r < 0)
			return error_set(ret_error, r,
					 "policy %s: it cannot be told which cgroup it is bound to: %s; build it with this version's checmate.bpf.h",
					 apply->policies[i]->description.name, strerror(-r));
	}
	return 0;
}

/* Pins of programs that nobody has attached are no binding. */
static int check_exists(const struct apply *apply, const struct control_list *list,
			struct checmate_error **ret_error)
{
	for (size_t i = 0; !apply->replace && i < apply->n_policies; i++) {
		const char *name = apply->policies[i]->description.name;
		struct pin_path path = pin_path(apply->cgroup->id, name, "");
		_cleanup_(pin_programs_done) struct pin_programs pins = {};
		int r;

		r = pin_read(&path, &pins);
		if (r == -ENOENT)
			continue;
		if (r < 0)
			return pin_explain(&path, r, ret_error);
		if (pin_any_attached(&pins, list))
			return backend_explain_exists(apply->cgroup, name, ret_error);
	}
	return 0;
}

static void unpin_new(const struct apply *apply, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *name = apply->policies[i]->description.name;
		struct pin_path path = pin_path(apply->cgroup->id, name, PIN_NEW);

		(void)pin_remove(&path);
	}
}

static int pin_new(const struct apply *apply, struct checmate_error **ret_error)
{
	struct pin_path folder = pin_path(apply->cgroup->id, NULL, "");
	int r;

	r = pin_make_folder(&folder);
	if (r < 0)
		return pin_explain(&folder, r, ret_error);
	for (size_t i = 0; i < apply->n_policies; i++) {
		const char *name = apply->policies[i]->description.name;
		struct pin_path path = pin_path(apply->cgroup->id, name, PIN_NEW);

		r = pin_write(&path, apply->policies[i]);
		if (r < 0) {
			unpin_new(apply, i);
			return pin_explain(&path, r, ret_error);
		}
	}
	return 0;
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
	r = pin_new(apply, ret_error);
	if (r < 0)
		return r;
	r = backend->apply(apply, ret_error);
	/* Nothing was committed, so by the list from before the new pins belong to nothing. */
	if (r < 0 && !apply->policies[0]->bound)
		(void)backend->recover(apply->cgroup->id, &list, NULL);
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
	_cleanup_close_ int lock = -1;
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
		r = load_all(backend, &apply, ret_error);
	if (r < 0)
		return r;

	r = pin_lock(true, &lock, ret_error);
	if (r < 0)
		return r;
	r = apply_locked(backend, &apply, ret_error);
	if (r < 0)
		pin_tidy(cgroup->id);
	return r;
}

/*
 * The backend, and the lock of what is pinned already. -ENOENT, without an explanation: nothing
 * was pinned ever.
 */
static int lock_pins(const struct backend **ret_backend, int *ret_lock,
		     struct checmate_error **ret_error)
{
	int r;

	r = backend_get(ret_backend, ret_error);
	return r < 0 ? r : pin_lock(false, ret_lock, ret_error);
}

/* --- remove --------------------------------------------------------------- */

static int no_binding(const struct checmate_cgroup *cgroup, uint64_t cgroup_id, const char *policy,
		      struct checmate_error **ret_error)
{
	char id[32];

	snprintf(id, sizeof(id), "(id %llu)", (unsigned long long)cgroup_id);
	return error_set(ret_error, -ENOENT,
			 "cgroup %s: %s%s is not in force here; see \"checmatectl status\"",
			 cgroup ? cgroup->path : id, policy ? "the policy " : "a policy",
			 policy ?: "");
}

/*
 * Settles what was left of a change that was not finished. @cgroup is NULL when
 * it is gone. @ret_list, which may be NULL, receives what is attached.
 */
static int settle(const struct backend *backend, const struct checmate_cgroup *cgroup,
		  uint64_t cgroup_id, struct control_list *ret_list,
		  struct checmate_error **ret_error)
{
	_cleanup_(control_list_done) struct control_list list = {};
	int r;

	if (cgroup) {
		r = backend_read_local(backend, cgroup, &list, ret_error);
		if (r < 0)
			return r;
	}
	r = backend->recover(cgroup_id, &list, ret_error);
	if (r < 0)
		return r;
	pin_tidy(cgroup_id);
	if (ret_list) {
		*ret_list = list;
		list = (struct control_list){};
	}
	return 0;
}

/**
 * begin_change() - What comes before a change of bindings that are there.
 * @cgroup: where; NULL when it is gone.
 * @cgroup_id: its id.
 * @policy: whose binding; NULL for any.
 * @ret_backend: receives the backend.
 * @ret_lock: receives the lock of the pins.
 * @ret_names: receives the policies that the cgroup has.
 * @ret_error: explanation, or NULL.
 *
 * Return: 0; -ENOENT there is no such binding; -errno.
 */
static int begin_change(const struct checmate_cgroup *cgroup, uint64_t cgroup_id,
			const char *policy, const struct backend **ret_backend, int *ret_lock,
			char ***ret_names, struct checmate_error **ret_error)
{
	_cleanup_strv_ char **names = NULL;
	_cleanup_close_ int lock = -1;
	int r;

	r = lock_pins(ret_backend, &lock, ret_error);
	if (r == -ENOENT)
		return no_binding(cgroup, cgroup_id, policy, ret_error);
	if (!r)
		r = settle(*ret_backend, cgroup, cgroup_id, NULL, ret_error);
	if (!r)
		r = pin_policies(cgroup_id, &names, ret_error);
	if (r < 0)
		return r;
	if (policy ? !strv_contains(names, policy) : !*names)
		return no_binding(cgroup, cgroup_id, policy, ret_error);
	*ret_lock = TAKE_FD(lock);
	*ret_names = TAKE_PTR(names);
	return 0;
}

/* @cgroup is NULL when it is gone. */
static int remove_binding(const struct checmate_cgroup *cgroup, uint64_t cgroup_id,
			  const char *policy, struct checmate_error **ret_error)
{
	_cleanup_strv_ char **names = NULL;
	char *one[] = { (char *)policy, NULL };
	const struct backend *backend;
	_cleanup_close_ int lock = -1;
	int r;

	r = begin_change(cgroup, cgroup_id, policy, &backend, &lock, &names, ret_error);
	if (r < 0)
		return r;
	r = backend->remove(cgroup, cgroup_id, policy ? one : names, ret_error);
	pin_tidy(cgroup_id);
	return r;
}

int checmate_binding_remove(struct checmate_cgroup *cgroup, const char *policy,
			    struct checmate_error **ret_error)
{
	return remove_binding(cgroup, cgroup->id, policy, ret_error);
}

int checmate_binding_remove_id(uint64_t cgroup_id, const char *policy,
			       struct checmate_error **ret_error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	int r;

	r = checmate_cgroup_open_id(cgroup_id, &cgroup, ret_error);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r < 0 && ret_error)
		*ret_error = checmate_error_free(*ret_error);
	return remove_binding(cgroup, cgroup_id, policy, ret_error);
}

int checmate_binding_set_mode(struct checmate_cgroup *cgroup, const char *policy, bool permissive,
			      struct checmate_error **ret_error)
{
	struct pin_path path = pin_path(cgroup->id, policy, "");
	_cleanup_strv_ char **names = NULL;
	const struct backend *backend;
	_cleanup_close_ int lock = -1;
	int r;

	r = begin_change(cgroup, cgroup->id, policy, &backend, &lock, &names, ret_error);
	if (r < 0)
		return r;
	if (access(path.text, F_OK) < 0)
		return error_set(ret_error, -EBUSY,
				 "cgroup %s: the policy %s is only staged here; wait for the exec, or apply it anew in the other mode",
				 cgroup->path, policy);
	return backend->set_mode(cgroup, policy, permissive, ret_error);
}

/* Counts and removes what is left of a cgroup that is gone. */
static int collect(const struct backend *backend, uint64_t cgroup_id, size_t *n,
		   struct checmate_error **ret_error)
{
	_cleanup_strv_ char **names = NULL;
	int r;

	r = settle(backend, NULL, cgroup_id, NULL, ret_error);
	if (!r)
		r = pin_policies(cgroup_id, &names, ret_error);
	if (!r)
		r = backend->remove(NULL, cgroup_id, names, ret_error);
	if (r < 0)
		return r;
	pin_tidy(cgroup_id);
	*n += strv_length(names);
	return 0;
}

int checmate_binding_gc(size_t *ret_n, struct checmate_error **ret_error)
{
	struct pin_path root = pin_root();
	_cleanup_strv_ char **names = NULL;
	const struct backend *backend;
	_cleanup_close_ int lock = -1;
	size_t n = 0;
	int r;

	r = lock_pins(&backend, &lock, ret_error);
	if (r == -ENOENT) {
		if (ret_n)
			*ret_n = 0;
		return 0;
	}
	if (r < 0)
		return r;
	r = pin_list(root.text, &names);
	if (r < 0)
		return pin_explain(&root, r, ret_error);
	for (char **name = names; *name; name++) {
		_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
		uint64_t id;

		if (parse_u64(*name, UINT64_MAX, &id))
			continue;
		r = checmate_cgroup_open_id(id, &cgroup, ret_error);
		if (r < 0 && r != -ENOENT)
			return r;
		if (r < 0 && ret_error)
			*ret_error = checmate_error_free(*ret_error);
		if (r < 0)
			r = collect(backend, id, &n, ret_error);
		if (r < 0)
			return r;
	}

	if (ret_n)
		*ret_n = n;
	return 0;
}

/* --- list ----------------------------------------------------------------- */

int checmate_binding_list(const struct checmate_cgroup *cgroup, char ***ret_policies,
			  struct checmate_error **ret_error)
{
	const struct backend *backend;
	_cleanup_close_ int lock = -1;
	int r;

	r = lock_pins(&backend, &lock, ret_error);
	if (r == -ENOENT) {
		char **none = calloc(1, sizeof(*none));

		if (!none)
			return error_oom(ret_error);
		*ret_policies = none;
		return 0;
	}
	if (r < 0)
		return r;
	r = settle(backend, cgroup, cgroup->id, NULL, ret_error);
	if (r < 0)
		return r;
	return pin_policies(cgroup->id, ret_policies, ret_error);
}

/* Settles a cgroup by its id, if there is anything to settle. */
static int settle_id(const struct backend *backend, uint64_t cgroup_id,
		     struct checmate_error **ret_error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	struct pin_path folder = pin_path(cgroup_id, NULL, "");
	_cleanup_strv_ char **names = NULL;
	bool settled = true;
	int r;

	r = pin_list(folder.text, &names);
	if (r < 0)
		return pin_explain(&folder, r, ret_error);
	for (char **name = names; *name; name++)
		settled &= name_is_valid(*name, POLICY_NAME_MAX);
	if (settled)
		return 0;

	r = checmate_cgroup_open_id(cgroup_id, &cgroup, ret_error);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r < 0 && ret_error)
		*ret_error = checmate_error_free(*ret_error);
	return settle(backend, cgroup, cgroup_id, NULL, ret_error);
}

int checmate_binding_list_cgroups(uint64_t **ret_ids, size_t *ret_n,
				  struct checmate_error **ret_error)
{
	struct pin_path root = pin_root();
	_cleanup_strv_ char **names = NULL;
	const struct backend *backend;
	_cleanup_free_ uint64_t *ids = NULL;
	_cleanup_close_ int lock = -1;
	size_t n = 0;
	int r;

	r = lock_pins(&backend, &lock, ret_error);
	if (r < 0 && r != -ENOENT)
		return r;
	/* Without the folder there is nothing to list. */
	r = lock < 0 ? 0 : pin_list(root.text, &names);
	if (r < 0)
		return pin_explain(&root, r, ret_error);
	ids = calloc(strv_length(names) + 1, sizeof(*ids));
	if (!ids)
		return error_oom(ret_error);
	for (char **name = names; name && *name; name++) {
		_cleanup_strv_ char **policies = NULL;

		if (parse_u64(*name, UINT64_MAX, &ids[n]))
			continue;
		/* What a process left that died may be all there is, and in force. */
		r = settle_id(backend, ids[n], ret_error);
		if (!r)
			r = pin_policies(ids[n], &policies, ret_error);
		if (r < 0)
			return r;
		n += *policies ? 1 : 0;
	}

	*ret_ids = TAKE_PTR(ids);
	*ret_n = n;
	return 0;
}

/* --- look ----------------------------------------------------------------- */

/* The kernel keeps the BTF that the programs were loaded with. */
static int describe(struct checmate_binding *binding, const char *policy,
		    struct checmate_error **ret_error)
{
	_cleanup_libbpf_log_ struct libbpf_log capture;
	char thing[POLICY_NAME_MAX + sizeof("policy ")];
	struct btf *btf;
	int r;

	libbpf_log_begin(&capture);
	snprintf(thing, sizeof(thing), "policy %s", policy);
	btf = binding->pins.n ? btf__load_from_kernel_by_id(binding->pins.items[0].btf_id) : NULL;
	if (!btf)
		return error_set_log(ret_error, -EBADMSG, capture.text,
				     "%s: what is pinned in %s does not describe itself; remove the policy and apply it again",
				     thing, binding->path.text);
	r = description_read(btf, thing, &binding->description, ret_error);
	btf__free(btf);
	return r;
}

static int add_programs(struct checmate_binding *binding)
{
	binding->programs = calloc(binding->pins.n, sizeof(*binding->programs));
	if (!binding->programs)
		return -ENOMEM;
	for (size_t i = 0; i < binding->pins.n; i++) {
		const struct pin_program *pin = &binding->pins.items[i];
		const struct checmate_attachment *item;

		item = control_list_find(&binding->list, pin->id);
		if (!item)
			item = control_list_find_staged(&binding->list, pin->id);
		binding->programs[i] = (struct checmate_program){
			.name = pin->name,
			.hook = item ? item->hook : "",
			.type = "",
			.id = pin->id,
			.attached = item && !item->staged,
			/* Whatever is not known to be enforced is not. */
			.permissive = item && !streq(item->mode, "enforce"),
			.staged = item && item->staged,
		};
		binding->staged |= binding->programs[i].staged;
		binding->permissive |= binding->programs[i].permissive;
	}
	return 0;
}

int checmate_binding_open(const struct checmate_cgroup *cgroup, const char *policy,
			  struct checmate_binding **ret_binding, struct checmate_error **ret_error)
{
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	const struct backend *backend;
	_cleanup_close_ int lock = -1;
	int r;

	r = backend_get(&backend, ret_error);
	if (r < 0)
		return r;
	if (!name_is_valid(policy, POLICY_NAME_MAX))
		return no_binding(cgroup, cgroup->id, policy, ret_error);
	binding = calloc(1, sizeof(*binding));
	if (!binding)
		return error_oom(ret_error);
	binding->cgroup_id = cgroup->id;
	binding->path = pin_path(cgroup->id, policy, "");

	r = pin_lock(false, &lock, ret_error);
	if (r == -ENOENT)
		return no_binding(cgroup, cgroup->id, policy, ret_error);
	if (r < 0)
		return r;
	r = settle(backend, cgroup, cgroup->id, &binding->list, ret_error);
	if (r < 0)
		return r;
	r = pin_read(&binding->path, &binding->pins);
	if (r == -ENOENT) {
		binding->path = pin_path(cgroup->id, policy, PIN_STAGED);
		r = pin_read(&binding->path, &binding->pins);
	}
	if (r == -ENOENT)
		return no_binding(cgroup, cgroup->id, policy, ret_error);
	if (r < 0)
		return pin_explain(&binding->path, r, ret_error);
	r = describe(binding, policy, ret_error);
	if (r < 0)
		return r;
	if (add_programs(binding) < 0)
		return error_oom(ret_error);

	*ret_binding = TAKE_PTR(binding);
	return 0;
}

struct checmate_binding *checmate_binding_free(struct checmate_binding *binding)
{
	if (!binding)
		return NULL;
	description_done(&binding->description);
	pin_programs_done(&binding->pins);
	control_list_done(&binding->list);
	free(binding->programs);
	free(binding);
	return NULL;
}

const char *checmate_binding_policy(const struct checmate_binding *binding)
{
	return binding->description.name;
}

const char *checmate_binding_version(const struct checmate_binding *binding)
{
	return binding->description.version;
}

const char *checmate_binding_description(const struct checmate_binding *binding)
{
	return binding->description.text;
}

bool checmate_binding_staged(const struct checmate_binding *binding)
{
	return binding->staged;
}

bool checmate_binding_permissive(const struct checmate_binding *binding)
{
	return binding->permissive;
}

size_t checmate_binding_count_programs(const struct checmate_binding *binding)
{
	return binding->pins.n;
}

const struct checmate_program *checmate_binding_get_program(const struct checmate_binding *binding,
							    size_t index)
{
	return index < binding->pins.n ? &binding->programs[index] : NULL;
}

size_t checmate_binding_count_params(const struct checmate_binding *binding)
{
	return binding->description.n_params;
}

const struct checmate_param *checmate_binding_get_param(const struct checmate_binding *binding,
							size_t index)
{
	if (index >= binding->description.n_params)
		return NULL;
	return &binding->description.params[index].info;
}

/* --- parameters in force -------------------------------------------------- */

static int explain_value(const struct checmate_binding *binding, const struct param *param,
			 int code, struct checmate_error **ret_error)
{
	if (code == -ENOMEM)
		return error_oom(ret_error);
	return error_set(ret_error, code,
			 "policy %s, parameter %s: its map in %s cannot be used: %s; apply the policy again",
			 binding->description.name, param->info.name, binding->path.text,
			 strerror(-code));
}

/* Bytes of a map's value, or -errno; -EBADMSG when @least do not fit. */
static int value_size(int map_fd, size_t least)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(map_fd, &info, &size))
		return -errno;
	return info.value_size < least ? -EBADMSG : (int)info.value_size;
}

/* Whether what is pinned in @path is what was opened. */
static int is_current(const struct checmate_binding *binding, const struct pin_path *path)
{
	_cleanup_(pin_programs_done) struct pin_programs pins = {};
	int r;

	r = pin_read(path, &pins);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (pins.n != binding->pins.n)
		return 0;
	for (size_t i = 0; i < pins.n; i++)
		if (pins.items[i].id != binding->pins.items[i].id)
			return 0;
	return 1;
}

/* Where it is pinned now: staged pins move when they have taken force. */
static int find_current(const struct checmate_binding *binding, struct pin_path *ret_path,
			struct checmate_error **ret_error)
{
	const char *policy = binding->description.name;
	struct pin_path paths[] = { binding->path, pin_path(binding->cgroup_id, policy, "") };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int r = is_current(binding, &paths[i]);

		if (r < 0)
			return pin_explain(&paths[i], r, ret_error);
		if (!r)
			continue;
		*ret_path = paths[i];
		return 0;
	}
	return error_set(ret_error, -ESTALE,
			 "policy %s: the binding was replaced or removed; look at it again", policy);
}

/* The map whose element 0 holds the value: for a list, the one inside. */
static int open_value_map(const struct pin_path *path, const struct param *param)
{
	_cleanup_close_ int fd = pin_open_map(path, param->map);
	__u32 zero = 0, id;
	int inner;

	if (fd < 0)
		return fd;
	if (!param->type->list)
		return TAKE_FD(fd);
	if (bpf_map_lookup_elem(fd, &zero, &id))
		return -errno;
	inner = bpf_map_get_fd_by_id(id);
	return inner < 0 ? -errno : inner;
}

static int read_value(const struct pin_path *path, const struct param *param, char **ret_data)
{
	_cleanup_close_ int fd = open_value_map(path, param);
	_cleanup_free_ char *data = NULL;
	__u32 zero = 0;
	int size;

	if (fd < 0)
		return fd;
	size = value_size(fd, param->offset + param->type->size);
	if (size < 0)
		return size;
	data = malloc(size);
	if (!data)
		return -ENOMEM;
	if (bpf_map_lookup_elem(fd, &zero, data))
		return -errno;
	*ret_data = TAKE_PTR(data);
	return 0;
}

int checmate_binding_get(const struct checmate_binding *binding, const char *name, char **ret_text,
			 struct checmate_error **ret_error)
{
	const struct param *param = description_find(&binding->description, name, ret_error);
	_cleanup_free_ char *data = NULL;
	_cleanup_close_ int lock = -1;
	struct pin_path path;
	int r;

	if (!param)
		return -ENOENT;
	r = pin_lock(true, &lock, ret_error);
	if (!r)
		r = find_current(binding, &path, ret_error);
	if (r < 0)
		return r;
	r = read_value(&path, param, &data);
	if (r < 0)
		return explain_value(binding, param, r, ret_error);
	return param_format(&binding->description, param, data + param->offset, ret_text, ret_error);
}

int checmate_binding_check(const struct checmate_binding *binding, const char *name,
			   const char *text, struct checmate_error **ret_error)
{
	const struct param *param = description_find(&binding->description, name, ret_error);
	_cleanup_free_ void *value = NULL;

	if (!param)
		return -ENOENT;
	return param_parse(&binding->description, param, text, &value, ret_error);
}

/*
 * A scalar is an aligned word in a page that the programs share: stored at
 * once. Storing through the map's system call would copy all scalars.
 */
static int store_scalar(const struct param *param, int fd, const void *value)
{
	int size = value_size(fd, param->offset + param->type->size);
	uint32_t word;
	uint64_t wide;
	char *data;

	if (size < 0)
		return size;
	if (param->offset % param->type->size ||
	    (param->type->size != sizeof(word) && param->type->size != sizeof(wide)))
		return -EBADMSG;
	data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	if (param->type->size == sizeof(wide)) {
		memcpy(&wide, value, sizeof(wide));
		__atomic_store_n((uint64_t *)(data + param->offset), wide, __ATOMIC_RELEASE);
	} else {
		memcpy(&word, value, sizeof(word));
		__atomic_store_n((uint32_t *)(data + param->offset), word, __ATOMIC_RELEASE);
	}
	munmap(data, size);
	return 0;
}

int checmate_binding_set(struct checmate_binding *binding, const char *name, const char *text,
			 struct checmate_error **ret_error)
{
	const struct param *param = description_find(&binding->description, name, ret_error);
	_cleanup_close_ int lock = -1, fd = -1;
	_cleanup_free_ void *value = NULL;
	struct pin_path path;
	int r;

	if (!param)
		return -ENOENT;
	r = param_parse(&binding->description, param, text, &value, ret_error);
	if (r < 0)
		return r;
	r = pin_lock(true, &lock, ret_error);
	if (!r)
		r = find_current(binding, &path, ret_error);
	if (r < 0)
		return r;

	fd = pin_open_map(&path, param->map);
	if (fd < 0)
		return explain_value(binding, param, fd, ret_error);
	r = param->type->list ? param_store_list(param, fd, value) : store_scalar(param, fd, value);
	return r < 0 ? explain_value(binding, param, r, ret_error) : 0;
}
