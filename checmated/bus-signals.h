/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - The signals of org.checmate1.Manager
 */
#pragma once

#include "manager-state.h"

int bus_signals_denied(struct manager *manager, const struct checmate_event *event,
		       const char *cgroup);
void bus_signals_changed(struct manager *manager, const struct store_change *change);
void bus_signals_config_changed(struct manager *manager);
