/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * systemd - How the helper ends when a unit must not start
 *
 * To systemd a command before the start has failed if its status is none of those that
 * SuccessExitStatus= of the very service names. 1, 2 and so on are named there by many
 * services for their own command's sake, and so are the signals that end programs.
 */
#pragma once

#define STATUS_REFUSED 249
