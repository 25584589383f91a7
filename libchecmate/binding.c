// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libchecmate - Policies in force in a cgroup
 *
 * Everything that changes pins holds their lock, and so does what looks at
 * several. The first thing that is done with the lock is to settle what a
 * process left that died with it; how, the backend knows.
 */
#include "checmate.h"

#include <errno.h>
#include <string.h>

#include "backend.h"
#include "error.h"
#include "instance.h"
#include "libbpf-log.h"
#include "parse.h"
#include "record.h"
#include "strv.h"

struct checmate_binding {
	uint64_t cgroup_id;
	bool staged;
	bool permissive;
	struct description description;
	struct pin_path path;
	struct record record;
	char digest[OBJECT_DIGEST_SIZE];
	struct control_list list;
	struct checmate_program *programs;
};

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
	if (!record_exists(&path))
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
	struct pin_path directory = pin_path(cgroup_id, NULL, "");
	_cleanup_strv_ char **names = NULL;
	bool settled = true;
	int r;

	r = pin_list(directory.text, &names);
	if (r < 0)
		return pin_explain(&directory, r, ret_error);
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
	/* Without the directory there is nothing to list. */
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
	btf = binding->record.programs.n ?
		      btf__load_from_kernel_by_id(binding->record.programs.items[0].btf_id) :
		      NULL;
	if (!btf)
		return error_set_log(ret_error, -EBADMSG, capture.text,
				     "%s: what is pinned in %s does not describe itself; remove the policy and apply it again",
				     thing, binding->path.text);
	r = description_read(btf, thing, true, &binding->description, ret_error);
	btf__free(btf);
	return r;
}

