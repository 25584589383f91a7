// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Binding files
 */

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "config-parse.h"
#include "config.h"
#include "inifile.h"
#include "parse.h"
#include "strv.h"
#include "trust.h"

#define WILDCARDS "*?["

struct config *config_free(struct config *config)
{
	if (!config)
		return NULL;
	for (size_t i = 0; i < config->n_bindings; i++)
		config_binding_free(config->bindings[i]);
	free(config->bindings);
	free(config);
	return NULL;
}

void config_freep(struct config **config)
{
	config_free(*config);
}

static const char *path_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(path_name(*(char *const *)a), path_name(*(char *const *)b));
}

/* Adds @path, in place of a file of that name from an earlier directory. */
static int add_path(char ***paths, const char *dir, const char *name)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	for (char **p = *paths; p && *p; p++) {
		if (!streq(path_name(*p), name))
			continue;
		free(*p);
		*p = TAKE_PTR(path);
		return 0;
	}
	return strv_extend(paths, path);
}

/* @reason: who could change it, or NULL. */
static int unusable(const char *path, int r, const char *reason, char **ret_error)
{
	if (reason)
		return inifile_refuse(ret_error, r, "%s: not trusted: %s", path, reason);
	return inifile_refuse(ret_error, r, "%s: cannot be read: %s", path, strerror(-r));
}

/* Who can put files into a directory, or take some away, decides whom policies hold. */
static int list_dir(const char *path, const char *suffix, char ***paths, char **ret_error)
{
	_cleanup_closedir_ DIR *dir = NULL;
	_cleanup_free_ char *reason = NULL;
	const struct dirent *entry;
	int r;

	r = trust_check_folder(path, &reason);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return unusable(path, r, reason, ret_error);
	dir = opendir(path);
	while (dir && (errno = 0, entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !endswith(entry->d_name, suffix))
			continue;
		r = add_path(paths, path, entry->d_name);
		if (r < 0)
			return r;
	}
	return errno ? unusable(path, -errno, NULL, ret_error) : 0;
}

/* The files of all directories, in the order of their names. */
static int list_dirs(const char *const *dirs, const char *below, const char *suffix,
		     char ***ret_paths, char **ret_error)
{
	_cleanup_strv_ char **paths = NULL;
	int r;

	for (; *dirs; dirs++) {
		_cleanup_free_ char *dir = NULL;

		if (asprintf(&dir, "%s%s%s", *dirs, below ? "/" : "", below ? below : "") < 0) {
			dir = NULL;
			return -ENOMEM;
		}
		r = list_dir(dir, suffix, &paths, ret_error);
		if (r < 0)
			return r;
	}
	if (paths)
		qsort(paths, strv_length(paths), sizeof(*paths), compare_names);
	*ret_paths = TAKE_PTR(paths);
	return 0;
}

struct source_list {
	struct config_source *items;
	size_t n;
};

static void source_list_done(struct source_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->items[i].path);
		fclose(list->items[i].stream);
	}
	free(list->items);
}

