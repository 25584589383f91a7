// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - The arguments of a request, read and judged by their form
 */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "bus-names.h"
#include "bus-request.h"
#include "parse.h"

void bus_request_done(struct bus_request *request)
{
	for (size_t i = 0; i < request->n_policies; i++) {
		struct config_policy *policy = &request->policies[i];

		for (size_t j = 0; j < policy->n_params; j++)
			free(policy->params[j].name);
		free(policy->params);
	}
	free(request->policies);
	free(request->annotations);
	*request = (struct bus_request){};
}

#define invalid(ret_error, ...) \
	sd_bus_error_setf(ret_error, BUS_ERROR("InvalidArgument"), __VA_ARGS__)
#define too_much(ret_error, ...) \
	sd_bus_error_setf(ret_error, BUS_ERROR("LimitReached"), __VA_ARGS__)

/* Reads a text of @max bytes at most, which is called @what. */
static int read_text(sd_bus_message *m, struct bus_request *request, const char *what, size_t max,
		     const char **ret_text, sd_bus_error *ret_error)
{
	const char *text;
	size_t n;
	int r;

	r = sd_bus_message_read(m, "s", &text);
	if (r < 0)
		return r;
	n = strlen(text);
	if (n > max)
		return too_much(ret_error, "%s: it has %zu bytes; at most %zu are taken", what, n,
				max);
	if (n > request->text_max - request->text)
		return too_much(ret_error,
				"%s: the request has more than %zu bytes of text; make several of it",
				what, request->text_max);
	request->text += n;
	*ret_text = text;
	return 0;
}

/* What stands in names and paths also goes into the journal, a line each. */
static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == '\177')
			return true;
	return false;
}

static int read_line(sd_bus_message *m, struct bus_request *request, const char *what, size_t max,
		     const char **ret_text, sd_bus_error *ret_error)
{
	int r;

	r = read_text(m, request, what, max, ret_text, ret_error);
	if (r < 0)
		return r;
	if (has_control(*ret_text))
		return invalid(ret_error, "%s: it has control characters; leave them out", what);
	return 0;
}

static int read_target(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error)
{
	int r;

	r = read_line(m, request, "target", BUS_TARGET_MAX, &request->target, ret_error);
	if (r < 0)
		return r;
	if (!*request->target)
		return invalid(ret_error,
			       "target: it is empty; give the path of a cgroup, a unit or id:NUMBER");
	return 0;
}

/* A path would let the sender load what is not installed. */
static int read_policy_name(sd_bus_message *m, struct bus_request *request, const char **ret_name,
			    sd_bus_error *ret_error)
{
	const char *name;
	int r;

	r = read_line(m, request, "policy", BUS_NAME_MAX, &name, ret_error);
	if (r < 0)
		return r;
	if (!name_is_valid(name, CONFIG_POLICY_NAME_MAX))
		return invalid(ret_error,
			       "'%s' is not a policy name; it has lower-case letters, digits and '-', 'checmatectl policy list' has all",
			       name);
	*ret_name = name;
	return 0;
}

static int read_mode_text(const char *mode, bool *ret_permissive, sd_bus_error *ret_error)
{
	if (!streq(mode, "enforce") && !streq(mode, "permissive"))
		return invalid(ret_error, "mode '%s': there is none; use enforce or permissive",
			       mode);
	*ret_permissive = streq(mode, "permissive");
	return 0;
}

static int read_mode(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error)
{
	const char *mode;
	int r;

	r = read_line(m, request, "mode", BUS_NAME_MAX, &mode, ret_error);
	return r < 0 ? r : read_mode_text(mode, &request->permissive, ret_error);
}

static int end(int r)
{
	return r < 0 ? r : 0;
}

/* --- policies -------------------------------------------------------------- */

static int add_param(struct config_policy *policy, const char *assignment, sd_bus_error *ret_error)
{
	const char *equals = strchr(assignment, '=');
	struct config_param *params;
	char *name;

	if (!equals || equals == assignment)
		return invalid(ret_error, "policy %s: '%s' is not of the form PARAMETER=VALUE",
			       policy->name, assignment);
	if (policy->n_params == BUS_PARAMS_MAX)
		return too_much(ret_error,
				"policy %s: it has more than %u parameters; leave some out",
				policy->name, BUS_PARAMS_MAX);
	params = reallocarray(policy->params, policy->n_params + 1, sizeof(*params));
	if (!params)
		return -ENOMEM;
	policy->params = params;
	name = strndup(assignment, equals - assignment);
	if (!name)
		return -ENOMEM;
	/* The value stays the message's; nothing writes to it. */
	params[policy->n_params++] = (struct config_param){
		.name = name,
		.value = (char *)equals + 1,
	};
	return 0;
}

