/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Container records: what the OCI hook reported of a container
 *
 * No process can read a container's annotations from the kernel. The records let a
 * reload and a restarted daemon match the container: one file per container, named by
 * the id of its cgroup.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CONTAINER_RECORD_DIR "/run/checmate/containers"

struct container_record {
	char *id;
	char *cgroup; /* path below the mount */
	char *runtime; /* "" where the hook does not know */
	uint64_t cgroup_id;
	pid_t pid; /* whose exec starts it; 0 for the first exec in the cgroup */
	char **annotations; /* key, value, …, NULL */
};

int container_record_write(const char *dir, const struct container_record *container);
int container_record_read(const char *dir, uint64_t cgroup_id,
			  struct container_record *ret_container);
int container_record_remove(const char *dir, uint64_t cgroup_id);
int container_record_tidy(const char *dir);
int container_record_list(const char *dir, uint64_t **ret_cgroup_ids, size_t *ret_n);

bool container_record_equal(const struct container_record *a, const struct container_record *b);
void container_record_done(struct container_record *container);
