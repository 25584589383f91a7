// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Why a binding exists
 *
 * One file per binding, "CGROUPID.POLICY", with the text "PROGID KIND TEXT".
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "origin.h"

static const char *const kind_names[] = {
	[ORIGIN_MANUAL] = "manual",
	[ORIGIN_CGROUP] = "cgroup",
	[ORIGIN_CONTAINER] = "container",
};

static int record_path(const char *dir, uint64_t cgroup_id, const char *policy, char **ret_path)
{
	char *path;

	if (strchr(policy, '/'))
		return -EINVAL;
	if (asprintf(&path, "%s/%" PRIu64 ".%s", dir, cgroup_id, policy) < 0)
		return -ENOMEM;
	*ret_path = path;
	return 0;
}

/**
 * origin_write() - Record why a binding is about to exist
 * @dir: where the records lie
 * @cgroup_id: the binding's cgroup
 * @policy: its policy
 * @prog_id: id of its first program
 * @kind: who asks for it
 * @text: more about that, one line
 */
int origin_write(const char *dir, uint64_t cgroup_id, const char *policy, uint32_t prog_id,
		 enum origin_kind kind, const char *text)
{
	_cleanup_free_ char *path = NULL, *temporary = NULL;
	_cleanup_fclose_ FILE *stream = NULL;
	int r;

	r = record_path(dir, cgroup_id, policy, &path);
	if (r < 0)
		return r;
	if (asprintf(&temporary, "%s/.%" PRIu64 ".%s", dir, cgroup_id, policy) < 0) {
		temporary = NULL;
		return -ENOMEM;
	}

	stream = fopen(temporary, "we");
	if (!stream)
		return -errno;
	fprintf(stream, "%" PRIu32 " %s %s\n", prog_id, kind_names[kind], text);
	if (fflush(stream) != 0 || rename(temporary, path) < 0) {
		r = -errno;
		unlink(temporary);
		return r;
	}
	return 0;
}

/**
 * origin_read() - Tell why a binding exists
 * @dir: where the records lie
 * @cgroup_id: the binding's cgroup
 * @policy: its policy
 * @prog_id: id of its first program
 * @ret_kind: who asked for it; ORIGIN_MANUAL where nothing is known
 * @ret_text: more about that; "" where nothing is known
 */
int origin_read(const char *dir, uint64_t cgroup_id, const char *policy, uint32_t prog_id,
		enum origin_kind *ret_kind, char **ret_text)
{
	_cleanup_free_ char *path = NULL, *line = NULL, *text = NULL;
	_cleanup_fclose_ FILE *stream = NULL;
	enum origin_kind kind = ORIGIN_MANUAL;
	const char *rest = "";
	size_t allocated = 0;
	char name[16];
	uint32_t id;
	int n = 0, r;

	r = record_path(dir, cgroup_id, policy, &path);
	if (r < 0)
		return r;

	stream = fopen(path, "re");
	if (!stream && errno != ENOENT)
		return -errno;
	if (stream && getline(&line, &allocated, stream) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%" SCNu32 " %15s %n", &id, name, &n) == 2 && id == prog_id) {
			for (size_t i = 0; i < sizeof(kind_names) / sizeof(kind_names[0]); i++)
				if (strcmp(name, kind_names[i]) == 0)
					kind = i;
			rest = line + n;
		}
	}

	text = strdup(rest);
	if (!text)
		return -ENOMEM;
	*ret_kind = kind;
	*ret_text = TAKE_PTR(text);
	return 0;
}

/**
 * origin_remove() - Forget why a binding existed
 * @dir: where the records lie
 * @cgroup_id: the binding's cgroup
 * @policy: its policy
 *
 * Return: 0, also when there is no record.
 */
int origin_remove(const char *dir, uint64_t cgroup_id, const char *policy)
{
	_cleanup_free_ char *path = NULL;
	int r;

	r = record_path(dir, cgroup_id, policy, &path);
	if (r < 0)
		return r;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

static bool contains(const uint64_t *ids, size_t n, uint64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

/**
 * origin_gc() - Forget about cgroups that have no bindings any more
 * @dir: where the records lie
 * @cgroup_ids: the cgroups that have some
 * @n_cgroup_ids: how many
 */
int origin_gc(const char *dir, const uint64_t *cgroup_ids, size_t n_cgroup_ids)
{
	_cleanup_closedir_ DIR *d = NULL;
	const struct dirent *entry;

	d = opendir(dir);
	if (!d)
		return errno == ENOENT ? 0 : -errno;

	while ((errno = 0, entry = readdir(d))) {
		uint64_t id;

		if (sscanf(entry->d_name, "%" SCNu64 ".", &id) != 1 ||
		    contains(cgroup_ids, n_cgroup_ids, id))
			continue;
		if (unlinkat(dirfd(d), entry->d_name, 0) < 0 && errno != ENOENT)
			return -errno;
	}
	return -errno;
}
