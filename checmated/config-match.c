// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Which binding files match a cgroup
 */

#include <fnmatch.h>

#include "config-match.h"

static bool match_any(char *const *globs, const char *text, int flags)
{
	for (char *const *glob = globs; glob && *glob; glob++)
		if (fnmatch(*glob, text, FNM_NOESCAPE | flags) == 0)
			return true;
	return false;
}

static bool match_annotations(const struct config_binding *binding, const struct identity *identity)
{
	for (size_t i = 0; i < binding->n_annotations; i++) {
		const struct config_annotation *expected = &binding->annotations[i];
		const char *value = identity_annotation(identity, expected->key);

		if (!value || fnmatch(expected->glob, value, FNM_NOESCAPE) != 0)
			return false;
	}
	return true;
}

/**
 * config_match_runtimes() - Does any glob match any of the names of who runs a container?
 * @globs: the globs
 * @runtimes: the names
 */
bool config_match_runtimes(char *const *globs, char *const *runtimes)
{
	for (; runtimes && *runtimes; runtimes++)
		if (match_any(globs, *runtimes, 0))
			return true;
	/* "*" takes every container, also one of which nobody says who runs it. */
	return match_any(globs, "", 0);
}

static bool match_pods(char *const *globs, const struct identity *identity)
{
	if (!identity->pod_namespace || !identity->pod_name)
		return false;
	for (; *globs; globs += 2)
		if (fnmatch(globs[0], identity->pod_namespace, FNM_NOESCAPE) == 0 &&
		    fnmatch(globs[1], identity->pod_name, FNM_NOESCAPE) == 0)
			return true;
	return false;
}

static bool match_slices(char *const *globs, char *const *slices)
{
	for (; slices && *slices; slices++)
		if (match_any(globs, *slices, 0))
			return true;
	return false;
}

/* Does a glob match the path, or that of a cgroup which it is in? */
static bool match_cgroups(char *const *globs, const char *path)
{
	for (; *globs; globs++)
		if (fnmatch(*globs, path, FNM_NOESCAPE | FNM_PATHNAME | FNM_LEADING_DIR) == 0)
			return true;
	return false;
}

/* Is the cgroup itself such a thing? One inside a service is not the service. */
static bool is_kind(const struct config_binding *binding, const struct identity *identity)
{
	switch (config_binding_kind(binding)) {
	case CONFIG_CONTAINERS:
		return identity_is_container(identity);
	case CONFIG_UNITS:
		return identity->is_unit;
	case CONFIG_SLICES:
		return identity->is_slice && match_any(binding->slices, identity->slices[0], 0);
	case CONFIG_CGROUPS:
		return match_any(binding->cgroups, identity->path, FNM_PATHNAME);
	}
	return false;
}

/**
 * config_match() - Is a binding for a cgroup?
 * @binding: the binding
 * @identity: what is known of the cgroup
 *
 * A binding is for containers if it has Annotation=, Runtime= or Pod=, else for
 * units if it has Unit=, else for slices if it has Slice=, else for the cgroups
 * whose paths are those of Cgroup=. Of a container, Unit= has to be the unit that
 * it is in or is; of a container and of a unit, Slice= has to be one that it is in
 * at whatever depth; of all three, Cgroup= the path of the cgroup or of one that
 * it is in.
 *
 * '*' and '?' stay within one component of a cgroup's path. A backslash is a
 * character like any other: systemd's cgroups have them in names.
 */
bool config_match(const struct config_binding *binding, const struct identity *identity)
{
	if (!is_kind(binding, identity))
		return false;
	if (binding->units && (!identity->unit || !match_any(binding->units, identity->unit, 0)))
		return false;
	if (binding->slices && !match_slices(binding->slices, identity->slices))
		return false;
	if (binding->cgroups && !match_cgroups(binding->cgroups, identity->path))
		return false;
	if (binding->runtimes && !config_match_runtimes(binding->runtimes, identity->runtimes) &&
	    !config_match_runtimes(binding->runtimes, identity->claimed))
		return false;
	if (binding->pods && !match_pods(binding->pods, identity))
		return false;
	return match_annotations(binding, identity);
}

/**
 * config_match_is_claimed() - Does a binding match only by what the workload can write?
 * @binding: a binding that matches
 * @identity: what is known of the cgroup
 *
 * Such a binding adds policies. It does not replace one of a binding that matches
 * by other things: config_load() refuses what cannot mean anything else.
 */
bool config_match_is_claimed(const struct config_binding *binding, const struct identity *identity)
{
	return binding->n_annotations || (binding->pods && identity->pod_claimed) ||
	       (binding->runtimes && !config_match_runtimes(binding->runtimes, identity->runtimes));
}
