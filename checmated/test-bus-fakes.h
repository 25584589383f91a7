/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - For tests: fakes of what the bus interface calls
 *
 * Nothing of it does anything but look at what it is given, which has to be as the
 * interface promises, whoever has sent what.
 */
#pragma once

#include <stdint.h>

#include "manager.h"
#include "test-peer.h"

#define BUS_FAKES_CGROUP_ID 42u

/**
 * struct bus_fakes - What it does, and what was done with it.
 * @result: 0, or what everything fails with.
 * @cgroup_fd: directory of every cgroup there is.
 * @size: how long documents and values of parameters are; 0 for a few bytes.
 * @n_changed: how often something was to be changed.
 * @n_looked: how often something was looked at.
 * @n_logged: how often something was logged.
 * @log_user: on whose behalf something is logged now.
 * @logged_user: on whose behalf something was logged last.
 * @n_expected: of how many cgroups it was said that they may go unseen.
 * @last: what was asked for last, as a line of words.
 */
struct bus_fakes {
	int result;
	int cgroup_fd;
	size_t size;
	unsigned int n_changed;
	unsigned int n_looked;
	unsigned int n_logged;
	uid_t log_user;
	uid_t logged_user;
	unsigned int n_expected;
	char last[512];
};

extern struct bus_fakes bus_fakes;

/* The interface, on the daemon's side of @peer. */
void bus_fakes_serve(struct manager *manager, struct peer *peer);
void bus_fakes_end(struct manager *manager);
