/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Denial events and changes of bindings in the journal, on the bus and in metrics
 */
#pragma once

#include "manager-state.h"

int manager_events_attach(struct manager *manager);
void manager_events_detach(struct manager *manager);

void manager_events_changed(struct manager *manager, const struct store_change *change);
void manager_events_failed(struct manager *manager);
void manager_events_reloaded(struct manager *manager);
