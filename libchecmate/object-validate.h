/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libchecmate - Whether a policy object is whole
 *
 * libbpf believes much of what an object says of itself: that types refer to
 * types which are there, that symbols lie in sections. An object for which that
 * is not so made it read where it must not.
 */
#pragma once

#include <stddef.h>

#include "checmate.h"

/**
 * object_validate() - Look for what libbpf would not survive.
 * @path: what to call the object in explanations.
 * @data: the file's bytes.
 * @size: how many.
 * @ret_error: explanation, or NULL.
 *
 * Return: 0; -EINVAL no BPF object, or none to be given to libbpf; -ENOMEM.
 */
int object_validate(const char *path, const char *data, size_t size,
		    struct checmate_error **ret_error);
