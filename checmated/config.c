// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Binding files
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ini.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "config.h"
#include "oci.h"
#include "parse.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define BLANK " \t\r\n"

enum section {
	SECTION_NONE,
	SECTION_MATCH,
	SECTION_POLICY,
};

/*
 * inih passes neither line numbers nor empty sections to its handler, and cuts
 * what is too long for its buffers.  All three matter here, so the reader that
 * feeds it lines does the counting, opens the sections and refuses the long.
 */
struct parser {
	FILE *stream;
	struct config_binding *binding;
	enum section section;
	bool seen_match;
	bool seen_key; /* in this section */
	unsigned int line;
	char *error; /* the first; the rest of the file is not looked at */
	int r;
};

__attribute__((format(printf, 3, 4))) static int parser_fail(struct parser *p, int r,
							     const char *format, ...)
{
	_cleanup_free_ char *reason = NULL;
	va_list ap;

	if (p->r < 0)
		return p->r;
	p->r = r;

	va_start(ap, format);
	if (vasprintf(&reason, format, ap) < 0)
		reason = NULL;
	va_end(ap);

	if (!reason || asprintf(&p->error, "%s:%u: %s", p->binding->file, p->line, reason) < 0) {
		p->error = NULL;
		p->r = -ENOMEM;
	}
	return p->r;
}

static int parser_oom(struct parser *p)
{
	return parser_fail(p, -ENOMEM, "out of memory");
}

static void policy_done(struct config_policy *policy)
{
	for (size_t i = 0; i < policy->n_params; i++) {
		free(policy->params[i].name);
		free(policy->params[i].value);
	}
	free(policy->params);
	free(policy->name);
}

static struct config_binding *binding_free(struct config_binding *binding)
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
	free(binding->cgroup_glob);
	free(binding->file);
	free(binding);
	return NULL;
}

static void binding_freep(struct config_binding **binding)
{
	binding_free(*binding);
}

struct config *config_free(struct config *config)
{
	if (!config)
		return NULL;
	for (size_t i = 0; i < config->n_bindings; i++)
		binding_free(config->bindings[i]);
	free(config->bindings);
	free(config);
	return NULL;
}

void config_freep(struct config **config)
{
	config_free(*config);
}

static int begin_policy(struct parser *p, const char *name)
{
	struct config_binding *binding = p->binding;
	struct config_policy *policies;

	/* Never a path: a binding file cannot load what is not installed. */
	if (!name_is_valid(name, CONFIG_POLICY_NAME_MAX))
		return parser_fail(p, -EINVAL,
				   "'%s' is not a policy name; use lower-case letters, digits and '-'",
				   name);

	for (size_t i = 0; i < binding->n_policies; i++)
		if (streq(binding->policies[i].name, name))
			return parser_fail(p, -EINVAL,
					   "[Policy %s] was opened in line %u already; merge the two",
					   name, binding->policies[i].line);

	policies = reallocarray(binding->policies, binding->n_policies + 1, sizeof(*policies));
	if (!policies)
		return parser_oom(p);
	binding->policies = policies;
	policies[binding->n_policies] = (struct config_policy){
		.name = strdup(name),
		.line = p->line,
	};
	if (!policies[binding->n_policies].name)
		return parser_oom(p);
	binding->n_policies++;

	p->section = SECTION_POLICY;
	return 0;
}

static int begin_section(struct parser *p, char *header)
{
	static const char prefix[] = "Policy";
	char *end = strrchr(header, ']');

	p->seen_key = false;

	if (!end)
		return parser_fail(p, -EINVAL, "section has no closing ']'");
	if (end[1 + strspn(end + 1, BLANK)] != '\0')
		return parser_fail(p, -EINVAL, "text after the section's closing ']'");
	*end = '\0';
	header++;

	if (streq(header, "Match")) {
		if (p->seen_match)
			return parser_fail(
				p, -EINVAL,
				"second [Match]; put the other bindings into a file of their own");
		p->seen_match = true;
		p->section = SECTION_MATCH;
		return 0;
	}

	if (strncmp(header, prefix, strlen(prefix)) == 0) {
		const char *name = header + strlen(prefix);

		if (*name == ' ' || *name == '\t')
			return begin_policy(p, name + strspn(name, BLANK));
	}

	return parser_fail(p, -EINVAL, "unknown section [%s]; known are [Match] and [Policy NAME]",
			   header);
}

