// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmate-oci-hook - What a runtime says about a container
 *
 * The state comes from a runtime that is trusted, but its annotations are
 * written by whoever wanted the container.  All of it is therefore parsed as
 * foreign input, and whatever is not understood is an error.
 */

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"
#include "identity.h"
#include "oci-state.h"
#include "parse.h"
#include "text.h"

#define OCI_STATE_DEPTH 32

/* Larger than any configuration that an engine writes. */
#define CONFIG_MAX (16u * 1024u * 1024u)

static void json_object_putp(struct json_object **object)
{
	json_object_put(*object);
}

static void json_tokener_freep(struct json_tokener **tokener)
{
	if (*tokener)
		json_tokener_free(*tokener);
}

__attribute__((format(printf, 3, 4))) static int fail(char **ret_error, int r, const char *format,
						      ...)
{
	va_list ap;

	va_start(ap, format);
	*ret_error = text_vformat(format, ap);
	va_end(ap);
	return *ret_error ? r : -ENOMEM;
}

/**
 * oci_state_read() - Read the state a runtime hands to a hook
 * @fd: where to read until end of file
 * @ret_text: what was read, followed by a NUL
 * @ret_size: its size, without that
 * @ret_error: text of a failure
 */
int oci_state_read(int fd, char **ret_text, size_t *ret_size, char **ret_error)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;

	text = malloc(OCI_STATE_MAX + 1);
	if (!text)
		return -ENOMEM;

	for (;;) {
		ssize_t n = read(fd, text + size, OCI_STATE_MAX + 1 - size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(ret_error, -errno, "container state cannot be read: %s",
				    strerror(errno));
		if (n == 0)
			break;
		size += n;
		if (size > OCI_STATE_MAX)
			return fail(ret_error, -E2BIG, "container state has more than %u bytes",
				    OCI_STATE_MAX);
	}
	if (size == 0)
		return fail(ret_error, -ENODATA,
			    "no container state on standard input; a container runtime starts this program as its createRuntime hook");

	text[size] = '\0';
	*ret_text = TAKE_PTR(text);
	*ret_size = size;
	return 0;
}

/* A string without NUL: it goes on the bus, and two parts must not read it differently. */
static const char *string_value(struct json_object *object)
{
	const char *value;

	if (!json_object_is_type(object, json_type_string))
		return NULL;
	value = json_object_get_string(object);
	return strlen(value) == (size_t)json_object_get_string_len(object) ? value : NULL;
}

static int parse_annotations(struct json_object *object, struct oci_state *state, char **ret_error)
{
	size_t n;

	if (!json_object_is_type(object, json_type_object))
		return fail(ret_error, -EBADMSG, "container state: 'annotations' is not an object");

	n = json_object_object_length(object);
	state->annotations = calloc(2 * n + 1, sizeof(*state->annotations));
	if (!state->annotations)
		return -ENOMEM;

	json_object_object_foreach(object, key, member) {
		char **pair = &state->annotations[2 * state->n_annotations];
		const char *value = string_value(member);

		if (!value)
			return fail(ret_error, -EBADMSG,
				    "container state: annotation '%s' is not a plain string", key);
		pair[0] = strdup(key);
		pair[1] = pair[0] ? strdup(value) : NULL;
		if (!pair[1])
			return -ENOMEM;
		state->n_annotations++;
	}
	return 0;
}

/**
 * oci_state_parse() - Take what is needed out of a container's state
 * @text: the state as JSON
 * @size: its size
 * @ret_state: the state, to be given to oci_state_done()
 * @ret_error: text of a failure
 *
 * Return: 0, or -EBADMSG for anything that is not a state with an id and a process.
 */
