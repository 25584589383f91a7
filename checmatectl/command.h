/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* checmatectl - What the commands share */
#pragma once

#include <stdbool.h>

#include "checmate.h"
#include "cleanup.h"
#include "strv.h"

#define _cleanup_error_ _cleanup_(checmate_error_freep)
#define _cleanup_cgroup_ _cleanup_(checmate_cgroup_freep)
#define _cleanup_policy_ _cleanup_(checmate_policy_freep)
#define _cleanup_binding_ _cleanup_(checmate_binding_freep)

/* Exit statuses. */
enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

/**
 * struct options - What the command line says beside the command's arguments.
 * @json: print JSON instead of tables.
 * @replace: put a policy in the place of its former instance.
 */
struct options {
	bool json;
	bool replace;
};

/**
 * struct command - One command.
 * @name: what the user types.
 * @arguments: its arguments, for the help.
 * @help: one line, for the help.
 * @min: fewest arguments.
 * @max: most arguments, -1 for any number.
 * @run: does it; @argv has @argc arguments, without the command's name. Returns an
 *       exit status.
 */
struct command {
	const char *name;
	const char *arguments;
	const char *help;
	int min;
	int max;
	int (*run)(const struct options *options, int argc, char **argv);
};

int command_policy(const struct options *options, int argc, char **argv);
int command_apply(const struct options *options, int argc, char **argv);
int command_remove(const struct options *options, int argc, char **argv);
int command_set(const struct options *options, int argc, char **argv);
int command_get(const struct options *options, int argc, char **argv);
int command_gc(const struct options *options, int argc, char **argv);
int command_status(const struct options *options, int argc, char **argv);
int command_features(const struct options *options, int argc, char **argv);

/* Says on stderr why the library failed. Returns EXIT_FAILED. */
int fail(const struct checmate_error *error);

/* Says on stderr what is wrong with the command line. Returns EXIT_USAGE. */
int usage(const char *format, ...) _printf_(1, 2);

/*
 * Takes "NAME=VALUE" apart in place. NULL when @argument is not of that form:
 * what stands before the '=' must be able to be a parameter's name, so a path
 * with a '=' is none.
 */
char *split_assignment(char *argument);

/* Opens "PATH", or "id:NUMBER". */
int open_cgroup(const char *argument, struct checmate_cgroup **ret_cgroup,
		struct checmate_error **ret_error);

/* The number of "id:NUMBER", or false. */
bool parse_cgroup_id(const char *argument, uint64_t *ret_id);
