// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - Who asks for a password on this terminal: polkit's own program */
#include "polkit-agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "cleanup.h"

#define AGENT "/usr/bin/pkttyagent"

static void __attribute__((noreturn)) execute(int ready, pid_t parent)
{
	char number[16];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* It goes when we do. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent) {
		snprintf(number, sizeof(number), "%d", fcntl(ready, F_DUPFD, 3));
		execl(AGENT, AGENT, "--notify-fd", number, "--fallback", NULL);
	}
	_exit(127);
}

struct polkit_agent polkit_agent_open(void)
{
	struct polkit_agent agent = {};
	pid_t parent = getpid();
	int fds[2];
	char byte;

	if (!isatty(STDIN_FILENO) || pipe2(fds, O_CLOEXEC) < 0)
		return agent;
	agent.pid = fork();
	if (agent.pid == 0)
		execute(fds[1], parent);
	close(fds[1]);
	if (agent.pid < 0)
		agent.pid = 0;
	/* It closes its end when it is ready; so does its end. */
	while (read(fds[0], &byte, 1) < 0 && errno == EINTR)
		;
	close(fds[0]);
	return agent;
}

void polkit_agent_close(struct polkit_agent *agent)
{
	if (!agent->pid)
		return;
	/* Stopped, as one that reads a terminal in the background is, it would not see it. */
	kill(agent->pid, SIGTERM);
	kill(agent->pid, SIGCONT);
	while (waitpid(agent->pid, NULL, 0) < 0 && errno == EINTR)
		;
	agent->pid = 0;
}