int oci_state_parse(const char *text, size_t size, struct oci_state *ret_state, char **ret_error)
{
	_cleanup_(json_tokener_freep) struct json_tokener *tokener = NULL;
	_cleanup_(json_object_putp) struct json_object *root = NULL;
	_cleanup_(oci_state_done) struct oci_state state = {};
	struct json_object *member;
	const char *id;
	int64_t pid;
	int r;

	if (size > OCI_STATE_MAX)
		return fail(ret_error, -E2BIG, "container state has more than %u bytes",
			    OCI_STATE_MAX);

	/* The parser would take it for the end and not see what is behind it. */
	if (memchr(text, '\0', size))
		return fail(ret_error, -EBADMSG, "container state is not JSON: NUL byte");

	tokener = json_tokener_new_ex(OCI_STATE_DEPTH);
	if (!tokener)
		return -ENOMEM;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);

	/* The NUL behind the text tells the parser that a number may not go on. */
	root = json_tokener_parse_ex(tokener, text, (int)size + 1);
	if (json_tokener_get_error(tokener) != json_tokener_success)
		return fail(ret_error, -EBADMSG, "container state is not JSON: %s at byte %zu",
			    json_tokener_error_desc(json_tokener_get_error(tokener)),
			    json_tokener_get_parse_end(tokener));
	if (!json_object_is_type(root, json_type_object))
		return fail(ret_error, -EBADMSG, "container state is not a JSON object");

	if (!json_object_object_get_ex(root, "id", &member))
		return fail(ret_error, -EBADMSG, "container state has no 'id'");
	id = string_value(member);
	if (!id || !*id)
		return fail(ret_error, -EBADMSG, "container state: 'id' is not a plain string");

	if (!json_object_object_get_ex(root, "pid", &member))
		return fail(ret_error, -EBADMSG,
			    "container state has no 'pid'; the hook belongs under createRuntime, when there is a process");
	pid = json_object_is_type(member, json_type_int) ? json_object_get_int64(member) : 0;
	if (pid <= 0 || pid > INT_MAX)
		return fail(ret_error, -EBADMSG, "container state: 'pid' is not a process's number");

	if (json_object_object_get_ex(root, "status", &member)) {
		const char *status = string_value(member);

		if (!status)
			return fail(ret_error, -EBADMSG,
				    "container state: 'status' is not a plain string");
		state.status = strcmp(status, "creating") == 0 || strcmp(status, "created") == 0 ?
				       OCI_STATUS_CREATED :
				       OCI_STATUS_OTHER;
	}

	state.id = strdup(id);
	if (!state.id)
		return -ENOMEM;
	state.pid = pid;

	/* For warnings only. */
	if (json_object_object_get_ex(root, "bundle", &member) && string_value(member)) {
		state.bundle = strdup(string_value(member));
		if (!state.bundle)
			return -ENOMEM;
	}

	if (json_object_object_get_ex(root, "annotations", &member) && member) {
		r = parse_annotations(member, &state, ret_error);
		if (r < 0)
			return r;
	}

	*ret_state = state;
	state = (struct oci_state){};
	return 0;
}

void oci_state_done(struct oci_state *state)
{
	for (char **a = state->annotations; a && *a; a++)
		free(*a);
	free(state->annotations);
	free(state->id);
	free(state->bundle);
	*state = (struct oci_state){};
}

/**
 * oci_state_bundle_root() - Where a bundle has the directory that becomes the container's root
 * @bundle: path of the bundle
 * @ret_root: path of the directory
 *
 * Return: 0; -EBADMSG its configuration does not say it; -errno.
 */
int oci_state_bundle_root(const char *bundle, char **ret_root)
{
	_cleanup_(json_object_putp) struct json_object *config = NULL;
	_cleanup_free_ char *path = NULL, *text = NULL;
	struct json_object *root, *member;
	const char *folder;
	int r;

	if (asprintf(&path, "%s/config.json", bundle) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = file_read(AT_FDCWD, path, CONFIG_MAX, &text, NULL);
	if (r < 0)
		return r;
	config = json_tokener_parse(text);
	if (!json_object_is_type(config, json_type_object) ||
	    !json_object_object_get_ex(config, "root", &root) ||
	    !json_object_is_type(root, json_type_object) ||
	    !json_object_object_get_ex(root, "path", &member) || !string_value(member))
		return -EBADMSG;
	folder = string_value(member);
	if (asprintf(ret_root, "%s%s%s", *folder == '/' ? "" : bundle, *folder == '/' ? "" : "/",
		     folder) < 0)
		return -ENOMEM;
	return 0;
}

/* Any component "." or ".."? The latter is how a cgroup outside the own cgroup namespace shows. */
static bool has_dots(const char *path)
{
	while (*path) {
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if ((n == 1 && path[0] == '.') || (n == 2 && path[0] == '.' && path[1] == '.'))
			return true;
		path += n;
	}
	return false;
}

/**
 * oci_state_parse_cgroup() - Find the cgroup v2 path in /proc/PID/cgroup
 * @text: contents of the file
 * @ret_cgroup: the path, starting with '/'
 *
 * Return: 0, -ENODATA when there is no such line, -ENOENT when the cgroup has
 * been removed, -EXDEV when it lies outside the cgroup namespace of the reader.
 */
int oci_state_parse_cgroup(const char *text, char **ret_cgroup)
{
	static const char deleted[] = " (deleted)";
	_cleanup_free_ char *cgroup = NULL;

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t n;

		if (strncmp(line, "0::/", 4) != 0)
			continue;

		cgroup = strndup(line + 3, strcspn(line + 3, "\n"));
		if (!cgroup)
			return -ENOMEM;
		n = strlen(cgroup);
		if (n >= strlen(deleted) && strcmp(cgroup + n - strlen(deleted), deleted) == 0)
			return -ENOENT;
		if (has_dots(cgroup))
			return -EXDEV;
		*ret_cgroup = TAKE_PTR(cgroup);
		return 0;
	}
	return -ENODATA;
}

