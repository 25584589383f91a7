// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - cgroups: resolve, identify */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "error.h"
#include "file.h"
#include "parse.h"
#include "paths.h"
#include "text.h"

/* What the kernel calls a cgroup's handle: the 64-bit id. Not in libc's headers. */
#define FILEID_KERNFS 0xfe

struct cgroup_handle {
	struct file_handle handle;
	unsigned char id[sizeof(uint64_t)];
};

#define FD_PATH_MAX sizeof("/proc/self/fd/2147483647")

/* The path of an open directory, relative to the mount. */
static int read_path(int fd, char **ret_path)
{
	char link[FD_PATH_MAX], target[PATH_MAX];
	const char *path;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, target, sizeof(target));
	if (n < 0)
		return -errno;
	if ((size_t)n >= sizeof(target))
		return -ENAMETOOLONG;
	target[n] = '\0';

	path = startswith(target, checmate_paths.cgroup);
	if (!path || (*path && *path != '/'))
		return -EXDEV;
	*ret_path = strdup(*path ? path : "/");
	return *ret_path ? 0 : -ENOMEM;
}

static int read_id(int fd, uint64_t *ret_id)
{
	struct cgroup_handle h = { .handle.handle_bytes = sizeof(h.id) };
	int mount;

	if (name_to_handle_at(fd, "", &h.handle, &mount, AT_EMPTY_PATH) < 0)
		return -errno;
	if (h.handle.handle_bytes != sizeof(h.id))
		return -EINVAL;
	memcpy(ret_id, h.id, sizeof(*ret_id));
	return 0;
}

/* Takes over @fd, also on failure. @name is what the caller called it. */
static int new_cgroup(int fd, const char *name, struct checmate_cgroup **ret_cgroup,
		      struct checmate_error **ret_error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	struct statfs fs;
	struct stat st;
	int r;

	cgroup = calloc(1, sizeof(*cgroup));
	if (!cgroup) {
		close(fd);
		return error_oom(ret_error);
	}
	cgroup->fd = fd;

	if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return error_set(ret_error, -errno, "cgroup %s: %m; give another", name);
	if ((unsigned long)fs.f_type != CGROUP2_SUPER_MAGIC || !S_ISDIR(st.st_mode))
		return error_set(ret_error, -EINVAL,
				 "cgroup %s: not a directory of a cgroup2 hierarchy; give one below %s",
				 name, checmate_paths.cgroup);

	r = read_id(fd, &cgroup->id);
	if (r < 0)
		return error_set(ret_error, r, "cgroup %s: it has no id: %s; give another", name,
				 strerror(-r));
	r = read_path(fd, &cgroup->path);
	if (r < 0)
		return error_set(ret_error, r, "cgroup %s: it is not below %s: %s; give another",
				 name, checmate_paths.cgroup, strerror(-r));

	*ret_cgroup = TAKE_PTR(cgroup);
	return 0;
}

static int open_relative(const char *path, struct checmate_cgroup **ret_cgroup,
			 struct checmate_error **ret_error)
{
	_cleanup_free_ char *full = NULL;
	int fd;

	full = text_format("%s/%s", checmate_paths.cgroup, path + strspn(path, "/"));
	if (!full)
		return error_oom(ret_error);
	fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set(ret_error, -errno, "cgroup %s: %m; see %s", path,
				 checmate_paths.cgroup);
	return new_cgroup(fd, path, ret_cgroup, ret_error);
}

int checmate_cgroup_open(const char *path, struct checmate_cgroup **ret_cgroup,
			 struct checmate_error **ret_error)
{
	const char *relative = startswith(path, checmate_paths.cgroup);

	if (!*path)
		return error_set(ret_error, -EINVAL, "cgroup: the path is empty; \"/\" is the root");
	if (word_in_text(path, "..", "/"))
		return error_set(ret_error, -EINVAL, "cgroup %s: \"..\" in a path; give it without",
				 path);
	if (relative && (!*relative || *relative == '/'))
		path = *relative ? relative : "/";
	return open_relative(path, ret_cgroup, ret_error);
}

int checmate_cgroup_open_fd(int fd, struct checmate_cgroup **ret_cgroup,
			    struct checmate_error **ret_error)
{
	char name[32];
	int copy;

