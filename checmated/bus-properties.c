// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - The properties of org.checmate1.Manager
 */

#include <errno.h>

#include "bus-properties.h"
#include "bus-text.h"
#include "checmate.h"
#include "cleanup.h"
#include "clock.h"
#include "manager-state.h"
#include "parse.h"
#include "strv.h"

/* How long a count of all bindings is valid: every user may read it at any rate. */
#define COUNT_USEC (1000u * 1000u)

static int append_version(sd_bus_message *reply, struct manager *manager)
{
	(void)manager;
	return sd_bus_message_append(reply, "s", checmate_version());
}

static int append_backend(sd_bus_message *reply, struct manager *manager)
{
	return sd_bus_message_append(reply, "s", manager->backend);
}

static int append_binding_files(sd_bus_message *reply, struct manager *manager)
{
	const struct config *config = manager->store.config;
	int r;

	r = sd_bus_message_open_container(reply, 'a', "s");
	for (size_t i = 0; r >= 0 && config && i < config->n_bindings; i++)
		r = bus_text_append(reply, config->bindings[i]->file);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int count_bindings(uint32_t *ret_n)
{
	_cleanup_free_ uint64_t *ids = NULL;
	size_t n_ids = 0;
	uint32_t n = 0;
	int r;

	r = checmate_binding_list_cgroups(&ids, &n_ids, NULL);
	for (size_t i = 0; r >= 0 && i < n_ids; i++) {
		_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
		char **policies = NULL;

		r = checmate_cgroup_open_id(ids[i], &cgroup, NULL);
		if (r >= 0)
			r = checmate_binding_list(cgroup, &policies, NULL);
		n += strv_length(policies);
		checmate_strv_free(policies);
		if (r == -ENOENT)
			r = 0; /* gone meanwhile */
	}
	if (r >= 0)
		*ret_n = n;
	return r;
}

static int append_bindings(sd_bus_message *reply, struct manager *manager)
{
	uint64_t now = now_usec();
	int r;

	if (!manager->counted || now - manager->counted > COUNT_USEC) {
		r = count_bindings(&manager->n_bindings);
		if (r < 0)
			return r;
		manager->counted = now;
	}
	return sd_bus_message_append(reply, "u", manager->n_bindings);
}

static int append_events_read(sd_bus_message *reply, struct manager *manager)
{
	return sd_bus_message_append(reply, "t", denial_reader_n_read(manager->reader));
}

static int append_events_lost(sd_bus_message *reply, struct manager *manager)
{
	return sd_bus_message_append(reply, "t", denial_reader_n_lost(manager->reader));
}

static const struct {
	const char *name;
	int (*append)(sd_bus_message *reply, struct manager *manager);
} properties[] = {
	{ "Version", append_version },
	{ "Backend", append_backend },
	{ "BindingFiles", append_binding_files },
	{ "Bindings", append_bindings },
	{ "EventsRead", append_events_read },
	{ "EventsLost", append_events_lost },
};

/**
 * bus_properties_get() - Append the value of a property to a reply
 * @bus: the bus
 * @path: the object
 * @interface: its interface
 * @property: the name of the property
 * @reply: the reply
 * @userdata: the manager
 * @ret_error: not used
 *
 * The getter of every property, in the form that sd-bus calls.
 */
int bus_properties_get(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
	(void)bus;
	(void)path;
	(void)interface;
	(void)ret_error;

	for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
		if (streq(properties[i].name, property))
			return properties[i].append(reply, userdata);
	return -ENOENT;
}
