// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Binding files
 */

#include "config.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "inifile.h"
#include "parse.h"
#include "strv.h"
#include "trust.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define BLANK " \t"
#define WILDCARDS "*?["
#define UNIT_CHARS LOWER UPPER DIGITS ":-_.\\@"

enum section {
	SECTION_NONE,
	SECTION_MATCH,
	SECTION_BINDING,
	SECTION_POLICY,
};

/* Reads a binding: one file, then its drop-ins. */
struct parser {
	struct config_binding *binding;
	const char *file; /* the one being read; owned by the binding */
	enum section section;
	size_t policy; /* in SECTION_POLICY, which */
	unsigned int match_line; /* [Match] of this file, or 0 */
	unsigned int binding_line; /* [Binding] of this file, or 0 */
	struct config_place match_place; /* what was said last on what to match */
	struct config_place end; /* of the main file */
};

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

static int begin_policy(struct parser *p, const char *name, unsigned int line, char **ret_reason)
{
	const struct config_place place = { .file = p->file, .line = line };
	struct config_binding *binding = p->binding;
	struct config_policy *policies;

	/* Never a path: a binding file cannot load what is not installed. */
	if (!name_is_valid(name, CONFIG_POLICY_NAME_MAX))
		return inifile_refuse(ret_reason, -EINVAL,
				      "'%s' is not a policy name; use lower-case letters, digits and '-'",
				      name);

	p->section = SECTION_POLICY;
	for (p->policy = 0; p->policy < binding->n_policies; p->policy++) {
		struct config_policy *policy = &binding->policies[p->policy];

		if (!streq(policy->name, name))
			continue;
		if (policy->opened.file == p->file)
			return inifile_refuse(ret_reason, -EINVAL,
					      "[Policy %s] was opened in line %u already; merge the two",
					      name, policy->opened.line);
		policy->opened = place;
		return 0;
	}

	policies = reallocarray(binding->policies, binding->n_policies + 1, sizeof(*policies));
	if (!policies)
		return -ENOMEM;
	binding->policies = policies;
	policies[binding->n_policies] = (struct config_policy){
		.name = strdup(name),
		.place = place,
		.opened = place,
	};
	if (!policies[binding->n_policies].name)
		return -ENOMEM;
	binding->n_policies++;
	return 0;
}

static int begin_section(struct parser *p, const char *name, unsigned int line, char **ret_reason)
{
	const char *policy = startswith(name, "Policy");

	if (streq(name, "Match")) {
		if (p->match_line)
			return inifile_refuse(
				ret_reason, -EINVAL,
				"second [Match]; put the other bindings into a file of their own");
		p->match_line = line;
		p->match_place = (struct config_place){ .file = p->file, .line = line };
		p->section = SECTION_MATCH;
		return 0;
	}
	if (streq(name, "Binding")) {
		if (p->binding_line)
			return inifile_refuse(ret_reason, -EINVAL,
					      "[Binding] was opened in line %u already; merge the two",
					      p->binding_line);
		p->binding_line = line;
		p->section = SECTION_BINDING;
		return 0;
	}
	if (policy && *policy && strchr(BLANK, *policy))
		return begin_policy(p, policy + strspn(policy, BLANK), line, ret_reason);
	return inifile_refuse(ret_reason, -EINVAL,
			      "unknown section [%s]; known are [Match], [Binding] and [Policy NAME]",
			      name);
}

static bool endswith(const char *text, const char *suffix)
{
	size_t n = strlen(text), m = strlen(suffix);

	return n >= m && streq(text + n - m, suffix);
}

/* May what @glob matches end in @suffix? */
static bool may_end_in(const char *glob, const char *suffix)
{
	size_t n = strlen(glob);

	return endswith(glob, suffix) || (n > 0 && strchr("*?]", glob[n - 1]));
}

/*
 * What could never match is refused: it is a slip of the pen, and whatever it was
 * to hold would go free.
 */
