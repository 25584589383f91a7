/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - The interface org.checmate1.Manager and its methods
 */
#pragma once

#include "manager-state.h"

int bus_methods_attach(struct manager *manager);
