// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Policy objects: open, describe, configure, load */
#include "policy.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "error.h"
#include "event-ring.h"
#include "file.h"
#include "libbpf-log.h"
#include "object-validate.h"
#include "parse.h"
#include "strv.h"
#include "template.h"
#include "trust.h"

#define SUFFIX ".bpf.o"
#define OBJECT_MAX (16 * 1024 * 1024)
#define VERIFIER_LOG_SIZE (16 * 1024 * 1024)
#define LOG_LINES 24

/* --- where policies are --------------------------------------------------- */

static int search_path(char ***ret_folders)
{
	_cleanup_strv_ char **folders = NULL;
	const char *env = secure_getenv("CHECMATE_POLICY_PATH");
	_cleanup_free_ char *copy = NULL;
	char *folder, *rest;
	int r;

	rest = copy = strdup(env ?: "");
	if (!copy)
		return -ENOMEM;
	while ((folder = strsep(&rest, ":"))) {
		r = *folder ? strv_extend(&folders, folder) : 0;
		if (r < 0)
			return r;
	}
	r = strv_extend(&folders, "/etc/checmate/policies");
	if (!r)
		r = strv_extend(&folders, CHECMATE_POLICY_DIR);
	if (r < 0)
		return r;

	*ret_folders = TAKE_PTR(folders);
	return 0;
}

static int list_folder(const char *folder, char ***names, struct checmate_error **ret_error)
{
	_cleanup_closedir_ DIR *dir = opendir(folder);
	struct dirent *entry;

	if (!dir && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (!dir)
		return error_set(ret_error, -errno, "%s: %m; check its permissions", folder);

	while ((entry = readdir(dir))) {
		size_t n = strlen(entry->d_name);
		char name[POLICY_NAME_MAX + 1];

		if (n <= strlen(SUFFIX) || n - strlen(SUFFIX) > POLICY_NAME_MAX ||
		    !streq(entry->d_name + n - strlen(SUFFIX), SUFFIX))
			continue;
		n -= strlen(SUFFIX);
		memcpy(name, entry->d_name, n);
		name[n] = '\0';
		if (name_is_valid(name, POLICY_NAME_MAX) && !strv_contains(*names, name) &&
		    strv_extend(names, name) < 0)
			return error_oom(ret_error);
	}
	return 0;
}

int checmate_policy_list(char ***ret_names, struct checmate_error **ret_error)
{
	_cleanup_strv_ char **folders = NULL, **names = NULL;
	int r;

	if (search_path(&folders) < 0)
		return error_oom(ret_error);
	for (char **folder = folders; *folder; folder++) {
		r = list_folder(*folder, &names, ret_error);
		if (r < 0)
			return r;
	}
	if (!names)
		names = calloc(1, sizeof(*names));
	if (!names)
		return error_oom(ret_error);

	strv_sort(names);
	*ret_names = TAKE_PTR(names);
	return 0;
}

/* Gives the path of the object called @name. */
static int find(const char *name, char **ret_path, struct checmate_error **ret_error)
{
	_cleanup_strv_ char **folders = NULL;
	char *path;

	if (!name_is_valid(name, POLICY_NAME_MAX))
		return error_set(ret_error, -ENOENT,
				 "policy \"%s\": not a policy name; give a name from \"checmatectl policy list\" or a path with a '/'",
				 name);
	if (search_path(&folders) < 0)
		return error_oom(ret_error);
	for (char **folder = folders; *folder; folder++) {
		if (asprintf(&path, "%s/%s" SUFFIX, *folder, name) < 0)
			return error_oom(ret_error);
		if (!access(path, F_OK)) {
			*ret_path = path;
			return 0;
		}
		free(path);
	}
	return error_set(ret_error, -ENOENT,
			 "policy %s: no %s" SUFFIX
			 " in $CHECMATE_POLICY_PATH, /etc/checmate/policies or " CHECMATE_POLICY_DIR
			 "; see \"checmatectl policy list\"",
			 name, name);
}

/* --- opening -------------------------------------------------------------- */

/*
 * The first thing libbpf said, without its prefix and newline: that is the
 * cause, the following lines are what came of it. Never NULL, to be freed.
 */
static char *first_words(const struct libbpf_log *capture)
{
	const char *line = capture->text;

	if (!line || !*line)
		line = "no reason given";
	line = startswith(line, "libbpf: ") ?: line;
	return strndup(line, strcspn(line, "\n"));
}

/* Whether @name is made of what a C compiler makes names of: it becomes a file. */
static bool is_plain(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");

	return n && !name[n];
}

static int check_maps(const struct checmate_policy *policy, struct checmate_error **ret_error)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, policy->object)
		if (!is_plain(bpf_map__name(map)))
			return error_set(ret_error, -EINVAL,
					 "%s: its map \"%s\" has no valid name; use letters, digits, '_' and '.'",
					 policy->path, bpf_map__name(map));
	return 0;
}

