// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmate-unit - Start checmate-unit-apply without the unit's environment
 *
 * The command that a unit gets runs as root, with the environment of the unit. That may
 * come from a file which the unit's own user writes, and LD_PRELOAD in it would be
 * root's. So this program is linked statically and leaves the environment behind.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "status.h"

/* Tells whether the standard error is the journal's. */
#define JOURNAL_STREAM "JOURNAL_STREAM="

int main(int argc, char **argv)
{
	char *environment[] = { "PATH=/usr/sbin:/usr/bin", "LC_ALL=C.UTF-8", NULL, NULL };

	(void)argc;
	for (char **variable = environ; *variable; variable++)
		if (!strncmp(*variable, JOURNAL_STREAM, strlen(JOURNAL_STREAM)))
			environment[2] = *variable;
	execve(CHECMATE_UNIT_APPLY, argv, environment);
	fprintf(stderr, "checmate-unit: %s: %s; install the package checmate again\n",
		CHECMATE_UNIT_APPLY, strerror(errno));
	return STATUS_REFUSED;
}
