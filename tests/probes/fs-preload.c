// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Checmate policies - A library that, preloaded, opens a file as its host would
 *
 * Says "stolen" if it can open what $STEAL names, and ends the program.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((constructor)) static void steal(void)
{
	const char *path = getenv("STEAL");

	if (!path || open(path, O_RDONLY | O_CLOEXEC) < 0)
		return;
	if (write(STDOUT_FILENO, "stolen\n", 7) == 7)
		_exit(0);
}
