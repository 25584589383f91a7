// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libchecmate - Enforcing by the controller "checmate"
 *
 * The kernel's list of attachments is the truth, the pins in bpffs say which
 * policy an attached program belongs to. The order of steps makes a crash at
 * any point harmless: pins are made aside, then the kernel is told by one
 * transaction, then the pins take their place. What is found after a crash is
 * settled by whether its programs are attached, staged, or neither.
 */
#include "backend.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "backend-check.h"
#include "binding-globals.h"
#include "error.h"
#include "file.h"
#include "parse.h"
#include "paths.h"
#include "pin.h"
#include "strv.h"

#define POLICY_FILE "checmate.policy"
#define EFFECTIVE_FILE "checmate.effective"
#define SEAL_FILE "checmate.seal"

/* How often a change is tried again when others change the same cgroup. */
#define TRIES 16

/* 64 programs for each of 260 hooks, and a path each. */
#define LIST_MAX (64 * 1024 * 1024)

/* Whether the controller is among the words of a cgroup's file; -errno. */
static int has_controller(int cgroup_fd, const char *file)
{
	_cleanup_free_ char *text = NULL;
	int r;

	r = file_read(cgroup_fd, file, 65536, &text, NULL);
	return r < 0 ? r : word_in_text(text, "checmate", " \n");
}

/* Turns the controller on for the children of @cgroup, if it is not. */
static int enable_children(const struct checmate_cgroup *cgroup, char ***enabled,
			   struct checmate_error **ret_error)
{
	int r;

	r = has_controller(cgroup->fd, "cgroup.subtree_control");
	if (r > 0)
		return 0;
	if (!r)
		r = file_write(cgroup->fd, "cgroup.subtree_control", "+checmate");
	if (r == -EACCES || r == -EPERM)
		return error_set(ret_error, r,
				 "cgroup %s: turning the controller on for its children is not permitted; run as root",
				 cgroup->path);
	if (r < 0)
		return error_set(ret_error, r,
				 "cgroup %s: the controller cannot be turned on for its children: %s; see its cgroup.type and cgroup.controllers",
				 cgroup->path, strerror(-r));
	if (strv_extend(enabled, cgroup->path) < 0)
		return error_oom(ret_error);
	return 0;
}

/* From the root down, so every cgroup finds the controller in its parent. */
static int enable_ancestors(const struct checmate_cgroup *cgroup, char ***enabled,
			    struct checmate_error **ret_error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *parent = NULL;
	int r;

	if (streq(cgroup->path, "/"))
		return 0;
	r = cgroup_open_parent(cgroup, &parent, ret_error);
	if (r < 0)
		return r;
	r = enable_ancestors(parent, enabled, ret_error);
	if (r < 0)
		return r;
	return enable_children(parent, enabled, ret_error);
}

static int enable(struct checmate_cgroup *cgroup, char ***ret_enabled,
		  struct checmate_error **ret_error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *root = NULL;
	_cleanup_strv_ char **enabled = calloc(1, sizeof(*enabled));
	int r;

	if (!enabled)
		return error_oom(ret_error);
	/* It has the controller's files, for which all above have to have it on. */
	if (!faccessat(cgroup->fd, POLICY_FILE, F_OK, 0)) {
		if (ret_enabled)
			*ret_enabled = TAKE_PTR(enabled);
		return 0;
	}
	r = checmate_cgroup_open("/", &root, ret_error);
	if (r < 0)
		return r;
	if (has_controller(root->fd, "cgroup.controllers") <= 0)
		return error_set(ret_error, -EOPNOTSUPP,
				 "controller checmate: not in %s/cgroup.controllers; see \"checmatectl features\"",
				 checmate_paths.cgroup);
	r = enable_ancestors(cgroup, &enabled, ret_error);
	if (r < 0)
		return r;

	if (ret_enabled)
		*ret_enabled = TAKE_PTR(enabled);
	return 0;
}

static int read_list(const struct checmate_cgroup *cgroup, const char *file,
		     struct control_list *ret_list, struct checmate_error **ret_error)
{
	_cleanup_free_ char *text = NULL;
	int r;

