/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Which binding files match a cgroup
 */
#pragma once

#include <stdbool.h>

#include "config.h"
#include "identity.h"

bool config_match(const struct config_binding *binding, const struct identity *identity);
bool config_match_is_claimed(const struct config_binding *binding, const struct identity *identity);
bool config_match_runtimes(char *const *globs, char *const *runtimes);
