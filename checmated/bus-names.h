/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Names on the bus
 */
#pragma once

/* The system bus, for programs that do not trust their environment. */
#define BUS_ADDRESS "unix:path=/run/dbus/system_bus_socket"

#define BUS_NAME "org.checmate1"
#define BUS_PATH "/org/checmate1"
#define BUS_INTERFACE "org.checmate1.Manager"

#define BUS_ERROR(name) "org.checmate1.Error." name