static int add_programs(struct checmate_policy *policy, struct checmate_error **ret_error)
{
	struct bpf_program *program;
	size_t n = 0;

	bpf_object__for_each_program(program, policy->object)
		n++;
	if (!n)
		return error_set(ret_error, -EINVAL, "%s: it has no program; add a CHECMATE_HOOK()",
				 policy->path);
	policy->programs = calloc(n, sizeof(*policy->programs));
	if (!policy->programs)
		return error_oom(ret_error);

	bpf_object__for_each_program(program, policy->object) {
		const char *section = bpf_program__section_name(program);
		const char *slash = strchr(section, '/');

		if (bpf_program__type(program) != BPF_PROG_TYPE_LSM || !slash || !slash[1])
			return error_set(ret_error, -EINVAL,
					 "%s: its program %s is in section \"%s\"; a policy has programs in \"lsm_cgroup/HOOK\" and \"lsm/HOOK\" only",
					 policy->path, bpf_program__name(program), section);
		if (!is_plain(bpf_program__name(program)) || !is_plain(slash + 1))
			return error_set(ret_error, -EINVAL,
					 "%s: its program \"%s\" for \"%s\" has no valid name; use letters, digits and '_'",
					 policy->path, bpf_program__name(program), slash + 1);
		policy->programs[policy->n_programs++] = (struct checmate_program){
			.name = bpf_program__name(program),
			.hook = slash + 1,
			.type = bpf_program__expected_attach_type(program) == BPF_LSM_CGROUP ?
					"lsm_cgroup" :
					"lsm",
		};
	}
	return 0;
}

/* Where the value begins that a scalar has in the object file, or NULL. */
static const void *find_scalar(const struct checmate_policy *policy, const struct param *param)
{
	struct bpf_map *map = bpf_object__find_map_by_name(policy->object, param->map);
	const char *initial;
	size_t size = 0;

	initial = map ? bpf_map__initial_value(map, &size) : NULL;
	if (!initial || param->offset > size || size - param->offset < param->type->size)
		return NULL;
	return initial + param->offset;
}

static bool is_list(const struct checmate_policy *policy, const struct param *param)
{
	struct bpf_map *map = bpf_object__find_map_by_name(policy->object, param->map);
	const struct bpf_map *inner = map ? bpf_map__inner_map(map) : NULL;

	return inner && bpf_map__type(map) == BPF_MAP_TYPE_ARRAY_OF_MAPS &&
	       bpf_map__max_entries(map) == 1 && bpf_map__type(inner) == BPF_MAP_TYPE_ARRAY &&
	       bpf_map__max_entries(inner) == 1 && bpf_map__value_size(inner) == param->type->size;
}

