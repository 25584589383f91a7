// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Says something, in a guest, to the plugin that watches it (plugin.c, which has what
 * can be said). To nobody else does what it does mean anything.
 */

#include <stdio.h>

#include "mark.h"

int main(int argc, char **argv)
{
	int i;

	if (argc < 2) {
		fprintf(stderr, "usage: %s WORD…\n", argv[0]);
		return 2;
	}
	for (i = 1; i < argc; i++) {
		if (i > 1)
			mark_byte(' ');
		mark_text(argv[i]);
	}
	mark_byte('\n');
	return 0;
}
