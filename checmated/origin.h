/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Why a binding exists
 *
 * The kernel and bpffs know which policies are in force and with which
 * parameters.  Only who asked for them has to be remembered, so that a reload
 * changes what came from a file and leaves alone what was asked for by hand.
 * The records lie in the daemon's runtime directory and outlive it.  Nothing
 * that is enforced depends on them: a binding without one is taken to be made
 * by hand.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum origin_kind {
	ORIGIN_MANUAL, /* over the bus, by checmatectl, by anybody */
	ORIGIN_CGROUP, /* by a binding file that matched the cgroup */
	ORIGIN_CONTAINER, /* by the OCI hook */
};

/*
 * @prog_id is the id of the binding's first program.  It tells the instance
 * that was recorded from another one that took its place behind the daemon's
 * back.
 */
int origin_write(const char *dir, uint64_t cgroup_id, const char *policy, uint32_t prog_id,
		 enum origin_kind kind, const char *text);
int origin_read(const char *dir, uint64_t cgroup_id, const char *policy, uint32_t prog_id,
		enum origin_kind *ret_kind, char **ret_text);
int origin_remove(const char *dir, uint64_t cgroup_id, const char *policy);
int origin_gc(const char *dir, const uint64_t *cgroup_ids, size_t n_cgroup_ids);
