/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Common - Small files read and written at once */
#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * file_read() - Read a whole file.
 * @dir_fd: directory @path is relative to, or AT_FDCWD.
 * @path: path.
 * @max: most bytes to accept.
 * @ret_data: receives the bytes and a NUL after them; free with free(3).
 * @ret_size: receives their number without that NUL; may be NULL.
 *
 * Return: 0; -EFBIG more than @max bytes; -errno.
 */
int file_read(int dir_fd, const char *path, size_t max, char **ret_data, size_t *ret_size);

/* The same of what is left of an open file, which stays the caller's. */
int file_read_fd(int fd, size_t max, char **ret_data, size_t *ret_size);

/**
 * file_write() - Write a control file by a single write(2).
 * @dir_fd: directory @path is relative to, or AT_FDCWD.
 * @path: path of an existing file.
 * @text: what to write.
 *
 * Return: 0; -EIO only a part was taken; -errno.
 */
int file_write(int dir_fd, const char *path, const char *text);

/**
 * file_list_numbers() - The files of a directory whose names are numbers.
 * @path: the directory.
 * @ret_numbers: receives the numbers, in no order; free with free(3).
 * @ret_n: receives how many there are.
 *
 * Return: 0, also when there is no such directory; -errno.
 */
int file_list_numbers(const char *path, uint64_t **ret_numbers, size_t *ret_n);
