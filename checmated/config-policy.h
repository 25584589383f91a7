/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Binding files and the policies they name
 */
#pragma once

#include "checmate.h"
#include "config.h"

/* Where binding files are, NULL-terminated; a later directory overrides the earlier. */
extern const char *const config_default_dirs[];

int config_policy_open(const struct config_policy *policy, struct checmate_policy **ret_policy,
		       struct checmate_error **ret_error);

int config_load_verified(const char *const *dirs, struct config **ret_config, char **ret_error);
