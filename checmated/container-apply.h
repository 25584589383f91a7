/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Applies the policies of a container before it starts
 */
#pragma once

#include <stdbool.h>

#include "container-record.h"
#include "store-error.h"
#include "store.h"

int container_apply(struct store *store, const struct container_record *container, bool by_user,
		    char ***ret_policies, struct store_error *error);