static char *read_line(char *buffer, int size, void *userdata)
{
	struct parser *p = userdata;
	_cleanup_free_ char *line = NULL;
	size_t allocated = 0;
	ssize_t n;

	if (p->r < 0)
		return NULL;

	errno = 0;
	n = getline(&line, &allocated, p->stream);
	if (n < 0) {
		if (ferror(p->stream))
			parser_fail(p, errno ? -errno : -EIO, "cannot read on: %s",
				    strerror(errno ? errno : EIO));
		return NULL;
	}

	p->line++;
	if (memchr(line, '\0', n)) {
		parser_fail(p, -EINVAL, "NUL byte; this is not a text file");
		return NULL;
	}
	if (n + 1 > size) {
		parser_fail(p, -EINVAL,
			    "line has more than %d characters; continue a list on indented lines",
			    size - 2);
		return NULL;
	}
	memcpy(buffer, line, n + 1);

	/* An indented '[' continues a list ("[::]:80"), when there is one to continue. */
	if (line[0] == '[') {
		if (begin_section(p, line) < 0)
			return NULL;
	} else if (line[strspn(line, BLANK)] == '[' && !p->seen_key) {
		parser_fail(p, -EINVAL, "section does not begin at the start of the line");
		return NULL;
	}
	return buffer;
}

static int set_match(struct parser *p, const char *key, const char *value)
{
	struct config_binding *binding = p->binding;
	_cleanup_free_ char *annotation = NULL, *glob = NULL;
	struct config_annotation *annotations;
	const char *equals;

	if (streq(key, "Cgroup")) {
		if (binding->cgroup_glob)
			return parser_fail(
				p, -EINVAL,
				"Cgroup= is set already; put the other one into a file of its own");
		if (value[0] != '/' || value[1] == '\0')
			return parser_fail(p, -EINVAL,
					   "Cgroup=%s: not a cgroup's path; it starts with '/' and is not the root",
					   value);
		if (value[strlen(value) - 1] == '/' || strstr(value, "//"))
			return parser_fail(p, -EINVAL,
					   "Cgroup=%s: empty component, which no cgroup has", value);
		binding->cgroup_glob = strdup(value);
		return binding->cgroup_glob ? 0 : parser_oom(p);
	}

	if (!streq(key, "Annotation"))
		return parser_fail(p, -EINVAL,
				   "unknown key %s= in [Match]; known are Cgroup= and Annotation=",
				   key);

	equals = strchr(value, '=');
	if (!equals || equals == value)
		return parser_fail(p, -EINVAL, "Annotation=%s: expected KEY=GLOB", value);

	annotation = strndup(value, equals - value);
	glob = strdup(equals + 1);
	if (!annotation || !glob)
		return parser_oom(p);

	annotations = reallocarray(binding->annotations, binding->n_annotations + 1,
				   sizeof(*annotations));
	if (!annotations)
		return parser_oom(p);
	binding->annotations = annotations;
	annotations[binding->n_annotations++] = (struct config_annotation){
		.key = TAKE_PTR(annotation),
		.glob = TAKE_PTR(glob),
	};
	return 0;
}

