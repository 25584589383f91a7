// SPDX-License-Identifier: LGPL-2.1-or-later
/* systemd - What systemd knows of a unit */
#include "systemd-client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "cleanup.h"
#include "executor.h"
#include "strv.h"
#include "text.h"
#include "unit-cgroup-path.h"

#define SOCKET "unix:path=/run/systemd/private"
#define SERVICE "org.freedesktop.systemd1"

/* systemd closes its socket and opens it again when it executes itself anew. */
#define TRIES 200
#define PAUSE_NSEC (50l * 1000 * 1000)

static void bus_close(sd_bus **bus)
{
	sd_bus_flush_close_unref(*bus);
}

void systemd_unit_done(struct systemd_unit *unit)
{
	free(unit->id);
	free(unit->fragment);
	strv_free(unit->drop_ins);
	free(unit->cgroup);
	free(unit->slice);
	free(unit->root);
	free(unit->image);
	*unit = (struct systemd_unit){};
}

static int open_bus(sd_bus **ret_bus)
{
	_cleanup_(bus_close) sd_bus *bus = NULL;
	int r;

	r = sd_bus_new(&bus);
	if (r >= 0)
		r = sd_bus_set_address(bus, SOCKET);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0)
		return r;
	*ret_bus = TAKE_PTR(bus);
	return 0;
}

static int ask_cgroup(sd_bus *bus, const char *object, const char *name, struct systemd_unit *unit,
		      sd_bus_error *error)
{
	const char *type = unit_cgroup_type(name);
	_cleanup_free_ char *interface = NULL;
	int r;

	if (!type) {
		unit->cgroup = strdup("");
		unit->slice = strdup("");
		return unit->cgroup && unit->slice ? 0 : -ENOMEM;
	}
	interface = text_format(SERVICE ".%s", type);
	if (!interface)
		return -ENOMEM;
	r = sd_bus_get_property_string(bus, SERVICE, object, interface, "ControlGroup", error,
				       &unit->cgroup);
	if (r >= 0)
		r = sd_bus_get_property_string(bus, SERVICE, object, interface, "Slice", error,
					       &unit->slice);
	if (r < 0)
		return r;
	/* Slices and scopes have none. They are for warnings only, so that no failure counts. */
	(void)sd_bus_get_property_string(bus, SERVICE, object, interface, "RootDirectory", NULL,
					 &unit->root);
	(void)sd_bus_get_property_string(bus, SERVICE, object, interface, "RootImage", NULL,
					 &unit->image);
	return 0;
}

static int ask(const char *name, struct systemd_unit *ret_unit, sd_bus_error *error)
{
	static const char interface[] = SERVICE ".Unit";
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(systemd_unit_done) struct systemd_unit unit = {};
	_cleanup_free_ char *version = NULL;
	_cleanup_(bus_close) sd_bus *bus = NULL;
	const char *object;
	int r;

	r = open_bus(&bus);
	if (r >= 0)
		r = sd_bus_get_property_string(bus, SERVICE, "/org/freedesktop/systemd1",
					       SERVICE ".Manager", "Version", error, &version);
	if (r >= 0)
		r = sd_bus_call_method(bus, SERVICE, "/org/freedesktop/systemd1",
				       SERVICE ".Manager", "LoadUnit", error, &reply, "s", name);
	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &object);
	if (r >= 0)
		r = sd_bus_get_property_string(bus, SERVICE, object, interface, "Id", error,
					       &unit.id);
	if (r >= 0)
		r = sd_bus_get_property_string(bus, SERVICE, object, interface, "FragmentPath",
					       error, &unit.fragment);
	if (r >= 0)
		r = sd_bus_get_property_strv(bus, SERVICE, object, interface, "DropInPaths", error,
					     &unit.drop_ins);
	if (r >= 0)
		r = ask_cgroup(bus, object, unit.id, &unit, error);
	if (r < 0)
		return r;
	unit.version = executor_parse_version(version);
	*ret_unit = unit;
	unit = (struct systemd_unit){};
	return 0;
}

static bool is_away(int r)
{
	return r == -ECONNREFUSED || r == -ECONNRESET || r == -EPIPE || r == -ENOTCONN ||
	       r == -ENOENT;
}

int systemd_client_read_unit(const char *unit, struct systemd_unit *ret_unit, char **ret_error)
{
	static const struct timespec pause = { .tv_nsec = PAUSE_NSEC };
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	for (int try = 0; try < TRIES; try++) {
		r = ask(unit, ret_unit, &error);
		if (r >= 0)
			return 0;
		/* What systemd answers is an answer. */
		if (sd_bus_error_is_set(&error) || !is_away(r))
			break;
		(void)nanosleep(&pause, NULL);
	}
	if (asprintf(ret_error, "%s: systemd cannot be asked about it: %s; try again", unit,
		     error.message ?: strerror(-r)) < 0)
		return -ENOMEM;
	return r;
}
