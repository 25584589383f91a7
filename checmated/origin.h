/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Why a binding exists
 *
 * The kernel and bpffs know which policies are in force and with which
 * parameters.  Only who asked for them has to be remembered, so that a reload
 * changes what came from a file and leaves alone what was asked for by hand.
 * The records lie in a runtime directory and outlive the daemon.  Nothing that
 * is enforced depends on them: a binding without one is taken to be made by
 * hand.
 *
 * Whoever makes a binding writes its record before, with @pending, and once more
 * when it is in force: it may die in between.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORIGIN_DIR "/run/checmate/origins"

enum origin_kind {
	ORIGIN_MANUAL, /* over the bus, by checmatectl, by anybody */
	ORIGIN_FILE, /* by a binding file that matched the cgroup */
	ORIGIN_CONTAINER, /* by a binding file that matched the container */
	ORIGIN_UNIT, /* by a unit's [X-Checmate] */
};

struct origin {
	enum origin_kind kind;
	bool pending; /* it may not have come to be in force */
	uint32_t prog_id; /* of the binding's first program */
	uint32_t former_prog_id; /* of the instance that it takes the place of; 0 for none */
	uint64_t digest; /* of what was asked for; 0 where nobody compares */
	char *cgroup; /* its path */
	char *text; /* the file, the file and the container's id, or the unit; one line */
};

int origin_make_dir(const char *dir);
int origin_write(const char *dir, uint64_t cgroup_id, const char *policy,
		 const struct origin *origin);
int origin_read(const char *dir, uint64_t cgroup_id, const char *policy, struct origin *ret_origin);
int origin_remove(const char *dir, uint64_t cgroup_id, const char *policy);
int origin_forget(const char *dir, uint64_t cgroup_id);
int origin_policies(const char *dir, uint64_t cgroup_id, char ***ret_policies);
int origin_cgroups(const char *dir, uint64_t **ret_ids, size_t *ret_n);

void origin_done(struct origin *origin);

bool origin_is_of(const struct origin *origin, uint32_t prog_id);
bool origin_is_configured(const struct origin *origin);
int origin_describe(const struct origin *origin, char **ret_text);