static int add_programs(struct checmate_binding *binding)
{
	const struct program_set *set = &binding->record.programs;

	binding->programs = calloc(set->n, sizeof(*binding->programs));
	if (!binding->programs)
		return -ENOMEM;
	for (size_t i = 0; i < set->n; i++) {
		const struct checmate_attachment *item;

		item = record_attached(&binding->record, i, &binding->list);
		if (!item)
			item = record_staged(&binding->record, i, &binding->list);
		binding->programs[i] = (struct checmate_program){
			.name = set->items[i].name,
			.hook = item ? item->hook : "",
			.type = "",
			.id = set->items[i].id,
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
	r = record_read(&binding->path, &binding->record);
	if (r == -ENOENT) {
		binding->path = pin_path(cgroup->id, policy, PIN_STAGED);
		r = record_read(&binding->path, &binding->record);
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
	record_digest(&binding->record, binding->description.name, binding->digest);

	*ret_binding = TAKE_PTR(binding);
	return 0;
}

struct checmate_binding *checmate_binding_free(struct checmate_binding *binding)
{
	if (!binding)
		return NULL;
	description_done(&binding->description);
	record_done(&binding->record);
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

const char *checmate_binding_digest(const struct checmate_binding *binding)
{
	return binding->digest;
}

uint64_t checmate_binding_instance(const struct checmate_binding *binding)
{
	return record_instance(&binding->record);
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
	return binding->record.programs.n;
}

const struct checmate_program *checmate_binding_get_program(const struct checmate_binding *binding,
							    size_t index)
{
	return index < binding->record.programs.n ? &binding->programs[index] : NULL;
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

static int explain_value(const struct checmate_binding *binding, const char *param, int code,
			 struct checmate_error **ret_error)
{
	if (code == -ENOMEM)
		return error_oom(ret_error);
	return error_set(ret_error, code,
			 "policy %s, parameter %s: what is stored for %s cannot be used: %s; apply the policy again",
			 binding->description.name, param ?: "", binding->path.text,
			 strerror(-code));
}

/* Whether what is recorded in @path is what was opened. */
static int is_current(const struct checmate_binding *binding, const struct pin_path *path)
{
	uint64_t cookie;
	int r;

	r = record_read_cookie(path, &cookie);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : cookie == binding->record.cookie;
}

/* Whether it is there still: a staged record moves when it is activated. */
static int check_current(const struct checmate_binding *binding, struct checmate_error **ret_error)
{
	const char *policy = binding->description.name;
	const struct pin_path paths[] = { binding->path, pin_path(binding->cgroup_id, policy, "") };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int r = is_current(binding, &paths[i]);

		if (r < 0)
			return pin_explain(&paths[i], r, ret_error);
		if (r)
			return 0;
	}
	return error_set(ret_error, -ESTALE,
			 "policy %s: the binding was replaced or removed; look at it again", policy);
}

int checmate_binding_get(const struct checmate_binding *binding, const char *name, char **ret_text,
			 struct checmate_error **ret_error)
{
	const struct param *param = description_find(&binding->description, name, ret_error);
	_cleanup_(instance_done) struct instance instance = {};
	_cleanup_free_ void *value = NULL;
	_cleanup_close_ int lock = -1;
	int r;

	if (!param)
		return -ENOENT;
	r = pin_lock(true, &lock, ret_error);
	if (!r)
		r = check_current(binding, ret_error);
	if (r < 0)
		return r;
	r = instance_read(binding->record.cookie, &instance);
	if (!r)
		r = instance_value(&instance, param, &value);
	if (r < 0)
		return explain_value(binding, name, r, ret_error);
	return param_format(&binding->description, param, value, ret_text, ret_error);
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

/* A value for each parameter; NULL for those that stay. */
struct values {
	void **items;
	size_t n;
};

static void values_done(struct values *values)
{
	for (size_t i = 0; values->items && i < values->n; i++)
		free(values->items[i]);
	free(values->items);
}

/* Reads names and values by turns; a parameter that is named twice gets the last value. */
static int parse_values(const struct description *description, const char *const *params,
			struct values *values, struct checmate_error **ret_error)
{
	values->n = description->n_params;
	values->items = calloc(values->n + 1, sizeof(*values->items));
	if (!values->items)
		return error_oom(ret_error);
	for (; *params; params += 2) {
		const struct param *param = description_find(description, params[0], ret_error);
		void *value;
		size_t index;
		int r;

		if (!param)
			return -ENOENT;
		r = param_parse(description, param, params[1], &value, ret_error);
		if (r < 0)
			return r;
		index = param - description->params;
		free(values->items[index]);
		values->items[index] = value;
	}
	return 0;
}

/* Puts an instance with these values in the place of the one that is there. */
static int replace_values(const struct checmate_binding *binding, struct values *values)
{
	const struct description *description = &binding->description;
	_cleanup_(instance_done) struct instance old = {}, new = {};
	int r;

	r = instance_read(binding->record.cookie, &old);
	for (size_t i = 0; !r && i < values->n; i++)
		if (!values->items[i])
			r = instance_value(&old, &description->params[i], &values->items[i]);
	if (!r)
		r = instance_build(description, values->items, binding->cgroup_id,
				   instance_head(&old)->flags, &new);
	if (r < 0)
		return r;
	instance_head(&new)->cookie = binding->record.cookie;
	return instance_replace(&new);
}

int checmate_binding_set_params(struct checmate_binding *binding, const char *const *params,
				struct checmate_error **ret_error)
{
	_cleanup_(values_done) struct values values = {};
	_cleanup_close_ int lock = -1;
	int r;

	r = parse_values(&binding->description, params, &values, ret_error);
	if (!r)
		r = pin_lock(true, &lock, ret_error);
	if (!r)
		r = check_current(binding, ret_error);
	if (r < 0)
		return r;
	r = replace_values(binding, &values);
	return r < 0 ? explain_value(binding, params[0], r, ret_error) : 0;
}

int checmate_binding_set(struct checmate_binding *binding, const char *name, const char *text,
			 struct checmate_error **ret_error)
{
	const char *const params[] = { name, text, NULL };

	return checmate_binding_set_params(binding, params, ret_error);
}
