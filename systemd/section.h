/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * systemd - What a unit's files say in [X-Checmate]
 *
 *	[X-Checmate]
 *	Policy=net-bind net-connect
 *	Mode=enforce
 *	Seal=no
 *	[X-Checmate net-bind]
 *	Allow=0.0.0.0/0:80
 *
 * A section of a policy names it as Policy= does. As in all unit files, lists grow from
 * file to file and an empty value starts them anew: "Policy=" forgets the policies
 * before it with their parameters.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A parameter, under the name that the policy uses. */
struct section_param {
	char *name;
	char *value; /* of a list: all elements, separated by single commas */
	char *last; /* of anything else: what was said last */
	char *place; /* "FILE:LINE" of that */
};

struct section_policy {
	char *name;
	char *file; /* that named it first */
	char *place;
	struct section_param *params;
	size_t n_params;
};

struct section {
	bool permissive;
	bool seal; /* the unit's cgroup is sealed with its policies */
	struct section_policy *policies;
	size_t n_policies;
};

/**
 * section_read() - Add what one more file says.
 * @section: what the files before said.
 * @unit: the unit's name, for specifiers.
 * @path: the file.
 * @ret_error: on failure other than -ENOMEM, "FILE:LINE: reason".
 *
 * Return: 0; -errno, after which @section can only be freed.
 */
int section_read(struct section *section, const char *unit, const char *path, char **ret_error);

void section_done(struct section *section);
