/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* checmatectl - Who asks for a password on this terminal: polkit's own program */
#pragma once

#include <sys/types.h>

/* A running pkttyagent; @pid 0: none, since there is no terminal, or no such program. */
struct polkit_agent {
	pid_t pid;
};

/*
 * Where the session has an agent already, that one asks, and this one says nothing.
 * Ready when it returns.
 */
struct polkit_agent polkit_agent_open(void);
void polkit_agent_close(struct polkit_agent *agent);
