// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - What bpffs holds */
#include "pin.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include "clock.h"
#include "description.h"
#include "error.h"
#include "parse.h"
#include "paths.h"
#include "strv.h"

/*
 * How long the lock is waited for: longer than many changes at once take, and less than the
 * time that a container runtime's hook gives to checmated.
 */
#define LOCK_MSEC 20000
#define LOCK_PAUSE_NSEC 5000000

_printf_(1, 2) static struct pin_path make_path(const char *format, ...)
{
	struct pin_path path;
	va_list ap;

	/* Mount point, numbers and policy names are short. */
	va_start(ap, format);
	vsnprintf(path.text, sizeof(path.text), format, ap);
	va_end(ap);
	return path;
}

struct pin_path pin_root(void)
{
	return make_path("%s/checmate", checmate_paths.bpffs);
}

struct pin_path pin_path(uint64_t cgroup_id, const char *policy, const char *suffix)
{
	return make_path("%s/checmate/%llu%s%s%s", checmate_paths.bpffs,
			 (unsigned long long)cgroup_id, policy ? "/" : "", policy ?: "", suffix);
}

struct pin_path pin_events(const char *name)
{
	return make_path("%s/checmate/events%s%s", checmate_paths.bpffs, name ? "/" : "",
			 name ?: "");
}

struct pin_path pin_instances(const char *name)
{
	return make_path("%s/checmate/instances/%s", checmate_paths.bpffs, name);
}

struct pin_path pin_set(const char *set, const char *suffix)
{
	return make_path("%s/checmate/programs%s%s%s", checmate_paths.bpffs, set ? "/" : "",
			 set ?: "", suffix);
}

struct pin_path pin_set_bindings(const char *set, uint64_t cookie)
{
	char name[32] = "";

	if (cookie)
		snprintf(name, sizeof(name), "/%016llx", (unsigned long long)cookie);
	return make_path("%s/checmate/programs/%s/bindings%s", checmate_paths.bpffs, set, name);
}

struct pin_path pin_below(const struct pin_path *directory, const char *name)
{
	return make_path("%s/%s", directory->text, name);
}

/* The path of a pin. '.' is not allowed in bpffs: ".data.param" is "_data_param". */
static int pin_in(const struct pin_path *path, const char *prefix, const char *name, char **ret_pin)
{
	if (asprintf(ret_pin, "%s/%s%s", path->text, prefix, name) < 0)
		return -ENOMEM;
	for (char *c = *ret_pin + strlen(path->text); *c; c++)
		if (*c == '.')
			*c = '_';
	return 0;
}

/*
 * The kernel has no lock with a limit. A process that was stopped with the lock must not stop
 * everybody: once the limit was reached, nobody waits before somebody has got the lock.
 */
static int lock(int fd)
{
	static atomic_bool stuck;
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NSEC };
	uint64_t end = now_usec() + LOCK_MSEC * USEC_PER_MSEC;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return -errno;
		if (stuck || now_usec() >= end) {
			stuck = true;
			return -ETIMEDOUT;
		}
		nanosleep(&pause, NULL);
	}
	stuck = false;
	return 0;
}

