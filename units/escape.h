/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * units - To work outside of the unit's cgroup
 *
 * The helper is started in the cgroup of its unit, whose slice may have policies that
 * deny what it has to do, and whose limits may be too tight for it. What it does is
 * systemd's business, not the unit's.
 */
#pragma once

/*
 * Moves the process to the root cgroup. *ret_back receives a descriptor for
 * escape_undo(), or -1 where it stays: in a sealed cgroup, or a container.
 */
void escape(int *ret_back);

/* So that the journal finds the unit by the cgroup. Closes the descriptor. */
void escape_undo(int *back);
