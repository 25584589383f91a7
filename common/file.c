// SPDX-License-Identifier: LGPL-2.1-or-later
/* Common - Small files read and written at once */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cleanup.h"
#include "parse.h"

int file_read_fd(int fd, size_t max, char **ret_data, size_t *ret_size)
{
	_cleanup_free_ char *data = NULL;
	size_t size = 0, room = 0;

	for (;;) {
		ssize_t n;

		if (room - size < 2) {
			size_t wanted = room ? room * 2 : 4096;
			char *grown = realloc(data, wanted);

			if (!grown)
				return -ENOMEM;
			data = grown;
			room = wanted;
		}

		n = read(fd, data + size, room - size - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		size += n;
		if (size > max)
			return -EFBIG;
	}

	data[size] = '\0';
	*ret_data = TAKE_PTR(data);
	if (ret_size)
		*ret_size = size;
	return 0;
}

int file_read(int dir_fd, const char *path, size_t max, char **ret_data, size_t *ret_size)
{
	_cleanup_close_ int fd = -1;

	/* O_NONBLOCK: a FIFO is empty rather than waited for. */
	fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	return file_read_fd(fd, max, ret_data, ret_size);
}

int file_write(int dir_fd, const char *path, const char *text)
{
	size_t size = strlen(text);
	_cleanup_close_ int fd = -1;
	ssize_t n;

	fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;

	do
		n = write(fd, text, size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EIO;
}

int file_list_numbers(const char *path, uint64_t **ret_numbers, size_t *ret_n)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	_cleanup_free_ uint64_t *numbers = NULL;
	const struct dirent *entry;
	size_t n = 0;

	if (!dir && errno != ENOENT)
		return -errno;
	while (dir && (errno = 0, entry = readdir(dir))) {
		uint64_t *more, number;

		if (parse_u64(entry->d_name, UINT64_MAX, &number) < 0)
			continue;
		more = reallocarray(numbers, n + 1, sizeof(*more));
		if (!more)
			return -ENOMEM;
		numbers = more;
		numbers[n++] = number;
	}
	if (dir && errno)
		return -errno;

	*ret_numbers = TAKE_PTR(numbers);
	*ret_n = n;
	return 0;
}
