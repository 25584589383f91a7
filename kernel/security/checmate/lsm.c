// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - The security module
 *
 * What the LSM framework knows the module by.
 */

#include <linux/cache.h>
#include <linux/init.h>
#include <linux/types.h>
#include <uapi/linux/lsm.h>

#include "common.h"
#include "lsm.h"

static bool active __ro_after_init;

/* A task leads to the struct checmate_rewrite of the call that it makes. */
struct lsm_blob_sizes checmate_blob_sizes __ro_after_init = {
	.lbs_task = sizeof(void *),
};

const struct lsm_id checmate_lsmid = {
	.name = CHECMATE_NAME,
	.id = LSM_ID_CHECMATE,
};

/**
 * checmate_activate - Note that the module is in use
 *
 * Context: Boot, once.
 */
void __init checmate_activate(void)
{
	active = true;
}

/**
 * checmate_is_active - Whether the module is in use
 *
 * Context: Any context.
 * Return: false if the list of LSMs leaves it out: nothing attached would be
 * enforced, so nothing may be attached.
 */
bool checmate_is_active(void)
{
	return active;
}
