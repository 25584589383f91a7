/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Binding files
 *
 * A binding file says which cgroups, units or containers get which policies:
 *
 *	[Match]
 *	Unit=web-*.service
 *	Slice=customers.slice
 *	[Binding]
 *	Seal=yes
 *	[Policy net-bind]
 *	Mode=enforce
 *	Allow=0.0.0.0/0:80, [::]/0:8000-8100
 *	DenyErrno=EACCES
 *
 * Files are read from several directories; of files with the same name the one
 * in the last directory counts, and a link to /dev/null there hides it. What a
 * file says is extended and overridden by its drop-ins, which are the files in
 * directories of its name and ".d". What is not entirely understood is refused
 * together with everything else that was read: half a configuration could lack
 * the half that denies.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config-binding.h"

struct config {
	struct config_binding **bindings; /* in the order of their file names */
	size_t n_bindings;
};

/*
 * Asked for every policy of a binding after its files have been read: does the
 * policy exist, does it take these parameters? Calls config_policy_unlist() for
 * parameters that are not lists. On refusal it returns -errno, sets @ret_place to
 * the place at fault and @ret_reason to an allocated text.
 */
typedef int (*config_verify_t)(struct config_policy *policy, struct config_place *ret_place,
			       char **ret_reason, void *userdata);

int config_load(const char *const *dirs, config_verify_t verify, void *userdata,
		struct config **ret_config, char **ret_error);
struct config *config_free(struct config *config);
void config_freep(struct config **config);
