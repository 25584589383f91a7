// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Which backend is in use */
#include "backend.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "error.h"
#include "parse.h"
#include "policy.h"
#include "probe.h"

/* What a caller chose; entries of backends[]. */
static _Atomic(const struct backend *) forced;

static const struct backend *const backends[] = { &backend_checmate, &backend_link };

const struct backend *backend_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++)
		if (streq(name, backends[i]->name))
			return backends[i];
	return NULL;
}

bool backend_can(const struct backend *backend, const char *what)
{
	for (const char *const *ability = backend->abilities; *ability; ability++)
		if (streq(*ability, what))
			return true;
	return false;
}

const char *backend_forced(void)
{
	const struct backend *backend = forced;
	const char *env = secure_getenv("CHECMATE_BACKEND");

	if (backend)
		return backend->name;
	return env && *env ? env : NULL;
}

int backend_get(const struct backend **ret_backend, struct checmate_error **ret_error)
{
	const char *name = backend_forced();
	const struct backend *backend;
	int r;

	/* Where nothing can enforce, what fails explains what is missing. */
	if (!name) {
		r = probe_choose(&name, ret_error);
		if (r < 0)
			return r;
	}
	backend = backend_find(name);
	if (!backend)
		return error_set(ret_error, -EINVAL,
				 "CHECMATE_BACKEND=%s: there is no such backend; give checmate or bpf-link",
				 name);
	*ret_backend = backend;
	return 0;
}

int checmate_backend_force(const char *name, struct checmate_error **ret_error)
{
	const struct backend *backend = NULL;

	if (name && *name) {
		backend = backend_find(name);
		if (!backend)
			return error_set(ret_error, -EINVAL,
					 "backend %s: there is none of that name; give checmate or bpf-link",
					 name);
	}
	forced = backend;
	return 0;
}

int backend_read_local(const struct backend *backend, const struct checmate_cgroup *cgroup,
		       struct control_list *ret_list, struct checmate_error **ret_error)
{
	int r = backend->read_local(cgroup, ret_list, ret_error);

	if (r == -EOPNOTSUPP) {
		if (ret_error)
			*ret_error = checmate_error_free(*ret_error);
		*ret_list = (struct control_list){};
		return 0;
	}
	return r;
}

int backend_explain_exists(const struct checmate_cgroup *cgroup, const char *policy,
			   struct checmate_error **ret_error)
{
	return error_set(ret_error, -EEXIST,
			 "cgroup %s: the policy %s is in force here already; replace it, remove it or set its parameters",
			 cgroup->path, policy);
}

int backend_explain_not_enforced(const struct apply *apply, size_t policy, size_t program,
				 struct checmate_error **ret_error)
{
	return error_set(ret_error, -EIO,
			 "cgroup %s: the program %s of policy %s was attached and is not enforced; see \"checmatectl status\" for who else changes it",
			 apply->cgroup->path, apply->policies[policy]->programs[program].name,
			 apply->policies[policy]->description.name);
}

int backend_verify(const struct apply *apply, const struct control_list *list,
		   struct checmate_error **ret_error)
{
	const char *mode = apply->permissive ? "permissive" : "enforce";

	for (size_t i = 0; i < apply->n_policies; i++) {
		const struct checmate_policy *policy = apply->policies[i];

		for (size_t j = 0; j < policy->n_programs; j++) {
			const struct checmate_attachment *item;

			/* The exec may have come already. */
			item = control_list_find(list, policy->programs[j].id, policy->cookie);
			if (!item && apply->when_exec)
				item = control_list_find_staged(list, policy->programs[j].id,
								policy->cookie);
			if (item && streq(item->mode, mode))
				continue;
			if (apply->pid && kill(apply->pid, 0) < 0 && errno == ESRCH)
				return error_set(ret_error, -ESRCH,
						 "cgroup %s: process %d is gone, and with it what was staged; stage it while the process lives",
						 apply->cgroup->path, (int)apply->pid);
			return backend_explain_not_enforced(apply, i, j, ret_error);
		}
	}
	return 0;
}

/* --- what the callers of a backend ask -------------------------------------- */

int checmate_cgroup_enable(struct checmate_cgroup *cgroup, char ***ret_enabled,
			   struct checmate_error **ret_error)
{
	const struct backend *backend;
	int r;

	r = backend_get(&backend, ret_error);
	return r < 0 ? r : backend->enable(cgroup, ret_enabled, ret_error);
}

int checmate_cgroup_seal(struct checmate_cgroup *cgroup, struct checmate_error **ret_error)
{
	const struct backend *backend;
	int r;

	r = backend_get(&backend, ret_error);
	return r < 0 ? r : backend->seal(cgroup, ret_error);
}

int checmate_cgroup_sealed(const struct checmate_cgroup *cgroup, struct checmate_error **ret_error)
{
	const struct backend *backend;
	int r;

	r = backend_get(&backend, ret_error);
	return r < 0 ? r : backend->sealed(cgroup, ret_error);
}

int checmate_policy_check(const struct checmate_policy *policy, const char *name,
			  struct checmate_error **ret_error)
{
	const struct backend *backend;
	int r;

	if (name) {
		backend = backend_find(name);
		if (!backend)
			return error_set(ret_error, -EINVAL,
					 "backend %s: there is none of that name; give checmate or bpf-link",
					 name);
	} else {
		r = backend_get(&backend, ret_error);
		if (r < 0)
			return r;
	}
	return backend->check(policy, ret_error);
}
