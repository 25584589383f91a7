// SPDX-License-Identifier: LGPL-2.1-or-later
/* systemd - To work outside of the unit's cgroup */
#include "leave-cgroup.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"
#include "parse.h"

#define CGROUPS "/sys/fs/cgroup"
#define PROCS "/cgroup.procs"
#define PROC_CGROUP_MAX (64u * 1024)

/* Whoever writes 0 moves itself. */
static int move_self(int fd)
{
	return write(fd, "0", 1) == 1 ? 0 : -1;
}

static int open_own(void)
{
	_cleanup_free_ char *text = NULL, *path = NULL;
	const char *own;

	if (file_read(AT_FDCWD, "/proc/self/cgroup", PROC_CGROUP_MAX, &text, NULL) < 0)
		return -1;
	own = startswith(text, "0::/");
	if (!own || asprintf(&path, CGROUPS "/%.*s" PROCS, (int)strcspn(own, "\n"), own) < 0) {
		path = NULL;
		return -1;
	}
	return open(path, O_WRONLY | O_CLOEXEC);
}

void leave_cgroup(int *ret_back)
{
	_cleanup_close_ int root = open(CGROUPS PROCS, O_WRONLY | O_CLOEXEC);
	_cleanup_close_ int own = open_own();

	*ret_back = root >= 0 && own >= 0 && move_self(root) == 0 ? TAKE_FD(own) : -1;
}

void leave_cgroup_undo(int *back)
{
	if (*back < 0)
		return;
	(void)move_self(*back);
	close(*back);
	*back = -1;
}
