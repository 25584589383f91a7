/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* checmatectl - Who asks for a password on this terminal: polkit's own program */
#pragma once

#include <sys/types.h>

/* A running pkttyagent; @pid 0: none, since there is no terminal, or no such program. */
struct agent {
	pid_t pid;
};

/*
 * Where the session has an agent already, that one asks, and this one says nothing.
 * Ready when it returns.
 */
struct agent agent_open(void);
void agent_close(struct agent *agent);
