/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * systemd - To work outside of the unit's cgroup
 *
 * The helper is started in the cgroup of its unit, whose slice may have policies that
 * deny what it has to do, and whose limits may be too tight for it. What it does is
 * systemd's business, not the unit's.
 */
#pragma once

/*
 * Moves the process to the root cgroup. *ret_back receives a descriptor for
 * leave_cgroup_undo(), or -1 where it stays: in a sealed cgroup, or a container.
 */
void leave_cgroup(int *ret_back);

/* So that the journal finds the unit by the cgroup. Closes the descriptor. */
void leave_cgroup_undo(int *back);
