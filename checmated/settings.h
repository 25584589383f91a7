/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Settings of the daemon: checmated.conf
 *
 *	[Containers]
 *	HookEngines=podman cri-o
 *
 * A file with anything unknown in it is refused, as binding files are.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "identity.h"

struct settings {
	char **hook_engines; /* globs as those of Runtime=; NULL: none */
};

/* Where checmated.conf is, NULL-terminated; that of a later directory counts. */
extern const char *const settings_default_dirs[];

int settings_load(const char *const *dirs, struct settings *ret_settings, char **ret_error);
int settings_parse(FILE *stream, const char *path, struct settings *ret_settings, char **ret_error);
void settings_done(struct settings *settings);

bool settings_expects_hook(const struct settings *settings, const struct identity *identity);