/* DenyErrno -> deny-errno; names that are lower case already stay as they are. */
static int param_name(const char *key, char **ret_name)
{
	_cleanup_free_ char *name = NULL;
	char *out;

	if (key[0] == '\0' || strspn(key, LOWER UPPER DIGITS "-") != strlen(key))
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

/*
 * Adds the elements of @value to @param, one comma between any two.  An empty
 * value starts the list anew, as in a unit file.
 */
static int param_append(struct config_param *param, const char *value)
{
	static const char separators[] = "," BLANK;
	_cleanup_free_ char *text = NULL;
	char *out;

	text = malloc(strlen(param->value) + 1 + strlen(value) + 1);
	if (!text)
		return -ENOMEM;

	value += strspn(value, separators);
	out = *value ? stpcpy(text, param->value) : text;

	while (*value) {
		size_t n = strcspn(value, separators);

		if (out != text)
			*out++ = ',';
		out = mempcpy(out, value, n);
		value += n;
		value += strspn(value, separators);
	}
	*out = '\0';

	free(param->value);
	param->value = TAKE_PTR(text);
	return 0;
}

static int set_param(struct parser *p, const char *key, const char *value)
{
	struct config_policy *policy = &p->binding->policies[p->binding->n_policies - 1];
	struct config_param *param = NULL, *params;
	_cleanup_free_ char *name = NULL, *empty = NULL;
	int r;

	if (streq(key, "Mode")) {
		if (!streq(value, "enforce"))
			return parser_fail(p, -EINVAL, "Mode=%s: unknown mode; known is enforce",
					   value);
		return 0;
	}

	r = param_name(key, &name);
	if (r == -ENOMEM)
		return parser_oom(p);
	if (r < 0)
		return parser_fail(p, r,
				   "'%s' is not a parameter's name; write it as DenyErrno= or deny-errno=",
				   key);

	for (size_t i = 0; i < policy->n_params; i++)
		if (streq(policy->params[i].name, name))
			param = &policy->params[i];

	if (!param) {
		params = reallocarray(policy->params, policy->n_params + 1, sizeof(*params));
		if (!params)
			return parser_oom(p);
		policy->params = params;

		empty = strdup("");
		if (!empty)
			return parser_oom(p);
		param = &params[policy->n_params++];
		*param = (struct config_param){
			.name = TAKE_PTR(name),
			.value = TAKE_PTR(empty),
			.line = p->line,
		};
	}

	return param_append(param, value) < 0 ? parser_oom(p) : 0;
}

static int handle_key(void *userdata, const char *section, const char *key, const char *value)
{
	struct parser *p = userdata;

	(void)section; /* may be cut; begin_section() saw all of it */

	if (p->r < 0)
		return 0;

	p->seen_key = true;
	switch (p->section) {
	case SECTION_NONE:
		parser_fail(p, -EINVAL, "%s= stands before the first section", key);
		break;
	case SECTION_MATCH:
		set_match(p, key, value);
		break;
	case SECTION_POLICY:
		set_param(p, key, value);
		break;
	}
	return p->r == 0;
}

static int unreadable(const char *path, int r, char **ret_error)
{
	if (asprintf(ret_error, "%s: cannot be read: %s", path, strerror(-r)) < 0) {
		*ret_error = NULL;
		return -ENOMEM;
	}
	return r;
}

static bool is_dev_null(const struct stat *st)
{
	struct stat null;

	return S_ISCHR(st->st_mode) && stat("/dev/null", &null) == 0 && null.st_rdev == st->st_rdev;
}

static bool has_own_annotation(const struct config_binding *binding)
{
	for (size_t i = 0; i < binding->n_annotations; i++)
		if (startswith(binding->annotations[i].key, OCI_ANNOTATION_PREFIX))
			return true;
	return false;
}

static void parse(struct parser *p)
{
	const struct config_binding *binding = p->binding;
	int r;

	r = ini_parse_stream(read_line, p, handle_key, p);
	if (p->r < 0)
		return;

	if (r > 0) {
		p->line = r;
		parser_fail(p, -EINVAL, "neither a section, a comment nor KEY=VALUE");
	} else if (r < 0) {
		parser_oom(p);
	} else if (!binding->cgroup_glob && !binding->n_annotations) {
		parser_fail(p, -EINVAL,
			    "nothing to match; add [Match] with Cgroup= or Annotation=, or link the file to /dev/null to hide it");
	} else if (binding->n_annotations && !has_own_annotation(binding)) {
		parser_fail(p, -EINVAL,
			    "no Annotation= begins with " OCI_ANNOTATION_PREFIX
			    ", and for containers without such an annotation nobody asks; add one");
	} else if (!binding->n_policies) {
		parser_fail(p, -EINVAL, "no policy to apply; add a [Policy NAME] section");
	}
}

/* @ret_binding is NULL for a link to /dev/null, which hides a file of the same name. */
static int load_file(const char *path, struct config_binding **ret_binding, char **ret_error)
{
	_cleanup_(binding_freep) struct config_binding *binding = NULL;
	_cleanup_fclose_ FILE *stream = NULL;
	_cleanup_close_ int fd = -EBADF;
	struct parser p = {};
	struct stat st;

	binding = calloc(1, sizeof(*binding));
	if (!binding)
		return -ENOMEM;
	binding->file = strdup(path);
	if (!binding->file)
		return -ENOMEM;

	/* O_NONBLOCK: a FIFO must not hold the daemon up. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return unreadable(path, -errno, ret_error);
	if (is_dev_null(&st)) {
		*ret_binding = NULL;
		return 0;
	}
	if (!S_ISREG(st.st_mode))
		return unreadable(path, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL, ret_error);

	stream = fdopen(fd, "r");
	if (!stream)
		return unreadable(path, -errno, ret_error);
	TAKE_FD(fd);

	p.stream = stream;
	p.binding = binding;
	parse(&p);
	if (p.r < 0) {
		if (p.error)
			*ret_error = p.error;
		return p.r;
	}

	*ret_binding = TAKE_PTR(binding);
	return 0;
}

struct file_list {
	char **paths;
	size_t n;
};

static void file_list_done(struct file_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->paths[i]);
	free(list->paths);
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
static int file_list_add(struct file_list *list, const char *dir, const char *name)
{
	_cleanup_free_ char *path = NULL;
	char **paths;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}

	for (size_t i = 0; i < list->n; i++) {
		if (!streq(path_name(list->paths[i]), name))
			continue;
		free(list->paths[i]);
		list->paths[i] = TAKE_PTR(path);
		return 0;
	}

	paths = reallocarray(list->paths, list->n + 1, sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	list->paths = paths;
	paths[list->n++] = TAKE_PTR(path);
	return 0;
}

static bool is_binding_name(const char *name)
{
	const char *dot = strrchr(name, '.');

	return name[0] != '.' && dot && streq(dot, ".conf");
}

static int list_dir(const char *path, struct file_list *list, char **ret_error)
{
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *entry;
	int r;

	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : unreadable(path, -errno, ret_error);

	while ((errno = 0, entry = readdir(dir))) {
		if (!is_binding_name(entry->d_name))
			continue;
		r = file_list_add(list, path, entry->d_name);
		if (r < 0)
			return r;
	}
	return errno ? unreadable(path, -errno, ret_error) : 0;
}

static int verify_binding(const struct config_binding *binding, config_verify_t verify,
			  void *userdata, char **ret_error)
{
	for (size_t i = 0; i < binding->n_policies; i++) {
		const struct config_policy *policy = &binding->policies[i];
		_cleanup_free_ char *reason = NULL;
		unsigned int line = policy->line;
		int r;

		r = verify(policy, &line, &reason, userdata);
		if (r >= 0)
			continue;
		if (asprintf(ret_error, "%s:%u: %s", binding->file, line,
			     reason ? reason : strerror(-r)) < 0)
			return -ENOMEM;
		return r;
	}
	return 0;
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
	_cleanup_(file_list_done) struct file_list list = {};
	_cleanup_(config_freep) struct config *config = NULL;
	int r;

	for (; *dirs; dirs++) {
		r = list_dir(*dirs, &list, ret_error);
		if (r < 0)
			return r;
	}
	if (list.n)
		qsort(list.paths, list.n, sizeof(*list.paths), compare_names);

	config = calloc(1, sizeof(*config));
	if (!config)
		return -ENOMEM;
	config->bindings = calloc(list.n + 1, sizeof(*config->bindings));
	if (!config->bindings)
		return -ENOMEM;

	for (size_t i = 0; i < list.n; i++) {
		struct config_binding *binding = NULL;

		r = load_file(list.paths[i], &binding, ret_error);
		if (r < 0)
			return r;
		if (!binding)
			continue;
		config->bindings[config->n_bindings++] = binding;

		if (verify) {
			r = verify_binding(binding, verify, userdata, ret_error);
			if (r < 0)
				return r;
		}
	}

	*ret_config = TAKE_PTR(config);
	return 0;
}

/**
 * config_match_cgroup() - Does the Cgroup= of a binding admit a cgroup?
 * @binding: the binding; without Cgroup= it admits all
 * @cgroup: path below the mount, starting with '/'
 *
 * '*' and '?' stay within one component: "/system.slice/web-*" does not reach
 * the cgroups that a web service makes below its own, which inherit anyway.  A
 * backslash is a character like any other: systemd's cgroups have them in names.
 */
bool config_match_cgroup(const struct config_binding *binding, const char *cgroup)
{
	return !binding->cgroup_glob ||
	       fnmatch(binding->cgroup_glob, cgroup, FNM_PATHNAME | FNM_NOESCAPE) == 0;
}

/**
 * config_match_annotations() - Do annotations satisfy all Annotation= keys?
 * @binding: the binding; without Annotation= it is satisfied
 * @annotations: key, value, key, value, …, NULL; or NULL for none
 */
bool config_match_annotations(const struct config_binding *binding, const char *const *annotations)
{
	for (size_t i = 0; i < binding->n_annotations; i++) {
		const struct config_annotation *wanted = &binding->annotations[i];
		bool found = false;

		for (const char *const *a = annotations; a && a[0] && a[1] && !found; a += 2)
			found = streq(a[0], wanted->key) &&
				fnmatch(wanted->glob, a[1], FNM_NOESCAPE) == 0;
		if (!found)
			return false;
	}
	return true;
}
