// SPDX-License-Identifier: LGPL-2.1-or-later
/* systemd - The helper that systemd executes before a unit's command */
#include "executor.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "parse.h"

/* What the kernel appends to the path of a file that was replaced. */
#define DELETED " (deleted)"

static bool is_executor(char *path, ssize_t size)
{
	size_t n = strlen(DELETED);
	const char *name;

	path[size] = '\0';
	if ((size_t)size > n && streq(path + size - n, DELETED))
		path[size - n] = '\0';
	name = strrchr(path, '/');
	return name && streq(name, "/systemd-executor");
}

int executor_find(const char *fd_dir, unsigned int version, char **ret_path)
{
	_cleanup_closedir_ DIR *dir = opendir(fd_dir);
	const struct dirent *entry;

	if (!dir)
		return -errno;
	while ((errno = 0, entry = readdir(dir))) {
		char path[PATH_MAX + 1];
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, path, sizeof(path) - 1);

		if (n <= 0 || !is_executor(path, n))
			continue;
		return asprintf(ret_path, "%s/%s", fd_dir, entry->d_name) < 0 ? -ENOMEM : 0;
	}
	if (errno)
		return -errno;
	if (version >= EXECUTOR_VERSION)
		return -ENOENT;
	*ret_path = NULL;
	return 0;
}

unsigned int executor_parse_version(const char *text)
{
	if (*text == 'v')
		text++;
	return *text >= '0' && *text <= '9' ? strtoul(text, NULL, 10) : 0;
}
