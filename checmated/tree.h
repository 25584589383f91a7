/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - The cgroups there are, followed as they come and go
 */
#pragma once

#include <systemd/sd-event.h>

struct tree;

/* @path is below the mount, starts with '/' and is never the root. */
typedef void (*tree_added_t)(const char *path, void *userdata);
typedef void (*tree_removed_t)(const char *path, void *userdata);

int tree_new(sd_event *event, const char *root, tree_added_t added, tree_removed_t removed,
	     void *userdata, struct tree **ret_tree);
struct tree *tree_free(struct tree *tree);
void tree_freep(struct tree **tree);

void tree_foreach(struct tree *tree, void (*each)(const char *path, void *userdata), void *userdata);
