/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - What has to change so that one actual binding is the desired one
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "desired.h"
#include "site.h"
#include "store-error.h"

/* What makes an actual binding the desired one. */
enum reconcile_action {
	RECONCILE_KEEP,
	RECONCILE_KEEP_STAGED,
	RECONCILE_PARAMS,
	RECONCILE_MODE,
	RECONCILE_APPLY,
};

struct reconcile_step {
	struct desired_binding *desired;
	enum reconcile_action action;
	bool staged; /* an instance of the policy is staged */
	bool drift; /* others changed the actual binding */
	uint64_t instance; /* of the actual binding, 0 for none */
};

int reconcile_step_look(const struct site *site, bool claims, struct reconcile_step *step,
			struct store_error *error);
