// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Why a binding exists
 *
 * One file per binding, "CGROUPID/POLICY", of three lines:
 *
 *	KIND STATE PROGID FORMERPROGID DIGEST
 *	CGROUP
 *	TEXT
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"
#include "origin.h"
#include "parse.h"
#include "strv.h"

/* Paths of files and cgroups have 4096 bytes at most. */
#define RECORD_MAX (64u * 1024)

static const char *const kind_names[] = {
	[ORIGIN_MANUAL] = "manual",
	[ORIGIN_FILE] = "file",
	[ORIGIN_CONTAINER] = "container",
	[ORIGIN_UNIT] = "unit",
};

static int folder_path(const char *dir, uint64_t cgroup_id, char **ret_path)
{
	char *path;

	if (asprintf(&path, "%s/%" PRIu64, dir, cgroup_id) < 0)
		return -ENOMEM;
	*ret_path = path;
	return 0;
}

static int record_path(const char *dir, uint64_t cgroup_id, const char *prefix, const char *policy,
		       char **ret_path)
{
	char *path;

	if (*policy == '\0' || *policy == '.' || strchr(policy, '/'))
		return -EINVAL;
	if (asprintf(&path, "%s/%" PRIu64 "/%s%s", dir, cgroup_id, prefix, policy) < 0)
		return -ENOMEM;
	*ret_path = path;
	return 0;
}

static int make_folder(const char *path, mode_t mode)
{
	return mkdir(path, mode) < 0 && errno != EEXIST ? -errno : 0;
}

/**
 * origin_make_dir() - Make the directory of the records, and those above it
 * @dir: an absolute path
 */
int origin_make_dir(const char *dir)
{
	_cleanup_free_ char *path = strdup(dir);
	int r;

	if (!path)
		return -ENOMEM;
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		r = make_folder(path, 0755);
		if (r < 0)
			return r;
		*slash = '/';
	}
	return make_folder(path, 0700);
}

static bool is_line(const char *text)
{
	return text && !strchr(text, '\n');
}

static int write_record(const char *path, const struct origin *origin)
{
	_cleanup_fclose_ FILE *stream = fopen(path, "we");

	if (!stream)
		return -errno;
	fprintf(stream, "%s %s %" PRIu32 " %" PRIu32 " %016" PRIx64 "\n%s\n%s\n",
		kind_names[origin->kind], origin->pending ? "pending" : "done", origin->prog_id,
		origin->former_prog_id, origin->digest, origin->cgroup, origin->text);
	return fflush(stream) != 0 ? -errno : 0;
}

/**
 * origin_write() - Record why a binding exists, or is about to
 * @dir: where the records lie
 * @cgroup_id: the binding's cgroup
 * @policy: its policy
 * @origin: why
 *
 * Return: 0; -EINVAL what is no line, or no policy's name; -errno.
 */
int origin_write(const char *dir, uint64_t cgroup_id, const char *policy,
		 const struct origin *origin)
{
	_cleanup_free_ char *folder = NULL, *path = NULL, *temporary = NULL;
	int r;

	if (!is_line(origin->cgroup) || !is_line(origin->text))
		return -EINVAL;
	r = folder_path(dir, cgroup_id, &folder);
	if (r >= 0)
		r = record_path(dir, cgroup_id, "", policy, &path);
	if (r >= 0)
		r = record_path(dir, cgroup_id, ".", policy, &temporary);

	/* The folder goes with its last record, which somebody else may remove just now. */
	for (int try = 0; r >= 0 && try < 8; try++) {
		r = make_folder(folder, 0700);
		if (r < 0)
			return r;
		r = write_record(temporary, origin);
		if (r >= 0)
			break;
		if (r == -ENOENT && try < 7)
			r = 0;
	}
	if (r >= 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0 && temporary)
		(void)unlink(temporary);
	return r;
}

static int parse_kind(const char *name, enum origin_kind *ret_kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kind_names); i++) {
		if (!streq(name, kind_names[i]))
			continue;
		*ret_kind = i;
		return 0;
	}
	return -EBADMSG;
}

static int parse_record(char *text, struct origin *origin)
{
	char kind[16], state[16];
	char *cgroup, *rest, *end;

	cgroup = strchr(text, '\n');
	rest = cgroup ? strchr(cgroup + 1, '\n') : NULL;
	end = rest ? strchr(rest + 1, '\n') : NULL;
	if (!end || end[1] != '\0')
		return -EBADMSG;
	*cgroup++ = '\0';
	*rest++ = '\0';
	*end = '\0';

	if (sscanf(text, "%15s %15s %" SCNu32 " %" SCNu32 " %" SCNx64, kind, state,
		   &origin->prog_id, &origin->former_prog_id, &origin->digest) != 5)
		return -EBADMSG;
	if (parse_kind(kind, &origin->kind) < 0 ||
	    (!streq(state, "pending") && !streq(state, "done")))
		return -EBADMSG;
	origin->pending = streq(state, "pending");
	origin->cgroup = strdup(cgroup);
	origin->text = strdup(rest);
	return origin->cgroup && origin->text ? 0 : -ENOMEM;
}

