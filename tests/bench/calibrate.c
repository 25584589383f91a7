// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Benches - Whether instructions can be counted here
 */
#include "count.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int getppid_directly(void *data)
{
	(void)data;
	return syscall(SYS_getppid) < 0 ? -errno : 0;
}

int main(void)
{
	const struct count_operation operation = { .run = getppid_directly };
	struct count count;
	int r;

	if (count_calibrate() < 0)
		return 1;
	r = count_run(&operation, 500, &count);
	if (r < 0) {
		fprintf(stderr, "getppid: %s\n", strerror(-r));
		return 1;
	}
	count_print("calibration", "getppid", &count, NULL, NULL);
	return 0;
}