/* Adds nothing for a link to /dev/null, which hides a file of the same name. */
static int add_source(struct source_list *list, const char *path, char **ret_error)
{
	_cleanup_free_ char *copy = NULL, *reason = NULL;
	_cleanup_fclose_ FILE *stream = NULL;
	_cleanup_close_ int fd = -EBADF;
	struct config_source *items;
	int r;

	r = trust_open(path, &fd, &reason);
	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return unusable(path, r, reason, ret_error);
	r = inifile_open_fd(fd, path, &stream, ret_error);
	if (r < 0)
		return r;
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	items = reallocarray(list->items, list->n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	list->items = items;
	items[list->n++] = (struct config_source){
		.path = TAKE_PTR(copy),
		.stream = TAKE_PTR(stream),
	};
	return 0;
}

/* @ret_binding is NULL when the file is hidden, and its drop-ins with it. */
static int load_binding(const char *const *dirs, const char *path,
			struct config_binding **ret_binding, char **ret_error)
{
	_cleanup_(source_list_done) struct source_list list = {};
	_cleanup_strv_ char **drop_ins = NULL;
	_cleanup_free_ char *below = NULL;
	int r;

	r = add_source(&list, path, ret_error);
	if (r < 0)
		return r;
	if (list.n == 0) {
		*ret_binding = NULL;
		return 0;
	}

	if (asprintf(&below, "%s.d", path_name(path)) < 0) {
		below = NULL;
		return -ENOMEM;
	}
	r = list_dirs(dirs, below, ".conf", &drop_ins, ret_error);
	for (char **drop_in = drop_ins; r >= 0 && drop_in && *drop_in; drop_in++)
		r = add_source(&list, *drop_in, ret_error);
	return r < 0 ? r : config_parse(list.items, list.n, ret_binding, ret_error);
}

/* Drop-ins of no file are a slip of the pen, and what they were to hold would go free. */
static int check_drop_in_dirs(const char *const *dirs, char *const *files, char **ret_error)
{
	_cleanup_strv_ char **paths = NULL;
	int r;

	r = list_dirs(dirs, NULL, ".conf.d", &paths, ret_error);
	if (r < 0)
		return r;
	for (char **path = paths; path && *path; path++) {
		const char *name = path_name(*path);
		size_t n = strlen(name) - strlen(".d");
		bool found = false;

		for (char *const *file = files; file && *file && !found; file++)
			found = strlen(path_name(*file)) == n &&
				strncmp(path_name(*file), name, n) == 0;
		if (!found)
			return inifile_refuse(
				ret_error, -ENOENT,
				"%s: there is no file %.*s that this could be part of; remove the directory or give it the name of a file",
				*path, (int)n, name);
	}
	return 0;
}

static int verify_binding(struct config_binding *binding, config_verify_t verify, void *userdata,
			  char **ret_error)
{
	for (size_t i = 0; i < binding->n_policies; i++) {
		struct config_policy *policy = &binding->policies[i];
		struct config_place place = policy->place;
		_cleanup_free_ char *reason = NULL;
		int r;

		r = verify(policy, &place, &reason, userdata);
		if (r < 0)
			return inifile_refuse(ret_error, r, "%s:%u: %s", place.file, place.line,
					      reason ? reason : strerror(-r));
	}
	return 0;
}

static bool has_wildcard(const char *glob)
{
	return strpbrk(glob, WILDCARDS);
}

/* May one text match both globs? Says yes where it is not clear. */
static bool globs_meet(const char *a, const char *b)
{
	if (!has_wildcard(a) || !has_wildcard(b))
		return fnmatch(a, b, FNM_NOESCAPE) == 0 || fnmatch(b, a, FNM_NOESCAPE) == 0;
	return true;
}

/* May one thing be in both? One is then in the other: a-b.slice is in a.slice. */
static bool slices_meet(const char *a, const char *b)
{
	size_t n = strlen(a) - strlen(".slice"), m = strlen(b) - strlen(".slice");

	return has_wildcard(a) || has_wildcard(b) ||
	       (strncmp(a, b, n < m ? n : m) == 0 &&
		(n == m || (n < m ? b[n] == '-' : a[m] == '-')));
}

static bool cgroups_meet(const char *a, const char *b)
{
	return has_wildcard(a) || has_wildcard(b) ||
	       fnmatch(a, b, FNM_NOESCAPE | FNM_LEADING_DIR) == 0 ||
	       fnmatch(b, a, FNM_NOESCAPE | FNM_LEADING_DIR) == 0;
}

static bool is_engine(const char *name)
{
	static const char *const engines[] = { "podman", "docker", "containerd", "cri-o" };

	for (size_t i = 0; i < ARRAY_SIZE(engines); i++)
		if (streq(name, engines[i]))
			return true;
	return false;
}

/* A container has one engine. It may have other names besides: crun, nerdctl. */
static bool runtimes_meet(const char *a, const char *b)
{
	return !is_engine(a) || !is_engine(b) || streq(a, b);
}

static bool any_meet(char *const *a, char *const *b, bool (*meet)(const char *a, const char *b))
{
	if (!a || !b)
		return true;
	for (; *a; a++)
		for (char *const *other = b; *other; other++)
			if (meet(*a, *other))
				return true;
	return false;
}

static bool pods_meet(char *const *a, char *const *b)
{
	if (!a || !b)
		return true;
	for (; *a; a += 2)
		for (char *const *other = b; *other; other += 2)
			if (globs_meet(a[0], other[0]) && globs_meet(a[1], other[1]))
				return true;
	return false;
}

/* May one container match both? Says yes where it is not clear. */
static bool bindings_meet(const struct config_binding *a, const struct config_binding *b)
{
	return any_meet(a->units, b->units, globs_meet) &&
	       any_meet(a->slices, b->slices, slices_meet) &&
	       any_meet(a->cgroups, b->cgroups, cgroups_meet) &&
	       any_meet(a->runtimes, b->runtimes, runtimes_meet) && pods_meet(a->pods, b->pods);
}

static const struct config_policy *find_policy(const struct config_binding *binding,
					       const char *name)
{
	for (size_t i = 0; i < binding->n_policies; i++)
		if (streq(binding->policies[i].name, name))
			return &binding->policies[i];
	return NULL;
}

/*
 * Of the same policy the later file counts, but the workload writes its annotations:
 * by them it would choose what another file has it have. config_match_is_claimed()
 * sees to what cannot be said of the files alone.
 */
static int check_replaced(const struct config_binding *former, const struct config_binding *later,
			  char **ret_error)
{
	if (!later->n_annotations || former->n_annotations ||
	    config_binding_kind(former) != CONFIG_CONTAINERS || !bindings_meet(former, later))
		return 0;
	for (size_t i = 0; i < later->n_policies; i++) {
		const struct config_policy *policy = &later->policies[i];
		const struct config_policy *other = find_policy(former, policy->name);

		if (!other)
			continue;
		return inifile_refuse(
			ret_error, -EINVAL,
			"%s:%u: policy %s cannot replace that of %s:%u: the workload chooses its annotations; leave it out of one file, or have both or neither match by Annotation=",
			policy->place.file, policy->place.line, policy->name, other->place.file,
			other->place.line);
	}
	return 0;
}

static int check_all_replaced(const struct config *config, char **ret_error)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < config->n_bindings; i++)
		for (size_t j = 0; r >= 0 && j < i; j++)
			r = check_replaced(config->bindings[j], config->bindings[i], ret_error);
	return r;
}

