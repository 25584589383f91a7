/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libchecmate - What the programs of a binding know about it */
#pragma once

#include <stdint.h>

#include "checmate-types.h"
#include "pin.h"

/* As libbpf and the kernel call the map of struct checmate_self. */
#define SELF_MAP ".data.self"

/**
 * self_write() - Tell a policy's programs which binding they are.
 * @policy: loaded policy; one without struct checmate_self is left alone.
 * @cgroup_id: where it is going to be bound.
 * @flags: CHECMATE_SELF_*.
 *
 * Return: 0; -EBADMSG the map is another one; -errno.
 */
int self_write(const struct checmate_policy *policy, uint64_t cgroup_id, uint32_t flags);

/**
 * self_set_flags() - Change what the programs of a binding know.
 * @path: where it is pinned.
 * @flags: CHECMATE_SELF_*.
 *
 * Return: 0; -ENOENT it has no struct checmate_self; -EBADMSG; -errno.
 */
int self_set_flags(const struct pin_path *path, uint32_t flags);

/* Reads CHECMATE_SELF_* from the map @fd. Returns as self_set_flags(). */
int self_read_flags(int fd, uint32_t *ret_flags);
