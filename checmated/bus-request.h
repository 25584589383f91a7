/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - The arguments of a request, read and judged by their form
 *
 * They are read before anybody is asked whether the request is allowed, from
 * whoever may send one: nothing here knows what a cgroup or a policy is, and how
 * much is taken is bounded.  Texts stay the message's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "config.h"

/* How much one request may carry; the man page says so as well. */
#define BUS_TARGET_MAX 4095u
#define BUS_NAME_MAX 255u
#define BUS_POLICIES_MAX 64u
#define BUS_PARAMS_MAX 64u
#define BUS_ANNOTATIONS_MAX 4096u
/* All texts of a request together; of a container's, what its state may have. */
#define BUS_TEXT_MAX (256u * 1024u)
#define BUS_CONTAINER_TEXT_MAX (1024u * 1024u)

struct bus_request {
	size_t text; /* bytes taken so far */
	size_t text_max;

	const char *target;
	const char *policy;
	const char *hook;
	bool permissive;
	bool all;
	struct config_policy *policies;
	size_t n_policies;

	/* of a container */
	const char *id;
	const char *runtime;
	uint32_t pid;
	uint64_t cgroup_id;
	const char **annotations; /* key, value, …, NULL */
	size_t n_annotations; /* pairs */
};

void bus_request_done(struct bus_request *request);

/*
 * Each reads what its method takes into @request, which is empty. Returns 0; or
 * -errno with @ret_error set where it is the sender's fault.
 */
int bus_read_nothing(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error);
int bus_read_apply(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error);
int bus_read_remove(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error);
int bus_read_set_parameters(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error);
int bus_read_set_mode(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error);
int bus_read_target(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error);
int bus_read_any_target(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error);
int bus_read_tree(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error);
int bus_read_explain(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error);
int bus_read_get_parameters(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error);
int bus_read_container(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error);