	r = file_read(cgroup->fd, file, LIST_MAX, &text, NULL);
	if (r == -ENOMEM)
		return error_oom(ret_error);
	if (r == -ENODEV || (r == -ENOENT && faccessat(cgroup->fd, "cgroup.procs", F_OK, 0) < 0))
		return error_set(ret_error, -ENODEV, "cgroup %s: it is gone; give another",
				 cgroup->path);
	if (r == -ENOENT)
		return error_set(ret_error, -EOPNOTSUPP,
				 "cgroup %s: the controller checmate is not enabled here; write +checmate to the parent's cgroup.subtree_control or see \"checmatectl features\"",
				 cgroup->path);
	if (r < 0)
		return error_set(ret_error, r, "cgroup %s: %s: %s; run as root", cgroup->path, file,
				 strerror(-r));

	r = control_parse(text, ret_list);
	if (r == -ENOMEM)
		return error_oom(ret_error);
	if (r < 0)
		return error_set(ret_error, r,
				 "cgroup %s: %s has a form unknown to libchecmate %s; use the library that belongs to the kernel",
				 cgroup->path, file, CHECMATE_VERSION);
	return 0;
}

static int read_local(const struct checmate_cgroup *cgroup, struct control_list *ret_list,
		      struct checmate_error **ret_error)
{
	return read_list(cgroup, POLICY_FILE, ret_list, ret_error);
}

static int read_effective(const struct checmate_cgroup *cgroup, struct control_list *ret_list,
			  struct checmate_error **ret_error)
{
	int r;

	r = read_list(cgroup, EFFECTIVE_FILE, ret_list, ret_error);
	/*
	 * The root's files may not show before the first cgroup is made. Nothing
	 * can have been attached to it then.
	 */
	if (r == -EOPNOTSUPP && streq(cgroup->path, "/") &&
	    has_controller(cgroup->fd, "cgroup.controllers") > 0) {
		*ret_list = (struct control_list){};
		return 0;
	}
	return r;
}

/* --- transactions --------------------------------------------------------- */

static int write_change(const struct checmate_cgroup *cgroup, const struct control_change *change)
{
	_cleanup_free_ char *text = NULL;
	int r;

	r = control_format(change, &text);
	if (r < 0)
		return r;
	r = file_write(cgroup->fd, POLICY_FILE, text);
	/* The file goes with the controller or with the cgroup. */
	return r == -ENOENT ? -ENODEV : r;
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
	case -EROFS:
		return error_set(ret_error, code,
				 "cgroup %s: it is sealed, so its policy can only get stricter; remove the cgroup to be rid of it",
				 path);
	case -EBUSY:
		return error_set(ret_error, code,
				 "cgroup %s: what is staged here could not take force then; remove it first",
				 path);
	case -ESRCH:
		return error_set(ret_error, code,
				 "cgroup %s: there is no process of that id to wait for; give the id of one that is about to exec",
				 path);
	default:
		return error_set(ret_error, code,
				 "cgroup %s: its policy cannot be changed: %s; try again", path,
				 strerror(-code));
	}
}

/* Program ids. */
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

static bool ids_have(const struct ids *ids, uint32_t id)
{
	for (size_t i = 0; i < ids->n; i++)
		if (ids->items[i] == id)
			return true;
	return false;
}

/* Adds the programs that are pinned in "<policy><suffix>", if it exists. */
static int ids_add_pinned(struct ids *ids, uint64_t cgroup_id, const char *policy,
			  const char *suffix, struct checmate_error **ret_error)
{
	_cleanup_(pin_programs_done) struct pin_programs pins = {};
	struct pin_path path = pin_path(cgroup_id, policy, suffix);
	int r;

	r = pin_read(&path, &pins);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return pin_explain(&path, r, ret_error);
	for (size_t i = 0; i < pins.n; i++)
		if (ids_add(ids, pins.items[i].id) < 0)
			return error_oom(ret_error);
	return 0;
}

/* A program that is staged and not among @ids, or NULL. */
static const struct checmate_attachment *other_staged(const struct control_list *list,
						      const struct ids *ids)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].staged && !ids_have(ids, list->items[i].prog_id))
			return &list->items[i];
	return NULL;
}

/* The attachments in force of the programs @ids; @ret_found has room for all. */
static size_t find_attached(const struct control_list *list, const struct ids *ids,
			    uint64_t *ret_found)
{
	size_t n = 0;

	for (size_t i = 0; i < ids->n; i++) {
		const struct checmate_attachment *item = control_list_find(list, ids->items[i]);

		if (item)
			ret_found[n++] = item->id;
	}
	return n;
}

