/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Common - Whose files are believed
 *
 * Trusted are root and the user that this process acts as. A file is theirs if
 * nobody else can change it or put another in its place: it and every folder
 * and symbolic link on the way to it belong to them, and nobody else may write
 * to it or to these folders. A folder with the sticky bit, as /tmp, may be
 * written to by all: there, what is not the writer's stays in its place.
 */
#pragma once

/**
 * trust_open() - Open a file for reading that only the trusted can have made.
 * @path: absolute, or relative to the working folder.
 * @ret_fd: receives the descriptor.
 * @ret_reason: on failure receives who else could write the file and the remedy, to free;
 *              NULL where something else failed. May be NULL.
 *
 * The path is gone along step by step, and what is judged are the open folders
 * and the open file, so nothing can be exchanged between judging and opening.
 *
 * Return: 0; -EACCES somebody else can write it; -EISDIR a folder; -ENODEV /dev/null;
 * -EINVAL another kind of file; -ELOOP too many symbolic links; -errno.
 */
int trust_open(const char *path, int *ret_fd, char **ret_reason);

/* Whether only the trusted can have put files into a folder. Returns as trust_open(). */
int trust_check_folder(const char *path, char **ret_reason);

/* Opens a file that anybody may have made. */
int trust_open_any(const char *path, int *ret_fd);
