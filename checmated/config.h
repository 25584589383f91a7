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

#define CONFIG_POLICY_NAME_MAX 48u

/* Where something is written. */
struct config_place {
	const char *file; /* owned by the binding; NULL for what is in no file */
	unsigned int line;
};

/* A `Key=value` of a [Policy] section, under the name the policy uses. */
struct config_param {
	char *name;
	char *value; /* list elements separated by single commas */
	char *last; /* of @value, what the last file added: all that counts if it is no list */
	struct config_place place; /* the last that set it */
};

struct config_policy {
	char *name;
	bool permissive;
	struct config_param *params;
	size_t n_params;
	struct config_place place; /* the first [Policy] of this name */
	struct config_place opened; /* the last */
	struct config_place mode_place;
};

struct config_annotation {
	char *key;
	char *glob;
};

/*
 * A file with its drop-ins. Of each kind of globs any has to match, of the
 * annotations all; a kind without globs is not asked for.
 */
struct config_binding {
	char *file; /* path as it was opened, for messages */
	char **drop_ins; /* the paths of its drop-ins, in their order; NULL: none */
	char **units;
	char **slices;
	char **cgroups;
	char **runtimes;
	char **pods; /* namespace, name, namespace, name, …, NULL */
	struct config_annotation *annotations;
	size_t n_annotations;
	struct config_policy *policies;
	size_t n_policies;
	bool seal; /* the cgroup is sealed with its policies */
	struct config_place seal_place;
};

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

struct config_binding *config_binding_free(struct config_binding *binding);
void config_binding_freep(struct config_binding **binding);

struct config_param *config_policy_find_param(const struct config_policy *policy, const char *name);
void config_policy_unlist(struct config_policy *policy, const char *param);

/* What a binding is for: the finest kind of thing that it asks for. */
enum config_kind {
	CONFIG_CONTAINERS, /* Annotation=, Runtime=, Pod= */
	CONFIG_UNITS, /* Unit= */
	CONFIG_SLICES, /* Slice= */
	CONFIG_CGROUPS, /* Cgroup= */
};

enum config_kind config_binding_kind(const struct config_binding *binding);
