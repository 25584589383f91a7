// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Records: which binding a cgroup has of a policy */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "instance.h"
#include "parse.h"

/* The record within a directory. */
#define INSTANCE "instance"

void record_done(struct record *record)
{
	program_set_done(&record->programs);
	*record = (struct record){};
}

/* --- the link ----------------------------------------------------------------- */

/* Reads "…/programs/<set>/bindings/<cookie>". */
static int parse_target(char *text, struct record *record)
{
	char *cookie = strrchr(text, '/'), *set, *end;

	if (!cookie || cookie - text < (ptrdiff_t)strlen("/bindings"))
		return -EBADMSG;
	*cookie++ = '\0';
	end = strrchr(text, '/');
	if (!end || !streq(end, "/bindings"))
		return -EBADMSG;
	*end = '\0';
	set = strrchr(text, '/');
	if (!set || strlen(set + 1) >= sizeof(record->set))
		return -EBADMSG;
	strcpy(record->set, set + 1);
	errno = 0;
	record->cookie = strtoull(cookie, &end, 16);
	return errno || *end || !record->cookie ? -EBADMSG : 0;
}

static int read_target(const struct pin_path *path, struct record *record)
{
	char text[PATH_MAX];
	ssize_t n = readlink(path->text, text, sizeof(text) - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return parse_target(text, record);
}

/* Where the symbolic link is; -ENODATA for a directory of a former version. */
static int find_target(const struct pin_path *path, struct record *record, struct pin_path *ret_link)
{
	int r;

	*ret_link = *path;
	r = read_target(path, record);
	if (r != -EINVAL)
		return r;
	*ret_link = pin_below(path, INSTANCE);
	r = read_target(ret_link, record);
	return r == -ENOENT ? -ENODATA : r;
}

int record_read_cookie(const struct pin_path *path, uint64_t *ret_cookie)
{
	struct record record = {};
	struct pin_path link;
	int r;

	r = find_target(path, &record, &link);
	if (r < 0 && r != -ENODATA)
		return r;
	*ret_cookie = record.cookie;
	return 0;
}

int record_read(const struct pin_path *path, struct record *ret_record)
{
	_cleanup_(record_done) struct record record = {};
	struct pin_path link, directory;
	int r;

	r = find_target(path, &record, &link);
	if (r < 0 && r != -ENODATA)
		return r;
	directory = r == -ENODATA ? *path : pin_set(record.set, "");
	r = program_set_read(&directory, &record.programs);
	/* Of a change that was not finished: nothing of it is attached. */
	if (r < 0 && (r != -ENOENT || !record.cookie))
		return r;
	*ret_record = record;
	record = (struct record){};
	return 0;
}

bool record_exists(const struct pin_path *path)
{
	return !faccessat(AT_FDCWD, path->text, F_OK, AT_SYMLINK_NOFOLLOW);
}

void record_digest(const struct record *record, const char *policy,
		   char ret_digest[OBJECT_DIGEST_SIZE])
{
	const char *rest = startswith(record->set, policy);

	/* The name of a set is <policy>-<digest> and what else there is. */
	snprintf(ret_digest, OBJECT_DIGEST_SIZE, "%s", rest && *rest == '-' ? rest + 1 : "");
}

uint64_t record_instance(const struct record *record)
{
	/* Of a former version each binding has programs of its own. */
	if (!record->cookie && record->programs.n)
		return record->programs.items[0].id;
	return record->cookie / CHECMATE_INSTANCES_MAX;
}

int record_write(const struct pin_path *path, const char *set, uint64_t cookie, bool in_directory)
{
	struct pin_path link = in_directory ? pin_below(path, INSTANCE) : *path;
	char target[PROGRAM_SET_NAME_MAX + 64];

	snprintf(target, sizeof(target), "%s../programs/%s/bindings/%016llx",
		 in_directory ? "../" : "", set, (unsigned long long)cookie);
	if (in_directory && mkdir(path->text, 0700) < 0)
		return -errno;
	return symlink(target, link.text) < 0 ? -errno : 0;
}

int record_keep_set(const struct pin_path *path)
{
	struct record record = {};
	struct pin_path link, use;
	int r;

	r = find_target(path, &record, &link);
	if (r < 0)
		return r;
	use = pin_set_bindings(record.set, record.cookie);
	return linkat(AT_FDCWD, link.text, AT_FDCWD, use.text, 0) < 0 ? -errno : 0;
}

int record_move(const struct pin_path *from, const struct pin_path *to)
{
	if (!renameat2(AT_FDCWD, from->text, AT_FDCWD, to->text, RENAME_NOREPLACE))
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (renameat2(AT_FDCWD, from->text, AT_FDCWD, to->text, RENAME_EXCHANGE) < 0)
		return -errno;
	return record_remove(from);
}

/*
 * The record is what tells where the rest is, so it goes last: whoever finds it after a crash
 * removes it again.
 */
int record_remove(const struct pin_path *path)
{
	struct record record = {};
	struct pin_path link, use;
	int r;

	r = find_target(path, &record, &link);
	if (r == -ENOENT)
		return 0;
	if (r == -ENODATA)
		return pin_remove_directory(path);
	if (r < 0)
		return r;
	r = instances_remove(&record.cookie, 1);
	if (r < 0)
		return r;
	use = pin_set_bindings(record.set, record.cookie);
	if (unlink(use.text) < 0 && errno != ENOENT)
		return -errno;
	r = program_set_release(record.set);
	if (r < 0)
		return r;
	if (!streq(link.text, path->text))
		return pin_remove_directory(path);
	return unlink(path->text) < 0 && errno != ENOENT ? -errno : 0;
}

/* --- what is attached ---------------------------------------------------------- */

const struct checmate_attachment *record_attached(const struct record *record, size_t index,
						  const struct control_list *list)
{
	return control_list_find(list, record->programs.items[index].id, record->cookie);
}

const struct checmate_attachment *record_staged(const struct record *record, size_t index,
						const struct control_list *list)
{
	return control_list_find_staged(list, record->programs.items[index].id, record->cookie);
}

bool record_any_attached(const struct record *record, const struct control_list *list)
{
	for (size_t i = 0; i < record->programs.n; i++)
		if (record_attached(record, i, list))
			return true;
	return false;
}

bool record_any_staged(const struct record *record, const struct control_list *list)
{
	for (size_t i = 0; i < record->programs.n; i++)
		if (record_staged(record, i, list))
			return true;
	return false;
}
