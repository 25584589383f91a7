// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Binding records: who asked for a binding
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

#include "binding-record.h"
#include "cleanup.h"
#include "file.h"
#include "parse.h"
#include "strv.h"

/* Paths of files and cgroups have 4096 bytes at most. */
#define RECORD_MAX (64u * 1024)

static const char *const kind_names[] = {
	[BINDING_RECORD_MANUAL] = "manual",
	[BINDING_RECORD_FILE] = "file",
	[BINDING_RECORD_CONTAINER] = "container",
	[BINDING_RECORD_UNIT] = "unit",
};

static int cgroup_dir_path(const char *dir, uint64_t cgroup_id, char **ret_path)
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

static int make_one_dir(const char *path, mode_t mode)
{
	return mkdir(path, mode) < 0 && errno != EEXIST ? -errno : 0;
}

/**
 * binding_record_make_dir() - Make the directory of the records, and those above it
 * @dir: an absolute path
 */
int binding_record_make_dir(const char *dir)
{
	_cleanup_free_ char *path = strdup(dir);
	int r;

	if (!path)
		return -ENOMEM;
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		r = make_one_dir(path, 0755);
		if (r < 0)
			return r;
		*slash = '/';
	}
	return make_one_dir(path, 0700);
}

static bool is_line(const char *text)
{
	return text && !strchr(text, '\n');
}

static int write_record(const char *path, const struct binding_record *record)
{
	_cleanup_fclose_ FILE *stream = fopen(path, "we");

	if (!stream)
		return -errno;
	fprintf(stream, "%s %s %" PRIu64 " %" PRIu64 " %016" PRIx64 "\n%s\n%s\n",
		kind_names[record->kind], record->pending ? "pending" : "done", record->instance,
		record->former_instance, record->digest, record->cgroup, record->text);
	return fflush(stream) != 0 ? -errno : 0;
}

/**
 * binding_record_write() - Write the record of a binding that exists or is about to
 * @dir: where the records lie
 * @cgroup_id: the binding's cgroup
 * @policy: its policy
 * @record: the record
 *
 * Return: 0; -EINVAL what is no line, or no policy's name; -errno.
 */
int binding_record_write(const char *dir, uint64_t cgroup_id, const char *policy,
			 const struct binding_record *record)
{
	_cleanup_free_ char *cgroup_dir = NULL, *path = NULL, *temporary = NULL;
	int r;

	if (!is_line(record->cgroup) || !is_line(record->text))
		return -EINVAL;
	r = cgroup_dir_path(dir, cgroup_id, &cgroup_dir);
	if (r >= 0)
		r = record_path(dir, cgroup_id, "", policy, &path);
	if (r >= 0)
		r = record_path(dir, cgroup_id, ".", policy, &temporary);

	/* Another process may remove the directory with its last record just now. */
	for (int try = 0; r >= 0 && try < 8; try++) {
		r = make_one_dir(cgroup_dir, 0700);
		if (r < 0)
			return r;
		r = write_record(temporary, record);
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

static int parse_kind(const char *name, enum binding_record_kind *ret_kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kind_names); i++) {
		if (!streq(name, kind_names[i]))
			continue;
		*ret_kind = i;
		return 0;
	}
	return -EBADMSG;
}

static int parse_record(char *text, struct binding_record *record)
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

	if (sscanf(text, "%15s %15s %" SCNu64 " %" SCNu64 " %" SCNx64, kind, state,
		   &record->instance, &record->former_instance, &record->digest) != 5)
		return -EBADMSG;
	if (parse_kind(kind, &record->kind) < 0 ||
	    (!streq(state, "pending") && !streq(state, "done")))
		return -EBADMSG;
	record->pending = streq(state, "pending");
	record->cgroup = strdup(cgroup);
	record->text = strdup(rest);
	return record->cgroup && record->text ? 0 : -ENOMEM;
}

/**
 * binding_record_read() - Read the record of a binding
 * @dir: where the records lie
 * @cgroup_id: the binding's cgroup
 * @policy: its policy
 * @ret_record: the record, to be given to binding_record_done()
 *
 * Return: 0; -ENOENT there is no record, or none that can be understood; -errno.
 */
int binding_record_read(const char *dir, uint64_t cgroup_id, const char *policy,
			struct binding_record *ret_record)
{
	_cleanup_(binding_record_done) struct binding_record record = {};
	_cleanup_free_ char *path = NULL, *text = NULL;
	int r;

