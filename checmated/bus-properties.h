/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - The properties of org.checmate1.Manager
 */
#pragma once

#include <systemd/sd-bus.h>

int bus_properties_get(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *userdata, sd_bus_error *ret_error);
