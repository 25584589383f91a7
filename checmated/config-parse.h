/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - The text of one binding file and its drop-ins
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "config-binding.h"

/* A file of a binding, opened. */
struct config_source {
	char *path;
	FILE *stream;
};

int config_parse(const struct config_source *sources, size_t n_sources,
		 struct config_binding **ret_binding, char **ret_error);
int config_parse_check_runtime(const char *key, const char *glob, char **ret_reason);
