/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * systemd - Does a unit file speak of Checmate?
 *
 * What begins a line for systemd is not always what begins a line for others:
 * there are continuations, carriage returns and NUL bytes. So the generator takes
 * any "[X-Checmate" in a file for a section, also one in a comment. To be asked
 * without need costs a unit some milliseconds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether @text has a '[' followed by the beginning of our section's name, in
 * whatever case, or by the word that it is easily taken for.
 */
bool detect_section(const char *text, size_t size);

/*
 * Whether @text may give the unit a root directory of its own, in which what systemd
 * executes for it has to be.
 */
bool detect_root(const char *text, size_t size);

/*
 * The line, counted from 1, of the first section that detect_section() finds at the
 * start of a line and whose name does not begin with "X-Checmate"; 0 for none.
 */
unsigned int detect_misspelt(const char *text, size_t size);