/* --- seal ----------------------------------------------------------------- */

static int sealed(const struct checmate_cgroup *cgroup, struct checmate_error **ret_error)
{
	_cleanup_free_ char *text = NULL;
	int r;

	r = file_read(cgroup->fd, SEAL_FILE, 64, &text, NULL);
	/* The root has no such file, nor has a cgroup without the controller. */
	if (r == -ENOENT && !faccessat(cgroup->fd, "cgroup.procs", F_OK, 0))
		return 0;
	if (r == -ENODEV || r == -ENOENT)
		return error_set(ret_error, -ENODEV, "cgroup %s: it is gone; give another",
				 cgroup->path);
	if (r < 0)
		return error_set(ret_error, r, "cgroup %s: " SEAL_FILE ": %s; run as root",
				 cgroup->path, strerror(-r));
	return startswith(text, "1") ? 1 : 0;
}

static int seal(const struct checmate_cgroup *cgroup, struct checmate_error **ret_error)
{
	_cleanup_(control_list_done) struct control_list list = {};
	int r;

	if (streq(cgroup->path, "/"))
		return error_set(ret_error, -EINVAL,
				 "cgroup /: the root cannot be sealed; give a cgroup below it");
	/* Says so when the controller is not enabled, or the cgroup is gone. */
	r = read_local(cgroup, &list, ret_error);
	if (r < 0)
		return r;
	r = file_write(cgroup->fd, SEAL_FILE, "1");
	if (r == -EBUSY)
		return error_set(ret_error, r,
				 "cgroup %s: what is staged here would loosen its policy; remove it first, or seal after the exec",
				 cgroup->path);
	if (r < 0)
		return explain_commit(cgroup, r == -ENOENT ? -ENODEV : r, ret_error);
	r = sealed(cgroup, ret_error);
	if (r < 0)
		return r;
	if (!r)
		return error_set(ret_error, -EIO,
				 "cgroup %s: the kernel says that it is not sealed; see \"checmatectl features\"",
				 cgroup->path);
	return 0;
}

/* --- apply ---------------------------------------------------------------- */

/* What a policy to be applied meets, under the lock and after recovery. */
static int find_old(const struct apply *apply, const struct control_list *list, struct ids *old,
		    struct ids *old_staged, struct checmate_error **ret_error)
{
	const struct checmate_attachment *other;

	for (size_t i = 0; i < apply->n_policies; i++) {
		const char *name = apply->policies[i]->description.name;
		size_t n = old_staged->n;
		int r;

		r = ids_add_pinned(old, apply->cgroup->id, name, "", ret_error);
		if (!r)
			r = ids_add_pinned(old_staged, apply->cgroup->id, name, PIN_STAGED,
					   ret_error);
		if (r < 0)
			return r;
		/* Else there would be two of it after the exec. */
		if (!apply->when_exec && old_staged->n > n)
			return error_set(ret_error, -EBUSY,
					 "cgroup %s: the policy %s is staged here and waits for an exec; remove it first",
					 apply->cgroup->path, name);
		if (!apply->replace && old_staged->n > n)
			return backend_explain_exists(apply->cgroup, name, ret_error);
	}

	other = other_staged(list, old_staged);
	if (apply->when_exec && other)
		return error_set(ret_error, -EBUSY,
				 "cgroup %s: the program %s is staged here by another policy; give all policies at once, or wait for the exec",
				 apply->cgroup->path, other->name);
	return 0;
}

/* A staged set that detaches loosens what is in force: the kernel does not seal that. */
static int explain_staged_seal(const struct apply *apply, struct checmate_error **ret_error)
{
	return error_set(ret_error, -EBUSY,
			 "cgroup %s: it cannot be sealed while a policy in force is to be replaced at an exec; remove the policy first, or use a new cgroup",
			 apply->cgroup->path);
}

/*
 * One transaction, tried again when somebody else was faster. The seal is written before a
 * transaction that replaces nothing, which the seal lets pass. The kernel puts each program
 * that joins a sealed cgroup in front of the others: @reversed keeps the order of @fds.
 */