	/* Opened anew, since @fd may be an O_PATH descriptor. */
	copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy < 0 && errno == ENOTDIR)
		errno = EINVAL;
	if (copy < 0)
		return error_set(ret_error, -errno, "cgroup: descriptor %d: %m; give a directory",
				 fd);
	snprintf(name, sizeof(name), "(descriptor %d)", fd);
	return new_cgroup(copy, name, ret_cgroup, ret_error);
}

int checmate_cgroup_open_pid(pid_t pid, struct checmate_cgroup **ret_cgroup,
			     struct checmate_error **ret_error)
{
	_cleanup_free_ char *text = NULL;
	char path[64], *line, *rest;
	int r;

	if (pid <= 0)
		return error_set(ret_error, -ESRCH,
				 "process %d: not a process id; give one above 0", (int)pid);
	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	r = file_read(AT_FDCWD, path, 1024 * 1024, &text, NULL);
	if (r == -ENOENT || r == -ESRCH)
		return error_set(ret_error, -ESRCH, "process %d: there is none; see ps", (int)pid);
	if (r < 0)
		return error_set(ret_error, r, "process %d: %s: %s; check permissions", (int)pid,
				 path, strerror(-r));

	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		const char *cgroup = startswith(line, "0::");

		if (cgroup)
			return checmate_cgroup_open(cgroup, ret_cgroup, ret_error);
	}
	return error_set(ret_error, -EOPNOTSUPP,
			 "process %d: it is in no cgroup2 cgroup; see \"checmatectl features\"",
			 (int)pid);
}

/* Callers drop the pins of a cgroup for -ENOENT, so no other failure has that code. */
static int explain_unknown(const char *what, int code, struct checmate_error **ret_error)
{
	return error_set(ret_error, code == -ENOENT ? -EOPNOTSUPP : code,
			 "%s: cannot look for a cgroup: %s; mount cgroup2 and /proc, see \"checmatectl features\"",
			 what, strerror(-code));
}

int checmate_cgroup_open_id(uint64_t cgroup_id, struct checmate_cgroup **ret_cgroup,
			    struct checmate_error **ret_error)
{
	struct cgroup_handle h = {
		.handle.handle_bytes = sizeof(h.id),
		.handle.handle_type = FILEID_KERNFS,
	};
	_cleanup_close_ int mount = -1;
	struct statfs fs;
	char name[40];
	int fd, r;

	snprintf(name, sizeof(name), "(id %llu)", (unsigned long long)cgroup_id);
	mount = open(checmate_paths.cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mount < 0 || fstatfs(mount, &fs) < 0)
		return explain_unknown(checmate_paths.cgroup, -errno, ret_error);
	if ((unsigned long)fs.f_type != CGROUP2_SUPER_MAGIC)
		return explain_unknown(checmate_paths.cgroup, -EOPNOTSUPP, ret_error);

	memcpy(h.id, &cgroup_id, sizeof(h.id));
	fd = open_by_handle_at(mount, &h.handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && (errno == ESTALE || errno == ENOENT))
		return error_set(ret_error, -ENOENT, "cgroup %s: it is gone; give another", name);
	if (fd < 0)
		return error_set(ret_error, -errno, "cgroup %s: %m; run as root", name);
	r = new_cgroup(fd, name, ret_cgroup, ret_error);
	return r == -ENOENT ? explain_unknown(name, r, ret_error) : r;
}

int cgroup_open_parent(const struct checmate_cgroup *cgroup, struct checmate_cgroup **ret_parent,
		       struct checmate_error **ret_error)
{
	_cleanup_free_ char *path = strdup(cgroup->path);
	char *slash;

	if (!path)
		return error_oom(ret_error);
	if (streq(path, "/"))
		return -ENOENT;
	slash = strrchr(path, '/');
	slash[slash == path ? 1 : 0] = '\0';
	return open_relative(path, ret_parent, ret_error);
}

uint64_t checmate_cgroup_id(const struct checmate_cgroup *cgroup)
{
	return cgroup->id;
}

const char *checmate_cgroup_path(const struct checmate_cgroup *cgroup)
{
	return cgroup->path;
}

int checmate_cgroup_fd(const struct checmate_cgroup *cgroup)
{
	return cgroup->fd;
}

struct checmate_cgroup *checmate_cgroup_free(struct checmate_cgroup *cgroup)
{
	if (!cgroup)
		return NULL;
	close(cgroup->fd);
	free(cgroup->path);
	free(cgroup);
	return NULL;
}
