/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Makes the actual bindings of a cgroup the desired ones
 *
 * If several files have the same policy for a cgroup, the last file counts. checmated
 * corrects any binding that differs from the files. It leaves alone the bindings that no
 * file has, and those made by hand before a file had them.
 *
 * A sealed cgroup keeps its bindings: checmated only adds or enforces policies there.
 *
 * A change never loosens: new policies are in force before old ones go, and a failure
 * leaves the old ones.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "desired.h"
#include "site.h"
#include "store-error.h"
#include "store.h"

/* A look at a cgroup. The caller sets @late. */
struct reconcile_look {
	bool late; /* treat an unreported container as started without the hook */
	bool bound; /* the cgroup has desired bindings */
	bool untold; /* the hook has yet to report the cgroup's container */
	bool started; /* the container is @untold and has started: no report will come */
	size_t n_drift; /* bindings that others had changed */
	size_t n_late; /* policies applied late to a container that is @untold */
};

int reconcile_site(struct site *site, bool claims, const struct desired_list *list,
		   struct reconcile_look *look, struct store_error *error);
int reconcile_cgroup(struct store *store, const char *cgroup, struct reconcile_look *look,
		     struct store_error *error);