static int commit_apply(const struct apply *apply, const int *fds, const int *reversed,
			size_t n_fds, struct checmate_error **ret_error)
{
	int r = -ESTALE;

	for (int try = 0; r == -ESTALE && try < TRIES; try++) {
		_cleanup_(control_list_done) struct control_list list = {};
		_cleanup_(ids_done) struct ids old = {}, old_staged = {};
		_cleanup_free_ uint64_t *detach = NULL;
		struct control_change change = {
			.when_exec = apply->when_exec,
			.pid = apply->pid,
			.except_fd = apply->except_fd,
			.permissive = apply->permissive,
			.attach = fds,
			.n_attach = n_fds,
		};
		bool replaces;

		r = read_local(apply->cgroup, &list, ret_error);
		if (!r)
			r = find_old(apply, &list, &old, &old_staged, ret_error);
		if (r < 0)
			return r;
		/* What is staged can have taken force since its pins were looked at. */
		for (size_t i = 0; i < old_staged.n; i++)
			if (ids_add(&old, old_staged.items[i]) < 0)
				return error_oom(ret_error);
		detach = calloc(old.n ?: 1, sizeof(*detach));
		if (!detach)
			return error_oom(ret_error);
		change.generation = list.generation;
		change.detach = detach;
		change.n_detach = find_attached(&list, &old, detach);
		replaces = change.n_detach || old_staged.n;
		if (apply->seal && apply->when_exec && change.n_detach)
			return explain_staged_seal(apply, ret_error);
		if (apply->seal && (apply->when_exec || !replaces))
			change.attach = reversed;
		if (apply->seal && !replaces) {
			r = seal(apply->cgroup, ret_error);
			if (r < 0)
				return r;
		}
		r = write_change(apply->cgroup, &change);
	}
	return r < 0 ? explain_commit(apply->cgroup, r, ret_error) : 0;
}

/*
 * One transaction that takes the programs @ids away, as far as they are there.
 * Withdraws what is staged before, since that may count on what is detached.
 */
static int commit_remove(const struct checmate_cgroup *cgroup, const struct ids *ids,
			 struct checmate_error **ret_error)
{
	_cleanup_free_ uint64_t *detach = calloc(ids->n ?: 1, sizeof(*detach));
	int r = -ESTALE;

	if (!detach)
		return error_oom(ret_error);
	for (int try = 0; r == -ESTALE && try < TRIES; try++) {
		_cleanup_(control_list_done) struct control_list list = {};
		struct control_change change = { .except_fd = -1 };
		const struct checmate_attachment *other;
		bool withdraw = false;

		r = backend_read_local(&backend_checmate, cgroup, &list, ret_error);
		if (r < 0)
			return r;
		for (size_t i = 0; i < ids->n; i++)
			withdraw |= !!control_list_find_staged(&list, ids->items[i]);
		other = other_staged(&list, ids);
		if (withdraw && other)
			return error_set(ret_error, -EBUSY,
					 "cgroup %s: it is staged together with the program %s of another policy; remove all, or wait for the exec",
					 cgroup->path, other->name);

		change.generation = list.generation;
		change.when_exec = withdraw;
		if (!withdraw) {
			change.detach = detach;
			change.n_detach = find_attached(&list, ids, detach);
		}
		if (!withdraw && !change.n_detach)
			return 0;
		r = write_change(cgroup, &change);
		if (!r && withdraw)
			r = -ESTALE;
	}
	return r < 0 ? explain_commit(cgroup, r, ret_error) : 0;
}

/* The kernel took the transaction, but its list cannot be read. */
static int explain_unread(const struct apply *apply, int code, struct checmate_error **ret_error)
{
	if (code == -ENODEV)
		return code;
	return error_set(ret_error, code,
			 "cgroup %s: the kernel's list cannot be read back: %s; the policies are %s, see \"checmatectl status\"",
			 apply->cgroup->path, strerror(-code),
			 apply->when_exec ? "staged" : "in force");
}

/* The kernel took the transaction, but the seal cannot be written, or not be read back. */
static int explain_unsealed(const struct apply *apply, int code, struct checmate_error **ret_error)
{
	if (code == -ENODEV)
		return error_set(ret_error, code, "cgroup %s: it is gone; give another",
				 apply->cgroup->path);
	return error_set(ret_error, code,
			 "cgroup %s: cannot seal: %s; the policies are %s, see \"checmatectl status\"",
			 apply->cgroup->path, strerror(-code),
			 apply->when_exec ? "staged" : "in force");
}

