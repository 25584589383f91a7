// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - What the OCI hook told of a container
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "container.h"
#include "file.h"
#include "parse.h"
#include "strv.h"

/* A runtime's whole state has 1 MiB at most; JSON may double what it escapes. */
#define RECORD_MAX (8u * 1024 * 1024)

/* A line for each mount, of which a host of many containers has thousands. */
#define MOUNTINFO_MAX (8u * 1024 * 1024)

/* cgroup.procs: a line for each process */
#define PROCS_MAX (1024u * 1024)

/* How many processes of a container tell whether it has started. */
#define LOOKED_AT_MAX 8

static void json_put(struct json_object **object)
{
	json_object_put(*object);
}

static int record_path(const char *dir, const char *prefix, uint64_t cgroup_id, char **ret_path)
{
	char *path;

	if (asprintf(&path, "%s/%s%" PRIu64, dir, prefix, cgroup_id) < 0)
		return -ENOMEM;
	*ret_path = path;
	return 0;
}

static int add(struct json_object *object, const char *key, struct json_object *value)
{
	if (value && json_object_object_add(object, key, value) == 0)
		return 0;
	json_object_put(value);
	return -ENOMEM;
}

static int to_json(const struct container *c, struct json_object **ret_object)
{
	_cleanup_(json_put) struct json_object *object = json_object_new_object();
	_cleanup_(json_put) struct json_object *annotations = json_object_new_object();
	int r = object && annotations ? 0 : -ENOMEM;

	for (char **a = c->annotations; r >= 0 && a && a[0] && a[1]; a += 2)
		r = add(annotations, a[0], json_object_new_string(a[1]));
	if (r >= 0)
		r = add(object, "id", json_object_new_string(c->id));
	if (r >= 0)
		r = add(object, "cgroup", json_object_new_string(c->cgroup));
	if (r >= 0)
		r = add(object, "runtime", json_object_new_string(c->runtime));
	if (r >= 0)
		r = add(object, "pid", json_object_new_int64(c->pid));
	if (r >= 0)
		r = add(object, "annotations", json_object_get(annotations));
	if (r < 0)
		return r;
	*ret_object = TAKE_PTR(object);
	return 0;
}

/**
 * container_write() - Remember a container
 * @dir: where the records lie
 * @container: what is known of it
 */
int container_write(const char *dir, const struct container *container)
{
	_cleanup_(json_put) struct json_object *object = NULL;
	_cleanup_free_ char *path = NULL, *temporary = NULL;
	_cleanup_fclose_ FILE *stream = NULL;
	int r;

	r = to_json(container, &object);
	if (r >= 0)
		r = record_path(dir, "", container->cgroup_id, &path);
	if (r >= 0)
		r = record_path(dir, ".", container->cgroup_id, &temporary);
	if (r < 0)
		return r;

	stream = fopen(temporary, "we");
	if (!stream)
		return -errno;
	if (fprintf(stream, "%s\n",
		    json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY)) < 0 ||
	    fflush(stream) != 0 || rename(temporary, path) < 0) {
		r = -errno;
		(void)unlink(temporary);
		return r;
	}
	return 0;
}

static int get_string(struct json_object *object, const char *key, char **ret_text)
{
	struct json_object *value;
	char *text;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return -EBADMSG;
	text = strdup(json_object_get_string(value));
	if (!text)
		return -ENOMEM;
	*ret_text = text;
	return 0;
}

static int get_annotations(struct json_object *object, char ***ret_annotations)
{
	_cleanup_strv_ char **annotations = calloc(1, sizeof(*annotations));
	struct json_object *value;
	int r;

	if (!annotations)
		return -ENOMEM;
	if (!json_object_object_get_ex(object, "annotations", &value) ||
	    !json_object_is_type(value, json_type_object))
		return -EBADMSG;
	json_object_object_foreach(value, key, each) {
		if (!json_object_is_type(each, json_type_string))
			return -EBADMSG;
		r = strv_extend(&annotations, key);
		if (r >= 0)
			r = strv_extend(&annotations, json_object_get_string(each));
		if (r < 0)
			return r;
	}
	*ret_annotations = TAKE_PTR(annotations);
	return 0;
}

static int from_json(struct json_object *object, struct container *c)
{
	struct json_object *pid;
	int64_t number;
	int r;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, "pid", &pid) ||
	    !json_object_is_type(pid, json_type_int))
		return -EBADMSG;
	number = json_object_get_int64(pid);
	if (number < 0 || number > INT_MAX)
		return -EBADMSG;
	c->pid = number;

	r = get_string(object, "id", &c->id);
	if (r >= 0)
		r = get_string(object, "cgroup", &c->cgroup);
	if (r >= 0)
		r = get_string(object, "runtime", &c->runtime);
	if (r >= 0)
		r = get_annotations(object, &c->annotations);
	return r;
}

/**
 * container_read() - Recall a container
 * @dir: where the records lie
 * @cgroup_id: id of its cgroup
 * @ret_container: what is known of it, to be given to container_done()
 *
 * Return: 0; -ENOENT there is no such container; -EBADMSG its record cannot be
 * understood; -errno.
 */
