/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Binding records: who asked for a binding
 *
 * The kernel and bpffs know which policies are in force and with which parameters.
 * The record adds who asked for them. With it a reload changes the bindings of files
 * and leaves manual ones alone. The records lie in a runtime directory and outlive the
 * daemon. Enforcement does not depend on them: a binding without a record counts as
 * manual.
 *
 * A process that makes a binding writes the record before, with @pending, and again
 * when the binding is in force, because the process may die in between.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BINDING_RECORD_DIR "/run/checmate/origins"

enum binding_record_kind {
	BINDING_RECORD_MANUAL, /* over the bus, by checmatectl, by anybody */
	BINDING_RECORD_FILE, /* by a binding file that matched the cgroup */
	BINDING_RECORD_CONTAINER, /* by a binding file that matched the container */
	BINDING_RECORD_UNIT, /* by a unit's [X-Checmate] */
};

struct binding_record {
	enum binding_record_kind kind;
	bool pending; /* it may not have come to be in force */
	uint64_t instance; /* which binding of the policy it is */
	uint64_t former_instance; /* of the instance that it takes the place of; 0 for none */
	uint64_t digest; /* of what was asked for; 0 where nobody compares */
	char *cgroup; /* its path */
	char *text; /* the file, the file and the container's id, or the unit; one line */
};

int binding_record_make_dir(const char *dir);
int binding_record_write(const char *dir, uint64_t cgroup_id, const char *policy,
			 const struct binding_record *record);
int binding_record_read(const char *dir, uint64_t cgroup_id, const char *policy,
			struct binding_record *ret_record);
int binding_record_remove(const char *dir, uint64_t cgroup_id, const char *policy);
int binding_record_forget(const char *dir, uint64_t cgroup_id);
int binding_record_policies(const char *dir, uint64_t cgroup_id, char ***ret_policies);
int binding_record_cgroups(const char *dir, uint64_t **ret_ids, size_t *ret_n);

void binding_record_done(struct binding_record *record);

bool binding_record_is_of(const struct binding_record *record, uint64_t instance);
bool binding_record_is_configured(const struct binding_record *record);
int binding_record_describe(const struct binding_record *record, char **ret_text);
