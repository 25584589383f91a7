// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - The signals of org.checmate1.Manager
 */

#include <string.h>

#include "bus-names.h"
#include "bus-signals.h"
#include "bus-text.h"
#include "checmate.h"
#include "cleanup.h"
#include "log.h"

/**
 * bus_signals_denied() - Send the signal of a denial event
 * @manager: the manager
 * @event: the event
 * @cgroup: path of the cgroup that the policy is bound to, or NULL if it is gone
 */
int bus_signals_denied(struct manager *manager, const struct checmate_event *event,
		       const char *cgroup)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int r;

	r = sd_bus_message_new_signal(manager->bus, &m, BUS_PATH, BUS_INTERFACE, "Denied");
	if (r >= 0)
		r = bus_text_append(m, cgroup ? cgroup : "");
	if (r >= 0)
		r = sd_bus_message_append(m, "tssibuusss", event->cgroup_id, event->policy,
					  event->hook, event->error, event->permissive, event->pid,
					  event->uid, event->comm, event->object_type,
					  event->object);
	return r < 0 ? r : sd_bus_send(manager->bus, m, NULL);
}

/**
 * bus_signals_changed() - Send the signal of a changed binding
 * @manager: the manager
 * @change: the change
 */
void bus_signals_changed(struct manager *manager, const struct store_change *change)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int r;

	manager->counted = 0;

	r = sd_bus_message_new_signal(manager->bus, &m, BUS_PATH, BUS_INTERFACE, "BindingChanged");
	if (r >= 0)
		r = bus_text_append(m, change->cgroup);
	if (r >= 0)
		r = sd_bus_message_append(m, "tss", change->cgroup_id, change->policy,
					  change->change);
	if (r >= 0)
		r = bus_text_append(m, change->origin);
	if (r >= 0)
		r = sd_bus_send(manager->bus, m, NULL);
	if (r < 0)
		log_event(LOG_WARNING, LOG_ID_FAILED, &(struct log_fields){ .error = -r },
			  "a change of a binding cannot be told over the bus: %s", strerror(-r));
}

/**
 * bus_signals_config_changed() - Send the signal that other binding files are in use
 * @manager: the manager
 */
void bus_signals_config_changed(struct manager *manager)
{
	int r;

	r = sd_bus_emit_properties_changed(manager->bus, BUS_PATH, BUS_INTERFACE, "BindingFiles",
					   NULL);
	if (r < 0)
		log_event(LOG_WARNING, LOG_ID_FAILED, &(struct log_fields){ .error = -r },
			  "other binding files cannot be told of over the bus: %s", strerror(-r));
}
