/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Whether a container has entered its root
 */
#pragma once

#include <stdbool.h>

int container_root_of(char *mountinfo, char **ret_root);
bool container_root_is_entered(int cgroup_fd);
