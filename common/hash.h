/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Common - FNV-1a, a hash that does not withstand anybody who wants two equal ones */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The hash of nothing. */
#define HASH_INIT 0xcbf29ce484222325u

static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
	for (const unsigned char *byte = bytes; size; size--)
		hash = (hash ^ *byte++) * 0x100000001b3u;
	return hash;
}
