// SPDX-License-Identifier: LGPL-2.1-or-later
/* Common - Whose files are believed */
#include "trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cleanup.h"
#include "parse.h"
#include "text.h"

/* As many as the kernel follows. */
#define LINKS_MAX 40

/**
 * struct walk - On the way to a file.
 * @rest: what is still to go, from @folder.
 * @folder: the folder reached, O_PATH.
 * @links: how many symbolic links were followed.
 * @reason: who is not trusted.
 */
struct walk {
	char *rest;
	int folder;
	unsigned int links;
	char *reason;
};

static void walk_done(struct walk *walk)
{
	free(walk->rest);
	cleanup_close(&walk->folder);
	free(walk->reason);
}

_printf_(2, 3) static int refuse(struct walk *walk, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	walk->reason = text_vformat(format, ap);
	va_end(ap);
	return walk->reason ? -EACCES : -ENOMEM;
}

/* @name: what it is called in its folder, "/" for the root. */
static int check_owner(struct walk *walk, const struct stat *st, const char *name)
{
	if (st->st_uid && st->st_uid != geteuid())
		return refuse(walk, "\"%s\" belongs to user %u; make it root's", name, st->st_uid);
	if (S_ISLNK(st->st_mode) || !(st->st_mode & (S_IWGRP | S_IWOTH)) ||
	    (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX)))
		return 0;
	return refuse(walk, "others can write to \"%s\"; chmod go-w it", name);
}

/* Goes on from @target, with what is left of the path after it; NULL: nothing. */
static int go_on(struct walk *walk, const char *target, const char *after)
{
	char *rest;
	int fd;

	if (asprintf(&rest, "%s%s%s", target, after ? "/" : "", after ?: "") < 0)
		return -ENOMEM;
	free(walk->rest);
	walk->rest = rest;
	if (*target != '/')
		return 0;

	fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	cleanup_close(&walk->folder);
	walk->folder = fd;
	return 0;
}

static int follow(struct walk *walk, int link, const char *after)
{
	char target[PATH_MAX];
	ssize_t n;

	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	n = readlinkat(link, "", target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	/* Cut off, or of no use. */
	if (n == 0 || n == sizeof(target) - 1)
		return -ENAMETOOLONG;
	target[n] = '\0';
	return go_on(walk, target, after);
}

/* Opens the file for reading, and judges what was opened. */
static int open_last(struct walk *walk, const char *name, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	fd = openat(walk->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	r = check_owner(walk, &st, name);
	if (r < 0)
		return r;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static bool is_dev_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

/* One step. Returns 1 when *ret_fd is the file, 0 when there is more to go. */
static int step(struct walk *walk, int *ret_fd)
{
	char *name = walk->rest + strspn(walk->rest, "/");
	size_t n = strcspn(name, "/");
	/* A '/' at the end says that it is a folder. */
	const char *after = name[n] ? name + n + 1 : NULL;
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	if (!n)
		return -EISDIR;
	name[n] = '\0';
	fd = openat(walk->folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	/* Everybody can write there, and nobody reads it. */
	if (is_dev_null(&st) && !after)
		return -ENODEV;
	r = check_owner(walk, &st, name);
	if (r < 0)
		return r;

	if (S_ISLNK(st.st_mode))
		return follow(walk, fd, after);
	if (S_ISDIR(st.st_mode)) {
		cleanup_close(&walk->folder);
		walk->folder = TAKE_FD(fd);
		memmove(walk->rest, after ?: "", strlen(after ?: "") + 1);
		return 0;
	}
	if (after || !S_ISREG(st.st_mode))
		return after ? -ENOTDIR : -EINVAL;
	r = open_last(walk, name, ret_fd);
	return r < 0 ? r : 1;
}

static int go(struct walk *walk, const char *path, int *ret_fd)
{
	_cleanup_free_ char *cwd = NULL;
	struct stat st;
	int r;

	if (*path != '/') {
		cwd = getcwd(NULL, 0);
		if (!cwd)
			return -errno;
	}
	/* What getcwd() gives of a folder outside of the root begins otherwise. */
	if (cwd && *cwd != '/')
		return -ENOENT;
	r = go_on(walk, cwd ?: "/", path);
	if (r < 0)
		return r;
	if (fstat(walk->folder, &st))
		return -errno;
	r = check_owner(walk, &st, "/");
	while (!r)
		r = step(walk, ret_fd);
	return r < 0 ? r : 0;
}

int trust_open(const char *path, int *ret_fd, char **ret_reason)
{
	_cleanup_(walk_done) struct walk walk = { .folder = -1 };
	int r;

	r = go(&walk, path, ret_fd);
	if (r < 0 && ret_reason)
		*ret_reason = TAKE_PTR(walk.reason);
	return r;
}

int trust_check_folder(const char *path, char **ret_reason)
{
	_cleanup_close_ int fd = -1;
	int r;

	r = trust_open(path, &fd, ret_reason);
	return r == -EISDIR ? 0 : r < 0 ? r : -ENOTDIR;
}

int trust_open_any(const char *path, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	*ret_fd = TAKE_FD(fd);
	return 0;
}
