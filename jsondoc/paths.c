// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * jsondoc - What listed paths are
 *
 * A file system of a container can keep whoever looks at it waiting for ever. So a
 * child looks, and is killed when its time is over. The child is not waited for then:
 * it ends when the kernel lets it. A library could not fork: this is for programs, and
 * for those without an event loop.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "build.h"
#include "clock.h"
#include "file.h"
#include "jsondoc.h"
#include "parse.h"
#include "strv.h"

/* How long to wait for the file systems: less than anybody notices of a start. */
#define LIMIT_MSEC 2000

/* As much of cgroup.procs as is read. */
#define PROCS_MAX (1024 * 1024)

/* --- which lists -------------------------------------------------------------- */

static int add_list(char ***lists, const char *policy, const char *parameter, const char *value)
{
	int r;

	if (!*value)
		return 0;
	r = strv_extend(lists, policy);
	if (r >= 0)
		r = strv_extend(lists, parameter);
	return r < 0 ? r : strv_extend(lists, value);
}

int jsondoc_lists_of_policy(const struct checmate_policy *policy, char *const *only, char ***lists)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < checmate_policy_count_params(policy); i++) {
		const struct checmate_param *param = checmate_policy_get_param(policy, i);
		_cleanup_free_ char *value = NULL;

		if (!streq(param->type, "paths") || (only && !strv_contains(only, param->name)))
			continue;
		r = checmate_policy_get(policy, param->name, &value, NULL);
		if (r >= 0)
			r = add_list(lists, checmate_policy_name(policy), param->name, value);
	}
	return r;
}

int jsondoc_lists_of_binding(const struct checmate_binding *binding, char *const *only,
			     char ***lists)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < checmate_binding_count_params(binding); i++) {
		const struct checmate_param *param = checmate_binding_get_param(binding, i);
		_cleanup_free_ char *value = NULL;

		if (!streq(param->type, "paths") || (only && !strv_contains(only, param->name)))
			continue;
		r = checmate_binding_get(binding, param->name, &value, NULL);
		if (r >= 0)
			r = add_list(lists, checmate_binding_policy(binding), param->name, value);
	}
	return r;
}

/* --- where ---------------------------------------------------------------------- */

/* Opens the only cgroup in this one. Returns a descriptor, or -1: there are none, or several. */
static int open_only_child(int cgroup_fd)
{
	_cleanup_closedir_ DIR *dir = NULL;
	_cleanup_free_ char *name = NULL;
	const struct dirent *entry;
	int fd;

	fd = openat(cgroup_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		cleanup_close(&fd);
		return -1;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || *entry->d_name == '.')
			continue;
		if (name)
			return -1;
		name = strdup(entry->d_name);
		if (!name)
			return -1;
	}
	return name ? openat(cgroup_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

/* Also of threads: those of a process have one root as a rule. */
static pid_t first_pid(int cgroup_fd)
{
	_cleanup_free_ char *text = NULL;
	uint64_t pid;

	if (file_read(cgroup_fd, "cgroup.procs", PROCS_MAX, &text, NULL) < 0 &&
	    file_read(cgroup_fd, "cgroup.threads", PROCS_MAX, &text, NULL) < 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return parse_u64(text, INT32_MAX, &pid) ? 0 : pid;
}

pid_t jsondoc_root_pid(const struct checmate_cgroup *cgroup)
{
	_cleanup_close_ int fd = dup(checmate_cgroup_fd(cgroup));
	pid_t pid = 0;

	/* A container's processes may be below the cgroup that is the container's. */
	while (fd >= 0 && !(pid = first_pid(fd))) {
		int child = open_only_child(fd);

		close(fd);
		fd = child;
	}
	return pid;
}

/* --- the child ------------------------------------------------------------------ */

/* Returns a descriptor, or -1. */
static int open_root(const struct jsondoc_root *root)
{
	const struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	_cleanup_close_ int fd = -1;
	char path[sizeof("/proc/2147483647/root")] = "/";

	if (root->pid)
		snprintf(path, sizeof(path), "/proc/%d/root", (int)root->pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || !root->below)
		return TAKE_FD(fd);
	return syscall(SYS_openat2, fd, root->below, &how, sizeof(how));
}

static void look_at_list(int *r, int root_fd, char *const *list, struct json_object *array)
{
	_cleanup_(checmate_path_list_freep) struct checmate_path_list *paths = NULL;

	if (checmate_path_list_resolve(root_fd, list[2], &paths, NULL) < 0)
		return;
	for (size_t i = 0; i < checmate_path_list_count(paths); i++) {
		const struct checmate_path_entry *entry = checmate_path_list_get(paths, i);
		struct json_object *object = build_object(r);

		build_text(r, object, "policy", list[0]);
		build_text(r, object, "parameter", list[1]);
		build_text(r, object, "path", entry->path);
		build_text(r, object, "kind", entry->kind);
		build_text(r, object, "link", entry->link);
		build_text(r, object, "target", entry->target);
		build_text(r, object, "resolved", entry->resolved);
		build_append(r, array, object);
	}
}

/* Nothing but this is done, not even cleaning up: it is the copy of another process. */
static void __attribute__((noreturn))
look(const struct jsondoc_root *root, char *const *lists, int to)
{
	struct json_object *array;
	int r = 0, root_fd;

	/* A runtime waits until nobody has the pipes any more that it gave to its hook. */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fd != to)
			close(fd);
	root_fd = open_root(root);
	array = build_array(&r);
	/* Without a root it is not known what any of them is. */
	for (; *lists; lists += 3)
		look_at_list(&r, root_fd, lists, array);
	if (r >= 0)
		dprintf(to, "%s", jsondoc_text(array, false));
	_exit(0);
}

/* --- the parent ------------------------------------------------------------------- */

/* All that is written until nobody writes any more. Returns 0, -ETIMEDOUT, -errno. */
static int read_all(int fd, FILE *to)
{
	uint64_t end = now_usec() + LIMIT_MSEC * USEC_PER_MSEC, now;
	struct pollfd event = { .fd = fd, .events = POLLIN };
	char buffer[4096];
	ssize_t n;

	while ((now = now_usec()) < end) {
		if (poll(&event, 1, (end - now) / USEC_PER_MSEC + 1) <= 0)
			continue;
		n = read(fd, buffer, sizeof(buffer));
		if (n <= 0)
			return n < 0 ? -errno : 0;
		if (fwrite(buffer, 1, n, to) != (size_t)n)
			return -ENOMEM;
	}
	return -ETIMEDOUT;
}

static int read_text(int fd, char **ret_text)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_fclose_ FILE *file = NULL;
	size_t size;
	int r;

	file = open_memstream(&text, &size);
	if (!file)
		return -ENOMEM;
	r = read_all(fd, file);
	if (r < 0)
		return r;
	if (fclose(TAKE_PTR(file)) == EOF || !text)
		return -ENOMEM;
	*ret_text = TAKE_PTR(text);
	return 0;
}

