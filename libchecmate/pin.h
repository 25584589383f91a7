/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libchecmate - What bpffs holds
 *
 *	<bpffs>/checmate/<cgroup id>/<policy>	see record.h
 *	<bpffs>/checmate/programs/<set>/	see program-set.h
 *	<bpffs>/checmate/events/		see shared-map.h
 *	<bpffs>/checmate/instances/		likewise
 *
 * The pins of a new instance are made in "<policy>+new" and take the place of
 * "<policy>" once the kernel enforces them, or of "<policy>+staged" when they
 * are to wait for an exec. Whoever finds a "+new" under the lock finds the
 * traces of a process that died, and asks the backend to settle it. What is
 * being removed is "<policy>+gone". bpffs allows no '.' in names.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "checmate.h"

#define PIN_NEW "+new"
#define PIN_STAGED "+staged"
#define PIN_GONE "+gone"

/* A path below bpffs. */
struct pin_path {
	char text[256];
};

/* checmate/<cgroup id>[/<policy>[<suffix>]]; @policy may be NULL. */
struct pin_path pin_path(uint64_t cgroup_id, const char *policy, const char *suffix);

/**
 * pin_lock() - Keep others from changing pins.
 * @create: make the directory when it is missing.
 * @ret_fd: receives a descriptor of <bpffs>/checmate; closing it unlocks.
 * @ret_error: explanation, or NULL.
 *
 * Anybody may make directories in bpffs on many machines, so one that does not
 * belong to this user, or that others may write to, is refused.
 *
 * Return: 0; -ENOENT there is none and @create is false (no explanation); -EPERM not
 * ours; -ETIMEDOUT another process has had the lock for too long; -errno.
 */
int pin_lock(bool create, int *ret_fd, struct checmate_error **ret_error);

/* What the names of pins begin with, by what they are. */
#define PIN_PROGRAM "prog_"
#define PIN_MAP "map_"
#define PIN_LINK "link_"

/**
 * pin_write() - Pin a program, a map or a link.
 * @directory: where.
 * @prefix: PIN_*.
 * @name: its name; a '.' in it becomes a '_'.
 * @fd: its descriptor.
 *
 * Return: 0, -errno.
 */
int pin_write(const struct pin_path *directory, const char *prefix, const char *name, int fd);

/* Opens what is pinned so. Returns a descriptor, -errno. */
int pin_open(const struct pin_path *directory, const char *prefix, const char *name);

/* What of a kind is pinned in a directory: sorted names. No directory is an empty list. */
int pin_names(const struct pin_path *directory, const char *prefix, char ***ret_names);

/* Makes a directory; that it exists is fine. */
int pin_make_directory(const struct pin_path *path);

/* Removes a directory with the pins in it; that there is none is fine. */
int pin_remove_directory(const struct pin_path *path);

/* The policies that a cgroup has, staged ones too: sorted names. */
int pin_policies(uint64_t cgroup_id, char ***ret_names, struct checmate_error **ret_error);

/* Drops the cgroup's directory when nothing is left in it. */
void pin_tidy(uint64_t cgroup_id);

/* Explains why a pin cannot be used. Returns @code. */
int pin_explain(const struct pin_path *path, int code, struct checmate_error **ret_error);

/* Names in a directory, sorted. No directory is an empty list. */
int pin_list(const char *path, char ***ret_names);

/* <bpffs>/checmate */
struct pin_path pin_root(void);

/* <bpffs>/checmate/events[/<name>], see shared-map.h; @name may be NULL. */
struct pin_path pin_events(const char *name);

/* <bpffs>/checmate/instances/<name>, see shared-map.h. */
struct pin_path pin_instances(const char *name);

/* <bpffs>/checmate/programs[/<set>[<suffix>]], see program-set.h; @set may be NULL. */
struct pin_path pin_set(const char *set, const char *suffix);

/* <bpffs>/checmate/programs/<set>/bindings[/<cookie>]; @cookie may be 0. */
struct pin_path pin_set_bindings(const char *set, uint64_t cookie);

/* @directory/@name */
struct pin_path pin_below(const struct pin_path *directory, const char *name);
