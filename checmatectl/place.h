/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* checmatectl - Which cgroup the daemon is asked about, for what is told of it */
#pragma once

#include "command.h"

/**
 * struct place - A cgroup that others may have opened.
 * @path: its path; where nobody tells it, what was given in its place.
 * @id: its id, or 0.
 */
struct place {
	char *path;
	uint64_t id;
};

/* Asks the daemon where one's own rights do not do. Prints nothing. */
void place_find(const struct options *options, const char *argument, struct place *ret_place);

void place_done(struct place *place);
