/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Texts on the bus
 */
#pragma once

#include <systemd/sd-bus.h>

int bus_text_append(sd_bus_message *m, const char *text);
