// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libchecmate - Policies in force in a cgroup
 *
 * The kernel's list of attachments is the truth, the pins in bpffs say which
 * policy an attached program belongs to. Everything that changes pins holds
 * their lock. The order of steps makes a crash at any point harmless: pins are
 * made aside, then the kernel is told by one transaction, then the pins take
 * their place; see pin.h for what is found after a crash.
 */
#include "checmate.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "backend.h"
#include "bpf.h"
#include "error.h"
#include "parse.h"
#include "pin.h"
#include "policy.h"
#include "strv.h"

/* How often a change is tried again when others change the same cgroup. */
#define TRIES 16

struct checmate_binding {
	uint64_t cgroup_id;
	struct description description;
	struct pin_path path;
	struct pin_programs pins;
	struct control_list list;
	struct checmate_program *programs;
};

/* --- common to all changes ------------------------------------------------ */

/* As the backend's, but a cgroup without the controller has nothing attached. */
static int read_local(const struct checmate_cgroup *cgroup, struct control_list *ret_list,
		      struct checmate_error **ret_error)
{
	int r = backend_get()->read_local(cgroup, ret_list, ret_error);

	if (r == -EOPNOTSUPP) {
		if (ret_error)
			*ret_error = checmate_error_free(*ret_error);
		*ret_list = (struct control_list){};
		return 0;
	}
	return r;
}

static bool any_attached(const struct pin_programs *pins, const struct control_list *list)
{
	for (size_t i = 0; i < pins->n; i++)
		if (control_list_find(list, pins->items[i].id))
			return true;
	return false;
}

static int explain_pins(const struct pin_path *path, int code, struct checmate_error **ret_error)
{
	if (code == -ENOMEM)
		return error_oom(ret_error);
	return error_set(ret_error, code, "%s: %s; run as root, see \"checmatectl features\"",
			 path->text, strerror(-code));
}

/* Settles what a process left that died between two steps. */
static int recover(uint64_t cgroup_id, const struct control_list *list,
		   struct checmate_error **ret_error)
{
	struct pin_path folder = pin_path(cgroup_id, NULL, "");
	_cleanup_strv_ char **names = NULL;
	int r;

	r = pin_list(folder.text, &names);
	if (r < 0)
		return explain_pins(&folder, r, ret_error);
	for (char **name = names; *name; name++) {
		_cleanup_(pin_programs_done) struct pin_programs pins = {};
		struct pin_path from = pin_path(cgroup_id, *name, ""), to;
		char *suffix = strchr(*name, PIN_NEW[0]);

		if (!suffix || !streq(suffix, PIN_NEW))
			continue;
		*suffix = '\0';
		to = pin_path(cgroup_id, *name, "");

		r = pin_read(&from, &pins);
		if (!r && any_attached(&pins, list))
			r = pin_move(&from, &to);
		else if (!r)
			r = pin_remove(&from);
		if (r < 0)
			return explain_pins(&from, r, ret_error);
	}
	return 0;
}

/* The policies of a cgroup. */
static int list_policies(uint64_t cgroup_id, char ***ret_names, struct checmate_error **ret_error)
{
	struct pin_path folder = pin_path(cgroup_id, NULL, "");
	_cleanup_strv_ char **found = NULL, **names = calloc(1, sizeof(*names));
	int r;

	if (!names)
		return error_oom(ret_error);
	r = pin_list(folder.text, &found);
	if (r < 0)
		return explain_pins(&folder, r, ret_error);
	for (char **name = found; *name; name++)
		if (name_is_valid(*name, POLICY_NAME_MAX) && strv_extend(&names, *name) < 0)
			return error_oom(ret_error);

	*ret_names = TAKE_PTR(names);
	return 0;
}

/* Drops the cgroup's folder when nothing is left in it. */
static void tidy(uint64_t cgroup_id)
{
	struct pin_path folder = pin_path(cgroup_id, NULL, "");

	(void)rmdir(folder.text);
}