static int read_policy(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error)
{
	struct config_policy *policies, *policy;
	const char *name;
	int r;

	r = read_policy_name(m, request, &name, ret_error);
	if (r < 0)
		return r;
	if (request->n_policies == BUS_POLICIES_MAX)
		return too_much(ret_error,
				"%s: more than %u policies are given; make several requests",
				request->target, BUS_POLICIES_MAX);
	policies = reallocarray(request->policies, request->n_policies + 1, sizeof(*policies));
	if (!policies)
		return -ENOMEM;
	request->policies = policies;
	policy = &policies[request->n_policies++];
	*policy = (struct config_policy){
		.name = (char *)name,
	};

	r = sd_bus_message_enter_container(m, 'a', "s");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_at_end(m, false)) == 0) {
		const char *assignment;

		r = read_line(m, request, "parameter", BUS_TEXT_MAX, &assignment, ret_error);
		if (r >= 0)
			r = add_param(policy, assignment, ret_error);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* A policy in force, and parameters of it. */
static int read_assignments(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error)
{
	const struct config_policy *policy;
	int r;

	r = read_policy(m, request, ret_error);
	if (r < 0)
		return r;
	policy = &request->policies[0];
	request->policy = policy->name;
	if (!policy->n_params)
		return invalid(ret_error, "policy %s: no parameter was given; name at least one",
			       policy->name);
	return 0;
}

static int read_policies(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error)
{
	int r;

	r = sd_bus_message_enter_container(m, 'a', "(sas)");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'r', "sas")) > 0) {
		r = read_policy(m, request, ret_error);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	if (!request->n_policies)
		return invalid(ret_error, "%s: no policy was given; name at least one",
			       request->target);
	return sd_bus_message_exit_container(m);
}

