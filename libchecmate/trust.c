// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Whose files are believed */
#include "trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "error.h"
#include "parse.h"

/* As many as the kernel follows. */
#define LINKS_MAX 40

/**
 * struct walk - On the way to a file.
 * @path: what was asked for, to name it in explanations.
 * @rest: what is still to go, from @folder.
 * @folder: the folder reached, O_PATH.
 * @links: how many symbolic links were followed.
 */
struct walk {
	const char *path;
	char *rest;
	int folder;
	unsigned int links;
};

static void walk_done(struct walk *walk)
{
	free(walk->rest);
	cleanup_close(&walk->folder);
}

static int explain(const struct walk *walk, int code, struct checmate_error **ret_error)
{
	if (code == -ENOMEM)
		return error_oom(ret_error);
	return error_set(ret_error, code, "%s: %s; give the path of a policy object", walk->path,
			 strerror(-code));
}

/* @name: what it is called in its folder, "/" for the root. */
static int check_owner(const struct walk *walk, const struct stat *st, const char *name,
		       struct checmate_error **ret_error)
{
	if (st->st_uid && st->st_uid != geteuid())
		return error_set(ret_error, -EACCES,
				 "%s: not trusted: \"%s\" belongs to user %u; make it root's, or use \"checmatectl --untrusted-ok\"",
				 walk->path, name, st->st_uid);
	if (S_ISLNK(st->st_mode) || !(st->st_mode & (S_IWGRP | S_IWOTH)) ||
	    (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX)))
		return 0;
	return error_set(ret_error, -EACCES,
			 "%s: not trusted: others can write to \"%s\"; chmod go-w it, or use \"checmatectl --untrusted-ok\"",
			 walk->path, name);
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
static int open_last(const struct walk *walk, const char *name, int *ret_fd,
		     struct checmate_error **ret_error)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	fd = openat(walk->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return explain(walk, -errno, ret_error);
	r = check_owner(walk, &st, name, ret_error);
	if (r < 0)
		return r;
	if (!S_ISREG(st.st_mode))
		return explain(walk, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL, ret_error);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* One step. Returns 1 when *ret_fd is the file, 0 when there is more to go. */
static int step(struct walk *walk, int *ret_fd, struct checmate_error **ret_error)
{
	char *name = walk->rest + strspn(walk->rest, "/");
	size_t n = strcspn(name, "/");
	/* A '/' at the end says that it is a folder. */
	const char *after = name[n] ? name + n + 1 : NULL;
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	if (!n)
		return explain(walk, -EISDIR, ret_error);
	name[n] = '\0';
	fd = openat(walk->folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return explain(walk, -errno, ret_error);
	r = check_owner(walk, &st, name, ret_error);
	if (r < 0)
		return r;

	if (S_ISLNK(st.st_mode)) {
		r = follow(walk, fd, after);
		return r < 0 ? explain(walk, r, ret_error) : 0;
	}
	if (S_ISDIR(st.st_mode)) {
		cleanup_close(&walk->folder);
		walk->folder = TAKE_FD(fd);
		memmove(walk->rest, after ?: "", strlen(after ?: "") + 1);
		return 0;
	}
	if (after || !S_ISREG(st.st_mode))
		return explain(walk, after ? -ENOTDIR : -EINVAL, ret_error);
	r = open_last(walk, name, ret_fd, ret_error);
	return r < 0 ? r : 1;
}

int trust_open(const char *path, int *ret_fd, struct checmate_error **ret_error)
{
	_cleanup_(walk_done) struct walk walk = { .path = path, .folder = -1 };
	_cleanup_free_ char *cwd = NULL;
	struct stat st;
	int r;

	if (*path != '/') {
		cwd = getcwd(NULL, 0);
		if (!cwd)
			return explain(&walk, -errno, ret_error);
	}
	/* What getcwd() gives of a folder outside of the root begins otherwise. */
	if (cwd && *cwd != '/')
		return explain(&walk, -ENOENT, ret_error);
	r = go_on(&walk, cwd ?: "/", path);
	if (r < 0)
		return explain(&walk, r, ret_error);
	if (fstat(walk.folder, &st))
		return explain(&walk, -errno, ret_error);
	r = check_owner(&walk, &st, "/", ret_error);
	while (!r)
		r = step(&walk, ret_fd, ret_error);
	return r < 0 ? r : 0;
}

int trust_open_any(const char *path, int *ret_fd, struct checmate_error **ret_error)
{
	const struct walk walk = { .path = path, .folder = -1 };
	_cleanup_close_ int fd = -1;
	struct stat st;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return explain(&walk, -errno, ret_error);
	if (!S_ISREG(st.st_mode))
		return explain(&walk, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL, ret_error);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
