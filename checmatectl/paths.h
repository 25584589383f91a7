/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* checmatectl - Listed paths that are symbolic links or do not exist */
#pragma once

#include "command.h"

/**
 * paths_warn() - Look at listed paths and say on stderr which of them match nothing.
 * @pid: below whose root; 0: our own.
 * @lists: of jsondoc_lists_of_policy() and the like, may be NULL.
 *
 * A path that cannot be looked at makes no command fail. At worst a warning says so.
 *
 * Return: the array of jsondoc_paths(), which the caller frees; empty without an answer.
 */
struct json_object *paths_warn(pid_t pid, char *const *lists);

/*
 * The same of words "POLICY [PARAM=VALUE…] [POLICY…]" that checmated was given, for a
 * cgroup. Of policies that are not installed here nothing is told.
 */
struct json_object *paths_warn_words(const char *cgroup, int argc, char *const *argv);

/* Whether it is the path of a file, and not the name of a hook. */
bool is_file_path(const char *argument);

/**
 * paths_explain() - Add to the document of explain what its policies make of a path.
 * @document: the document.
 * @path: the path.
 * @pid: below whose root; 0: our own.
 *
 * Returns an exit status.
 */
int paths_explain(struct json_object *document, const char *path, pid_t pid);