/* Program ids that are to go. */
struct ids {
	uint32_t *items;
	size_t n;
};

static void ids_done(struct ids *ids)
{
	free(ids->items);
}

static int ids_add(struct ids *ids, uint32_t id)
{
	uint32_t *grown = reallocarray(ids->items, ids->n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	ids->items = grown;
	grown[ids->n++] = id;
	return 0;
}

static int ids_add_pins(struct ids *ids, const struct pin_programs *pins)
{
	int r = 0;

	for (size_t i = 0; !r && i < pins->n; i++)
		r = ids_add(ids, pins->items[i].id);
	return r;
}

static int explain_commit(const struct checmate_cgroup *cgroup, int code,
			  struct checmate_error **ret_error)
{
	const char *path = cgroup->path;

	switch (code) {
	case -ENOMEM:
		return error_oom(ret_error);
	case -EPERM:
		return error_set(ret_error, code,
				 "cgroup %s: changing its policy is not permitted; run as root with CAP_MAC_ADMIN",
				 path);
	case -ENOSPC:
		return error_set(ret_error, code,
				 "cgroup %s: one of the hooks would have more than 64 programs here or below; remove a policy first",
				 path);
	case -E2BIG:
		return error_set(ret_error, code,
				 "cgroup %s: too many programs for one transaction; apply fewer policies at once",
				 path);
	case -EOPNOTSUPP:
		return error_set(ret_error, code,
				 "cgroup %s: the kernel cannot enforce one of the programs: it may sleep, or checmate is not in lsm=; see \"checmatectl features\"",
				 path);
	case -ENODEV:
		return error_set(ret_error, code, "cgroup %s: it is gone; give another", path);
	case -EINVAL:
		return error_set(ret_error, code,
				 "cgroup %s: the kernel refuses one of the programs; see \"checmatectl features\" for the hooks it has",
				 path);
	case -ESTALE:
		return error_set(ret_error, code,
				 "cgroup %s: somebody else keeps changing its policy; try again",
				 path);
	default:
		return error_set(ret_error, code,
				 "cgroup %s: its policy cannot be changed: %s; try again", path,
				 strerror(-code));
	}
}

/*
 * One transaction: detaches the programs @old, as far as they are attached, and
 * attaches @fds. Based upon what is attached now, so it is tried again when
 * somebody else was faster.
 */
static int commit(const struct checmate_cgroup *cgroup, const struct ids *old, const int *fds,
		  size_t n_fds, struct checmate_error **ret_error)
{
	_cleanup_free_ uint64_t *detach = calloc(old->n ?: 1, sizeof(*detach));
	int r = -ESTALE;

	if (!detach)
		return error_oom(ret_error);
	for (int try = 0; r == -ESTALE && try < TRIES; try++) {
		_cleanup_(control_list_done) struct control_list list = {};
		struct control_change change = { .attach = fds, .n_attach = n_fds };

		r = n_fds ? backend_get()->read_local(cgroup, &list, ret_error) :
			    read_local(cgroup, &list, ret_error);
		if (r < 0)
			return r;
		for (size_t i = 0; i < old->n; i++) {
			const struct checmate_attachment *item;

			item = control_list_find(&list, old->items[i]);
			if (item)
				detach[change.n_detach++] = item->id;
		}
		if (!change.n_detach && !change.n_attach)
			return 0;
		change.detach = detach;
		change.generation = list.generation;
		r = backend_get()->commit(cgroup, &change);
	}
	return r < 0 ? explain_commit(cgroup, r, ret_error) : 0;
}

/* --- apply ---------------------------------------------------------------- */

/* One call of checmate_binding_apply(). */
struct apply {
	struct checmate_cgroup *cgroup;
	struct checmate_policy *const *policies;
	size_t n_policies;
	bool replace;
	struct ids old;
	int *fds;
	size_t n_fds;
};

static void apply_done(struct apply *apply)
{
	ids_done(&apply->old);
	free(apply->fds);
}

static int check_apply(struct apply *apply, const struct checmate_apply_opts *opts,
		       struct checmate_error **ret_error)
{
	if (opts) {
		const char *bytes = (const char *)opts;

		if (opts->sz < sizeof(*opts))
			return error_set(ret_error, -EINVAL,
					 "apply: opts.sz is %zu; set it to sizeof(struct checmate_apply_opts)",
					 opts->sz);
		for (size_t i = sizeof(*opts); i < opts->sz; i++)
			if (bytes[i])
				return error_set(ret_error, -EINVAL,
						 "apply: an option unknown to libchecmate %s; use a newer one",
						 CHECMATE_VERSION);
		apply->replace = opts->replace;
	}
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

static int load_all(struct apply *apply, struct checmate_error **ret_error)
{
	size_t n = 0;
	int r;

	for (size_t i = 0; i < apply->n_policies; i++) {
		r = checmate_policy_load(apply->policies[i], ret_error);
		if (r < 0)
			return r;
		n += apply->policies[i]->n_programs;
	}

	apply->fds = calloc(n, sizeof(*apply->fds));
	if (!apply->fds)
		return error_oom(ret_error);
	for (size_t i = 0; i < apply->n_policies; i++) {
		struct bpf_program *program;

		bpf_object__for_each_program(program, apply->policies[i]->object)
			apply->fds[apply->n_fds++] = bpf_program__fd(program);
	}
	return 0;
}

/* Finds what is to be replaced. Pins of programs that nobody has attached are no binding. */
static int find_old(struct apply *apply, const struct control_list *list,
		    struct checmate_error **ret_error)
{
	for (size_t i = 0; i < apply->n_policies; i++) {
		const char *name = apply->policies[i]->description.name;
		struct pin_path path = pin_path(apply->cgroup->id, name, "");
		_cleanup_(pin_programs_done) struct pin_programs pins = {};
		int r;

		r = pin_read(&path, &pins);
		if (r == -ENOENT)
			continue;
		if (r < 0)
			return explain_pins(&path, r, ret_error);
		if (!apply->replace && any_attached(&pins, list))
			return error_set(ret_error, -EEXIST,
					 "cgroup %s: the policy %s is in force here already; replace it, remove it or set its parameters",
					 apply->cgroup->path, name);
		if (ids_add_pins(&apply->old, &pins) < 0)
			return error_oom(ret_error);
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
		return explain_pins(&folder, r, ret_error);
	for (size_t i = 0; i < apply->n_policies; i++) {
		const char *name = apply->policies[i]->description.name;
		struct pin_path path = pin_path(apply->cgroup->id, name, PIN_NEW);

		r = pin_write(&path, apply->policies[i]);
		if (r < 0) {
			unpin_new(apply, i);
			return explain_pins(&path, r, ret_error);
		}
	}
	return 0;
}

/* Whether the kernel says that every new program is enforced. */
static int verify(const struct apply *apply, struct checmate_error **ret_error)
{
	_cleanup_(control_list_done) struct control_list list = {};
	int r;

	r = backend_get()->read_local(apply->cgroup, &list, ret_error);
	if (r < 0)
		return r;
	for (size_t i = 0; i < apply->n_policies; i++) {
		const struct checmate_policy *policy = apply->policies[i];

		for (size_t j = 0; j < policy->n_programs; j++) {
			const struct checmate_attachment *item;

			item = control_list_find(&list, policy->programs[j].id);
			if (!item || !streq(item->mode, "enforce"))
				return error_set(ret_error, -EIO,
						 "cgroup %s: the program %s of policy %s was attached and is not enforced; see \"checmatectl status\" for who else changes it",
						 apply->cgroup->path, policy->programs[j].name,
						 policy->description.name);
		}
	}
	return 0;
}

/* Takes back what commit() attached. */
static void revert(const struct apply *apply)
{
	_cleanup_(ids_done) struct ids ids = {};

	for (size_t i = 0; i < apply->n_policies; i++)
		for (size_t j = 0; j < apply->policies[i]->n_programs; j++)
			if (ids_add(&ids, apply->policies[i]->programs[j].id) < 0)
				return;
	(void)commit(apply->cgroup, &ids, NULL, 0, NULL);
}

static int apply_pinned(const struct apply *apply, struct checmate_error **ret_error)
{
	int r;

	r = commit(apply->cgroup, &apply->old, apply->fds, apply->n_fds, ret_error);
	if (r < 0)
		return r;
	r = verify(apply, ret_error);
	if (r < 0)
		revert(apply);
	return r;
}

static int apply_locked(struct apply *apply, struct checmate_error **ret_error)
{
	_cleanup_(control_list_done) struct control_list list = {};
	int r;

	r = backend_get()->read_local(apply->cgroup, &list, ret_error);
	if (r < 0)
		return r;
	r = recover(apply->cgroup->id, &list, ret_error);
	if (r < 0)
		return r;
	r = find_old(apply, &list, ret_error);
	if (r < 0)
		return r;
	r = pin_new(apply, ret_error);
	if (r < 0)
		return r;
	r = apply_pinned(apply, ret_error);
	if (r < 0) {
		unpin_new(apply, apply->n_policies);
		return r;
	}

	/*
	 * The policies are in force. Should a move fail, the pins stay under their
	 * temporary name, and the next one to hold the lock moves them.
	 */
	for (size_t i = 0; i < apply->n_policies; i++) {
		const char *name = apply->policies[i]->description.name;
		struct pin_path from = pin_path(apply->cgroup->id, name, PIN_NEW);
		struct pin_path to = pin_path(apply->cgroup->id, name, "");

		(void)pin_move(&from, &to);
		apply->policies[i]->bound = true;
	}
	return 0;
}

int checmate_binding_apply(struct checmate_cgroup *cgroup, struct checmate_policy *const *policies,
			   size_t n_policies, const struct checmate_apply_opts *opts,
			   struct checmate_error **ret_error)
{
	_cleanup_(apply_done) struct apply apply = {
		.cgroup = cgroup,
		.policies = policies,
		.n_policies = n_policies,
	};
	_cleanup_(control_list_done) struct control_list list = {};
	_cleanup_close_ int lock = -1;
	int r;

	r = check_apply(&apply, opts, ret_error);
	if (r < 0)
		return r;
	/* Asked first: cheaper than loading, and a clearer answer. */
	r = backend_get()->read_local(cgroup, &list, ret_error);
	if (r < 0)
		return r;
	r = load_all(&apply, ret_error);
	if (r < 0)
		return r;

	r = pin_lock(true, &lock, ret_error);
	if (r < 0)
		return r;
	r = apply_locked(&apply, ret_error);
	if (r < 0)
		tidy(cgroup->id);
	return r;
}

/* --- remove --------------------------------------------------------------- */

/* Removes the bindings @names. Without @cgroup, only their pins are left. */
static int remove_names(const struct checmate_cgroup *cgroup, uint64_t cgroup_id,
			char *const *names, struct checmate_error **ret_error)
{
	_cleanup_(ids_done) struct ids old = {};
	int r;

	for (char *const *name = names; cgroup && *name; name++) {
		_cleanup_(pin_programs_done) struct pin_programs pins = {};
		struct pin_path path = pin_path(cgroup_id, *name, "");

		r = pin_read(&path, &pins);
		if (r < 0)
			return explain_pins(&path, r, ret_error);
		if (ids_add_pins(&old, &pins) < 0)
			return error_oom(ret_error);
	}
	if (cgroup) {
		r = commit(cgroup, &old, NULL, 0, ret_error);
		/* Gone in the meantime: so are its attachments. */
		if (r < 0 && r != -ENODEV)
			return r;
		if (r < 0 && ret_error)
			*ret_error = checmate_error_free(*ret_error);
	}

	for (char *const *name = names; *name; name++) {
		struct pin_path path = pin_path(cgroup_id, *name, "");

		r = pin_remove(&path);
		if (r < 0)
			return explain_pins(&path, r, ret_error);
	}
	tidy(cgroup_id);
	return 0;
}

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

/* @cgroup is NULL when it is gone. */
static int remove_binding(const struct checmate_cgroup *cgroup, uint64_t cgroup_id,
			  const char *policy, struct checmate_error **ret_error)
{
	_cleanup_(control_list_done) struct control_list list = {};
	_cleanup_strv_ char **names = NULL;
	char *one[] = { (char *)policy, NULL };
	_cleanup_close_ int lock = -1;
	int r;

	r = pin_lock(false, &lock, ret_error);
	if (r == -ENOENT)
		return no_binding(cgroup, cgroup_id, policy, ret_error);
	if (r < 0)
		return r;
	if (cgroup) {
		r = read_local(cgroup, &list, ret_error);
		if (r < 0)
			return r;
	}
	r = recover(cgroup_id, &list, ret_error);
	if (r < 0)
		return r;
	r = list_policies(cgroup_id, &names, ret_error);
	if (r < 0)
		return r;
	if (policy ? !strv_contains(names, policy) : !*names)
		return no_binding(cgroup, cgroup_id, policy, ret_error);
	return remove_names(cgroup, cgroup_id, policy ? one : names, ret_error);
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

/* Counts and removes what is left of a cgroup that is gone. */
static int collect(uint64_t cgroup_id, size_t *n, struct checmate_error **ret_error)
{
	struct control_list none = {};
	_cleanup_strv_ char **names = NULL;
	int r;

	r = recover(cgroup_id, &none, ret_error);
	if (r < 0)
		return r;
	r = list_policies(cgroup_id, &names, ret_error);
	if (r < 0)
		return r;
	r = remove_names(NULL, cgroup_id, names, ret_error);
	if (r < 0)
		return r;
	*n += strv_length(names);
	return 0;
}

int checmate_binding_gc(size_t *ret_n, struct checmate_error **ret_error)
{
	struct pin_path root = pin_root();
	_cleanup_strv_ char **names = NULL;
	_cleanup_close_ int lock = -1;
	size_t n = 0;
	int r;

	r = pin_lock(false, &lock, ret_error);
	if (r == -ENOENT) {
		if (ret_n)
			*ret_n = 0;
		return 0;
	}
	if (r < 0)
		return r;
	r = pin_list(root.text, &names);
	if (r < 0)
		return explain_pins(&root, r, ret_error);
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
			r = collect(id, &n, ret_error);
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
	_cleanup_(control_list_done) struct control_list list = {};
	_cleanup_close_ int lock = -1;
	int r;

	r = pin_lock(false, &lock, ret_error);
	if (r == -ENOENT) {
		char **none = calloc(1, sizeof(*none));

		if (!none)
			return error_oom(ret_error);
		*ret_policies = none;
		return 0;
	}
	if (r < 0)
		return r;
	r = read_local(cgroup, &list, ret_error);
	if (r < 0)
		return r;
	r = recover(cgroup->id, &list, ret_error);
	if (r < 0)
		return r;
	return list_policies(cgroup->id, ret_policies, ret_error);
}

int checmate_binding_list_cgroups(uint64_t **ret_ids, size_t *ret_n,
				  struct checmate_error **ret_error)
{
	struct pin_path root = pin_root();
	_cleanup_strv_ char **names = NULL;
	_cleanup_free_ uint64_t *ids = NULL;
	_cleanup_close_ int lock = -1;
	size_t n = 0;
	int r;

	r = pin_lock(false, &lock, ret_error);
	if (r < 0 && r != -ENOENT)
		return r;
	/* Without the folder there is nothing to list. */
	r = lock < 0 ? 0 : pin_list(root.text, &names);
	if (r < 0)
		return explain_pins(&root, r, ret_error);
	ids = calloc(strv_length(names) + 1, sizeof(*ids));
	if (!ids)
		return error_oom(ret_error);
	for (char **name = names; name && *name; name++) {
		_cleanup_strv_ char **policies = NULL;

		if (parse_u64(*name, UINT64_MAX, &ids[n]))
			continue;
		r = list_policies(ids[n], &policies, ret_error);
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
	_cleanup_capture_ struct bpf_capture capture;
	char thing[POLICY_NAME_MAX + sizeof("policy ")];
	struct btf *btf;
	int r;

	bpf_capture_begin(&capture);
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
		binding->programs[i] = (struct checmate_program){
			.name = pin->name,
			.hook = item ? item->hook : "",
			.type = "",
			.id = pin->id,
			.attached = item,
			/* Whatever is not known to be enforced is not. */
			.permissive = item && !streq(item->mode, "enforce"),
		};
	}
	return 0;
}

int checmate_binding_open(const struct checmate_cgroup *cgroup, const char *policy,
			  struct checmate_binding **ret_binding, struct checmate_error **ret_error)
{
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	_cleanup_close_ int lock = -1;
	int r;

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
	r = read_local(cgroup, &binding->list, ret_error);
	if (r < 0)
		return r;
	r = recover(cgroup->id, &binding->list, ret_error);
	if (r < 0)
		return r;
	r = pin_read(&binding->path, &binding->pins);
	if (r == -ENOENT)
		return no_binding(cgroup, cgroup->id, policy, ret_error);
	if (r < 0)
		return explain_pins(&binding->path, r, ret_error);
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

/* The map whose element 0 holds the value: for a list, the one inside. */
static int open_value_map(const struct checmate_binding *binding, const struct param *param)
{
	_cleanup_close_ int fd = pin_open_map(&binding->path, param->map);
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

static int read_value(const struct checmate_binding *binding, const struct param *param,
		      char **ret_data)
{
	_cleanup_close_ int fd = open_value_map(binding, param);
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
	int r;

	if (!param)
		return -ENOENT;
	r = read_value(binding, param, &data);
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

/* Whether what is pinned is still what was opened: it may have been replaced. */
static int check_current(const struct checmate_binding *binding, struct checmate_error **ret_error)
{
	_cleanup_(pin_programs_done) struct pin_programs pins = {};
	bool same;
	int r;

	r = pin_read(&binding->path, &pins);
	if (r < 0 && r != -ENOENT)
		return explain_pins(&binding->path, r, ret_error);
	same = !r && pins.n == binding->pins.n;
	for (size_t i = 0; same && i < pins.n; i++)
		same = pins.items[i].id == binding->pins.items[i].id;
	if (!same)
		return error_set(ret_error, -ESTALE,
				 "policy %s: the binding was replaced or removed; look at it again",
				 binding->description.name);
	return 0;
}

int checmate_binding_set(struct checmate_binding *binding, const char *name, const char *text,
			 struct checmate_error **ret_error)
{
	const struct param *param = description_find(&binding->description, name, ret_error);
	_cleanup_close_ int lock = -1, fd = -1;
	_cleanup_free_ void *value = NULL;
	int r;

	if (!param)
		return -ENOENT;
	r = param_parse(&binding->description, param, text, &value, ret_error);
	if (r < 0)
		return r;
	r = pin_lock(true, &lock, ret_error);
	if (r < 0)
		return r;
	r = check_current(binding, ret_error);
	if (r < 0)
		return r;

	fd = pin_open_map(&binding->path, param->map);
	if (fd < 0)
		return explain_value(binding, param, fd, ret_error);
	r = param->type->list ? param_store_list(param, fd, value) : store_scalar(param, fd, value);
	return r < 0 ? explain_value(binding, param, r, ret_error) : 0;
}
