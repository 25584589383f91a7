// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Policy objects: describe, configure */
#include "policy.h"

#include <errno.h>
#include <string.h>

#include "error.h"

struct checmate_policy *checmate_policy_free(struct checmate_policy *policy)
{
	if (!policy)
		return NULL;

	for (size_t i = 0; policy->values && i < policy->description.n_params; i++)
		free(policy->values[i]);
	free(policy->values);
	policy_close_programs(policy);
	free(policy->programs);
	bpf_object__close(policy->loaded);
	object_unref(policy->object);
	free(policy->path);
	free(policy);
	return NULL;
}

/* --- describing ----------------------------------------------------------- */

const char *checmate_policy_name(const struct checmate_policy *policy)
{
	return policy->description.name;
}

const char *checmate_policy_version(const struct checmate_policy *policy)
{
	return policy->description.version;
}

const char *checmate_policy_description(const struct checmate_policy *policy)
{
	return policy->description.text;
}

const char *checmate_policy_path(const struct checmate_policy *policy)
{
	return policy->path;
}

size_t checmate_policy_count_programs(const struct checmate_policy *policy)
{
	return policy->n_programs;
}

const struct checmate_program *checmate_policy_get_program(const struct checmate_policy *policy,
							   size_t index)
{
	return index < policy->n_programs ? &policy->programs[index] : NULL;
}

size_t checmate_policy_count_params(const struct checmate_policy *policy)
{
	return policy->description.n_params;
}

const struct checmate_param *checmate_policy_get_param(const struct checmate_policy *policy,
						       size_t index)
{
	if (index >= policy->description.n_params)
		return NULL;
	return &policy->description.params[index].info;
}

const char *checmate_policy_digest(const struct checmate_policy *policy)
{
	return policy->object->digest;
}

uint64_t checmate_policy_instance(const struct checmate_policy *policy)
{
	return policy->generation;
}

/* --- configuring ---------------------------------------------------------- */

int checmate_policy_get(const struct checmate_policy *policy, const char *name, char **ret_text,
			struct checmate_error **ret_error)
{
	const struct param *param = description_find(&policy->description, name, ret_error);

	if (!param)
		return -ENOENT;
	return param_format(&policy->description, param,
			    policy->values[param - policy->description.params], ret_text, ret_error);
}

int checmate_policy_set(struct checmate_policy *policy, const char *name, const char *text,
			struct checmate_error **ret_error)
{
	const struct param *param = description_find(&policy->description, name, ret_error);
	size_t index;
	void *value;
	int r;

	if (!param)
		return -ENOENT;
	if (policy->program_fds || policy->broken)
		return error_set(ret_error, -EBUSY,
				 "policy %s, parameter %s: the policy is loaded; set it on the binding",
				 policy->description.name, name);
	r = param_parse(&policy->description, param, text, &value, ret_error);
	if (r < 0)
		return r;

	index = param - policy->description.params;
	free(policy->values[index]);
	policy->values[index] = value;
	return 0;
}

/* --- in the kernel -------------------------------------------------------- */

int policy_program_fd(const struct checmate_policy *policy, const struct bpf_program *program)
{
	struct bpf_program *other;
	size_t i = 0;

	bpf_object__for_each_program(other, policy->object->parsed) {
		if (other == program)
			return policy->program_fds ? policy->program_fds[i] : -EINVAL;
		i++;
	}
	return -EINVAL;
}

void policy_close_programs(struct checmate_policy *policy)
{
	for (size_t i = 0; policy->program_fds && i < policy->n_programs; i++)
		close(policy->program_fds[i]);
	free(policy->program_fds);
	policy->program_fds = NULL;
}

bool policy_has_instances(const struct checmate_policy *policy)
{
	return bpf_object__find_map_by_name(policy->object->parsed, "checmate_instances");
}
