// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Container records: what the OCI hook reported of a container
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
#include "container-record.h"
#include "file.h"
#include "parse.h"
#include "strv.h"

/* A runtime's whole state has 1 MiB at most; JSON may double what it escapes. */
#define RECORD_MAX (8u * 1024 * 1024)

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

static int to_json(const struct container_record *c, struct json_object **ret_object)
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
 * container_record_write() - Write the record of a container
 * @dir: where the records lie
 * @container: the record
 */
int container_record_write(const char *dir, const struct container_record *container)
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

static int from_json(struct json_object *object, struct container_record *c)
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
 * container_record_read() - Read the record of a container
 * @dir: where the records lie
 * @cgroup_id: id of its cgroup
 * @ret_container: the record, to be given to container_record_done()
 *
 * Return: 0; -ENOENT there is no such container; -EBADMSG its record cannot be
 * understood; -errno.
 */
int container_record_read(const char *dir, uint64_t cgroup_id,
			  struct container_record *ret_container)
{
	_cleanup_(container_record_done) struct container_record container = {
		.cgroup_id = cgroup_id
	};
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
	container = (struct container_record){};
	return 0;
}

/**
 * container_record_remove() - Remove the record of a container
 * @dir: where the records lie
 * @cgroup_id: id of its cgroup
 *
 * Return: 0, also when there is no such container; -errno.
 */
int container_record_remove(const char *dir, uint64_t cgroup_id)
{
	_cleanup_free_ char *path = NULL;
	int r;

	r = record_path(dir, "", cgroup_id, &path);
	if (r < 0)
		return r;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

/**
 * container_record_tidy() - Remove files left by a process that died while it wrote
 * @dir: where the records lie; nobody else writes there meanwhile
 */
int container_record_tidy(const char *dir)
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
 * container_record_list() - List the cgroups that have a record
 * @dir: where the records lie
 * @ret_cgroup_ids: their ids, to be given to free()
 * @ret_n: how many
 */
int container_record_list(const char *dir, uint64_t **ret_cgroup_ids, size_t *ret_n)
{
	return file_list_numbers(dir, ret_cgroup_ids, ret_n);
}

/**
 * container_record_equal() - Whether two records say the same of the same container
 * @a: one record
 * @b: the other
 *
 * The ids of their cgroups count, not the paths.
 */
bool container_record_equal(const struct container_record *a, const struct container_record *b)
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

void container_record_done(struct container_record *container)
{
	free(container->id);
	free(container->cgroup);
	free(container->runtime);
	strv_free(container->annotations);
	*container = (struct container_record){};
}
