// SPDX-License-Identifier: LGPL-2.1-or-later
/* Common - NULL ended arrays of strings */
#include "strv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

char **strv_free(char **strv)
{
	for (char **s = strv; s && *s; s++)
		free(*s);
	free(strv);
	return NULL;
}

size_t strv_length(char *const *strv)
{
	size_t n = 0;

	while (strv && strv[n])
		n++;
	return n;
}

bool strv_contains(char *const *strv, const char *string)
{
	for (char *const *s = strv; s && *s; s++)
		if (!strcmp(*s, string))
			return true;
	return false;
}

int strv_extend(char ***strv, const char *string)
{
	_cleanup_free_ char *copy = strdup(string);
	size_t n = strv_length(*strv);
	char **grown;

	if (!copy)
		return -ENOMEM;
	grown = reallocarray(*strv, n + 2, sizeof(*grown));
	if (!grown)
		return -ENOMEM;

	grown[n] = TAKE_PTR(copy);
	grown[n + 1] = NULL;
	*strv = grown;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_sort(char **strv)
{
	size_t n = strv_length(strv);

	if (n > 1)
		qsort(strv, n, sizeof(*strv), compare);
}
