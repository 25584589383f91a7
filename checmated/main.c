// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Gives cgroups and containers the policies that were configured
 *
 * The daemon decides who gets what and hands it to the kernel.  It holds nothing
 * that enforcement depends on: it can die at any time, and what is in force
 * stays so.
 */

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "bus-methods.h"
#include "checmate.h"
#include "cleanup.h"
#include "config-policy.h"
#include "manager.h"

static int usage(FILE *to)
{
	fputs("usage: checmated [--config-dir=DIR] [--check-config]\n"
	      "\n"
	      "  --config-dir=DIR  read binding files from DIR only\n"
	      "  --check-config    tell whether checmated.conf and the binding files are accepted,\n"
	      "                    and exit\n"
	      "  --version         tell the version, and exit\n"
	      "\n"
	      "Binding files are *.conf in bindings.d below /usr/lib/checmate, /etc/checmate and\n"
	      "/run/checmate; a file in a later one overrides those of the same name.\n",
	      to);
	return to == stdout ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int check_config(const char *const *dirs)
{
	_cleanup_(settings_done) struct settings settings = {};
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_free_ char *error = NULL;
	int r;

	r = settings_load(settings_default_dirs, &settings, &error);
	if (r >= 0)
		r = config_load_verified(dirs, &config, &error);
	if (r < 0) {
		fprintf(stderr, "checmated: %s\n", error ? error : strerror(-r));
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < config->n_bindings; i++)
		printf("%s\n", config->bindings[i]->file);
	return EXIT_SUCCESS;
}

static int serve(const char *const *dirs)
{
	_cleanup_(manager_freep) struct manager *manager = NULL;
	int r;

	r = manager_new(dirs, &manager);
	/* Starting again is of no use: what is in force stays, and no container starts. */
	if (r == -EBADMSG)
		return EX_CONFIG;
	if (r < 0 || bus_methods_attach(manager) < 0)
		return EXIT_FAILURE;
	return manager_run(manager) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char *argv[])
{
	enum {
		OPT_CONFIG_DIR = 256,
		OPT_CHECK_CONFIG,
		OPT_VERSION,
	};
	static const struct option options[] = {
		{ "config-dir", required_argument, NULL, OPT_CONFIG_DIR },
		{ "check-config", no_argument, NULL, OPT_CHECK_CONFIG },
		{ "version", no_argument, NULL, OPT_VERSION },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	const char *one_dir[2] = {};
	const char *const *dirs = config_default_dirs;
	bool check = false;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case OPT_CONFIG_DIR:
			one_dir[0] = optarg;
			dirs = one_dir;
			break;
		case OPT_CHECK_CONFIG:
			check = true;
			break;
		case OPT_VERSION:
			printf("checmated %s\n", checmate_version());
			return EXIT_SUCCESS;
		case 'h':
			return usage(stdout);
		default:
			return usage(stderr);
		}
	}
	if (optind < argc)
		return usage(stderr);

	return check ? check_config(dirs) : serve(dirs);
}