/* The value that a parameter begins with: from the object file, or its tag. */
static int add_value(struct checmate_policy *policy, size_t index, struct checmate_error **ret_error)
{
	struct param *param = &policy->description.params[index];
	_cleanup_free_ char *reason = NULL, *text = NULL;
	const void *scalar = NULL;
	int r = 0;

	if (!param->type->list)
		scalar = find_scalar(policy, param);
	if (param->type->list ? !is_list(policy, param) : !scalar)
		return error_set(ret_error, -EINVAL,
				 "%s: its parameter \"%s\" has not the layout of the type \"%s\"; build it with this version's checmate.bpf.h",
				 policy->path, param->info.name, param->type->name);

	policy->values[index] = calloc(1, param->type->size);
	if (!policy->values[index])
		return error_oom(ret_error);
	if (scalar)
		memcpy(policy->values[index], scalar, param->type->size);
	else
		r = param_type_parse(param->type, &param->limits, param->initial,
				     policy->values[index], &reason);
	if (!r)
		r = param_type_format(param->type, &param->limits, policy->values[index], &text);
	if (r == -ENOMEM)
		return error_oom(ret_error);
	if (r < 0)
		return error_set(ret_error, -EINVAL,
				 "%s: the default of its parameter \"%s\" cannot be: %s; make it %s",
				 policy->path, param->info.name, reason ?: "its bytes mean nothing",
				 param->info.form);
	param->info.value = TAKE_PTR(text);
	return 0;
}

