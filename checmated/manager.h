/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - What ties the loop, the bus, the cgroups and the store together
 */
#pragma once

#include "manager-state.h"

int manager_new(const char *const *dirs, struct manager **ret_manager);
struct manager *manager_free(struct manager *manager);
void manager_freep(struct manager **manager);

int manager_run(struct manager *manager);
int manager_reload(struct manager *manager, size_t *ret_n_failed, char **ret_error);
void manager_expect(struct manager *manager, const char *path);
