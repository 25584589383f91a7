// SPDX-License-Identifier: LGPL-2.1-or-later
/* Fuzz target - The text of the kernel's control files */
#include "cleanup.h"
#include "control.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = fuzz_text(data, size);
	_cleanup_(control_list_done) struct control_list list = {};

	if (control_parse(text, &list) < 0) {
		must(!list.items && !list.n && !list.generation);
		return 0;
	}
	for (size_t i = 0; i < list.n; i++) {
		const struct checmate_attachment *item = &list.items[i];
		const struct checmate_attachment *found;

		must(item->hook && item->name && item->tag && item->mode);
		found = item->staged ?
				control_list_find_staged(&list, item->prog_id, item->cookie) :
				control_list_find(&list, item->prog_id, item->cookie);
		must(found && found->prog_id == item->prog_id && found->staged == item->staged);
	}
	return 0;
}