static int open_object(struct checmate_policy *policy, struct checmate_error **ret_error)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "checmate");
	_cleanup_libbpf_log_ struct libbpf_log capture;
	const struct btf *btf;
	int r;

	libbpf_log_begin(&capture);
	policy->object = bpf_object__open_mem(policy->data, policy->size, &opts);
	if (!policy->object) {
		_cleanup_free_ char *reason = first_words(&capture);

		return error_set_log(ret_error, -EINVAL, capture.text,
				     "%s: not a policy object: %s; build it again", policy->path,
				     reason ?: "?");
	}

	btf = bpf_object__btf(policy->object);
	if (!btf)
		return error_set(ret_error, -EINVAL,
				 "%s: it has no BTF, which describes it; build it with clang -g",
				 policy->path);

	r = description_read(btf, policy->path, &policy->description, ret_error);
	if (r < 0)
		return r;
	r = check_maps(policy, ret_error);
	if (r < 0)
		return r;
	r = add_programs(policy, ret_error);
	if (r < 0)
		return r;

	if (!policy->description.n_params)
		return 0;
	policy->values = calloc(policy->description.n_params, sizeof(*policy->values));
	if (!policy->values)
		return error_oom(ret_error);
	for (size_t i = 0; i < policy->description.n_params; i++) {
		r = add_value(policy, i, ret_error);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Where struct checmate_open_opts ended in the first version that had it. */
#define OPEN_OPTS_FIRST (offsetof(struct checmate_open_opts, untrusted_ok) + sizeof(bool))

static int read_opts(const struct checmate_open_opts *opts, struct checmate_open_opts *ret_opts,
		     struct checmate_error **ret_error)
{
	*ret_opts = (struct checmate_open_opts){};
	if (!opts)
		return 0;
	if (opts->sz < OPEN_OPTS_FIRST)
		return error_set(ret_error, -EINVAL,
				 "open: opts.sz is %zu; set it to sizeof(struct checmate_open_opts)",
				 opts->sz);
	for (size_t i = sizeof(*opts); i < opts->sz; i++)
		if (((const char *)opts)[i])
			return error_set(ret_error, -EINVAL,
					 "open: opts has members that libchecmate %s does not know; use a newer one",
					 CHECMATE_VERSION);
	memcpy(ret_opts, opts, opts->sz < sizeof(*opts) ? opts->sz : sizeof(*opts));
	return 0;
}

static int read_object(struct checmate_policy *policy, const struct checmate_open_opts *opts,
		       struct checmate_error **ret_error)
{
	_cleanup_free_ char *reason = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	r = opts->untrusted_ok ? trust_open_any(policy->path, &fd) :
				 trust_open(policy->path, &fd, &reason);
	if (reason)
		return error_set(ret_error, r,
				 "%s: not trusted: %s, or use \"checmatectl --untrusted-ok\"",
				 policy->path, reason);
	if (!r)
		r = file_read_fd(fd, OBJECT_MAX, &policy->data, &policy->size);
	if (r == -ENOMEM)
		return error_oom(ret_error);
	if (r < 0)
		return error_set(ret_error, r, "%s: %s; give the path of a policy object",
				 policy->path, strerror(-r));
	return 0;
}

int checmate_policy_open(const char *name_or_path, struct checmate_policy **ret_policy,
			 struct checmate_error **ret_error)
{
	return checmate_policy_open_opts(name_or_path, NULL, ret_policy, ret_error);
}

int checmate_policy_open_opts(const char *name_or_path, const struct checmate_open_opts *opts,
			      struct checmate_policy **ret_policy, struct checmate_error **ret_error)
{
	_cleanup_(checmate_policy_freep) struct checmate_policy *policy = NULL;
	struct checmate_open_opts known;
	int r;

	r = read_opts(opts, &known, ret_error);
	if (r < 0)
		return r;
	policy = calloc(1, sizeof(*policy));
	if (!policy)
		return error_oom(ret_error);

	if (strchr(name_or_path, '/')) {
		policy->path = strdup(name_or_path);
		if (!policy->path)
			return error_oom(ret_error);
	} else {
		r = find(name_or_path, &policy->path, ret_error);
		if (r < 0)
			return r;
	}

	r = read_object(policy, &known, ret_error);
	if (r < 0)
		return r;
	/* These very bytes were found to be whole, and loaded. */
	if (!template_knows(policy->data, policy->size)) {
		r = object_validate(policy->path, policy->data, policy->size, ret_error);
		if (r < 0)
			return r;
	}
	r = open_object(policy, ret_error);
	if (r < 0)
		return r;

	*ret_policy = TAKE_PTR(policy);
	return 0;
}

struct checmate_policy *checmate_policy_free(struct checmate_policy *policy)
{
	if (!policy)
		return NULL;

	for (size_t i = 0; policy->values && i < policy->description.n_params; i++)
		free(policy->values[i]);
	free(policy->values);
	for (size_t i = 0; policy->program_fds && i < policy->n_programs; i++)
		close(policy->program_fds[i]);
	free(policy->program_fds);
	free(policy->programs);
	description_done(&policy->description);
	bpf_object__close(policy->object);
	free(policy->data);
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
	if (policy->loaded || policy->broken)
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

/* --- loading -------------------------------------------------------------- */

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

int policy_program_fd(const struct checmate_policy *policy, const struct bpf_program *program)
{
	struct bpf_program *other;
	size_t i = 0;

	if (!policy->program_fds)
		return bpf_program__fd(program);
	bpf_object__for_each_program(other, policy->object) {
		if (other == program)
			return policy->program_fds[i];
		i++;
	}
	return -EINVAL;
}

int param_make_list(const struct param *param, const void *value)
{
	_cleanup_close_ int fd = -1;
	__u32 zero = 0;

	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "checmate_list", sizeof(zero), param->type->size, 1,
			    NULL);
	if (fd < 0 || bpf_map_update_elem(fd, &zero, value, BPF_ANY))
		return -errno;
	return TAKE_FD(fd);
}

int param_store_list(const struct param *param, int map_fd, const void *value)
{
	_cleanup_close_ int fd = param_make_list(param, value);
	__u32 zero = 0;

	if (fd < 0)
		return fd;
	/* When this returns, no program looks at the former list any more. */
	if (bpf_map_update_elem(map_fd, &zero, &fd, BPF_ANY))
		return -errno;
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
	_cleanup_free_ char *said = first_words(capture);

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