/* Returns 0; -ETIMEDOUT; -errno. *ret_text is "" when the child has failed. */
static int look_in_child(const struct jsondoc_root *root, char *const *lists, char **ret_text)
{
	_cleanup_close_ int from = -1;
	int fds[2], r;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	from = fds[0];
	pid = fork();
	if (!pid)
		look(root, lists, fds[1]);
	close(fds[1]);
	if (pid < 0)
		return -EAGAIN;
	r = read_text(from, ret_text);
	if (r < 0)
		kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, r < 0 ? WNOHANG : 0);
	return r;
}

int jsondoc_paths(const struct jsondoc_root *root, char *const *lists,
		  struct json_object **ret_document)
{
	_cleanup_json_ struct json_object *array = NULL;
	_cleanup_free_ char *text = NULL;
	int r;

	r = lists ? look_in_child(root, lists, &text) : 0;
	if (r < 0)
		return r;
	array = json_tokener_parse(text && *text ? text : "[]");
	if (!json_object_is_type(array, json_type_array))
		return -ENOMEM;
	*ret_document = TAKE_PTR(array);
	return 0;
}

/* --- in words ---------------------------------------------------------------------- */

static void print_link(FILE *file, const struct json_object *entry, const char *path)
{
	const char *resolved = jsondoc_get_text(entry, "resolved");
	const char *link = jsondoc_get_text(entry, "link") ?: path;

	if (!streq(path, link))
		fprintf(file, "%s: ", path);
	fprintf(file, "%s is a symbolic link to %s", link, jsondoc_get_text(entry, "target") ?: "");
	if (resolved)
		fprintf(file, "; list %s", resolved);
	else
		fputs(" and leads to nothing; list the path of a file", file);
}

char *jsondoc_path_fault(const struct json_object *entry)
{
	const char *kind = jsondoc_get_text(entry, "kind") ?: "";
	const char *path = jsondoc_get_text(entry, "path") ?: "";
	_cleanup_free_ char *text = NULL;
	_cleanup_fclose_ FILE *file = NULL;
	size_t size;

	if (!streq(kind, "absent") && !streq(kind, "link") && !streq(kind, "dangling"))
		return NULL;
	file = open_memstream(&text, &size);
	if (!file)
		return NULL;
	if (streq(kind, "absent"))
		fprintf(file, "%s does not exist; correct it, unless it is made later", path);
	else
		print_link(file, entry, path);
	if (fclose(TAKE_PTR(file)) == EOF || !text)
		return NULL;
	/* Others have chosen what links say. */
	return jsondoc_printable(text);
}

char *jsondoc_path_warning(const struct json_object *entry)
{
	_cleanup_free_ char *fault = jsondoc_path_fault(entry);
	char *text;

	if (!fault || asprintf(&text, "%s: %s: %s", jsondoc_get_text(entry, "policy") ?: "",
			       jsondoc_get_text(entry, "parameter") ?: "", fault) < 0)
		return NULL;
	return text;
}
