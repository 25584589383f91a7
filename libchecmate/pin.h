/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libchecmate - What bpffs holds
 *
 *	<bpffs>/checmate/<cgroup id>/<policy>/prog_<program>
 *	                                      map_<map>
 *	                                      link_<program>
 *	<bpffs>/checmate/events/              see event-ring.h
 *
 * Links are there with the backend "bpf-link" only.
 *
 * The pins of a new instance are made in "<policy>+new" and take the place of
 * "<policy>" once the kernel enforces them, or of "<policy>+staged" when they
 * are to wait for an exec. Whoever finds a "+new" under the lock finds the
 * traces of a process that died, and asks the backend to settle it. What is
 * being removed is "<policy>+gone". bpffs allows no '.' in names.
 */
#pragma once

#include <limits.h>

#include "control.h"
#include "policy.h"

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
 * @create: make the folder when it is missing.
 * @ret_fd: receives a descriptor of <bpffs>/checmate; closing it unlocks.
 * @ret_error: explanation, or NULL.
 *
 * Anybody may make folders in bpffs on many machines, so one that does not
 * belong to this user, or that others may write to, is refused.
 *
 * Return: 0; -ENOENT there is none and @create is false (no explanation); -EPERM not
 * ours; -ETIMEDOUT another process has had the lock for too long; -errno.
 */
int pin_lock(bool create, int *ret_fd, struct checmate_error **ret_error);

/* A pinned program. */
struct pin_program {
	char *name;
	uint32_t id;
	uint32_t btf_id;
};

struct pin_programs {
	struct pin_program *items;
	size_t n;
};

void pin_programs_done(struct pin_programs *programs);

/* Reads the programs pinned in a policy's folder. -ENOENT: no such folder. */
int pin_read(const struct pin_path *path, struct pin_programs *ret_programs);

/* Opens a pinned map. Returns a descriptor, -errno. */
int pin_open_map(const struct pin_path *path, const char *map);

/* Pins the link of a program. */
int pin_write_link(const struct pin_path *path, const char *program, int fd);

/* The programs that have a pinned link: sorted names. No folder is an empty list. */
int pin_links(const struct pin_path *path, char ***ret_programs);

/* Opens the link of a program. Returns a descriptor, -errno. */
int pin_open_link(const struct pin_path *path, const char *program);

/* Makes a folder; that it exists is fine. */
int pin_make_folder(const struct pin_path *path);

/* Pins everything of a loaded policy in a new folder, or nothing. */
int pin_write(const struct pin_path *path, const struct checmate_policy *policy);

/* Puts the folder @from in the place of @to, which may exist, and removes that. */
int pin_move(const struct pin_path *from, const struct pin_path *to);

/* Removes a policy's folder with what is in it; that there is none is fine. */
int pin_remove(const struct pin_path *path);

/* Whether one of the programs is in force, staged, or neither. */
bool pin_any_attached(const struct pin_programs *pins, const struct control_list *list);
bool pin_any_staged(const struct pin_programs *pins, const struct control_list *list);

/* The policies that a cgroup has, staged ones too: sorted names. */
int pin_policies(uint64_t cgroup_id, char ***ret_names, struct checmate_error **ret_error);

/* Drops the cgroup's folder when nothing is left in it. */
void pin_tidy(uint64_t cgroup_id);

/* Explains why a pin cannot be used. Returns @code. */
int pin_explain(const struct pin_path *path, int code, struct checmate_error **ret_error);

/* Names in a folder, sorted. No folder is an empty list. */
int pin_list(const char *path, char ***ret_names);

/* <bpffs>/checmate */
struct pin_path pin_root(void);

/* <bpffs>/checmate/events[/<name>], see event-ring.h; @name may be NULL. */
struct pin_path pin_events(const char *name);
