// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Policy objects: load */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "backend.h"
#include "error.h"
#include "libbpf-log.h"
#include "policy.h"
#include "program-set.h"
#include "shared-map.h"

#define VERIFIER_LOG_SIZE (16 * 1024 * 1024)
#define LOG_LINES 24

/* As libbpf calls the maps that checmate.bpf.h has for cookies. */
#define HOST_MAP ".rodata.host"
#define COOKIES_MAP "checmate_cookies"

/* Tells the programs by which way they find their cookies, and leaves out the other one. */
static int choose_cookies(struct checmate_policy *policy, bool cookies,
			  struct checmate_error **ret_error)
{
	struct bpf_map *host = bpf_object__find_map_by_name(policy->loaded, HOST_MAP);
	struct bpf_map *storage = bpf_object__find_map_by_name(policy->loaded, COOKIES_MAP);
	const __u32 flags = cookies ? CHECMATE_HOST_COOKIES : 0;
	int r;

	if (!policy_has_instances(policy))
		return 0;
	r = host && storage ? bpf_map__set_initial_value(host, &flags, sizeof(flags)) : -ENOENT;
	if (!r && cookies)
		r = bpf_map__set_autocreate(storage, false);
	if (r < 0)
		return error_set(ret_error, -EINVAL,
				 "policy %s: its maps are not those of this version; build it with this version's checmate.bpf.h",
				 policy->description.name);
	return 0;
}

/* The programs in the kernel, by descriptors and ids of the policy. */
static int get_programs(struct checmate_policy *policy, struct checmate_error **ret_error)
{
	struct bpf_program *program;
	size_t i = 0;

	policy_close_programs(policy);
	policy->program_fds = malloc(policy->n_programs * sizeof(*policy->program_fds));
	if (!policy->program_fds)
		return error_oom(ret_error);
	for (size_t j = 0; j < policy->n_programs; j++)
		policy->program_fds[j] = -1;
	bpf_object__for_each_program(program, policy->loaded) {
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);
		int fd = fcntl(bpf_program__fd(program), F_DUPFD_CLOEXEC, 3);

		policy->program_fds[i] = fd;
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
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
	bpf_object__for_each_program(program, policy->loaded)
		bpf_program__set_log_buf(program, log, VERIFIER_LOG_SIZE);

	r = bpf_object__load(policy->loaded);
	/* libbpf refuses a second try, whatever the first one came to. */
	policy->broken = true;
	bpf_object__for_each_program(program, policy->loaded)
		bpf_program__set_log_buf(program, NULL, 0);
	if (r < 0)
		return explain_load(policy, r, log, capture, ret_error);
	return 0;
}

static int load(struct checmate_policy *policy, bool cookies, struct checmate_error **ret_error)
{
	_cleanup_libbpf_log_ struct libbpf_log capture = {};
	int r;

	if (policy->broken)
		return error_set(ret_error, -EBUSY,
				 "policy %s: loading it failed before; open it again",
				 policy->description.name);

	libbpf_log_begin(&capture);
	policy->loaded = object_parse(policy->object);
	if (!policy->loaded)
		return explain_load(policy, -errno, "", &capture, ret_error);
	r = choose_cookies(policy, cookies, ret_error);
	if (!r) {
		r = shared_map_reuse(policy->loaded, ret_error);
		if (r == -EACCES)
			r = explain_load(policy, r, "", &capture, ret_error);
	}
	if (!r)
		r = load_object(policy, &capture, ret_error);
	if (!r)
		r = get_programs(policy, ret_error);
	if (r < 0) {
		bpf_object__close(policy->loaded);
		policy->loaded = NULL;
		return r;
	}
	policy->broken = false;
	return 0;
}

static int explain_set(const struct checmate_policy *policy, int code,
		       struct checmate_error **ret_error)
{
	struct pin_path path = pin_set(policy->set, "");

	return pin_explain(&path, code, ret_error);
}

int policy_get_programs(struct checmate_policy *policy, const struct backend *backend,
			struct checmate_error **ret_error)
{
	int r;

	if (policy->loaded)
		return 0;
	r = program_set_modules(&policy->modules);
	if (r < 0)
		return error_set(ret_error, r,
				 "/sys/kernel/btf: %s; the kernel's types are needed, see \"checmatectl features\"",
				 strerror(-r));
	program_set_name(policy, backend->set_suffix, policy->cookie, policy->set);
	if (!policy->description.unshared && program_set_exists(policy->set)) {
		r = program_set_use(policy, policy->set);
		/* Another process may have let go of them since. */
		if (r != -EBADMSG && r != -ENOENT)
			return r < 0 ? explain_set(policy, r, ret_error) : 0;
	}
	return load(policy, backend->has_cookies, ret_error);
}

int checmate_policy_load(struct checmate_policy *policy, struct checmate_error **ret_error)
{
	const struct backend *backend;
	int r;

	r = backend_get(&backend, ret_error);
	return r < 0 ? r : policy_get_programs(policy, backend, ret_error);
}
