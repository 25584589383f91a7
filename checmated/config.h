/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Binding files
 *
 * A binding file says which cgroups or containers get which policies:
 *
 *	[Match]
 *	Cgroup=/system.slice/web-*.service
 *	Annotation=org.checmate.role=web
 *	[Policy net-bind]
 *	Mode=enforce
 *	Allow=0.0.0.0/0:80, [::]/0:8000-8100
 *	DenyErrno=EACCES
 *
 * All keys of [Match] must match.  Files are read from several directories; of
 * files with the same name the one in the last directory counts, and a link to
 * /dev/null there hides it.  A file that is not entirely understood is refused
 * together with everything else that was read: half a configuration could lack
 * the half that denies.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define CONFIG_POLICY_NAME_MAX 48u

/* One `Key=value` of a [Policy] section, under the name the policy uses. */
struct config_param {
	char *name;
	char *value; /* list elements separated by single commas */
	unsigned int line;
};

struct config_policy {
	char *name;
	unsigned int line;
	struct config_param *params;
	size_t n_params;
};

struct config_annotation {
	char *key;
	char *glob;
};

/* A file. */
struct config_binding {
	char *file; /* path as it was opened, for messages */
	char *cgroup_glob; /* NULL: any cgroup */
	struct config_annotation *annotations;
	size_t n_annotations;
	struct config_policy *policies;
	size_t n_policies;
};

struct config {
	struct config_binding **bindings; /* in the order of their file names */
	size_t n_bindings;
};

/*
 * Asked for every [Policy] section after the files have been read: does the
 * policy exist, does it take these parameters?  On refusal it returns -errno,
 * sets @ret_line to the line at fault and @ret_reason to an allocated text.
 */
typedef int (*config_verify_t)(const struct config_policy *policy, unsigned int *ret_line,
			       char **ret_reason, void *userdata);

int config_load(const char *const *dirs, config_verify_t verify, void *userdata,
		struct config **ret_config, char **ret_error);
struct config *config_free(struct config *config);
void config_freep(struct config **config);

bool config_match_cgroup(const struct config_binding *binding, const char *cgroup);
bool config_match_annotations(const struct config_binding *binding, const char *const *annotations);