static int check_unit(const char *glob, char **ret_reason)
{
	static const char *const types[] = { ".service", ".scope", ".socket", ".mount", ".swap" };

	if (glob[strspn(glob, UNIT_CHARS "*?[]!^")] != '\0')
		return inifile_refuse(ret_reason, -EINVAL, "Unit=%s: not a unit's name", glob);
	if (endswith(glob, ".slice"))
		return inifile_refuse(ret_reason, -EINVAL, "Unit=%s: write Slice= for slices", glob);
	if (strstr(glob, "@."))
		return inifile_refuse(
			ret_reason, -EINVAL,
			"Unit=%s: a template has no processes, its instances have; write '@*.' for all of them",
			glob);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (may_end_in(glob, types[i]))
			return 0;
	return inifile_refuse(
		ret_reason, -EINVAL,
		"Unit=%s: not a unit that has processes; it ends in .service, .scope, .socket, .mount or .swap",
		glob);
}

static int check_slice(const char *glob, char **ret_reason)
{
	if (streq(glob, "-.slice"))
		return inifile_refuse(ret_reason, -EINVAL,
				      "Slice=-.slice: the root takes no policy; name the slices below it");
	if (glob[strspn(glob, UNIT_CHARS "*?[]!^")] != '\0' || !may_end_in(glob, ".slice"))
		return inifile_refuse(ret_reason, -EINVAL,
				      "Slice=%s: not a slice's name, which ends in .slice", glob);
	return 0;
}

static int check_cgroup(const char *glob, char **ret_reason)
{
	if (glob[0] != '/' || glob[1] == '\0')
		return inifile_refuse(ret_reason, -EINVAL,
				      "Cgroup=%s: not a cgroup's path; it starts with '/' and is not the root",
				      glob);
	if (glob[strlen(glob) - 1] == '/' || strstr(glob, "//"))
		return inifile_refuse(ret_reason, -EINVAL,
				      "Cgroup=%s: empty component, which no cgroup has", glob);
	return 0;
}

/**
 * config_check_runtime() - May a glob match the name of an engine or runtime?
 * @key: of which key it is a value, for messages
 * @glob: the glob
 * @ret_reason: on failure, why not
 */
