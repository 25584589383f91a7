/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libchecmate - Cookies where the kernel has no kfunc for them
 *
 * Mainline keeps a word for each cgroup in which a program set is attached, in the set's map
 * "checmate_cookies". Programs that run for the cgroup's attachment read their cookie there.
 */
#pragma once

#include <stdint.h>

#include "cgroup.h"

/**
 * cookie_read() - By which cookie a program finds its binding.
 * @prog_fd: the program.
 * @cgroup_id: the cgroup it is attached to.
 * @ret_cookie: receives the cookie; 0: it has none there.
 *
 * Return: 0, -errno.
 */
int cookie_read(int prog_fd, uint64_t cgroup_id, uint64_t *ret_cookie);

/**
 * cookie_set() - Have the programs of a set find a binding by its cookie.
 * @cgroup: the cgroup they are attached to, or are going to be.
 * @set: the program set; one without instances is left alone.
 * @prog_fd: a program of it; not needed where they are attached.
 * @cookie: the cookie.
 *
 * Return: 0, -errno.
 */
int cookie_set(const struct checmate_cgroup *cgroup, const char *set, int prog_fd, uint64_t cookie);