/**
 * origin_read() - Tell why a binding exists
 * @dir: where the records lie
 * @cgroup_id: the binding's cgroup
 * @policy: its policy
 * @ret_origin: the record, to be given to origin_done()
 *
 * Return: 0; -ENOENT there is no record, or none that can be understood; -errno.
 */
int origin_read(const char *dir, uint64_t cgroup_id, const char *policy, struct origin *ret_origin)
{
	_cleanup_(origin_done) struct origin origin = {};
	_cleanup_free_ char *path = NULL, *text = NULL;
	int r;

	r = record_path(dir, cgroup_id, "", policy, &path);
	if (r >= 0)
		r = file_read(AT_FDCWD, path, RECORD_MAX, &text, NULL);
	if (r >= 0)
		r = parse_record(text, &origin);
	if (r < 0)
		return r == -EBADMSG || r == -EFBIG ? -ENOENT : r;

	*ret_origin = origin;
	origin = (struct origin){};
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
	_cleanup_free_ char *folder = NULL, *path = NULL;
	int r;

	r = folder_path(dir, cgroup_id, &folder);
	if (r >= 0)
		r = record_path(dir, cgroup_id, "", policy, &path);
	if (r < 0)
		return r;
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	/* Not while there are others. */
	(void)rmdir(folder);
	return 0;
}

/**
 * origin_policies() - The policies of a cgroup that have a record
 * @dir: where the records lie
 * @cgroup_id: the cgroup
 * @ret_policies: sorted names, to be given to strv_free()
 */
int origin_policies(const char *dir, uint64_t cgroup_id, char ***ret_policies)
{
	_cleanup_strv_ char **policies = calloc(1, sizeof(*policies));
	_cleanup_closedir_ DIR *d = NULL;
	_cleanup_free_ char *folder = NULL;
	const struct dirent *entry;
	int r;

	if (!policies)
		return -ENOMEM;
	r = folder_path(dir, cgroup_id, &folder);
	if (r < 0)
		return r;
	d = opendir(folder);
	if (!d && errno != ENOENT)
		return -errno;
	while (d && (errno = 0, entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		r = strv_extend(&policies, entry->d_name);
		if (r < 0)
			return r;
	}
	if (d && errno)
		return -errno;

	strv_sort(policies);
	*ret_policies = TAKE_PTR(policies);
	return 0;
}

/**
 * origin_forget() - Forget about a cgroup that is gone
 * @dir: where the records lie
 * @cgroup_id: the cgroup
 *
 * What a process left that died while it wrote goes as well.
 */
int origin_forget(const char *dir, uint64_t cgroup_id)
{
	_cleanup_closedir_ DIR *d = NULL;
	_cleanup_free_ char *folder = NULL;
	const struct dirent *entry;
	int r;

	r = folder_path(dir, cgroup_id, &folder);
	if (r < 0)
		return r;
	d = opendir(folder);
	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while ((errno = 0, entry = readdir(d))) {
		if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
			continue;
		if (unlinkat(dirfd(d), entry->d_name, 0) < 0 && errno != ENOENT)
			return -errno;
	}
	if (errno)
		return -errno;
	return rmdir(folder) < 0 && errno != ENOENT ? -errno : 0;
}

/**
 * origin_cgroups() - The cgroups that have records
 * @dir: where the records lie
 * @ret_ids: their ids, to be given to free()
 * @ret_n: how many
 */
int origin_cgroups(const char *dir, uint64_t **ret_ids, size_t *ret_n)
{
	return file_list_numbers(dir, ret_ids, ret_n);
}

void origin_done(struct origin *origin)
{
	free(origin->cgroup);
	free(origin->text);
	*origin = (struct origin){};
}

/**
 * origin_is_of() - Is a record about this instance of the policy?
 * @origin: the record
 * @prog_id: id of the instance's first program
 *
 * It is not when somebody else put another one in its place.
 */
bool origin_is_of(const struct origin *origin, uint32_t prog_id)
{
	return prog_id && (prog_id == origin->prog_id || prog_id == origin->former_prog_id);
}

/* Did a binding file say so? */
bool origin_is_configured(const struct origin *origin)
{
	return origin->kind == ORIGIN_FILE || origin->kind == ORIGIN_CONTAINER;
}

/**
 * origin_describe() - A record for a person
 * @origin: the record
 * @ret_text: "manual", "file FILE", "container FILE ID" or "unit UNIT"
 */
int origin_describe(const struct origin *origin, char **ret_text)
{
	bool more = origin->kind != ORIGIN_MANUAL;
	char *text;

	if (asprintf(&text, "%s%s%s", kind_names[origin->kind], more ? " " : "",
		     more ? origin->text : "") < 0)
		return -ENOMEM;
	*ret_text = text;
	return 0;
}