static int read_option(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error)
{
	const char *name, *contents;
	int r;

	r = read_line(m, request, "option", BUS_NAME_MAX, &name, ret_error);
	if (r < 0)
		return r;
	/* What is not known could be what the sender relies on. */
	if (!streq(name, "mode"))
		return invalid(ret_error, "option '%s': there is none; leave it out", name);
	r = sd_bus_message_peek_type(m, NULL, &contents);
	if (r < 0)
		return r;
	if (!streq(contents, "s"))
		return invalid(ret_error, "option 'mode': it is of type '%s'; give a string",
			       contents);

	r = sd_bus_message_enter_container(m, 'v', "s");
	if (r >= 0)
		r = read_mode(m, request, ret_error);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_options(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error)
{
	int r;

	r = sd_bus_message_enter_container(m, 'a', "{sv}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = read_option(m, request, ret_error);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* --- methods ---------------------------------------------------------------- */

static void begin(struct bus_request *request, size_t text_max)
{
	*request = (struct bus_request){ .text_max = text_max };
}

int bus_read_nothing(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error)
{
	(void)m;
	(void)ret_error;
	begin(request, 0);
	return 0;
}

int bus_read_apply(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error)
{
	int r;

	begin(request, BUS_TEXT_MAX);
	r = read_target(m, request, ret_error);
	if (r >= 0)
		r = read_policies(m, request, ret_error);
	if (r >= 0)
		r = read_options(m, request, ret_error);
	return end(r);
}

/* No name means all of them. */
int bus_read_remove(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error)
{
	const char *next;
	int r;

	begin(request, BUS_TEXT_MAX);
	r = read_target(m, request, ret_error);
	if (r < 0)
		return r;
	r = read_line(m, request, "policy", BUS_NAME_MAX, &next, ret_error);
	if (r < 0)
		return r;
	if (*next && !name_is_valid(next, CONFIG_POLICY_NAME_MAX))
		return invalid(ret_error,
			       "'%s' is not a policy name; it has lower-case letters, digits and '-', or is empty for all",
			       next);
	request->policy = *next ? next : NULL;
	return 0;
}

int bus_read_set_parameters(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error)
{
	int r;

	begin(request, BUS_TEXT_MAX);
	r = read_target(m, request, ret_error);
	if (r >= 0)
		r = read_assignments(m, request, ret_error);
	return end(r);
}

int bus_read_set_mode(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error)
{
	int r;

	begin(request, BUS_TEXT_MAX);
	r = read_target(m, request, ret_error);
	if (r >= 0)
		r = read_policy_name(m, request, &request->policy, ret_error);
	if (r >= 0)
		r = read_mode(m, request, ret_error);
	return end(r);
}

int bus_read_target(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error)
{
	begin(request, BUS_TEXT_MAX);
	return end(read_target(m, request, ret_error));
}

/* No target means all cgroups. */
static int read_any_target(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error)
{
	return end(read_line(m, request, "target", BUS_TARGET_MAX, &request->target, ret_error));
}

int bus_read_any_target(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error)
{
	begin(request, BUS_TEXT_MAX);
	return read_any_target(m, request, ret_error);
}

int bus_read_tree(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error)
{
	int all, r;

	begin(request, BUS_TEXT_MAX);
	r = read_any_target(m, request, ret_error);
	if (r < 0)
		return r;
	r = sd_bus_message_read(m, "b", &all);
	if (r < 0)
		return r;
	request->all = all;
	return 0;
}

int bus_read_explain(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error)
{
	int r;

	begin(request, BUS_TEXT_MAX);
	r = read_target(m, request, ret_error);
	if (r >= 0)
		r = read_line(m, request, "hook", BUS_NAME_MAX, &request->hook, ret_error);
	return end(r);
}

int bus_read_get_parameters(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error)
{
	int r;

	begin(request, BUS_TEXT_MAX);
	r = read_target(m, request, ret_error);
	if (r >= 0)
		r = read_policy_name(m, request, &request->policy, ret_error);
	return end(r);
}

static int read_annotation(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error)
{
	const char **annotations;
	const char *key, *value;
	size_t n = 2 * request->n_annotations;
	int r;

	/* Nobody else's names and values: whatever a runtime wrote is taken. */
	r = read_text(m, request, "annotation", BUS_CONTAINER_TEXT_MAX, &key, ret_error);
	if (r >= 0)
		r = read_text(m, request, "annotation", BUS_CONTAINER_TEXT_MAX, &value, ret_error);
	if (r < 0)
		return r;
	if (request->n_annotations == BUS_ANNOTATIONS_MAX)
		return too_much(ret_error, "container %s: it has more than %u annotations",
				request->id, BUS_ANNOTATIONS_MAX);
	annotations = reallocarray(request->annotations, n + 3, sizeof(*annotations));
	if (!annotations)
		return -ENOMEM;
	request->annotations = annotations;
	annotations[n] = key;
	annotations[n + 1] = value;
	annotations[n + 2] = NULL;
	request->n_annotations++;
	return 0;
}

static int read_annotations(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error)
{
	int r;

	request->annotations = calloc(1, sizeof(*request->annotations));
	if (!request->annotations)
		return -ENOMEM;
	r = sd_bus_message_enter_container(m, 'a', "{ss}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'e', "ss")) > 0) {
		r = read_annotation(m, request, ret_error);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

int bus_read_container(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error)
{
	int r;

	begin(request, BUS_CONTAINER_TEXT_MAX);
	r = read_line(m, request, "container's id", BUS_NAME_MAX, &request->id, ret_error);
	if (r < 0)
		return r;
	if (!*request->id)
		return invalid(ret_error, "container's id: it is empty; give the one it has");
	r = sd_bus_message_read(m, "u", &request->pid);
	if (r < 0)
		return r;
	if (request->pid == 0 || request->pid > INT_MAX)
		return invalid(ret_error, "container %s: %u is not a process id", request->id,
			       request->pid);
	r = read_target(m, request, ret_error);
	if (r < 0)
		return r;
	if (*request->target != '/')
		return invalid(ret_error,
			       "container %s: cgroup '%s' is not a path; it begins with '/', below the mount",
			       request->id, request->target);
	r = sd_bus_message_read(m, "t", &request->cgroup_id);
	if (r < 0)
		return r;
	r = read_line(m, request, "runtime", BUS_NAME_MAX, &request->runtime, ret_error);
	if (r < 0)
		return r;
	return end(read_annotations(m, request, ret_error));
}
