// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Policy objects: load */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "error.h"
#include "event-ring.h"
#include "libbpf-log.h"
#include "policy.h"
#include "template.h"

#define VERIFIER_LOG_SIZE (16 * 1024 * 1024)
#define LOG_LINES 24

/* Puts the scalars into the data that the kernel starts from. */
static int stage_scalars(struct checmate_policy *policy, struct checmate_error **ret_error)
{
	for (size_t i = 0; i < policy->description.n_params; i++) {
		const struct param *param = &policy->description.params[i];
		_cleanup_free_ char *data = NULL;
		struct bpf_map *map;
		const void *initial;
		size_t size;
		int r;

		if (param->type->list)
			continue;
		map = bpf_object__find_map_by_name(policy->object, param->map);
		initial = bpf_map__initial_value(map, &size);
		data = malloc(size);
		if (!data)
			return error_oom(ret_error);
		memcpy(data, initial, size);
		memcpy(data + param->offset, policy->values[i], param->type->size);
		r = bpf_map__set_initial_value(map, data, size);
		if (r < 0)
			return error_set(ret_error, r,
					 "policy %s, parameter %s: %s; open the policy again",
					 policy->description.name, param->info.name, strerror(-r));
	}
	return 0;
}

static int store_lists(struct checmate_policy *policy, struct checmate_error **ret_error)
{
	for (size_t i = 0; i < policy->description.n_params; i++) {
		const struct param *param = &policy->description.params[i];
		struct bpf_map *map;
		int r;

		if (!param->type->list)
			continue;
		map = bpf_object__find_map_by_name(policy->object, param->map);
		r = param_store_list(param, bpf_map__fd(map), policy->values[i]);
		if (r < 0)
			return error_set(ret_error, r,
					 "policy %s, parameter %s: the list cannot be stored: %s; try again",
					 policy->description.name, param->info.name, strerror(-r));
	}
	return 0;
}

static int get_ids(struct checmate_policy *policy, struct checmate_error **ret_error)
{
	struct bpf_program *program;
	size_t i = 0;

	bpf_object__for_each_program(program, policy->object) {
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);

		if (bpf_obj_get_info_by_fd(policy_program_fd(policy, program), &info, &size))
			return error_set(ret_error, -errno,
					 "policy %s: program %s gives no information: %m; try again",
					 policy->description.name, bpf_program__name(program));
		policy->programs[i++].id = info.id;
	}
	return 0;
}

static int explain_load(const struct checmate_policy *policy, int code, const char *log,
			struct libbpf_log *capture, struct checmate_error **ret_error)
{
	_cleanup_free_ char *program = capture->text ? libbpf_log_program(capture->text) : NULL;
	_cleanup_free_ char *reason = libbpf_log_reason(log);
	const char *name = policy->description.name;
	_cleanup_free_ char *said = libbpf_log_cause(capture);

	if (reason && strstr(reason, "CO-RE relocation"))
		return error_set_log(ret_error, code, libbpf_log_tail(log, LOG_LINES),
				     "policy %s: program %s needs a kernel field that this kernel lacks: %s; use a policy built for this kernel",
				     name, program ?: "?", reason);
	if (reason)
		return error_set_log(ret_error, code, libbpf_log_tail(log, LOG_LINES),
				     "policy %s: the kernel refuses program %s: %s; the end of its log says where",
				     name, program ?: "?", reason);
	if (code == -EPERM || code == -EACCES)
		return error_set_log(ret_error, code, capture->text,
				     "policy %s: loading is not permitted; run as root with CAP_BPF, CAP_PERFMON and CAP_MAC_ADMIN",
				     name);
	return error_set_log(ret_error, code, capture->text,
			     "policy %s: cannot be loaded: %s (%s); see \"checmatectl features\"",
			     name, said ?: "?", strerror(-code));
}

/* By libbpf, which reads the kernel's types and fits the object to them. */
static int load_object(struct checmate_policy *policy, struct libbpf_log *capture,
		       struct checmate_error **ret_error)
{
	_cleanup_free_ char *log = NULL;
	struct bpf_program *program;
	int r;

	log = malloc(VERIFIER_LOG_SIZE);
	if (!log)
		return error_oom(ret_error);
	log[0] = '\0';
	bpf_object__for_each_program(program, policy->object)
		bpf_program__set_log_buf(program, log, VERIFIER_LOG_SIZE);

	r = bpf_object__load(policy->object);
	/* libbpf refuses a second try, whatever the first one came to. */
	policy->broken = true;
	bpf_object__for_each_program(program, policy->object)
		bpf_program__set_log_buf(program, NULL, 0);
	if (r < 0)
		return explain_load(policy, r, log, capture, ret_error);
	template_keep(policy);
	return store_lists(policy, ret_error);
}

int checmate_policy_load(struct checmate_policy *policy, struct checmate_error **ret_error)
{
	_cleanup_libbpf_log_ struct libbpf_log capture = {};
	int r;

	if (policy->loaded)
		return 0;
	if (policy->broken)
		return error_set(ret_error, -EBUSY,
				 "policy %s: loading it failed before; open it again",
				 policy->description.name);

	libbpf_log_begin(&capture);
	r = stage_scalars(policy, ret_error);
	if (r < 0)
		return r;
	r = event_ring_share(policy->object, ret_error);
	if (r == -EACCES)
		return explain_load(policy, r, "", &capture, ret_error);
	if (r < 0)
		return r;

	r = template_load(policy);
	policy->broken = r != 0;
	if (r < 0)
		return explain_load(policy, r, "", &capture, ret_error);
	if (!r)
		r = load_object(policy, &capture, ret_error);
	if (r >= 0)
		r = get_ids(policy, ret_error);
	if (r < 0)
		return r;

	policy->broken = false;
	policy->loaded = true;
	return 0;
}
