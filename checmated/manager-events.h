/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - What becomes of denials, and the figures
 */
#pragma once

#include "manager.h"

int manager_events_attach(struct manager *manager);
void manager_events_detach(struct manager *manager);

void manager_events_changed(struct manager *manager, const struct store_change *change);
void manager_events_failed(struct manager *manager);
void manager_events_reloaded(struct manager *manager);
