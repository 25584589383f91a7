// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Binding files and the policies they name
 */

#include "config-policy.h"

#include <string.h>

#include "cleanup.h"
#include "parse.h"

const char *const config_default_dirs[] = {
	"/usr/lib/checmate/bindings.d",
	"/etc/checmate/bindings.d",
	"/run/checmate/bindings.d",
	NULL,
};

static int set_params(struct checmate_policy *opened, const struct config_policy *policy,
		      struct config_place *ret_place, struct checmate_error **ret_error)
{
	for (size_t i = 0; i < policy->n_params; i++) {
		const struct config_param *param = &policy->params[i];
		int r;

		r = checmate_policy_set(opened, param->name, param->value, ret_error);
		if (r < 0) {
			*ret_place = param->place;
			return r;
		}
	}
	return 0;
}

/**
 * config_policy_open() - Open a policy and give it its parameters
 * @policy: which, as a binding file or a request has it
 * @ret_policy: the policy, not loaded yet
 * @ret_error: on failure, why
 *
 * Return: 0, or what libchecmate returns.
 */
int config_policy_open(const struct config_policy *policy, struct checmate_policy **ret_policy,
		       struct checmate_error **ret_error)
{
	_cleanup_(checmate_policy_freep) struct checmate_policy *opened = NULL;
	struct config_place place;
	int r;

	r = checmate_policy_open(policy->name, &opened, ret_error);
	if (r >= 0)
		r = set_params(opened, policy, &place, ret_error);
	if (r < 0)
		return r;
	*ret_policy = TAKE_PTR(opened);
	return 0;
}

/* Every other type is a set or a list. */
static bool is_single(const struct checmate_param *param)
{
	static const char *const types[] = { "errno", "bool", "number", "choice" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (streq(param->type, types[i]))
			return true;
	return false;
}

static int verify(struct config_policy *policy, struct config_place *ret_place, char **ret_reason,
		  void *userdata)
{
	_cleanup_(checmate_policy_freep) struct checmate_policy *opened = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	int r;

	(void)userdata;

	*ret_place = policy->place;
	r = checmate_policy_open(policy->name, &opened, &e);
	for (size_t i = 0; r >= 0 && i < checmate_policy_count_params(opened); i++) {
		const struct checmate_param *param = checmate_policy_get_param(opened, i);

		if (is_single(param))
			config_policy_unlist(policy, param->name);
	}
	if (r >= 0)
		r = set_params(opened, policy, ret_place, &e);
	if (r < 0)
		*ret_reason = strdup(checmate_error_text(e));
	return r;
}

/**
 * config_load_verified() - Read the binding files and check them against the policies
 * @dirs: see config_load()
 * @ret_config: see config_load()
 * @ret_error: see config_load()
 *
 * Return: as config_load().
 */
int config_load_verified(const char *const *dirs, struct config **ret_config, char **ret_error)
{
	return config_load(dirs, verify, NULL, ret_config, ret_error);
}
