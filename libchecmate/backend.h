/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libchecmate - How policies are put in force: a table of operations */
#pragma once

#include "cgroup.h"
#include "control.h"

/**
 * struct apply - One call of checmate_binding_apply().
 * @cgroup: where.
 * @policies: policies with programs, recorded as "<policy>+new".
 * @n_policies: how many.
 * @replace: as in struct checmate_apply_opts, like the following.
 * @permissive: denials are told only.
 * @when_exec: staged.
 * @pid: whose exec, or 0.
 * @except_fd: the file whose exec is none, or -1.
 * @seal: seal the cgroup too.
 */
struct apply {
	struct checmate_cgroup *cgroup;
	struct checmate_policy *const *policies;
	size_t n_policies;
	bool replace;
	bool permissive;
	bool when_exec;
	pid_t pid;
	int except_fd;
	bool seal;
};

/**
 * struct backend - A way to enforce.
 * @name: as checmate_features_backend() returns it.
 * @abilities: what checmate_features_supports() knows, ended by NULL.
 * @set_suffix: of the names of program sets, whose programs are loaded for this backend.
 * @has_links: what is attached is so by links, which are pinned beside the record.
 * @has_cookies: programs find the cookies of their attachments by a kfunc.
 * @flags_permissive: CHECMATE_HEAD_* of a binding that is permissive.
 * @enable: as checmate_cgroup_enable().
 * @read_local: what is attached to a cgroup itself. -EOPNOTSUPP it cannot have
 *              attachments yet; -ENODEV it is gone.
 * @read_effective: what is enforced in a cgroup, in order of evaluation. Same
 *                  errors.
 * @check: as checmate_policy_check().
 * @apply: put in force what is pinned in "+new", instead of what is to be
 *         replaced, check it, and move the pins to their place. Policies are
 *         bound from the step on after which nothing is undone. On failure
 *         before it all is as before, once @recover has removed the new pins.
 * @remove: take bindings out of force and remove their pins. The cgroup is NULL
 *          when it is gone.
 * @set_mode: as checmate_binding_set_mode(), of what is pinned in "<policy>".
 * @recover: settle what a process left that died between two steps. The list
 *           is what @read_local gave.
 * @seal: as checmate_cgroup_seal().
 * @sealed: as checmate_cgroup_sealed().
 * @attach_test: attach one program to a cgroup that is the caller's. Returns a
 *               handle, -errno.
 * @detach_test: undo that, given the handle.
 *
 * All but the reading ones, and @check, are called with the lock of the pins.
 */
struct backend {
	const char *name;
	const char *const *abilities;
	const char *set_suffix;
	bool has_links;
	bool has_cookies;
	uint32_t flags_permissive;
	int (*enable)(struct checmate_cgroup *cgroup, char ***ret_enabled,
		      struct checmate_error **ret_error);
	int (*read_local)(const struct checmate_cgroup *cgroup, struct control_list *ret_list,
			  struct checmate_error **ret_error);
	int (*read_effective)(const struct checmate_cgroup *cgroup, struct control_list *ret_list,
			      struct checmate_error **ret_error);
	int (*check)(const struct checmate_policy *policy, struct checmate_error **ret_error);
	int (*apply)(const struct apply *apply, struct checmate_error **ret_error);
	int (*remove)(const struct checmate_cgroup *cgroup, uint64_t cgroup_id, char *const *names,
		      struct checmate_error **ret_error);
	int (*set_mode)(const struct checmate_cgroup *cgroup, const char *policy, bool permissive,
			struct checmate_error **ret_error);
	int (*recover)(uint64_t cgroup_id, const struct control_list *list,
		       struct checmate_error **ret_error);
	int (*seal)(const struct checmate_cgroup *cgroup, struct checmate_error **ret_error);
	int (*sealed)(const struct checmate_cgroup *cgroup, struct checmate_error **ret_error);
	int (*attach_test)(const struct checmate_cgroup *cgroup, int prog_fd);
	int (*detach_test)(const struct checmate_cgroup *cgroup, int handle);
};

/* The controller "checmate" and its control files. */
extern const struct backend backend_checmate;

/* Links of BPF_LSM_CGROUP programs. */
extern const struct backend backend_link;

/* The backend called so, or NULL. */
const struct backend *backend_find(const char *name);

/**
 * backend_get() - The backend in use.
 * @ret_backend: receives it.
 * @ret_error: explanation, or NULL.
 *
 * Return: 0; -EINVAL CHECMATE_BACKEND names none; as probe_choose().
 */
int backend_get(const struct backend **ret_backend, struct checmate_error **ret_error);

/* What was forced by call or environment, or NULL. */
const char *backend_forced(void);

/* Whether it has an ability, see checmate_features_supports(). */
bool backend_can(const struct backend *backend, const char *what);

/* As read_local, but a cgroup that cannot have attachments has none. */
int backend_read_local(const struct backend *backend, const struct checmate_cgroup *cgroup,
		       struct control_list *ret_list, struct checmate_error **ret_error);

/**
 * backend_verify() - Whether the kernel says that every new program is what it should be.
 * @apply: what was asked for.
 * @list: what is attached and staged since.
 * @ret_error: explanation, or NULL.
 *
 * Return: 0; -ESRCH what was staged is gone with its process; -EIO.
 */
int backend_verify(const struct apply *apply, const struct control_list *list,
		   struct checmate_error **ret_error);

/* The program @program of the policy @policy of @apply was attached, and is not enforced. */
int backend_explain_not_enforced(const struct apply *apply, size_t policy, size_t program,
				 struct checmate_error **ret_error);

/* A policy is in force there already. */
int backend_explain_exists(const struct checmate_cgroup *cgroup, const char *policy,
			   struct checmate_error **ret_error);
