// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - apply, replace: policies into force in a cgroup */
#include <errno.h>

#include "cgroup-ref.h"
#include "command.h"
#include "daemon-client.h"
#include "file.h"
#include "output.h"
#include "parse.h"
#include "paths.h"
#include "policy-args.h"

/* As much of cgroup.subtree_control as is read. */
#define CONTROLLERS_MAX 4096

/* Takes over @paths. */
static void report_apply(const struct options *options, const struct cgroup_ref *ref,
			 char *const *policies, char *const *enabled, struct json_object *paths)
{
	_cleanup_json_ struct json_object *object = json_new();

	json_add(object, "paths", paths);
	if (options->json) {
		json_add_text(object, "cgroup", ref->path);
		json_add_number(object, "id", ref->id);
		json_add(object, "enabled", json_texts(enabled));
		json_add(object, "applied", json_texts(policies));
		json_add_bool(object, "permissive", options->permissive);
		json_add_bool(object, "staged", options->when_exec);
		json_print(object);
		return;
	}
	for (; *policies; policies++)
		printf("%s: %s is %s%s\n", ref->path, *policies,
		       options->when_exec ? "staged until an exec" : "in force",
		       options->permissive ? ", permissive" : "");
}

/* Told at once, since it stays even when applying fails then. */
static void report_enabled(const struct options *options, char *const *enabled)
{
	for (; !options->json && enabled && *enabled; enabled++)
		printf("%s: controller checmate turned on for its children\n", *enabled);
}

/* --- by checmated ---------------------------------------------------------------- */

static bool is_on(const char *path)
{
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	_cleanup_free_ char *text = NULL;

	return checmate_cgroup_open(path, &cgroup, NULL) == 0 &&
	       file_read(checmate_cgroup_fd(cgroup), "cgroup.subtree_control", CONTROLLERS_MAX,
			 &text, NULL) == 0 &&
	       word_in_text(text, "checmate", " \n");
}

/* The cgroups above this one, root first, for whose children the controller is off. */
static int read_off(const char *path, char ***ret_paths)
{
	_cleanup_strv_ char **paths = NULL;
	const char *slash = path;
	int r = 0;

	while (r >= 0 && slash && *slash == '/' && slash[1]) {
		_cleanup_free_ char *above = strndup(path, slash == path ? 1 : slash - path);

		if (!above)
			return -ENOMEM;
		r = is_on(above) ? 0 : strv_extend(&paths, above);
		slash = strchr(slash + 1, '/');
	}
	if (r < 0)
		return r;
	*ret_paths = TAKE_PTR(paths);
	return 0;
}

/* Those of them where it is on by now. */
static int read_enabled(char *const *off, char ***ret_paths)
{
	_cleanup_strv_ char **paths = NULL;
	int r;

	for (; off && *off; off++) {
		r = is_on(*off) ? strv_extend(&paths, *off) : 0;
		if (r < 0)
			return r;
	}
	*ret_paths = TAKE_PTR(paths);
	return 0;
}

/* Names of policies, and the parameters of each; @ret_policies has the names. */
static int append_policies(sd_bus_message *message, int argc, char **argv, char ***ret_policies)
{
	int i = 0, r;

	r = sd_bus_message_open_container(message, 'a', "(sas)");
	while (r >= 0 && i < argc) {
		r = strv_extend(ret_policies, argv[i]);
		if (r >= 0)
			r = sd_bus_message_open_container(message, 'r', "sas");
		if (r >= 0)
			r = sd_bus_message_append(message, "s", argv[i++]);
		if (r >= 0)
			r = sd_bus_message_open_container(message, 'a', "s");
		while (r >= 0 && i < argc && policy_args_is_assignment(argv[i]))
			r = sd_bus_message_append(message, "s", argv[i++]);
		if (r >= 0)
			r = sd_bus_message_close_container(message);
		if (r >= 0)
			r = sd_bus_message_close_container(message);
	}
	return r < 0 ? r : sd_bus_message_close_container(message);
}

