/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libchecmate - What the programs of a binding know about it */
#pragma once

#include <stdint.h>

#include "checmate-types.h"
#include "pin.h"

/* As libbpf and the kernel call the map of struct checmate_self. */
#define BINDING_GLOBALS_MAP ".data.self"

/**
 * binding_globals_write() - Tell a policy's programs which binding they are.
 * @policy: loaded policy; one without struct checmate_self is left alone.
 * @cgroup_id: where it is going to be bound.
 * @flags: CHECMATE_SELF_*.
 *
 * Return: 0; -EBADMSG the map is another one; -errno.
 */
int binding_globals_write(const struct checmate_policy *policy, uint64_t cgroup_id, uint32_t flags);

/**
 * binding_globals_open() - Get hold of what the programs of a binding know.
 * @path: where it is pinned.
 * @ret_self: receives the memory that programs and this process share; see binding_globals_closep().
 *
 * Return: 0; -ENOENT it has no struct checmate_self; -EBADMSG the map is another one; -errno.
 */
int binding_globals_open(const struct pin_path *path, struct checmate_self **ret_self);

/* Stores CHECMATE_SELF_*, which cannot fail. */
void binding_globals_set_flags(struct checmate_self *self, uint32_t flags);

/* Lets go of it, if it is there. */
void binding_globals_closep(struct checmate_self **self);

/* Reads CHECMATE_SELF_* from the map @fd. Returns as binding_globals_open(). */
int binding_globals_read_flags(int fd, uint32_t *ret_flags);
