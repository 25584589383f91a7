// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Setup
 */

#include <linux/cache.h>
#include <linux/init.h>
#include <uapi/linux/lsm.h>

#include "common.h"
#include "hooks.h"
#include "rewrite.h"
#include "setup.h"

static bool active __ro_after_init;

struct lsm_blob_sizes checmate_blob_sizes __ro_after_init = {
	.lbs_task = sizeof(struct checmate_rewrite *),
};

const struct lsm_id checmate_lsmid = {
	.name = CHECMATE_NAME,
	.id = LSM_ID_CHECMATE,
};

/**
 * checmate_is_active - Whether the LSM is in use
 *
 * Context: Any context.
 * Return: false if the list of LSMs leaves it out: nothing attached would be
 * enforced, so nothing may be attached.
 */
bool checmate_is_active(void)
{
	return active;
}

static int __init checmate_init(void)
{
	checmate_add_hooks();
	active = true;
	pr_info("ready, %d hooks\n", CHECMATE_NR_HOOKS);
	return 0;
}

DEFINE_LSM(checmate) = {
	.name = CHECMATE_NAME,
	.init = checmate_init,
	.blobs = &checmate_blob_sizes,
};
