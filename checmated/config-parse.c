// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - The text of one binding file and its drop-ins
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "config-parse.h"
#include "inifile.h"
#include "parse.h"
#include "strv.h"

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

/* May what @glob matches end in @suffix? */
static bool may_end_in(const char *glob, const char *suffix)
{
	size_t n = strlen(glob);

	return endswith(glob, suffix) || (n > 0 && strchr("*?]", glob[n - 1]));
}

/*
 * Refuses a glob that can match no unit: the units that its author had in mind would
 * have no policy.
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
 * config_parse_check_runtime() - May a glob match the name of an engine or runtime?
 * @key: of which key it is a value, for messages
 * @glob: the glob
 * @ret_reason: on failure, why not
 */
int config_parse_check_runtime(const char *key, const char *glob, char **ret_reason)
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
	return config_parse_check_runtime("Runtime", glob, ret_reason);
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

	param = config_policy_find_param(policy, name);
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
