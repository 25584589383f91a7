/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - A cgroup whose bindings change, and what is done in one binding
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "binding-record.h"
#include "container-record.h"
#include "desired.h"
#include "identity.h"
#include "log.h"
#include "store-error.h"
#include "store.h"

/* A cgroup whose bindings change, and how they may. */
struct site {
	struct store *store;
	struct checmate_cgroup *cgroup;
	const char *path;
	uint64_t id;
	const struct container_record *container; /* in the cgroup, or NULL */
	bool stage; /* the container does not run yet */
	bool waits; /* @stage follows from a set staged before, which an exec may activate */
	bool at_once; /* no exec is to come: stage nothing */
	bool restage; /* a staged set may wait for the exec of another process */
	bool by_user; /* a user other than root asks, who may not replace others' bindings */
	bool seal; /* seal the cgroup in the step that applies policies */
	/* Desired bindings if the hook does not report the container in time; or NULL. */
	const struct desired_list *later;
};

struct site site_of(struct store *store, struct checmate_cgroup *cgroup);
void site_report_change(const struct site *site, const char *policy, const char *change,
			const struct binding_record *record, uint64_t usec);
struct log_fields site_log_fields(const struct site *site, const char *policy);
int site_read_record(const struct site *site, const char *policy, struct binding_record *record,
		     struct store_error *error);
int site_write_record(const struct site *site, const char *policy,
		      const struct binding_record *record, struct store_error *error);
int site_make_record(const struct site *site, const struct desired_binding *desired,
		     struct binding_record *ret_record);
int site_identify(const struct site *site, struct identity *ret_identity, struct store_error *error);
bool site_is_undecided(const struct site *site, const char *policy,
		       const struct desired_binding *desired);
bool site_is_sealed(const struct site *site);
void site_log_sealed(const struct site *site);
void site_log_kept(const struct site *site, const char *policy);
int site_remove_binding(const struct site *site, const char *policy,
			const struct binding_record *record, struct store_error *error);
int site_seal(const struct site *site, struct store_error *error);
