// SPDX-License-Identifier: LGPL-2.1-or-later
/* Fuzz targets - Tries each file given; all of them have to be survived. */
#include <fcntl.h>

#include "cleanup.h"
#include "file.h"
#include "fuzz.h"

#define INPUT_MAX (16 * 1024 * 1024)

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE...\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		_cleanup_free_ char *data = NULL;
		size_t size;
		int r;

		r = file_read(AT_FDCWD, argv[i], INPUT_MAX, &data, &size);
		if (r < 0) {
			fprintf(stderr, "%s: %s\n", argv[i], strerror(-r));
			return 1;
		}
		(void)LLVMFuzzerTestOneInput((const uint8_t *)data, size);
	}
	printf("%d inputs\n", argc - 1);
	return 0;
}
