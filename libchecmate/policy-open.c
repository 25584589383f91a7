// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Policy objects: find and open */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>

#include "error.h"
#include "file.h"
#include "hash.h"
#include "libbpf-log.h"
#include "object-validate.h"
#include "parse.h"
#include "policy.h"
#include "strv.h"
#include "trust.h"

#define SUFFIX ".bpf.o"
#define OBJECT_MAX (16 * 1024 * 1024)

/* --- where policies are --------------------------------------------------- */

static int search_path(char ***ret_folders)
{
	_cleanup_strv_ char **directories = NULL;
	const char *env = secure_getenv("CHECMATE_POLICY_PATH");
	_cleanup_free_ char *copy = NULL;
	char *directory, *rest;
	int r;

	rest = copy = strdup(env ?: "");
	if (!copy)
		return -ENOMEM;
	while ((directory = strsep(&rest, ":"))) {
		r = *directory ? strv_extend(&directories, directory) : 0;
		if (r < 0)
			return r;
	}
	r = strv_extend(&directories, "/etc/checmate/policies");
	if (!r)
		r = strv_extend(&directories, CHECMATE_POLICY_DIR);
	if (r < 0)
		return r;

	*ret_folders = TAKE_PTR(directories);
	return 0;
}

static int list_directory(const char *directory, char ***names, struct checmate_error **ret_error)
{
	_cleanup_closedir_ DIR *dir = opendir(directory);
	struct dirent *entry;

	if (!dir && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (!dir)
		return error_set(ret_error, -errno, "%s: %m; check its permissions", directory);

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
	_cleanup_strv_ char **directories = NULL, **names = NULL;
	int r;

	if (search_path(&directories) < 0)
		return error_oom(ret_error);
	for (char **directory = directories; *directory; directory++) {
		r = list_directory(*directory, &names, ret_error);
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
	_cleanup_strv_ char **directories = NULL;
	char *path;

	if (!name_is_valid(name, POLICY_NAME_MAX))
		return error_set(ret_error, -ENOENT,
				 "policy \"%s\": not a policy name; give a name from \"checmatectl policy list\" or a path with a '/'",
				 name);
	if (search_path(&directories) < 0)
		return error_oom(ret_error);
	for (char **directory = directories; *directory; directory++) {
		if (asprintf(&path, "%s/%s" SUFFIX, *directory, name) < 0)
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

/* The value that a parameter begins with. */
static int add_value(struct checmate_policy *policy, size_t index, struct checmate_error **ret_error)
{
	struct param *param = &policy->description.params[index];
	_cleanup_free_ char *reason = NULL, *text = NULL;
	int r;

	policy->values[index] = calloc(1, param->type->size);
	if (!policy->values[index])
		return error_oom(ret_error);
	r = param_type_parse(param->type, &param->limits, param->initial, policy->values[index],
			     &reason);
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

/* What else tells that an object was built with a former version's header. */
#define FORMER_MAP ".data.self"

/* Whether its programs can find their parameters, if they have any. */
static int check_instances(struct checmate_policy *policy, struct checmate_error **ret_error)
{
	bool has = policy_has_instances(policy);

	if (bpf_object__find_map_by_name(policy->object, FORMER_MAP) ||
	    (policy->description.n_params && !has))
		return error_set(ret_error, -EINVAL,
				 "%s: built with the header of a former version; build it with this version's checmate.bpf.h",
				 policy->path);
	if (!has)
		policy->description.unshared = true;
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
		_cleanup_free_ char *reason = libbpf_log_cause(&capture);

		return error_set_log(ret_error, -EINVAL, capture.text,
				     "%s: not a policy object: %s; build it again", policy->path,
				     reason ?: "?");
	}

	btf = bpf_object__btf(policy->object);
	if (!btf)
		return error_set(ret_error, -EINVAL,
				 "%s: it has no BTF, which describes it; build it with clang -g",
				 policy->path);

	r = description_read(btf, policy->path, false, &policy->description, ret_error);
	if (!r)
		r = check_instances(policy, ret_error);
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

/* Names the file among others; who trusts it knows whose it is. */
static void compute_digest(struct checmate_policy *policy)
{
	snprintf(policy->digest, sizeof(policy->digest), "%016llx%016llx",
		 (unsigned long long)hash_bytes(HASH_INIT, policy->data, policy->size),
		 (unsigned long long)hash_bytes(~HASH_INIT, policy->data, policy->size));
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
	compute_digest(policy);
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
	while (!policy->generation)
		if (getrandom(&policy->generation, sizeof(policy->generation), 0) < 0)
			return error_set(ret_error, -errno, "getrandom: %m; try again");

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
	r = object_validate(policy->path, policy->data, policy->size, ret_error);
	if (!r)
		r = open_object(policy, ret_error);
	if (r < 0)
		return r;

	*ret_policy = TAKE_PTR(policy);
	return 0;
}
