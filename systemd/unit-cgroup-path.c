// SPDX-License-Identifier: LGPL-2.1-or-later
/* systemd - Where the cgroup of a unit is, before systemd makes it */
#include "unit-cgroup-path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "parse.h"
#include "text.h"

#define SLICE ".slice"

const char *unit_cgroup_type(const char *unit)
{
	static const struct {
		const char *suffix;
		const char *type;
	} types[] = {
		{ ".service", "Service" }, { SLICE, "Slice" },	  { ".scope", "Scope" },
		{ ".socket", "Socket" },   { ".mount", "Mount" }, { ".swap", "Swap" },
	};
	const char *dot = strrchr(unit, '.');

	for (size_t i = 0; dot && i < ARRAY_SIZE(types); i++)
		if (streq(dot, types[i].suffix))
			return types[i].type;
	return NULL;
}

/* Sockets are made without any exec. */
bool unit_cgroup_is_staged(const char *unit)
{
	const char *dot = strrchr(unit, '.');

	return dot && streq(dot, ".service");
}

/* Names that a control file of a cgroup could have get a '_' before them, as systemd does it. */
static bool needs_escape(const char *name)
{
	static const char *const controllers[] = {
		"cpu",
		"cpuacct",
		"cpuset",
		"io",
		"blkio",
		"memory",
		"devices",
		"pids",
		"bpf-firewall",
		"bpf-devices",
		"bpf-foreign",
		"bpf-socket-bind",
		"bpf-restrict-network-interfaces",
	};

	if (strchr("_.", *name) || startswith(name, "cgroup."))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
		const char *rest = startswith(name, controllers[i]);

		if (rest && *rest == '.')
			return true;
	}
	return false;
}

static int append(char **path, const char *name)
{
	char *longer;

	if (asprintf(&longer, "%s/%s%s", *path ?: "", needs_escape(name) ? "_" : "", name) < 0)
		return -ENOMEM;
	free(*path);
	*path = longer;
	return 0;
}

/* a-b.slice is in a.slice. */
static int append_slice(char **path, const char *slice)
{
	size_t n = strlen(slice) - strlen(SLICE);

	if (*slice == '-')
		return -EINVAL;
	for (size_t i = 1; i <= n; i++) {
		_cleanup_free_ char *name = NULL;
		int r;

		if (i < n && slice[i] != '-')
			continue;
		/* There is nothing between two dashes. */
		if (slice[i - 1] == '-')
			return -EINVAL;
		name = text_format("%.*s" SLICE, (int)i, slice);
		if (!name)
			return -ENOMEM;
		r = append(path, name);
		if (r < 0)
			return r;
	}
	return 0;
}

int unit_cgroup_path(const char *unit, const char *slice, char **ret_path)
{
	_cleanup_free_ char *path = NULL;
	const char *type = unit_cgroup_type(unit);
	bool is_slice = type && streq(type, "Slice");
	int r = 0;

	if (is_slice)
		slice = unit;
	if (*slice && (!unit_cgroup_type(slice) || !streq(unit_cgroup_type(slice), "Slice")))
		return -EINVAL;
	if (*slice && !streq(slice, "-" SLICE))
		r = append_slice(&path, slice);
	if (!r && !is_slice)
		r = append(&path, unit);
	if (r < 0)
		return r;
	if (!path)
		return -EINVAL;
	*ret_path = TAKE_PTR(path);
	return 0;
}
