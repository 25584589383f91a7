// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - A binding, as its files say it
 */

#include <stdlib.h>
#include <string.h>

#include "config-binding.h"
#include "parse.h"
#include "strv.h"

static void policy_done(struct config_policy *policy)
{
	for (size_t i = 0; i < policy->n_params; i++) {
		free(policy->params[i].name);
		free(policy->params[i].value);
		free(policy->params[i].last);
	}
	free(policy->params);
	free(policy->name);
}

struct config_binding *config_binding_free(struct config_binding *binding)
{
	if (!binding)
		return NULL;
	for (size_t i = 0; i < binding->n_annotations; i++) {
		free(binding->annotations[i].key);
		free(binding->annotations[i].glob);
	}
	for (size_t i = 0; i < binding->n_policies; i++)
		policy_done(&binding->policies[i]);
	free(binding->annotations);
	free(binding->policies);
	strv_free(binding->units);
	strv_free(binding->slices);
	strv_free(binding->cgroups);
	strv_free(binding->runtimes);
	strv_free(binding->pods);
	strv_free(binding->drop_ins);
	free(binding->file);
	free(binding);
	return NULL;
}

void config_binding_freep(struct config_binding **binding)
{
	config_binding_free(*binding);
}

/**
 * config_policy_find_param() - Find a parameter of a policy
 * @policy: the policy
 * @name: the parameter's name
 *
 * Return: the parameter; NULL if no file sets it.
 */
struct config_param *config_policy_find_param(const struct config_policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->n_params; i++)
		if (streq(policy->params[i].name, name))
			return &policy->params[i];
	return NULL;
}

/**
 * config_policy_unlist() - A parameter is not a list: what was said last counts
 * @policy: the policy
 * @param: the parameter's name; that it was not set is fine
 *
 * Where the last file said it is empty the policy's own default holds, and the
 * parameter is gone from @policy.
 */
void config_policy_unlist(struct config_policy *policy, const char *param)
{
	struct config_param *p = config_policy_find_param(policy, param);

	if (!p)
		return;
	if (*p->last) {
		strcpy(p->value, p->last);
		return;
	}
	free(p->name);
	free(p->value);
	free(p->last);
	*p = policy->params[--policy->n_params];
}

/**
 * config_binding_kind() - The finest kind of thing that a binding matches
 * @binding: the binding
 */
enum config_kind config_binding_kind(const struct config_binding *binding)
{
	if (binding->n_annotations || binding->runtimes || binding->pods)
		return CONFIG_CONTAINERS;
	if (binding->units)
		return CONFIG_UNITS;
	return binding->slices ? CONFIG_SLICES : CONFIG_CGROUPS;
}
