/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - What the OCI hook told of a container
 *
 * Annotations are nowhere to be read once the container runs.  So that a reload
 * and a daemon started anew can match it all the same, what the hook told is
 * kept in a file per container, named by the id of its cgroup.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CONTAINER_DIR "/run/checmate/containers"

struct container {
	char *id;
	char *cgroup; /* path below the mount */
	char *runtime; /* "" where the hook does not know */
	uint64_t cgroup_id;
	pid_t pid; /* whose exec starts it; 0 for the first exec in the cgroup */
	char **annotations; /* key, value, …, NULL */
};

int container_write(const char *dir, const struct container *container);
int container_read(const char *dir, uint64_t cgroup_id, struct container *ret_container);
int container_remove(const char *dir, uint64_t cgroup_id);
int container_tidy(const char *dir);
int container_list(const char *dir, uint64_t **ret_cgroup_ids, size_t *ret_n);

int container_root_of(char *mountinfo, char **ret_root);
bool container_has_started(int cgroup_fd);

bool container_equal(const struct container *a, const struct container *b);
void container_done(struct container *container);