/**
 * config_load() - Read all binding files
 * @dirs: directories, NULL-terminated, a later one overriding the earlier; one
 *	that does not exist holds no files
 * @verify: asked about each policy, or NULL
 * @userdata: for @verify
 * @ret_config: all bindings in the order of their file names
 * @ret_error: on failure other than -ENOMEM, what is wrong and where
 *
 * Return: 0, or -errno when anything at all was not understood; nothing is
 * returned then.
 */
int config_load(const char *const *dirs, config_verify_t verify, void *userdata,
		struct config **ret_config, char **ret_error)
{
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_strv_ char **files = NULL;
	int r;

	r = list_dirs(dirs, NULL, ".conf", &files, ret_error);
	if (r >= 0)
		r = check_drop_in_dirs(dirs, files, ret_error);
	if (r < 0)
		return r;

	config = calloc(1, sizeof(*config));
	if (!config)
		return -ENOMEM;
	config->bindings = calloc(strv_length(files) + 1, sizeof(*config->bindings));
	if (!config->bindings)
		return -ENOMEM;

	for (char **file = files; file && *file; file++) {
		struct config_binding *binding = NULL;

		r = load_binding(dirs, *file, &binding, ret_error);
		if (r < 0)
			return r;
		if (!binding)
			continue;
		config->bindings[config->n_bindings++] = binding;

		r = verify ? verify_binding(binding, verify, userdata, ret_error) : 0;
		if (r < 0)
			return r;
	}
	r = check_all_replaced(config, ret_error);
	if (r < 0)
		return r;

	*ret_config = TAKE_PTR(config);
	return 0;
}
