/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Common - Ownership: variables that release what they hold at scope end */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(func) __attribute__((cleanup(func)))

#define _printf_(format_index, first) __attribute__((format(printf, format_index, first)))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Moves the value out of a variable, which no longer owns anything after. */
#define TAKE_PTR(ptr)                         \
	({                                    \
		__typeof__(ptr) *_p = &(ptr); \
		__typeof__(ptr) _v = *_p;     \
		*_p = NULL;                   \
		_v;                           \
	})

#define TAKE_FD(fd)              \
	({                       \
		int *_p = &(fd); \
		int _v = *_p;    \
		*_p = -1;        \
		_v;              \
	})

static inline void cleanup_free(void *ptr)
{
	free(*(void **)ptr);
}

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclose(FILE **file)
{
	if (*file)
		fclose(*file);
}

static inline void cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)
#define _cleanup_closedir_ _cleanup_(cleanup_closedir)