/* Is @cgroup the cgroup that the first @n bytes of @of are, or below it? */
static bool is_within(const char *cgroup, const char *of, size_t n)
{
	return strncmp(cgroup, of, n) == 0 && (cgroup[n] == '\0' || cgroup[n] == '/');
}

static bool ends_with(const char *text, size_t size, const char *end)
{
	size_t n = strlen(end);

	return size >= n && memcmp(text + size - n, end, n) == 0;
}

/* Does systemd have such a cgroup above its scopes? */
static bool is_above_scopes(const char *name, size_t n)
{
	return ends_with(name, n, ".slice") ||
	       (strncmp(name, "user@", 5) == 0 && ends_with(name, n, ".service"));
}

/* Length of the path of the scope, one that systemd made, which a cgroup is or is in; 0: none. */
static size_t scope_length(const char *path)
{
	const char *name = path;

	while (*name) {
		size_t n = strcspn(++name, "/");

		if (ends_with(name, n, ".scope"))
			return name + n - path;
		if (!is_above_scopes(name, n))
			return 0;
		name += n;
	}
	return 0;
}

/* An annotation by which crun puts the process below the container's cgroup; NULL: none. */
static const char *subgroup_key(const struct oci_state *state)
{
	static const char *const keys[] = { "run.oci.delegate-cgroup", "run.oci.systemd.subgroup" };

	for (size_t i = 0; i < state->n_annotations; i++)
		for (size_t j = 0; j < ARRAY_SIZE(keys); j++)
			if (streq(state->annotations[2 * i], keys[j]) &&
			    *state->annotations[2 * i + 1])
				return keys[j];
	return NULL;
}

static int target_length(const struct oci_state *state, const char *container, const char *own,
			 size_t *ret_length, char **ret_error)
{
	static const char inner[] = "/container";
	size_t n = strlen(container);
	const char *key;
	int r;

	r = identity_find_container(container, state->id, ret_length);
	if (r >= 0 || r == -ENOMEM)
		return r;
	*ret_length = scope_length(container);
	if (*ret_length && !is_within(own, container, *ret_length))
		return 0;

	key = subgroup_key(state);
	if (key)
		return fail(ret_error, -EXDEV,
			    "annotation %s puts the process below the container's cgroup, and nothing in %s tells which that is; remove the annotation, or let the runtime make a scope (crun --systemd-cgroup)",
			    key, container);
	if (ends_with(container, n, inner) && ends_with(container, n - strlen(inner), ".scope"))
		n -= strlen(inner);
	*ret_length = n;
	return 0;
}

/**
 * oci_state_find_cgroup() - Which cgroup stands for a container?
 * @state: what the runtime says of the container
 * @container: the cgroup of the container's first process
 * @own: the cgroup of this process
 * @ret_cgroup: the cgroup to apply policies to
 * @ret_error: text of a failure
 *
 * The first component of the path that has the container's id in the way of its
 * engine, else the scope that systemd made, else the process's own cgroup. crun
 * puts the process below that cgroup, which the container's cgroup namespace
 * shows: a policy on a cgroup below would not hold a process that moves up.
 *
 * A cgroup that also holds the runtime is refused: policies on it would govern
 * more than the container.
 */
int oci_state_find_cgroup(const struct oci_state *state, const char *container, const char *own,
			  char **ret_cgroup, char **ret_error)
{
	_cleanup_free_ char *cgroup = NULL;
	size_t n;
	int r;

	r = target_length(state, container, own, &n, ret_error);
	if (r < 0)
		return r;
	cgroup = strndup(container, n);
	if (!cgroup)
		return -ENOMEM;

	if (cgroup[0] != '/' || cgroup[1] == '\0')
		return fail(ret_error, -EXDEV,
			    "the container's process is in the root cgroup; let the runtime give it a cgroup of its own (linux.cgroupsPath)");
	if (is_within(own, cgroup, n))
		return fail(ret_error, -EXDEV,
			    "cgroup %s holds the container and its runtime; let the runtime give the container a cgroup of its own (linux.cgroupsPath)",
			    cgroup);

	*ret_cgroup = TAKE_PTR(cgroup);
	return 0;
}

/**
 * oci_state_trim_runtime() - Make a runtime's name of what its process is called
 * @comm: contents of /proc/PID/comm; changed in place
 *
 * runc's parts call themselves "runc:[1:CHILD]" and the like.
 */
void oci_state_trim_runtime(char *comm)
{
	comm[strcspn(comm, ":\n")] = '\0';
}