int pin_lock(bool create, int *ret_fd, struct checmate_error **ret_error)
{
	struct pin_path root = pin_root();
	_cleanup_close_ int fd = -1;
	struct statfs fs;
	struct stat st;
	int r;

	if (create && mkdir(root.text, 0700) < 0 && errno != EEXIST)
		return error_set(ret_error, -errno,
				 "%s: %m; run as root, see \"checmatectl features\"", root.text);
	fd = open(root.text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && !create)
		return -ENOENT;
	if (fd < 0 || fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return error_set(ret_error, -errno, "%s: %m; run as root", root.text);
	if ((unsigned long)fs.f_type != BPF_FS_MAGIC)
		return error_set(ret_error, -EOPNOTSUPP,
				 "%s: not in a BPF file system; see \"checmatectl features\"",
				 root.text);
	if (st.st_uid != geteuid() || (st.st_mode & 0022))
		return error_set(ret_error, -EPERM,
				 "%s: it belongs to, or can be written by, somebody else; find out who made it, then remove it",
				 root.text);
	r = lock(fd);
	if (r == -ETIMEDOUT)
		return error_set(ret_error, r,
				 "%s: another process keeps it locked; find it by \"lslocks\", and end it",
				 root.text);
	if (r < 0)
		return error_set(ret_error, r, "%s: cannot be locked: %s; try again", root.text,
				 strerror(-r));

	*ret_fd = TAKE_FD(fd);
	return 0;
}

int pin_write(const struct pin_path *directory, const char *prefix, const char *name, int fd)
{
	_cleanup_free_ char *pin = NULL;

	if (pin_in(directory, prefix, name, &pin) < 0)
		return -ENOMEM;
	return bpf_obj_pin(fd, pin) ? -errno : 0;
}

int pin_open(const struct pin_path *directory, const char *prefix, const char *name)
{
	_cleanup_free_ char *pin = NULL;
	int fd;

	if (pin_in(directory, prefix, name, &pin) < 0)
		return -ENOMEM;
	fd = bpf_obj_get(pin);
	return fd < 0 ? -errno : fd;
}

int pin_names(const struct pin_path *directory, const char *prefix, char ***ret_names)
{
	_cleanup_strv_ char **all = NULL, **names = calloc(1, sizeof(*names));
	int r;

	if (!names)
		return -ENOMEM;
	r = pin_list(directory->text, &all);
	for (char **pin = all; !r && *pin; pin++) {
		const char *name = startswith(*pin, prefix);

		r = name ? strv_extend(&names, name) : 0;
	}
	if (r < 0)
		return r;
	*ret_names = TAKE_PTR(names);
	return 0;
}

int pin_make_directory(const struct pin_path *path)
{
	return mkdir(path->text, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int pin_remove_directory(const struct pin_path *path)
{
	_cleanup_strv_ char **names = NULL;
	int r;

	r = pin_list(path->text, &names);
	if (r < 0)
		return r;
	for (char **name = names; *name; name++) {
		_cleanup_free_ char *pin = NULL;

		r = pin_in(path, "", *name, &pin);
		if (r < 0)
			return r;
		if (unlink(pin) < 0 && errno != ENOENT)
			return -errno;
	}
	return rmdir(path->text) < 0 && errno != ENOENT ? -errno : 0;
}

int pin_explain(const struct pin_path *path, int code, struct checmate_error **ret_error)
{
	if (code == -ENOMEM)
		return error_oom(ret_error);
	return error_set(ret_error, code, "%s: %s; run as root, see \"checmatectl features\"",
			 path->text, strerror(-code));
}

int pin_policies(uint64_t cgroup_id, char ***ret_names, struct checmate_error **ret_error)
{
	struct pin_path directory = pin_path(cgroup_id, NULL, "");
	_cleanup_strv_ char **found = NULL, **names = calloc(1, sizeof(*names));
	int r;

	if (!names)
		return error_oom(ret_error);
	r = pin_list(directory.text, &found);
	if (r < 0)
		return pin_explain(&directory, r, ret_error);
	/* "a" stands before "a+staged", and "a-b" behind both. */
	for (char **name = found; *name; name++) {
		char *suffix = strchr(*name, '+');

		if (suffix && streq(suffix, PIN_STAGED))
			*suffix = '\0';
		if (name_is_valid(*name, POLICY_NAME_MAX) && !strv_contains(names, *name) &&
		    strv_extend(&names, *name) < 0)
			return error_oom(ret_error);
	}

	*ret_names = TAKE_PTR(names);
	return 0;
}

void pin_tidy(uint64_t cgroup_id)
{
	struct pin_path directory = pin_path(cgroup_id, NULL, "");

	(void)rmdir(directory.text);
}

int pin_list(const char *path, char ***ret_names)
{
	_cleanup_strv_ char **names = calloc(1, sizeof(*names));
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct dirent *entry;
	int r;

	if (!names)
		return -ENOMEM;
	if (!dir && errno != ENOENT)
		return -errno;
	while (dir && (errno = 0, entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		r = strv_extend(&names, entry->d_name);
		if (r < 0)
			return r;
	}
	/* A policy whose name is left out would be taken for absent. */
	if (dir && errno)
		return -errno;

	strv_sort(names);
	*ret_names = TAKE_PTR(names);
	return 0;
}
