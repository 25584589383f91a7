/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - A binding, as its files say it
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

struct config_binding *config_binding_free(struct config_binding *binding);
void config_binding_freep(struct config_binding **binding);

struct config_param *config_policy_find_param(const struct config_policy *policy, const char *name);
void config_policy_unlist(struct config_policy *policy, const char *param);

/* The finest kind of thing that a binding matches. */
enum config_kind {
	CONFIG_CONTAINERS, /* Annotation=, Runtime=, Pod= */
	CONFIG_UNITS, /* Unit= */
	CONFIG_SLICES, /* Slice= */
	CONFIG_CGROUPS, /* Cgroup= */
};

enum config_kind config_binding_kind(const struct config_binding *binding);
