/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Selftests: processes that act when they are told to
 */
#ifndef _SELFTESTS_CHECMATE_ACTOR_H
#define _SELFTESTS_CHECMATE_ACTOR_H

#include "common.h"

/* What a deed returns when it did not come to what it was to try. */
#define BROKEN	250

/* A process of a cgroup that waits to be told before it does its deed. */
struct actor {
	pid_t pid;
	int channel;
};

static inline bool start(struct actor *actor, const char *dir,
			 int (*deed)(void *), void *arg)
{
	int pair[2];
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return false;
	actor->pid = fork();
	if (!actor->pid) {
		close(pair[0]);
		if (join(dir) || write(pair[1], "", 1) != 1 ||
		    read(pair[1], &byte, 1) != 1)
			_exit(BROKEN);
		_exit(deed(arg));
	}
	close(pair[1]);
	actor->channel = pair[0];
	return read(pair[0], &byte, 1) == 1;
}

static inline int move_to(const char *dir, pid_t pid)
{
	return WRITEF(dir, "cgroup.procs", "%d", pid);
}

#endif /* _SELFTESTS_CHECMATE_ACTOR_H */
