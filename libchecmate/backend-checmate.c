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
#include "error.h"
#include "file.h"
#include "instance.h"
#include "parse.h"
#include "paths.h"
#include "record.h"
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

/* The programs of bindings. */
struct targets {
	struct target {
		uint32_t prog_id;
		uint64_t cookie;
	} * items;
	size_t n;
};

static void targets_done(struct targets *targets)
{
	free(targets->items);
}

static int targets_add(struct targets *targets, uint32_t prog_id, uint64_t cookie)
{
	struct target *grown = reallocarray(targets->items, targets->n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	targets->items = grown;
	grown[targets->n++] = (struct target){ .prog_id = prog_id, .cookie = cookie };
	return 0;
}

static bool targets_have(const struct targets *targets, const struct checmate_attachment *item)
{
	for (size_t i = 0; i < targets->n; i++)
		if (targets->items[i].prog_id == item->prog_id &&
		    targets->items[i].cookie == item->cookie)
			return true;
	return false;
}

/* Adds the programs that are recorded as "<policy><suffix>", if it exists. */
static int targets_add_recorded(struct targets *targets, uint64_t cgroup_id, const char *policy,
				const char *suffix, struct checmate_error **ret_error)
{
	_cleanup_(record_done) struct record record = {};
	struct pin_path path = pin_path(cgroup_id, policy, suffix);
	int r;

	r = record_read(&path, &record);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return pin_explain(&path, r, ret_error);
	for (size_t i = 0; i < record.programs.n; i++)
		if (targets_add(targets, record.programs.items[i].id, record.cookie) < 0)
			return error_oom(ret_error);
	return 0;
}

/* A program that is staged and not among @targets, or NULL. */
static const struct checmate_attachment *other_staged(const struct control_list *list,
						      const struct targets *targets)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].staged && !targets_have(targets, &list->items[i]))
			return &list->items[i];
	return NULL;
}

