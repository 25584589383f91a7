// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Whether a container has entered its root
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "container-root.h"
#include "file.h"
#include "parse.h"

/* A line for each mount, of which a host of many containers has thousands. */
#define MOUNTINFO_MAX (8u * 1024 * 1024)

/* cgroup.procs: a line for each process */
#define PROCS_MAX (1024u * 1024)

/* How many processes of a container are looked at. */
#define LOOKED_AT_MAX 8

/**
 * container_root_of() - Find the mount that is the root of a process
 * @mountinfo: the process's /proc/PID/mountinfo; strsep() cuts it
 * @ret_root: the device and the path in it; NULL if the root is no mount point
 *
 * Return: 0; -ENOMEM.
 */
int container_root_of(char *mountinfo, char **ret_root)
{
	_cleanup_free_ char *root = NULL;
	char *line;

	while ((line = strsep(&mountinfo, "\n"))) {
		char *fields[5] = {};

		for (size_t i = 0; line && i < ARRAY_SIZE(fields); i++)
			fields[i] = strsep(&line, " ");
		if (!fields[4] || !streq(fields[4], "/"))
			continue;
		/* The last mount covers the earlier ones. */
		free(root);
		if (asprintf(&root, "%s %s", fields[2], fields[3]) < 0) {
			root = NULL;
			return -ENOMEM;
		}
	}
	*ret_root = TAKE_PTR(root);
	return 0;
}

static int read_root(const char *pid, char **ret_root)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	int r;

	if (asprintf(&path, "/proc/%s/mountinfo", pid) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = file_read(AT_FDCWD, path, MOUNTINFO_MAX, &text, NULL);
	return r < 0 ? r : container_root_of(text, ret_root);
}

/**
 * container_root_is_entered() - Whether a process of a container has changed its root
 * @cgroup_fd: the container's cgroup
 *
 * A runtime runs its createRuntime hooks before it changes the root. The hook does not
 * report a container whose root has changed already, such as a restored one.
 *
 * Return: true; false also if checmated cannot read it.
 */
bool container_root_is_entered(int cgroup_fd)
{
	/* crun may put the processes into a cgroup below. */
	static const char *const files[] = { "cgroup.procs", "container/cgroup.procs" };
	_cleanup_free_ char *host = NULL;

	if (read_root("1", &host) < 0 || !host)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *text = NULL;
		char *rest, *pid;

		if (file_read(cgroup_fd, files[i], PROCS_MAX, &text, NULL) < 0)
			continue;
		rest = text;
		for (size_t n = 0; n < LOOKED_AT_MAX && (pid = strsep(&rest, "\n")); n++) {
			_cleanup_free_ char *root = NULL;

			if (*pid && read_root(pid, &root) >= 0 && (!root || !streq(root, host)))
				return true;
		}
	}
	return false;
}