/* What the daemon would refuse as well, but could not tell what to do about it. */
static int check_policies(const struct options *options, int argc, char **argv)
{
	if (policy_args_is_assignment(argv[0]))
		return usage("%s: a parameter stands before its policy", argv[0]);
	for (int i = 0; i < argc; i++)
		if (!policy_args_is_assignment(argv[i]) && strchr(argv[i], '/'))
			return options->daemon ?
				       fail_text("policy %s: a path is not for checmated; give the "
						 "name of a policy that is installed, or --direct "
						 "as root",
						 argv[i]) :
				       USE_LIBRARY;
	return EXIT_DONE;
}

static int daemon_apply(const struct options *options, bool replace, int argc, char **argv)
{
	_cleanup_strv_ char **policies = NULL, **off = NULL, **enabled = NULL;
	_cleanup_(cgroup_ref_done) struct cgroup_ref ref = {};
	_cleanup_message_ sd_bus_message *message = NULL;
	int r, status;

	if (options->when_exec || options->untrusted_ok)
		return USE_LIBRARY;
	status = cgroup_ref_check(argv[0], false) ?: check_policies(options, argc - 1, argv + 1);
	if (!status)
		status = daemon_client_new(options, replace ? "Replace" : "Apply", &message);
	if (status)
		return status;
	r = sd_bus_message_append(message, "s", argv[0]);
	if (r >= 0)
		r = append_policies(message, argc - 1, argv + 1, &policies);
	if (r >= 0)
		r = sd_bus_message_append(message, "a{sv}", 1, "mode", "s",
					  options->permissive ? "permissive" : "enforce");
	if (r < 0)
		return daemon_client_failed(r);

	cgroup_ref_find(options, argv[0], &ref);
	if (read_off(ref.path, &off) < 0)
		return fail(NULL);
	status = daemon_client_send(options, message, NULL);
	if (status == USE_LIBRARY)
		return status;
	if (read_enabled(off, &enabled) < 0)
		return fail(NULL);
	report_enabled(options, enabled);
	if (!status)
		report_apply(options, &ref, policies, enabled,
			     paths_warn_words(ref.path, argc - 1, argv + 1));
	return status;
}

/* --- by the library --------------------------------------------------------------- */

static char **policy_names(const struct policy_args *args)
{
	_cleanup_strv_ char **names = NULL;

	for (size_t i = 0; i < args->n; i++)
		if (strv_extend(&names, checmate_policy_name(args->policies[i])) < 0)
			return NULL;
	return TAKE_PTR(names);
}

static int direct_apply(const struct options *options, bool replace, int argc, char **argv)
{
	struct checmate_apply_opts opts = {
		.sz = sizeof(opts),
		.replace = replace,
		.permissive = options->permissive,
		.when_exec = options->when_exec,
		.pid = options->pid,
		.except = options->except,
	};
	_cleanup_(policy_args_done) struct policy_args args = {};
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	_cleanup_strv_ char **enabled = NULL, **policies = NULL, **lists = NULL;
	int status;

	status = policy_args_read(&args, options, argc - 1, argv + 1);
	if (status)
		return status;
	status = cgroup_ref_open(argv[0], &cgroup);
	if (status)
		return status;
	policies = policy_names(&args);
	if (!policies || policy_args_lists(&args, &lists) < 0)
		return fail(NULL);
	if (policy_args_load(&args, &error) < 0)
		return fail(error);
	if (checmate_cgroup_enable(cgroup, &enabled, &error) < 0)
		return fail(error);
	report_enabled(options, enabled);
	if (checmate_binding_apply(cgroup, args.policies, args.n, &opts, &error) < 0)
		return fail(error);
	report_apply(options,
		     &(struct cgroup_ref){ .path = (char *)checmate_cgroup_path(cgroup),
					   .id = checmate_cgroup_id(cgroup) },
		     policies, enabled, paths_warn(jsondoc_root_pid(cgroup), lists));
	return EXIT_DONE;
}

static int apply(const struct options *options, bool replace, int argc, char **argv)
{
	int status;

	if (!options->when_exec && (options->pid || options->except))
		return usage("--%s goes with --when-exec", options->pid ? "pid" : "except");
	status = daemon_apply(options, replace, argc, argv);
	return status == USE_LIBRARY ? direct_apply(options, replace, argc, argv) : status;
}

int command_apply(const struct options *options, int argc, char **argv)
{
	return apply(options, options->replace, argc, argv);
}

int command_replace(const struct options *options, int argc, char **argv)
{
	return apply(options, true, argc, argv);
}
