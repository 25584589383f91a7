/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libchecmate - Whether what is attached is enforced */
#pragma once

#include "backend.h"
#include "policy.h"

/**
 * selftest_run() - Try that an attached program does deny.
 * @backend: how to attach.
 * @policies: loaded policies; the hook that is tried is one of theirs, if it
 *            is one that can be tried.
 * @n_policies: how many.
 * @ret_error: explanation, or NULL.
 *
 * In a cgroup of its own at the top, with a program of its own, a child does
 * something that has to be denied, and has to be allowed before and after. Done
 * once in a process for each backend. The caller holds the lock of the pins.
 *
 * Return: 0; -EIO the kernel attaches and does not enforce; -errno.
 */
int selftest_run(const struct backend *backend, struct checmate_policy *const *policies,
		 size_t n_policies, struct checmate_error **ret_error);