	r = record_path(dir, cgroup_id, "", policy, &path);
	if (r >= 0)
		r = file_read(AT_FDCWD, path, RECORD_MAX, &text, NULL);
	if (r >= 0)
		r = parse_record(text, &record);
	if (r < 0)
		return r == -EBADMSG || r == -EFBIG ? -ENOENT : r;

	*ret_record = record;
	record = (struct binding_record){};
	return 0;
}

/**
 * binding_record_remove() - Remove the record of a binding
 * @dir: where the records lie
 * @cgroup_id: the binding's cgroup
 * @policy: its policy
 *
 * Return: 0, also when there is no record.
 */
int binding_record_remove(const char *dir, uint64_t cgroup_id, const char *policy)
{
	_cleanup_free_ char *cgroup_dir = NULL, *path = NULL;
	int r;

	r = cgroup_dir_path(dir, cgroup_id, &cgroup_dir);
	if (r >= 0)
		r = record_path(dir, cgroup_id, "", policy, &path);
	if (r < 0)
		return r;
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	/* Fails while there are other records. */
	(void)rmdir(cgroup_dir);
	return 0;
}

/**
 * binding_record_policies() - List the policies of a cgroup that have a record
 * @dir: where the records lie
 * @cgroup_id: the cgroup
 * @ret_policies: sorted names, to be given to strv_free()
 */
int binding_record_policies(const char *dir, uint64_t cgroup_id, char ***ret_policies)
{
	_cleanup_strv_ char **policies = calloc(1, sizeof(*policies));
	_cleanup_closedir_ DIR *d = NULL;
	_cleanup_free_ char *cgroup_dir = NULL;
	const struct dirent *entry;
	int r;

	if (!policies)
		return -ENOMEM;
	r = cgroup_dir_path(dir, cgroup_id, &cgroup_dir);
	if (r < 0)
		return r;
	d = opendir(cgroup_dir);
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
 * binding_record_forget() - Remove all records of a cgroup that is gone
 * @dir: where the records lie
 * @cgroup_id: the cgroup
 *
 * Also removes what was left by a process that died while it wrote.
 */
int binding_record_forget(const char *dir, uint64_t cgroup_id)
{
	_cleanup_closedir_ DIR *d = NULL;
	_cleanup_free_ char *cgroup_dir = NULL;
	const struct dirent *entry;
	int r;

	r = cgroup_dir_path(dir, cgroup_id, &cgroup_dir);
	if (r < 0)
		return r;
	d = opendir(cgroup_dir);
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
	return rmdir(cgroup_dir) < 0 && errno != ENOENT ? -errno : 0;
}

/**
 * binding_record_cgroups() - List the cgroups that have records
 * @dir: where the records lie
 * @ret_ids: their ids, to be given to free()
 * @ret_n: how many
 */
int binding_record_cgroups(const char *dir, uint64_t **ret_ids, size_t *ret_n)
{
	return file_list_numbers(dir, ret_ids, ret_n);
}

void binding_record_done(struct binding_record *record)
{
	free(record->cgroup);
	free(record->text);
	*record = (struct binding_record){};
}

/**
 * binding_record_is_of() - Whether a record is of this instance of a policy
 * @record: the record
 * @instance: what checmate_binding_instance() tells
 *
 * The record is not if another process has replaced the instance.
 */
bool binding_record_is_of(const struct binding_record *record, uint64_t instance)
{
	return instance && (instance == record->instance || instance == record->former_instance);
}

/* Whether a binding file asked for the binding. */
bool binding_record_is_configured(const struct binding_record *record)
{
	return record->kind == BINDING_RECORD_FILE || record->kind == BINDING_RECORD_CONTAINER;
}

/**
 * binding_record_describe() - Make the origin of a binding, as text
 * @record: the record
  * @ret_text: "manual", "file FILE", "container FILE ID" or "unit UNIT"
 */
int binding_record_describe(const struct binding_record *record, char **ret_text)
{
	bool more = record->kind != BINDING_RECORD_MANUAL;
	char *text;

	if (asprintf(&text, "%s%s%s", kind_names[record->kind], more ? " " : "",
		     more ? record->text : "") < 0)
		return -ENOMEM;
	*ret_text = text;
	return 0;
}