static int apply(const struct apply *apply, struct checmate_error **ret_error)
{
	_cleanup_(control_list_done) struct control_list list = {};
	_cleanup_free_ int *fds = NULL, *reversed = NULL;
	size_t n = 0;
	int r;

	for (size_t i = 0; i < apply->n_policies; i++)
		n += apply->policies[i]->n_programs;
	fds = calloc(n, sizeof(*fds));
	reversed = calloc(n, sizeof(*reversed));
	if (!fds || !reversed)
		return error_oom(ret_error);
	n = 0;
	for (size_t i = 0; i < apply->n_policies; i++) {
		struct bpf_program *program;

		bpf_object__for_each_program(program, apply->policies[i]->object)
			fds[n++] = policy_program_fd(apply->policies[i], program);
	}

	for (size_t i = 0; i < n; i++)
		reversed[i] = fds[n - 1 - i];
	r = commit_apply(apply, fds, reversed, n, ret_error);
	if (r < 0)
		return r;

	/*
	 * From here on nothing is undone: the replaced policies are gone, and detaching the new
	 * ones would leave neither. If a move fails, the pins keep their temporary name, and the
	 * next process that takes the lock moves them.
	 */
	for (size_t i = 0; i < apply->n_policies; i++) {
		const char *name = apply->policies[i]->description.name;
		struct pin_path from = pin_path(apply->cgroup->id, name, PIN_NEW);
		struct pin_path to = pin_path(apply->cgroup->id, name,
					      apply->when_exec ? PIN_STAGED : "");

		apply->policies[i]->bound = true;
		(void)pin_move(&from, &to);
	}

	/* A transaction that replaced something was not sealed before. */
	r = apply->seal ? seal(apply->cgroup, NULL) : 0;
	if (r < 0)
		return explain_unsealed(apply, r, ret_error);
	r = read_local(apply->cgroup, &list, ret_error);
	if (r < 0)
		return explain_unread(apply, r, ret_error);
	r = backend_verify(apply, &list, ret_error);
	/* The kernel dropped what was staged for a process that is gone; so do the pins. */
	if (r < 0)
		(void)backend_checmate.recover(apply->cgroup->id, &list, NULL);
	return r;
}

/* --- remove, change, recover ---------------------------------------------- */

static int remove_bindings(const struct checmate_cgroup *cgroup, uint64_t cgroup_id,
			   char *const *names, struct checmate_error **ret_error)
{
	static const char *const suffixes[] = { PIN_STAGED, "" };
	_cleanup_(ids_done) struct ids ids = {};
	int r;

	for (char *const *name = names; cgroup && *name; name++)
		for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
			r = ids_add_pinned(&ids, cgroup_id, *name, suffixes[i], ret_error);
			if (r < 0)
				return r;
		}
	if (cgroup) {
		r = commit_remove(cgroup, &ids, ret_error);
		/* Gone in the meantime: so are its attachments. */
		if (r < 0 && r != -ENODEV)
			return r;
		if (r < 0 && ret_error)
			*ret_error = checmate_error_free(*ret_error);
	}

	for (char *const *name = names; *name; name++)
		for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
			struct pin_path path = pin_path(cgroup_id, *name, suffixes[i]);
			struct pin_path gone = pin_path(cgroup_id, *name, PIN_GONE);

			/* Nobody is to see half a binding. */
			r = pin_remove(&gone);
			if (!r)
				r = pin_move(&path, &gone);
			if (r == -ENOENT)
				continue;
			if (!r)
				r = pin_remove(&gone);
			if (r < 0)
				return error_set(ret_error, r,
						 "%s: the policy is out of force, but its pins cannot be removed: %s; remove it again",
						 path.text, strerror(-r));
		}
	return 0;
}

static int set_mode(const struct checmate_cgroup *cgroup, const char *policy, bool permissive,
		    struct checmate_error **ret_error)
{
	struct pin_path path = pin_path(cgroup->id, policy, "");
	_cleanup_(binding_globals_closep) struct checmate_self *self = NULL;
	_cleanup_free_ uint64_t *ids_attached = NULL;
	_cleanup_(ids_done) struct ids ids = {};
	int r;

	r = ids_add_pinned(&ids, cgroup->id, policy, "", ret_error);
	if (r < 0)
		return r;
	ids_attached = calloc(ids.n ?: 1, sizeof(*ids_attached));
	if (!ids_attached)
		return error_oom(ret_error);
	/* Whatever can fail comes before the transaction. */
	r = binding_globals_open(&path, &self);
	if (r < 0 && r != -ENOENT)
		return pin_explain(&path, r, ret_error);

