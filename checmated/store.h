/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - What all changes of bindings share: the files and the places of records
 *
 * The store keeps no state of cgroups in memory. Each operation reads the actual
 * bindings from libchecmate and makes the desired ones of the files. It leaves alone a
 * binding that is as desired, so that a restart of the daemon changes nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "desired.h"
#include "settings.h"

/* A change of a binding. */
struct store_change {
	const char *cgroup;
	uint64_t cgroup_id;
	const char *policy;
	/*
	 * "applied", "staged", "replaced", "parameters", "mode", "removed"; "drift"
	 * when others changed the binding of a file; "gone" with its cgroup.
	 */
	const char *change;
	const char *origin; /* as struct listed_binding has it; "" if unknown */
	uint64_t usec; /* how long the change took */
};

struct store {
	struct settings settings;
	struct config *config;
	struct desired_set desired;
	const char *binding_record_dir;
	const char *container_record_dir;
	bool can_stage; /* the kernel can stage; else containers get their policies at once */
	bool can_seal; /* the kernel can seal; else a seal fails after its policies are in force */
	/* Called for each change; may be NULL. */
	void (*changed)(const struct store_change *change, void *userdata);
	void *userdata;
};

int store_load(struct store *store, const char *const *dirs, char **ret_error);
void store_done(struct store *store);
