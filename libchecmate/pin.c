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

#define PROGRAM_PREFIX "prog_"
#define MAP_PREFIX "map_"
#define LINK_PREFIX "link_"

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

void pin_programs_done(struct pin_programs *programs)
{
	for (size_t i = 0; i < programs->n; i++)
		free(programs->items[i].name);
	free(programs->items);
	*programs = (struct pin_programs){};
}

static int read_program(const struct pin_path *path, const char *name, struct pin_programs *programs)
{
	_cleanup_free_ char *pin = NULL, *copy = strdup(name);
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	struct pin_program *grown;
	_cleanup_close_ int fd = -1;

	if (!copy || pin_in(path, PROGRAM_PREFIX, name, &pin) < 0)
		return -ENOMEM;
	fd = bpf_obj_get(pin);
	if (fd < 0)
		return -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;

	grown = reallocarray(programs->items, programs->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	programs->items = grown;
	grown[programs->n++] = (struct pin_program){
		.name = TAKE_PTR(copy),
		.id = info.id,
		.btf_id = info.btf_id,
	};
	return 0;
}

int pin_read(const struct pin_path *path, struct pin_programs *ret_programs)
{
	_cleanup_(pin_programs_done) struct pin_programs programs = {};
	_cleanup_strv_ char **names = NULL;
	int r;

	if (access(path->text, F_OK) < 0)
		return -errno;
	r = pin_list(path->text, &names);
	if (r < 0)
		return r;
	for (char **name = names; *name; name++) {
		const char *program = startswith(*name, PROGRAM_PREFIX);

		r = program ? read_program(path, program, &programs) : 0;
		if (r < 0)
			return r;
	}

	*ret_programs = programs;
	programs = (struct pin_programs){};
	return 0;
}

int pin_open_map(const struct pin_path *path, const char *map)
{
	_cleanup_free_ char *pin = NULL;
	int fd;

	if (pin_in(path, MAP_PREFIX, map, &pin) < 0)
		return -ENOMEM;
	fd = bpf_obj_get(pin);
	return fd < 0 ? -errno : fd;
}

int pin_make_folder(const struct pin_path *path)
{
	return mkdir(path->text, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int pin_one(const struct pin_path *path, const char *prefix, const char *name, int fd)
{
	_cleanup_free_ char *pin = NULL;

	if (pin_in(path, prefix, name, &pin) < 0)
		return -ENOMEM;
	return bpf_obj_pin(fd, pin) ? -errno : 0;
}

int pin_write_link(const struct pin_path *path, const char *program, int fd)
{
	return pin_one(path, LINK_PREFIX, program, fd);
}

int pin_links(const struct pin_path *path, char ***ret_programs)
{
	_cleanup_strv_ char **names = NULL, **programs = calloc(1, sizeof(*programs));
	int r;

	if (!programs)
		return -ENOMEM;
	r = pin_list(path->text, &names);
	for (char **name = names; !r && *name; name++) {
		const char *program = startswith(*name, LINK_PREFIX);

		r = program ? strv_extend(&programs, program) : 0;
	}
	if (r < 0)
		return r;
	*ret_programs = TAKE_PTR(programs);
	return 0;
}

int pin_open_link(const struct pin_path *path, const char *program)
{
	_cleanup_free_ char *pin = NULL;
	int fd;

	if (pin_in(path, LINK_PREFIX, program, &pin) < 0)
		return -ENOMEM;
	fd = bpf_obj_get(pin);
	return fd < 0 ? -errno : fd;
}

/* The maps of events, which all policies share and which have pins of their own. */
static bool is_shared(const char *map)
{
	return streq(map, "checmate_events") || streq(map, "checmate_lost");
}

static int write_all(const struct pin_path *path, const struct checmate_policy *policy)
{
	struct bpf_program *program;
	struct bpf_map *map;
	int r;

	bpf_object__for_each_program(program, policy->object) {
		r = pin_one(path, PROGRAM_PREFIX, bpf_program__name(program),
			    policy_program_fd(policy, program));
		if (r < 0)
			return r;
	}
	bpf_object__for_each_map(map, policy->object) {
		if (is_shared(bpf_map__name(map)))
			continue;
		r = pin_one(path, MAP_PREFIX, bpf_map__name(map), bpf_map__fd(map));
		if (r < 0)
			return r;
	}
	return 0;
}

int pin_write(const struct pin_path *path, const struct checmate_policy *policy)
{
	int r;

	if (mkdir(path->text, 0700) < 0)
		return -errno;
	r = write_all(path, policy);
	if (r < 0)
		(void)pin_remove(path);
	return r;
}

int pin_move(const struct pin_path *from, const struct pin_path *to)
{
	if (!renameat2(AT_FDCWD, from->text, AT_FDCWD, to->text, RENAME_NOREPLACE))
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (renameat2(AT_FDCWD, from->text, AT_FDCWD, to->text, RENAME_EXCHANGE) < 0)
		return -errno;
	return pin_remove(from);
}

int pin_remove(const struct pin_path *path)
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

bool pin_any_attached(const struct pin_programs *pins, const struct control_list *list)
{
	for (size_t i = 0; i < pins->n; i++)
		if (control_list_find(list, pins->items[i].id))
			return true;
	return false;
}

bool pin_any_staged(const struct pin_programs *pins, const struct control_list *list)
{
	for (size_t i = 0; i < pins->n; i++)
		if (control_list_find_staged(list, pins->items[i].id))
			return true;
	return false;
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
	struct pin_path folder = pin_path(cgroup_id, NULL, "");
	_cleanup_strv_ char **found = NULL, **names = calloc(1, sizeof(*names));
	int r;

	if (!names)
		return error_oom(ret_error);
	r = pin_list(folder.text, &found);
	if (r < 0)
		return pin_explain(&folder, r, ret_error);
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
	struct pin_path folder = pin_path(cgroup_id, NULL, "");

	(void)rmdir(folder.text);
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