int container_read(const char *dir, uint64_t cgroup_id, struct container *ret_container)
{
	_cleanup_(container_done) struct container container = { .cgroup_id = cgroup_id };
	_cleanup_(json_put) struct json_object *object = NULL;
	_cleanup_free_ char *path = NULL, *text = NULL;
	int r;

	r = record_path(dir, "", cgroup_id, &path);
	if (r >= 0)
		r = file_read(AT_FDCWD, path, RECORD_MAX, &text, NULL);
	if (r < 0)
		return r == -EFBIG ? -EBADMSG : r;
	object = json_tokener_parse(text);
	r = from_json(object, &container);
	if (r < 0)
		return r;

	*ret_container = container;
	container = (struct container){};
	return 0;
}

/**
 * container_remove() - Forget a container
 * @dir: where the records lie
 * @cgroup_id: id of its cgroup
 *
 * Return: 0, also when there is no such container; -errno.
 */
int container_remove(const char *dir, uint64_t cgroup_id)
{
	_cleanup_free_ char *path = NULL;
	int r;

	r = record_path(dir, "", cgroup_id, &path);
	if (r < 0)
		return r;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

/**
 * container_tidy() - Remove what was left by a process that died while it wrote
 * @dir: where the records lie; nobody else writes there meanwhile
 */
int container_tidy(const char *dir)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	const struct dirent *entry;

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while ((errno = 0, entry = readdir(d))) {
		if (entry->d_name[0] != '.' || streq(entry->d_name, ".") ||
		    streq(entry->d_name, ".."))
			continue;
		if (unlinkat(dirfd(d), entry->d_name, 0) < 0 && errno != ENOENT)
			return -errno;
	}
	return -errno;
}

/**
 * container_list() - The cgroups of the containers that are known
 * @dir: where the records lie
 * @ret_cgroup_ids: their ids, to be given to free()
 * @ret_n: how many
 */
int container_list(const char *dir, uint64_t **ret_cgroup_ids, size_t *ret_n)
{
	return file_list_numbers(dir, ret_cgroup_ids, ret_n);
}

/**
 * container_root_of() - Which mount is the root of a process?
 * @mountinfo: its /proc/PID/mountinfo, which is taken apart
 * @ret_root: the device and the path in it; NULL: its root is not a mount of its own
 *
 * Return: 0; -ENOMEM.
 */
int container_root_of(char *mountinfo, char **ret_root)
{
	_cleanup_free_ char *root = NULL;
	char *line;

	while ((line = strsep(&mountinfo, "\n"))) {
		char *fields[5] = {};

		for (size_t i = 0; line && i < ARRAY_SIZE(fields); i++)
			fields[i] = strsep(&line, " ");
		if (!fields[4] || !streq(fields[4], "/"))
			continue;
		/* The last one lies above the others. */
		free(root);
		if (asprintf(&root, "%s %s", fields[2], fields[3]) < 0) {
			root = NULL;
			return -ENOMEM;
		}
	}
	*ret_root = TAKE_PTR(root);
	return 0;
}

static int read_root(const char *pid, char **ret_root)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	int r;

	if (asprintf(&path, "/proc/%s/mountinfo", pid) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = file_read(AT_FDCWD, path, MOUNTINFO_MAX, &text, NULL);
	return r < 0 ? r : container_root_of(text, ret_root);
}

/**
 * container_has_started() - Does a process of the container have a root of its own?
 * @cgroup_fd: the container's cgroup
 *
 * A runtime has its createRuntime hooks run before it changes the root, so that none is
 * going to tell of such a container. It may be restored from a checkpoint.
 *
 * Return: false also if that cannot be found out.
 */
bool container_has_started(int cgroup_fd)
{
	/* crun may put the processes into a cgroup below. */
	static const char *const files[] = { "cgroup.procs", "container/cgroup.procs" };
	_cleanup_free_ char *host = NULL;

	if (read_root("1", &host) < 0 || !host)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *text = NULL;
		char *rest, *pid;

		if (file_read(cgroup_fd, files[i], PROCS_MAX, &text, NULL) < 0)
			continue;
		rest = text;
		for (size_t n = 0; n < LOOKED_AT_MAX && (pid = strsep(&rest, "\n")); n++) {
			_cleanup_free_ char *root = NULL;

			if (*pid && read_root(pid, &root) >= 0 && (!root || !streq(root, host)))
				return true;
		}
	}
	return false;
}

/**
 * container_equal() - Is the same told of the same container?
 * @a: what is told of one
 * @b: what is told of the other
 *
 * The ids of their cgroups count, not the paths.
 */
bool container_equal(const struct container *a, const struct container *b)
{
	size_t n = strv_length(a->annotations);

	if (a->cgroup_id != b->cgroup_id || a->pid != b->pid || !streq(a->id, b->id) ||
	    !streq(a->runtime, b->runtime) || strv_length(b->annotations) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!streq(a->annotations[i], b->annotations[i]))
			return false;
	return true;
}

void container_done(struct container *container)
{
	free(container->id);
	free(container->cgroup);
	free(container->runtime);
	strv_free(container->annotations);
	*container = (struct container){};
}
