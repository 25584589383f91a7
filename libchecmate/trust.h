/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libchecmate - Whose files are believed
 *
 * Trusted are root and the user that this process acts as. A file is theirs if
 * nobody else can change it or put another in its place: it and every folder
 * and symbolic link on the way to it belong to them, and nobody else may write
 * to it or to these folders. A folder with the sticky bit, as /tmp, may be
 * written to by all: there, what is not the writer's stays in its place.
 */
#pragma once

#include "checmate.h"

/**
 * trust_open() - Open a file for reading that only the trusted can have made.
 * @path: absolute, or relative to the working folder.
 * @ret_fd: receives the descriptor.
 * @ret_error: explanation, or NULL.
 *
 * The path is gone along step by step, and what is judged are the open folders
 * and the open file, so nothing can be exchanged between judging and opening.
 *
 * Return: 0; -EACCES somebody else can write it; -EISDIR a folder; -EINVAL
 * another kind of file; -ELOOP too many symbolic links; -errno.
 */
int trust_open(const char *path, int *ret_fd, struct checmate_error **ret_error);

/* The same of a file that anybody may have made. */
int trust_open_any(const char *path, int *ret_fd, struct checmate_error **ret_error);
