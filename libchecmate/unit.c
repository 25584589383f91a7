// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - The cgroup of a systemd unit */
#include <errno.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "checmate.h"
#include "cleanup.h"
#include "error.h"
#include "parse.h"

/* Where systemd listens itself, for root only. */
#define PRIVATE_SOCKET "unix:path=/run/systemd/private"

static void bus_close(sd_bus **bus)
{
	sd_bus_flush_close_unref(*bus);
}

/* The units that have a cgroup, by the end of their names. */
static const char *find_interface(const char *unit)
{
	static const struct {
		const char *suffix;
		const char *interface;
	} types[] = {
		{ ".service", "org.freedesktop.systemd1.Service" },
		{ ".scope", "org.freedesktop.systemd1.Scope" },
		{ ".slice", "org.freedesktop.systemd1.Slice" },
		{ ".socket", "org.freedesktop.systemd1.Socket" },
		{ ".mount", "org.freedesktop.systemd1.Mount" },
		{ ".swap", "org.freedesktop.systemd1.Swap" },
	};
	const char *dot = strrchr(unit, '.');

	for (size_t i = 0; dot && dot > unit && i < ARRAY_SIZE(types); i++)
		if (streq(dot, types[i].suffix))
			return types[i].interface;
	return NULL;
}

static int open_private(sd_bus **ret_bus)
{
	_cleanup_(bus_close) sd_bus *bus = NULL;
	int r;

	r = sd_bus_new(&bus);
	if (r >= 0)
		r = sd_bus_set_address(bus, PRIVATE_SOCKET);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0)
		return r;
	*ret_bus = TAKE_PTR(bus);
	return 0;
}

static int open_bus(const char *unit, sd_bus **ret_bus, struct checmate_error **ret_error)
{
	int r;

	r = sd_bus_open_system(ret_bus);
	if (r < 0 && open_private(ret_bus) < 0)
		return error_set(ret_error, r,
				 "unit %s: systemd cannot be asked, there is no system bus: %s; give the cgroup by its path, or start dbus",
				 unit, strerror(-r));
	return 0;
}

int checmate_cgroup_open_unit(const char *unit, struct checmate_cgroup **ret_cgroup,
			      struct checmate_error **ret_error)
{
	static const char service[] = "org.freedesktop.systemd1";
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const char *interface = find_interface(unit), *object;
	_cleanup_(bus_close) sd_bus *bus = NULL;
	_cleanup_free_ char *path = NULL;
	int r;

	if (!interface)
		return error_set(ret_error, -EINVAL,
				 "unit %s: not a unit that has a cgroup; give the full name of a service, scope, slice, socket, mount or swap",
				 unit);
	r = open_bus(unit, &bus, ret_error);
	if (r < 0)
		return r;
	r = sd_bus_call_method(bus, service, "/org/freedesktop/systemd1",
			       "org.freedesktop.systemd1.Manager", "GetUnit", &error, &reply, "s",
			       unit);
	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &object);
	if (r < 0 && sd_bus_error_has_name(&error, "org.freedesktop.systemd1.NoSuchUnit"))
		return error_set(ret_error, -ENOENT,
				 "unit %s: systemd has no such unit loaded; see \"systemctl status %s\"",
				 unit, unit);
	if (r >= 0)
		r = sd_bus_get_property_string(bus, service, object, interface, "ControlGroup",
					       &error, &path);
	if (r < 0)
		return error_set(ret_error, r,
				 "unit %s: systemd says: %s; see \"systemctl status %s\"", unit,
				 error.message ?: strerror(-r), unit);
	if (!*path)
		return error_set(ret_error, -ENOENT,
				 "unit %s: it has no cgroup, since nothing of it runs; start it, see \"systemctl status %s\"",
				 unit, unit);
	return checmate_cgroup_open(path, ret_cgroup, ret_error);
}
