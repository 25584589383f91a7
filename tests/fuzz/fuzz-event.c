// SPDX-License-Identifier: LGPL-2.1-or-later
/* Fuzz target - Event records */
#include "event-decode.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of just this size, for what is read beyond it to be seen. */
	uint8_t *copy = malloc(size ? size : 1);
	struct event event;

	must(copy);
	memcpy(copy, data, size);
	if (!event_decode(copy, size, &event)) {
		fuzz_check_harmless(event.info.comm);
		fuzz_check_harmless(event.info.policy);
		fuzz_check_harmless(event.info.hook);
		fuzz_check_harmless(event.info.object_type);
		fuzz_check_harmless(event.info.object);
		must(*event.info.object_type);
	}
	free(copy);
	return 0;
}
