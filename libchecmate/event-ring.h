/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libchecmate - Where all policies tell of denials
 *
 *	<bpffs>/checmate/events/ring	the records, a ring buffer
 *	                        lost	how many of them found no room
 *
 * They are made when the first policy is loaded, or the first reader comes, and
 * stay: records outlive the policy and the process they tell of. The folder's
 * lock is the reader's; the lock of pins, see pin.h, is held only while the
 * maps are made.
 */
#pragma once

#include <bpf/libbpf.h>

#include "checmate.h"

/**
 * event_ring_share() - Have a policy tell its denials to the shared maps.
 * @object: the policy, opened and not loaded.
 * @ret_error: explanation, or NULL.
 *
 * To be called without the lock of pins. An object without such maps stays as
 * it is.
 *
 * Return: 0; -EACCES not permitted, as loading is not; -EEXIST a pin there is
 * something else; -errno. On failure @object must not be loaded: its records
 * would go where nobody reads.
 */
int event_ring_share(struct bpf_object *object, struct checmate_error **ret_error);
