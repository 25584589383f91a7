// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Policy objects: find and open */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "error.h"
#include "parse.h"
#include "policy.h"
#include "strv.h"

#define SUFFIX ".bpf.o"

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

int checmate_policy_open(const char *name_or_path, struct checmate_policy **ret_policy,
			 struct checmate_error **ret_error)
{
	return checmate_policy_open_opts(name_or_path, NULL, ret_policy, ret_error);
}

/* What a policy has of its own: programs get ids, and values are changed. */
static int copy_object(struct checmate_policy *policy, struct checmate_error **ret_error)
{
	const struct object *object = policy->object;
	size_t n = object->description.n_params;

	policy->description = object->description;
	policy->programs = calloc(object->n_programs, sizeof(*policy->programs));
	policy->values = calloc(n + 1, sizeof(*policy->values));
	if (!policy->programs || !policy->values)
		return error_oom(ret_error);
	policy->n_programs = object->n_programs;
	memcpy(policy->programs, object->programs, object->n_programs * sizeof(*policy->programs));
	for (size_t i = 0; i < n; i++) {
		policy->values[i] = malloc(policy->description.params[i].type->size);
		if (!policy->values[i])
			return error_oom(ret_error);
		memcpy(policy->values[i], object->defaults[i],
		       policy->description.params[i].type->size);
	}
	return 0;
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

	r = object_open(policy->path, known.untrusted_ok, &policy->object, ret_error);
	if (!r)
		r = copy_object(policy, ret_error);
	if (r < 0)
		return r;

	*ret_policy = TAKE_PTR(policy);
	return 0;
}
