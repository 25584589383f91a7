/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * systemd - What systemd knows of a unit
 *
 * It is asked by its own socket, never over the bus: the unit that is about to start
 * may be the bus, or what it waits for.
 */
#pragma once

struct systemd_unit {
	char *id; /* its name; an alias was followed */
	char *fragment; /* its file, or "" */
	char **drop_ins; /* in systemd's order */
	char *cgroup; /* or "", when there is none yet */
	char *slice; /* the unit it is in, or "" */
	char *root; /* its RootDirectory=, or ""; NULL: it cannot have one */
	char *image; /* its RootImage=, likewise */
	unsigned int version; /* systemd's */
};

/* Returns 0; -errno with a line for a person in @ret_error unless that is -ENOMEM. */
int systemd_client_read_unit(const char *unit, struct systemd_unit *ret_unit, char **ret_error);

void systemd_unit_done(struct systemd_unit *unit);
