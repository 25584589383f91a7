/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * systemd - Drop-ins for the units that speak of Checmate
 *
 * The generator only finds such units; what their sections say, the helper reads
 * when they start. What it writes are symbolic links to drop-ins that are
 * installed: a link needs no block of a file system that somebody has filled, and is
 * there entirely or not at all.
 *
 * All the links have one name, so that systemd takes a unit's first of them, however
 * many of its names and drop-ins led here. The name sorts behind that of every other
 * drop-in: none can take back what ours says, and its command is the last.
 */
#pragma once

struct generator {
	const char *const *dirs; /* where units are, NULL ended */
	const char *output; /* where the links go; it exists */
	const char *drop_ins; /* where the drop-ins are installed */
	void (*complain)(const char *text); /* one line for a person */
};

/*
 * Returns 0; -errno something could not be read or written: what could be done is done,
 * and a unit that may lack its drop-in is masked if possible.
 */
int generator_run(const struct generator *generator);