	r = -ESTALE;
	for (int try = 0; r == -ESTALE && try < TRIES; try++) {
		_cleanup_(control_list_done) struct control_list list = {};
		struct control_change change = {
			.except_fd = -1,
			.permissive = permissive,
			.mode = ids_attached,
		};

		r = backend_read_local(&backend_checmate, cgroup, &list, ret_error);
		if (r < 0)
			return r;
		change.generation = list.generation;
		change.n_mode = find_attached(&list, &ids, ids_attached);
		if (!change.n_mode)
			return error_set(ret_error, -ENOENT,
					 "cgroup %s: somebody has detached the policy %s; apply it again",
					 cgroup->path, policy);
		r = write_change(cgroup, &change);
	}
	if (r < 0)
		return explain_commit(cgroup, r, ret_error);

	/* The kernel does what was asked for. This is what events say about it. */
	if (self)
		binding_globals_set_flags(self, permissive ? backend_checmate.flags_permissive : 0);
	return 0;
}

/* Whether @name is "<policy><suffix>"; cuts the suffix off then. */
static bool cut_suffix(char *name, const char *suffix)
{
	char *plus = strchr(name, '+');

	if (!plus || !streq(plus, suffix))
		return false;
	*plus = '\0';
	return true;
}

/* Settles "<policy><suffix>". */
static int recover_one(uint64_t cgroup_id, const char *policy, const char *suffix,
		       const struct control_list *list, struct checmate_error **ret_error)
{
	_cleanup_(pin_programs_done) struct pin_programs pins = {};
	struct pin_path from = pin_path(cgroup_id, policy, suffix);
	struct pin_path to = pin_path(cgroup_id, policy, "");
	struct pin_path staged = pin_path(cgroup_id, policy, PIN_STAGED);
	int r;

	if (streq(suffix, PIN_GONE)) {
		r = pin_remove(&from);
		return r < 0 ? pin_explain(&from, r, ret_error) : 0;
	}
	r = pin_read(&from, &pins);
	if (r == -ENOENT)
		return 0;
	if (!r && pin_any_attached(&pins, list))
		r = pin_move(&from, &to);
	else if (!r && pin_any_staged(&pins, list))
		r = streq(suffix, PIN_STAGED) ? 0 : pin_move(&from, &staged);
	else if (!r)
		r = pin_remove(&from);
	return r < 0 ? pin_explain(&from, r, ret_error) : 0;
}

static int recover(uint64_t cgroup_id, const struct control_list *list,
		   struct checmate_error **ret_error)
{
	static const char *const suffixes[] = { PIN_GONE, PIN_STAGED, PIN_NEW };
	struct pin_path folder = pin_path(cgroup_id, NULL, "");
	int r;

	/* In this order: what is new may have taken the place of what was staged. */
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		_cleanup_strv_ char **names = NULL;

		r = pin_list(folder.text, &names);
		if (r < 0)
			return pin_explain(&folder, r, ret_error);
		if (!*names)
			return 0;
		for (char **name = names; *name; name++) {
			if (!cut_suffix(*name, suffixes[i]))
				continue;
			r = recover_one(cgroup_id, *name, suffixes[i], list, ret_error);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* --- test ----------------------------------------------------------------- */

static int attach_test(const struct checmate_cgroup *cgroup, int prog_fd)
{
	char text[32];
	int r;

	snprintf(text, sizeof(text), "attach %d\n", prog_fd);
	r = file_write(cgroup->fd, POLICY_FILE, text);
	return r < 0 ? r : 0;
}

static int detach_test(const struct checmate_cgroup *cgroup, int handle)
{
	(void)handle;
	return file_write(cgroup->fd, POLICY_FILE, "clear\n");
}

const struct backend backend_checmate = {
	.name = "checmate",
	.abilities = (const char *const[]){ "staging", "rewrite", "seal", "sleepable", "any-hook",
					    "permissive", NULL },
	.flags_permissive = CHECMATE_SELF_PERMISSIVE,
	.enable = enable,
	.read_local = read_local,
	.read_effective = read_effective,
	.check = backend_check_checmate,
	.apply = apply,
	.remove = remove_bindings,
	.set_mode = set_mode,
	.recover = recover,
	.seal = seal,
	.sealed = sealed,
	.attach_test = attach_test,
	.detach_test = detach_test,
};