int config_check_runtime(const char *key, const char *glob, char **ret_reason)
{
	static const char *const others[][2] = {
		{ "libpod", "podman" },
		{ "crio", "cri-o" },
		{ "cri-containerd", "containerd" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (streq(glob, others[i][0]))
			return inifile_refuse(ret_reason, -EINVAL, "%s=%s: it is known as %s here",
					      key, glob, others[i][1]);
	if (strchr(glob, '/'))
		return inifile_refuse(ret_reason, -EINVAL,
				      "%s=%s: not a runtime's name, such as podman or runc", key,
				      glob);
	return 0;
}

static int check_runtime(const char *glob, char **ret_reason)
{
	return config_check_runtime("Runtime", glob, ret_reason);
}

/* What a key of [Match] but Annotation= takes. */
struct match_key {
	const char *name;
	size_t offset; /* of its globs in the binding */
	int (*check)(const char *glob, char **ret_reason);
};

static int add_pod(struct config_binding *binding, const char *pod, char **ret_reason)
{
	_cleanup_free_ char *namespace = NULL;
	const char *slash = strchr(pod, '/');
	size_t n = strv_length(binding->pods);
	int r;

	if (!slash || slash == pod || slash[1] == '\0' || strchr(slash + 1, '/'))
		return inifile_refuse(ret_reason, -EINVAL, "Pod=%s: expected NAMESPACE/NAME", pod);
	namespace = strndup(pod, slash - pod);
	if (!namespace)
		return -ENOMEM;
	r = strv_extend(&binding->pods, namespace);
	if (r < 0)
		return r;
	r = strv_extend(&binding->pods, slash + 1);
	if (r < 0)
		free(TAKE_PTR(binding->pods[n]));
	return r;
}

static int add_glob(struct config_binding *binding, const struct match_key *key, const char *glob,
		    char **ret_reason)
{
	char ***globs = (char ***)((char *)binding + key->offset);
	int r;

	if (!key->check)
		return add_pod(binding, glob, ret_reason);
	r = key->check(glob, ret_reason);
	return r < 0 ? r : strv_extend(globs, glob);
}

/* Adds the globs of @value; an empty value starts the list anew, as in a unit file. */
static int add_globs(struct config_binding *binding, const struct match_key *key, const char *value,
		     char **ret_reason)
{
	char ***globs = (char ***)((char *)binding + key->offset);

	if (!*value)
		*globs = strv_free(*globs);
	while (*value) {
		size_t n = strcspn(value, BLANK);
		_cleanup_free_ char *glob = strndup(value, n);
		int r;

		r = glob ? add_glob(binding, key, glob, ret_reason) : -ENOMEM;
		if (r < 0)
			return r;
		value += n;
		value += strspn(value, BLANK);
	}
	return 0;
}

static void forget_annotations(struct config_binding *binding)
{
	while (binding->n_annotations > 0) {
		binding->n_annotations--;
		free(binding->annotations[binding->n_annotations].key);
		free(binding->annotations[binding->n_annotations].glob);
	}
}

static int add_annotation(struct config_binding *binding, const char *value, char **ret_reason)
{
	_cleanup_free_ char *key = NULL, *glob = NULL;
	struct config_annotation *annotations;
	const char *equals = strchr(value, '=');

	if (!*value) {
		forget_annotations(binding);
		return 0;
	}
	if (!equals || equals == value)
		return inifile_refuse(ret_reason, -EINVAL, "Annotation=%s: expected KEY=GLOB",
				      value);

	key = strndup(value, equals - value);
	glob = strdup(equals + 1);
	if (!key || !glob)
		return -ENOMEM;
	if (strpbrk(key, WILDCARDS BLANK))
		return inifile_refuse(
			ret_reason, -EINVAL,
			"Annotation=%s: blank or wildcard in the key; what follows the first '=' may have them",
			value);

	annotations = reallocarray(binding->annotations, binding->n_annotations + 1,
				   sizeof(*annotations));
	if (!annotations)
		return -ENOMEM;
	binding->annotations = annotations;
	annotations[binding->n_annotations++] = (struct config_annotation){
		.key = TAKE_PTR(key),
		.glob = TAKE_PTR(glob),
	};
	return 0;
}

static int set_match(struct parser *p, const struct inifile_item *item, char **ret_reason)
{
	struct config_binding *binding = p->binding;
	static const struct match_key keys[] = {
		{ "Unit", offsetof(struct config_binding, units), check_unit },
		{ "Slice", offsetof(struct config_binding, slices), check_slice },
		{ "Cgroup", offsetof(struct config_binding, cgroups), check_cgroup },
		{ "Runtime", offsetof(struct config_binding, runtimes), check_runtime },
		{ "Pod", offsetof(struct config_binding, pods), NULL },
	};

	p->match_place = (struct config_place){ .file = p->file, .line = item->line };
	if (streq(item->key, "Annotation"))
		return add_annotation(binding, item->value, ret_reason);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (streq(item->key, keys[i].name))
			return add_globs(binding, &keys[i], item->value, ret_reason);
	return inifile_refuse(
		ret_reason, -EINVAL,
		"unknown key %s= in [Match]; known are Unit=, Slice=, Cgroup=, Annotation=, Runtime= and Pod=",
		item->key);
}

static int set_binding(struct parser *p, const struct inifile_item *item, char **ret_reason)
{
	struct config_binding *binding = p->binding;
	int r;

	if (!streq(item->key, "Seal"))
		return inifile_refuse(ret_reason, -EINVAL,
				      "unknown key %s= in [Binding]; known is Seal=", item->key);
	if (binding->seal_place.file == p->file)
		return inifile_refuse(ret_reason, -EINVAL, "Seal= is set in line %u already",
				      binding->seal_place.line);
	r = inifile_parse_bool(item->value, &binding->seal);
	if (r < 0)
		return inifile_refuse(ret_reason, r, "Seal=%s: expected yes or no", item->value);
	binding->seal_place = (struct config_place){ .file = p->file, .line = item->line };
	return 0;
}

/* DenyErrno -> deny-errno; names that are lower case already stay as they are. */
static int param_name(const char *key, char **ret_name)
{
	_cleanup_free_ char *name = NULL;
	char *out;

	if (!*key || *key == '-' || strspn(key, LOWER UPPER DIGITS "-") != strlen(key))
		return -EINVAL;

	name = malloc(strlen(key) * 2 + 1);
	if (!name)
		return -ENOMEM;

	out = name;
	for (const char *in = key; *in; in++) {
		if (*in >= 'A' && *in <= 'Z') {
			if (in != key && in[-1] != '-')
				*out++ = '-';
			*out++ = *in - 'A' + 'a';
		} else {
			*out++ = *in;
		}
	}
	*out = '\0';

	*ret_name = TAKE_PTR(name);
	return 0;
}

static struct config_param *find_param(const struct config_policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->n_params; i++)
		if (streq(policy->params[i].name, name))
			return &policy->params[i];
	return NULL;
}

static int add_param(struct config_policy *policy, const char *name, struct config_param **ret_param)
{
	struct config_param *params, param;

	params = reallocarray(policy->params, policy->n_params + 1, sizeof(*params));
	if (!params)
		return -ENOMEM;
	policy->params = params;

	param = (struct config_param){
		.name = strdup(name),
		.value = strdup(""),
		.last = strdup(""),
	};
	if (!param.name || !param.value || !param.last) {
		free(param.name);
		free(param.value);
		free(param.last);
		return -ENOMEM;
	}
	params[policy->n_params] = param;
	*ret_param = &params[policy->n_params++];
	return 0;
}

static int set_mode(struct parser *p, struct config_policy *policy, const struct inifile_item *item,
		    char **ret_reason)
{
	if (policy->mode_place.file == p->file)
		return inifile_refuse(ret_reason, -EINVAL, "Mode= is set in line %u already",
				      policy->mode_place.line);
	if (!streq(item->value, "enforce") && !streq(item->value, "permissive"))
		return inifile_refuse(ret_reason, -EINVAL,
				      "Mode=%s: unknown mode; known are enforce and permissive",
				      item->value);
	policy->permissive = streq(item->value, "permissive");
	policy->mode_place = (struct config_place){ .file = p->file, .line = item->line };
	return 0;
}

static int set_param(struct parser *p, const struct inifile_item *item, char **ret_reason)
{
	struct config_policy *policy = &p->binding->policies[p->policy];
	_cleanup_free_ char *name = NULL;
	struct config_param *param;
	int r;

	if (streq(item->key, "Mode"))
		return set_mode(p, policy, item, ret_reason);
	if (streq(item->key, "Seal"))
		return inifile_refuse(ret_reason, -EINVAL,
				      "Seal= is for all policies of a file; put it into [Binding]");

	r = param_name(item->key, &name);
	if (r == -EINVAL)
		return inifile_refuse(ret_reason, r,
				      "'%s' is not a parameter's name; write it as DenyErrno= or deny-errno=",
				      item->key);
	if (r < 0)
		return r;

	param = find_param(policy, name);
	if (!param) {
		r = add_param(policy, name, &param);
		if (r < 0)
			return r;
	}
	if (param->place.file != p->file) {
		param->last[0] = '\0';
		param->place = (struct config_place){ .file = p->file, .line = item->line };
	}
	r = inifile_list_append(&param->value, item->value);
	return r < 0 ? r : inifile_list_append(&param->last, item->value);
}

static int handle_item(const struct inifile_item *item, char **ret_reason, void *userdata)
{
	struct parser *p = userdata;

	if (!item->key)
		return begin_section(p, item->section, item->line, ret_reason);

	switch (p->section) {
	case SECTION_MATCH:
		return set_match(p, item, ret_reason);
	case SECTION_BINDING:
		return set_binding(p, item, ret_reason);
	case SECTION_POLICY:
		return set_param(p, item, ret_reason);
	case SECTION_NONE:
		break;
	}
	return inifile_refuse(ret_reason, -EINVAL, "%s= stands before the first section", item->key);
}

static int read_source(struct parser *p, const struct config_source *source, const char *path,
		       char **ret_error)
{
	unsigned int lines = 0;
	int r;

	p->file = path;
	p->section = SECTION_NONE;
	p->match_line = 0;
	p->binding_line = 0;
	r = inifile_read(source->stream, path, INIFILE_BINDING, NULL, handle_item, p, &lines,
			 ret_error);
	if (r < 0)
		return r;
	if (!p->end.file)
		p->end = (struct config_place){ .file = path, .line = lines };
	return 0;
}

static int refuse_at(const struct config_place *place, int r, const char *reason, char **ret_error)
{
	return inifile_refuse(ret_error, r, "%s:%u: %s", place->file, place->line, reason);
}

/* What can be said only of all files together. */
static int check_binding(const struct parser *p, char **ret_error)
{
	const struct config_binding *binding = p->binding;

	if (!binding->units && !binding->slices && !binding->cgroups && !binding->runtimes &&
	    !binding->pods && !binding->n_annotations)
		return refuse_at(p->match_place.file ? &p->match_place : &p->end, -EINVAL,
				 "nothing to match; add [Match] with Unit=, Slice=, Cgroup=, Annotation=, Runtime= or Pod=, or link the file to /dev/null to hide it",
				 ret_error);
	if (!binding->n_policies)
		return refuse_at(&p->end, -EINVAL,
				 "no policy to apply; add a [Policy NAME] section", ret_error);
	return 0;
}

/**
 * config_parse() - Read one binding
 * @sources: its file, then its drop-ins in their order
 * @n_sources: how many they are, one at least
 * @ret_binding: the binding
 * @ret_error: on failure other than -ENOMEM, what is wrong and where
 */
int config_parse(const struct config_source *sources, size_t n_sources,
		 struct config_binding **ret_binding, char **ret_error)
{
	_cleanup_(config_binding_freep) struct config_binding *binding = NULL;
	struct parser p = {};
	int r;

	binding = calloc(1, sizeof(*binding));
	if (!binding)
		return -ENOMEM;
	binding->file = strdup(sources[0].path);
	if (!binding->file)
		return -ENOMEM;
	for (size_t i = 1; i < n_sources; i++) {
		r = strv_extend(&binding->drop_ins, sources[i].path);
		if (r < 0)
			return r;
	}

	/* The binding keeps the paths, to which its places point. */
	p.binding = binding;
	for (size_t i = 0; i < n_sources; i++) {
		r = read_source(&p, &sources[i], i ? binding->drop_ins[i - 1] : binding->file,
				ret_error);
		if (r < 0)
			return r;
	}
	r = check_binding(&p, ret_error);
	if (r < 0)
		return r;

	*ret_binding = TAKE_PTR(binding);
	return 0;
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
			return refuse_at(&place, r, reason ? reason : strerror(-r), ret_error);
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
	struct config_param *p = find_param(policy, param);

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

static bool match_any(char *const *globs, const char *text, int flags)
{
	for (char *const *glob = globs; glob && *glob; glob++)
		if (fnmatch(*glob, text, FNM_NOESCAPE | flags) == 0)
			return true;
	return false;
}

static bool match_annotations(const struct config_binding *binding, const struct identity *identity)
{
	for (size_t i = 0; i < binding->n_annotations; i++) {
		const struct config_annotation *wanted = &binding->annotations[i];
		const char *value = identity_annotation(identity, wanted->key);

		if (!value || fnmatch(wanted->glob, value, FNM_NOESCAPE) != 0)
			return false;
	}
	return true;
}

/**
 * config_match_runtimes() - Does any glob match any of the names of who runs a container?
 * @globs: the globs
 * @runtimes: the names
 */
bool config_match_runtimes(char *const *globs, char *const *runtimes)
{
	for (; runtimes && *runtimes; runtimes++)
		if (match_any(globs, *runtimes, 0))
			return true;
	/* "*" takes every container, also one of which nobody says who runs it. */
	return match_any(globs, "", 0);
}

static bool match_pods(char *const *globs, const struct identity *identity)
{
	if (!identity->pod_namespace || !identity->pod_name)
		return false;
	for (; *globs; globs += 2)
		if (fnmatch(globs[0], identity->pod_namespace, FNM_NOESCAPE) == 0 &&
		    fnmatch(globs[1], identity->pod_name, FNM_NOESCAPE) == 0)
			return true;
	return false;
}

static bool match_slices(char *const *globs, char *const *slices)
{
	for (; slices && *slices; slices++)
		if (match_any(globs, *slices, 0))
			return true;
	return false;
}

/* Does a glob match the path, or that of a cgroup which it is in? */
static bool match_cgroups(char *const *globs, const char *path)
{
	for (; *globs; globs++)
		if (fnmatch(*globs, path, FNM_NOESCAPE | FNM_PATHNAME | FNM_LEADING_DIR) == 0)
			return true;
	return false;
}

/**
 * config_binding_kind() - What a binding is for
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

/* Is the cgroup itself such a thing? One inside a service is not the service. */
static bool is_kind(const struct config_binding *binding, const struct identity *identity)
{
	switch (config_binding_kind(binding)) {
	case CONFIG_CONTAINERS:
		return identity_is_container(identity);
	case CONFIG_UNITS:
		return identity->is_unit;
	case CONFIG_SLICES:
		return identity->is_slice && match_any(binding->slices, identity->slices[0], 0);
	case CONFIG_CGROUPS:
		return match_any(binding->cgroups, identity->path, FNM_PATHNAME);
	}
	return false;
}

/**
 * config_match() - Is a binding for a cgroup?
 * @binding: the binding
 * @identity: what is known of the cgroup
 *
 * A binding is for containers if it has Annotation=, Runtime= or Pod=, else for
 * units if it has Unit=, else for slices if it has Slice=, else for the cgroups
 * whose paths are those of Cgroup=. Of a container, Unit= has to be the unit that
 * it is in or is; of a container and of a unit, Slice= has to be one that it is in
 * at whatever depth; of all three, Cgroup= the path of the cgroup or of one that
 * it is in.
 *
 * '*' and '?' stay within one component of a cgroup's path. A backslash is a
 * character like any other: systemd's cgroups have them in names.
 */
bool config_match(const struct config_binding *binding, const struct identity *identity)
{
	if (!is_kind(binding, identity))
		return false;
	if (binding->units && (!identity->unit || !match_any(binding->units, identity->unit, 0)))
		return false;
	if (binding->slices && !match_slices(binding->slices, identity->slices))
		return false;
	if (binding->cgroups && !match_cgroups(binding->cgroups, identity->path))
		return false;
	if (binding->runtimes && !config_match_runtimes(binding->runtimes, identity->runtimes) &&
	    !config_match_runtimes(binding->runtimes, identity->claimed))
		return false;
	if (binding->pods && !match_pods(binding->pods, identity))
		return false;
	return match_annotations(binding, identity);
}

/**
 * config_match_is_claimed() - Does a binding match only by what the workload can write?
 * @binding: a binding that matches
 * @identity: what is known of the cgroup
 *
 * Such a binding adds policies. It does not replace one of a binding that matches
 * by other things: config_load() refuses what cannot mean anything else.
 */
bool config_match_is_claimed(const struct config_binding *binding, const struct identity *identity)
{
	return binding->n_annotations || (binding->pods && identity->pod_claimed) ||
	       (binding->runtimes && !config_match_runtimes(binding->runtimes, identity->runtimes));
}
