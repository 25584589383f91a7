/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - What a cgroup is: the unit, slice or container that it belongs to
 *
 * An identity is put together from the path of the cgroup, in which systemd and
 * container engines leave names, and from what the runtime's hook told about the
 * container. The path names the engine: annotations are copied from what the
 * pod's author wrote, and name an engine only where the path names none.
 *
 * Paths and annotations may be made by users and containers. Whatever they hold
 * ends up in the identity as text, or not at all.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct identity {
	char *path; /* below the mount, begins with '/' */

	/*
	 * Of the system manager: what its user managers run is below a unit of
	 * its own, user@1000.service. The unit is the one that the cgroup is or
	 * is in, the slices are those around it, the nearest first, and its own
	 * name when the cgroup is a slice.
	 */
	char *unit; /* NULL: none */
	char **slices; /* NULL: none */
	bool is_unit; /* the cgroup is @unit's own */
	bool is_slice; /* the cgroup is the first of @slices */

	const char *engine; /* that gave the cgroup its name; NULL: not known */
	bool of_user; /* a user's manager made it: its names are the user's choice */
	bool of_kubelet; /* a bare id in the cgroup that the kubelet made for a pod */

	/* Set when the cgroup is a container's own, not for cgroups inside it. */
	char *container; /* the engine's id; NULL: not a container */
	char **runtimes; /* whoever has to do with it: "podman", "crun"…; NULL: not known */
	char **claimed; /* the same, but only by what the workload can write; NULL: none */
	char *pod_namespace, *pod_name; /* both or none */
	bool pod_claimed; /* the pod is what the workload can write */
	char **annotations; /* key, value, …, NULL, sorted by key; or NULL */
};

/**
 * identity_from_path() - What the path of a cgroup says.
 * @path: path below the mount, beginning with '/', without empty components.
 * @ret: receives the identity; release with identity_done().
 *
 * A container is known by the name that engines give to its cgroup, such as
 * libpod-ID.scope. The monitor's cgroup (libpod-conmon-ID.scope) is not one, nor
 * is what lies inside a container: other containers there, and the cgroup
 * "container" that crun may add.
 *
 * Return: 0; -EINVAL not such a path; -ENOMEM.
 */
int identity_from_path(const char *path, struct identity *ret);

/**
 * identity_find_container() - Where in a path is the cgroup that a container has?
 * @path: as for identity_from_path()
 * @id: the id by which the runtime knows the container
 * @ret_length: receives the length of the container's path
 *
 * Only the first component of @path that names a container counts: a container
 * may choose the names below.
 *
 * Return: 0; -ENOENT that component is none or names another; -EINVAL; -ENOMEM.
 */
int identity_find_container(const char *path, const char *id, size_t *ret_length);

/**
 * identity_set_container() - The cgroup is that of a container.
 * @identity: the identity.
 * @id: the id by which the runtime knows the container. It takes the place of
 *	what the path said.
 *
 * Return: 0; -ENOMEM.
 */
int identity_set_container(struct identity *identity, const char *id);

/**
 * identity_add_runtime() - One more name of whoever runs the container.
 * @identity: the identity.
 * @runtime: such as "crun"; nothing happens for "" and NULL.
 *
 * Return: 0; -ENOMEM.
 */
int identity_add_runtime(struct identity *identity, const char *runtime);

/**
 * identity_add_annotations() - The container's annotations, and what they say.
 * @identity: the identity.
 * @annotations: key, value, key, value, …, NULL; or NULL for none.
 * @ret_reason: with -EBADMSG, the contradiction
 *
 * Of a key that is there already the later value counts. The engine's own keys
 * give the Kubernetes pod. If annotations contradict the path or each other,
 * somebody else than the engine wrote some of them: there is no identity then.
 *
 * Return: 0; -EBADMSG; -ENOMEM.
 */
int identity_add_annotations(struct identity *identity, const char *const *annotations,
			     char **ret_reason);

/* The value of an annotation; NULL: the container has none of that key. */
const char *identity_annotation(const struct identity *identity, const char *key);

/* Is the cgroup that of a container, rather than of a unit, a slice or nothing known? */
bool identity_is_container(const struct identity *identity);

/* Releases what @identity holds and leaves it empty. */
void identity_done(struct identity *identity);
