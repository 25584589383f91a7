/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libchecmate - Maps that all policies of the machine share
 *
 *	<bpffs>/checmate/events/ring	the records of denials, a ring buffer
 *	                        lost	how many of them found no room
 *	<bpffs>/checmate/instances/all	the instances of all bindings
 *	                           none	what takes the place of one that goes
 *
 * They are made when the first policy is loaded, or the first reader of events comes,
 * and stay.
 */
#pragma once

#include <bpf/libbpf.h>

#include "checmate.h"

enum shared_map {
	SHARED_MAP_RING,
	SHARED_MAP_LOST,
	SHARED_MAP_INSTANCES,
	SHARED_MAP_NONE,
};

/* Whether a policy's map, by its name, is one of these. */
bool shared_map_is(const char *name);

/**
 * shared_map_open() - Open one, made where it is missing.
 * @map: which.
 * @ret_fd: receives a descriptor.
 * @ret_error: explanation, or NULL.
 *
 * To be called with the lock of pins.
 *
 * Return: 0; -EEXIST what is pinned there is something else; -errno.
 */
int shared_map_open(enum shared_map map, int *ret_fd, struct checmate_error **ret_error);

/**
 * shared_map_reuse() - Have a policy use the shared maps in place of its own.
 * @object: the policy, opened and not loaded.
 * @ret_error: explanation, or NULL.
 *
 * To be called without the lock of pins. An object without such maps stays as it is.
 *
 * Return: 0; -EACCES not permitted, as loading is not; -EEXIST a pin there is something
 * else; -errno. On failure @object must not be loaded: nobody would know its maps.
 */
int shared_map_reuse(struct bpf_object *object, struct checmate_error **ret_error);

/**
 * shared_map_create_rows() - Make a map of rows, as instances are.
 * @n_rows: how many rows.
 *
 * Return: its descriptor, -errno.
 */
int shared_map_create_rows(uint32_t n_rows);
