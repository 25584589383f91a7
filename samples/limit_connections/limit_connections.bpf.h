/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * limit_connections - What the loader tells the programs
 */
#pragma once

#include <linux/types.h>

/**
 * struct limit_config - the object's read-only data, set before it is loaded
 * @limit: connections to one destination
 * @seed: any number that those who are limited cannot know
 */
struct limit_config {
	__u32 limit;
	__u32 seed;
};