/* The attachments in force of @targets; @ret_found has room for all. */
static size_t find_attached(const struct control_list *list, const struct targets *targets,
			    uint64_t *ret_found)
{
	size_t n = 0;

	for (size_t i = 0; i < targets->n; i++) {
		const struct checmate_attachment *item;

		item = control_list_find(list, targets->items[i].prog_id, targets->items[i].cookie);
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
static int find_old(const struct apply *apply, const struct control_list *list, struct targets *old,
		    struct targets *old_staged, struct checmate_error **ret_error)
{
	const struct checmate_attachment *other;

	for (size_t i = 0; i < apply->n_policies; i++) {
		const char *name = apply->policies[i]->description.name;
		size_t n = old_staged->n;
		int r;

		r = targets_add_recorded(old, apply->cgroup->id, name, "", ret_error);
		if (!r)
			r = targets_add_recorded(old_staged, apply->cgroup->id, name, PIN_STAGED,
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

/* The policy that has the program, or NULL. */
static const struct checmate_policy *find_policy(const struct apply *apply, uint32_t prog_id)
{
	for (size_t i = 0; i < apply->n_policies; i++)
		for (size_t j = 0; j < apply->policies[i]->n_programs; j++)
			if (apply->policies[i]->programs[j].id == prog_id)
				return apply->policies[i];
	return NULL;
}

/*
 * Adds programs that are attached already with the cookie of a binding whose record somebody has
 * removed. The kernel takes a program once in a cgroup, so the new binding replaces that one.
 */
static int add_strays(const struct apply *apply, const struct control_list *list,
		      struct targets *old, struct targets *strays)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct checmate_attachment *item = &list->items[i];

		if (item->staged || !find_policy(apply, item->prog_id) || targets_have(old, item))
			continue;
		if (targets_add(old, item->prog_id, item->cookie) < 0 ||
		    targets_add(strays, item->prog_id, item->cookie) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Removes what is left of strays that were replaced. */
static void drop_strays(const struct apply *apply, const struct targets *strays)
{
	for (size_t i = 0; i < strays->n; i++) {
		const struct target *stray = &strays->items[i];
		const struct checmate_policy *policy = find_policy(apply, stray->prog_id);
		struct pin_path use = pin_set_bindings(policy->set, stray->cookie);

		(void)instances_remove(&stray->cookie, 1);
		(void)unlink(use.text);
	}
}

/* A staged set that detaches loosens what is in force: the kernel does not seal that. */
static int explain_staged_seal(const struct apply *apply, struct checmate_error **ret_error)
{
	return error_set(ret_error, -EBUSY,
			 "cgroup %s: it cannot be sealed while a policy in force is to be replaced at an exec; remove the policy first, or use a new cgroup",
			 apply->cgroup->path);
}

/* Programs to attach, and the cookie of each. */
struct attach {
	int *fds;
	uint64_t *cookies;
	size_t n;
};

/*
 * One transaction, tried again when somebody else was faster. The seal is written before a
 * transaction that replaces nothing, which the seal lets pass. The kernel puts each program
 * that joins a sealed cgroup in front of the others: @reversed keeps the order of @attach.
 * @strays receives what was replaced and has no record.
 */
static int commit_apply(const struct apply *apply, const struct attach *attach,
			const struct attach *reversed, struct targets *strays,
			struct checmate_error **ret_error)
{
	int r = -ESTALE;

	for (int try = 0; r == -ESTALE && try < TRIES; try++) {
		_cleanup_(control_list_done) struct control_list list = {};
		_cleanup_(targets_done) struct targets old = {}, old_staged = {};
		_cleanup_free_ uint64_t *detach = NULL;
		struct control_change change = {
			.when_exec = apply->when_exec,
			.pid = apply->pid,
			.except_fd = apply->except_fd,
			.permissive = apply->permissive,
			.attach = attach->fds,
			.cookies = attach->cookies,
			.n_attach = attach->n,
		};
		bool replaces;

		r = read_local(apply->cgroup, &list, ret_error);
		if (!r)
			r = find_old(apply, &list, &old, &old_staged, ret_error);
		if (r < 0)
			return r;
		/* What is staged can have taken force since its pins were looked at. */
		for (size_t i = 0; i < old_staged.n; i++)
			if (targets_add(&old, old_staged.items[i].prog_id,
					old_staged.items[i].cookie) < 0)
				return error_oom(ret_error);
		targets_done(strays);
		*strays = (struct targets){};
		if (add_strays(apply, &list, &old, strays) < 0)
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
		if (apply->seal && (apply->when_exec || !replaces)) {
			change.attach = reversed->fds;
			change.cookies = reversed->cookies;
		}
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
 * One transaction that takes the programs of @targets away, as far as they are there.
 * Withdraws what is staged before, since that may count on what is detached.
 */
static int commit_remove(const struct checmate_cgroup *cgroup, const struct targets *targets,
			 struct checmate_error **ret_error)
{
	_cleanup_free_ uint64_t *detach = calloc(targets->n ?: 1, sizeof(*detach));
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
		for (size_t i = 0; i < targets->n; i++)
			withdraw |= !!control_list_find_staged(&list, targets->items[i].prog_id,
							       targets->items[i].cookie);
		other = other_staged(&list, targets);
		if (withdraw && other)
			return error_set(ret_error, -EBUSY,
					 "cgroup %s: it is staged together with the program %s of another policy; remove all, or wait for the exec",
					 cgroup->path, other->name);

		change.generation = list.generation;
		change.when_exec = withdraw;
		if (!withdraw) {
			change.detach = detach;
			change.n_detach = find_attached(&list, targets, detach);
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

static void attach_done(struct attach *attach)
{
	free(attach->fds);
	free(attach->cookies);
}

static int attach_init(struct attach *attach, size_t n)
{
	attach->fds = calloc(n, sizeof(*attach->fds));
	attach->cookies = calloc(n, sizeof(*attach->cookies));
	return attach->fds && attach->cookies ? 0 : -ENOMEM;
}

/* The programs of all policies, in the order in which they are to run, and the reverse. */
static int list_programs(const struct apply *apply, struct attach *attach, struct attach *reversed)
{
	size_t n = 0;

	for (size_t i = 0; i < apply->n_policies; i++)
		n += apply->policies[i]->n_programs;
	if (attach_init(attach, n) < 0 || attach_init(reversed, n) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < apply->n_policies; i++) {
		const struct checmate_policy *policy = apply->policies[i];
		struct bpf_program *program;

		bpf_object__for_each_program(program, policy->object->parsed) {
			attach->fds[attach->n] = policy_program_fd(policy, program);
			attach->cookies[attach->n++] = policy->cookie;
		}
	}
	for (reversed->n = 0; reversed->n < n; reversed->n++) {
		reversed->fds[reversed->n] = attach->fds[n - 1 - reversed->n];
		reversed->cookies[reversed->n] = attach->cookies[n - 1 - reversed->n];
	}
	return 0;
}

/* Where the record of a new binding belongs. */
static struct pin_path place_of(const struct apply *apply, size_t index)
{
	return pin_path(apply->cgroup->id, apply->policies[index]->description.name,
			apply->when_exec ? PIN_STAGED : "");
}

/*
 * Puts the records in place of those that were replaced. If this fails, the records keep their
 * temporary names, and the next process that takes the lock moves them.
 */
static void move_records(const struct apply *apply)
{
	_cleanup_free_ uint64_t *cookies = calloc(apply->n_policies, sizeof(*cookies));

	if (!cookies)
		return;
	for (size_t i = 0; i < apply->n_policies; i++) {
		struct pin_path to = place_of(apply, i);

		(void)record_read_cookie(&to, &cookies[i]);
	}
	/* All at once; record_move() would wait for each. */
	(void)instances_remove(cookies, apply->n_policies);
	for (size_t i = 0; i < apply->n_policies; i++) {
		struct pin_path from = pin_path(apply->cgroup->id,
						apply->policies[i]->description.name, PIN_NEW);
		struct pin_path to = place_of(apply, i);

		(void)record_move(&from, &to);
	}
}

static int apply(const struct apply *apply, struct checmate_error **ret_error)
{
	_cleanup_(attach_done) struct attach attach = {}, reversed = {};
	_cleanup_(targets_done) struct targets strays = {};
	_cleanup_(control_list_done) struct control_list list = {};
	int r;

	if (list_programs(apply, &attach, &reversed) < 0)
		return error_oom(ret_error);
	r = commit_apply(apply, &attach, &reversed, &strays, ret_error);
	if (r < 0)
		return r;

	/*
	 * From here on nothing is undone: the replaced policies are gone, and detaching the new
	 * ones would leave neither.
	 */
	for (size_t i = 0; i < apply->n_policies; i++)
		apply->policies[i]->bound = true;
	move_records(apply);
	/* Until the exec they are in force. */
	if (!apply->when_exec)
		drop_strays(apply, &strays);

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

/* Of all bindings at once; record_remove() would wait for each. */
static int remove_instances(uint64_t cgroup_id, char *const *names, const char *const *suffixes,
			    size_t n_suffixes)
{
	_cleanup_free_ uint64_t *cookies = NULL;
	size_t n = 0;
	int r;

	cookies = calloc(strv_length(names) * n_suffixes + 1, sizeof(*cookies));
	if (!cookies)
		return -ENOMEM;
	for (char *const *name = names; *name; name++)
		for (size_t i = 0; i < n_suffixes; i++) {
			struct pin_path path = pin_path(cgroup_id, *name, suffixes[i]);

			r = record_read_cookie(&path, &cookies[n]);
			if (r < 0 && r != -ENOENT)
				return r;
			n += !r;
		}
	return instances_remove(cookies, n);
}

static int explain_left(const struct pin_path *path, int code, struct checmate_error **ret_error)
{
	return error_set(ret_error, code,
			 "%s: the policy is detached, but its record cannot be removed: %s; remove it again",
			 path->text, strerror(-code));
}

static int remove_bindings(const struct checmate_cgroup *cgroup, uint64_t cgroup_id,
			   char *const *names, struct checmate_error **ret_error)
{
	static const char *const suffixes[] = { PIN_STAGED, "" };
	_cleanup_(targets_done) struct targets targets = {};
	struct pin_path directory = pin_path(cgroup_id, NULL, "");
	int r;

	for (char *const *name = names; cgroup && *name; name++)
		for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
			r = targets_add_recorded(&targets, cgroup_id, *name, suffixes[i], ret_error);
			if (r < 0)
				return r;
		}
	if (cgroup) {
		r = commit_remove(cgroup, &targets, ret_error);
		/* Gone in the meantime: so are its attachments. */
		if (r < 0 && r != -ENODEV)
			return r;
		if (r < 0 && ret_error)
			*ret_error = checmate_error_free(*ret_error);
	}

	r = remove_instances(cgroup_id, names, suffixes, ARRAY_SIZE(suffixes));
	if (r < 0)
		return explain_left(&directory, r, ret_error);
	for (char *const *name = names; *name; name++)
		for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
			struct pin_path path = pin_path(cgroup_id, *name, suffixes[i]);
			struct pin_path gone = pin_path(cgroup_id, *name, PIN_GONE);

			/* Nobody is to see half a binding. */
			r = record_remove(&gone);
			if (!r)
				r = record_move(&path, &gone);
			if (r == -ENOENT)
				continue;
			if (!r)
				r = record_remove(&gone);
			if (r < 0)
				return explain_left(&path, r, ret_error);
		}
	return 0;
}

static int set_mode(const struct checmate_cgroup *cgroup, const char *policy, bool permissive,
		    struct checmate_error **ret_error)
{
	struct pin_path path = pin_path(cgroup->id, policy, "");
	_cleanup_(instance_done) struct instance instance = {};
	_cleanup_(targets_done) struct targets targets = {};
	_cleanup_free_ uint64_t *attached = NULL;
	uint64_t cookie;
	int r;

	r = targets_add_recorded(&targets, cgroup->id, policy, "", ret_error);
	if (r < 0)
		return r;
	attached = calloc(targets.n ?: 1, sizeof(*attached));
	if (!attached)
		return error_oom(ret_error);
	/* Whatever can fail comes before the transaction. */
	r = record_read_cookie(&path, &cookie);
	if (!r)
		r = instance_read(cookie, &instance);
	if (r < 0 && r != -ENOENT)
		return pin_explain(&path, r, ret_error);

	r = -ESTALE;
	for (int try = 0; r == -ESTALE && try < TRIES; try++) {
		_cleanup_(control_list_done) struct control_list list = {};
		struct control_change change = {
			.except_fd = -1,
			.permissive = permissive,
			.mode = attached,
		};

		r = backend_read_local(&backend_checmate, cgroup, &list, ret_error);
		if (r < 0)
			return r;
		change.generation = list.generation;
		change.n_mode = find_attached(&list, &targets, attached);
		if (!change.n_mode)
			return error_set(ret_error, -ENOENT,
					 "cgroup %s: somebody has detached the policy %s; apply it again",
					 cgroup->path, policy);
		r = write_change(cgroup, &change);
	}
	if (r < 0)
		return explain_commit(cgroup, r, ret_error);

	/* The kernel does what was asked for. This is what events say about it. */
	if (instance.rows) {
		instance_head(&instance)->flags = permissive ? backend_checmate.flags_permissive :
							       0;
		(void)instance_replace(&instance);
	}
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
	_cleanup_(record_done) struct record record = {};
	struct pin_path from = pin_path(cgroup_id, policy, suffix);
	struct pin_path to = pin_path(cgroup_id, policy, "");
	struct pin_path staged = pin_path(cgroup_id, policy, PIN_STAGED);
	int r;

	if (streq(suffix, PIN_GONE)) {
		r = record_remove(&from);
		return r < 0 ? pin_explain(&from, r, ret_error) : 0;
	}
	r = record_read(&from, &record);
	if (r == -ENOENT)
		return 0;
	if (!r && record_any_attached(&record, list))
		r = record_move(&from, &to);
	else if (!r && record_any_staged(&record, list))
		r = streq(suffix, PIN_STAGED) ? 0 : record_move(&from, &staged);
	else if (!r)
		r = record_remove(&from);
	return r < 0 ? pin_explain(&from, r, ret_error) : 0;
}

static int recover(uint64_t cgroup_id, const struct control_list *list,
		   struct checmate_error **ret_error)
{
	static const char *const suffixes[] = { PIN_GONE, PIN_STAGED, PIN_NEW };
	struct pin_path directory = pin_path(cgroup_id, NULL, "");
	int r;

	/* In this order: what is new may have taken the place of what was staged. */
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		_cleanup_strv_ char **names = NULL;

		r = pin_list(directory.text, &names);
		if (r < 0)
			return pin_explain(&directory, r, ret_error);
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
	.set_suffix = "",
	.has_cookies = true,
	.flags_permissive = CHECMATE_HEAD_PERMISSIVE,
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
