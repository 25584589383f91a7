/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* checmatectl - What the commands share */
#pragma once

#include <stdbool.h>

#include "checmate.h"
#include "cleanup.h"
#include "message.h"
#include "strv.h"

#define _cleanup_error_ _cleanup_(checmate_error_freep)
#define _cleanup_cgroup_ _cleanup_(checmate_cgroup_freep)
#define _cleanup_policy_ _cleanup_(checmate_policy_freep)
#define _cleanup_binding_ _cleanup_(checmate_binding_freep)
#define _cleanup_status_ _cleanup_(checmate_status_freep)
#define _cleanup_features_ _cleanup_(checmate_features_freep)

/**
 * struct options - What the command line says beside the command's arguments.
 * @json: print JSON instead of tables.
 * @all: show what has no policy, too.
 * @replace: put a policy in the place of its former instance.
 * @permissive: tell denials, do not enforce them.
 * @seal: nobody loosens the policies, nor leaves the cgroup.
 * @untrusted_ok: open policy objects that others than root can change.
 * @when_exec: stage until an exec.
 * @pid: of this process; 0 for any in the cgroup.
 * @except: path of a file whose exec does not count; NULL for none.
 * @parent: cgroup to make the fresh one in; NULL for the default.
 * @follow: go on until interrupted.
 * @enforced: only what was enforced; @permissive then means only what was not.
 * @policy: only of this policy; this and those below are NULL for any.
 * @hook: only of this LSM hook.
 * @cgroup: only of this cgroup and those below.
 * @error: only with this errno, a name or a number.
 * @count: end after so many.
 * @backend: it was said which one.
 * @direct: by the library, whatever rights there are.
 * @daemon: by checmated.
 * @no_ask_password: fail rather than have a password asked for.
 * @exec: the words after "--" for a command that runs them, NULL ended.
 */
struct options {
	bool json;
	bool all;
	bool replace;
	bool permissive;
	bool seal;
	bool untrusted_ok;
	bool when_exec;
	pid_t pid;
	const char *except;
	const char *parent;
	bool follow;
	bool enforced;
	const char *policy;
	const char *hook;
	const char *cgroup;
	const char *error;
	const char *count;
	bool backend;
	bool direct;
	bool daemon;
	bool no_ask_password;
	char **exec;
};

/**
 * struct command - One command.
 * @name: what the user types.
 * @arguments: its arguments, for the help.
 * @help: one line, for the help.
 * @options: names of the options it takes beside those that all take.
 * @min: fewest arguments.
 * @max: most arguments, -1 for any number.
 * @execs: it runs what stands after "--" and ends as that does; its policies
 *         are arguments of --policy.
 * @run: does it; @argv has @argc arguments, without the command's name. Returns an
 *       exit status.
 */
struct command {
	const char *name;
	const char *arguments;
	const char *help;
	const char *options;
	int min;
	int max;
	bool execs;
	int (*run)(const struct options *options, int argc, char **argv);
};

int command_config(const struct options *options, int argc, char **argv);
int command_policy(const struct options *options, int argc, char **argv);
int command_apply(const struct options *options, int argc, char **argv);
int command_replace(const struct options *options, int argc, char **argv);
int command_mode(const struct options *options, int argc, char **argv);
int command_seal(const struct options *options, int argc, char **argv);
int command_tree(const struct options *options, int argc, char **argv);
int command_explain(const struct options *options, int argc, char **argv);
int command_run(const struct options *options, int argc, char **argv);
int command_remove(const struct options *options, int argc, char **argv);
int command_set(const struct options *options, int argc, char **argv);
int command_get(const struct options *options, int argc, char **argv);
int command_gc(const struct options *options, int argc, char **argv);
int command_status(const struct options *options, int argc, char **argv);
int command_events(const struct options *options, int argc, char **argv);
int command_features(const struct options *options, int argc, char **argv);
