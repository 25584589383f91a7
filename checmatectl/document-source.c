// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - Where the documents come from that are shown */
#include "document-source.h"

#include "cgroup-ref.h"
#include "daemon-client.h"
#include "jsondoc.h"
#include "target.h"

int document_source_status(const struct options *options, const char *target,
			   struct json_object **ret_document)
{
	_cleanup_(jsondoc_error_done) struct jsondoc_error error = {};
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	int status;

	status = cgroup_ref_check(target, true);
	/* No name is no cgroup, and not all of them as over the bus. */
	if (!status && *target)
		status = daemon_client_document(options, true, ret_document, "GetStatus", "s",
						target);
	else if (!status)
		status = USE_LIBRARY;
	if (status != USE_LIBRARY)
		return status;
	status = cgroup_ref_open_or_pid(target, &cgroup);
	if (status)
		return status;
	return jsondoc_status(cgroup, ret_document, &error) < 0 ? fail_jsondoc(&error) : EXIT_DONE;
}

int document_source_bindings(const struct options *options, struct json_object **ret_document)
{
	_cleanup_(jsondoc_error_done) struct jsondoc_error error = {};
	int status;

	status = daemon_client_document(options, false, ret_document, "GetStatus", "s", "");
	if (status != USE_LIBRARY)
		return status;
	return jsondoc_bindings(ret_document, &error) < 0 ? fail_jsondoc(&error) : EXIT_DONE;
}

int document_source_tree(const struct options *options, const char *target,
			 struct json_object **ret_document)
{
	_cleanup_(jsondoc_error_done) struct jsondoc_error error = {};
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	int status;

	status = cgroup_ref_check(target, true) ?:
			 daemon_client_document(options, true, ret_document, "GetTree", "sb",
						target, (int)options->all);
	if (status != USE_LIBRARY)
		return status;
	status = cgroup_ref_open_or_pid(target, &cgroup);
	if (status)
		return status;
	if (jsondoc_tree(cgroup, options->all, ret_document, &error) < 0)
		return fail_jsondoc(&error);
	return EXIT_DONE;
}

int document_source_explain(const struct options *options, const char *target, const char *hook,
			    struct json_object **ret_document)
{
	_cleanup_(jsondoc_error_done) struct jsondoc_error error = {};
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	int status;

	status = cgroup_ref_check(target, true) ?:
			 daemon_client_document(options, true, ret_document, "Explain", "ss",
						target, hook ?: "");
	if (status != USE_LIBRARY)
		return status;
	status = cgroup_ref_open_or_pid(target, &cgroup);
	if (status)
		return status;
	if (jsondoc_explain(cgroup, hook, ret_document, &error) < 0)
		return fail_jsondoc(&error);
	return EXIT_DONE;
}

/* The daemon tells all of them. */
static int daemon_params(const struct options *options, const char *argument, const char *policy,
			 char *const *names, struct json_object **ret_document)
{
	_cleanup_json_ struct json_object *all = NULL, *params = NULL;
	struct json_object *value;
	int status;

	status = daemon_client_document(options, false, &all, "GetParameters", "ss", argument,
					policy);
	if (status)
		return status;
	if (!names) {
		*ret_document = TAKE_PTR(all);
		return EXIT_DONE;
	}
	params = json_new();
	for (; *names; names++) {
		if (!json_object_object_get_ex(all, *names, &value))
			return fail_text("policy %s: it has no parameter \"%s\"; see \"checmatectl "
					 "get\" without one",
					 policy, *names);
		json_add(params, *names, json_object_get(value));
	}
	*ret_document = TAKE_PTR(params);
	return EXIT_DONE;
}

int document_source_params(const struct options *options, const char *argument, const char *policy,
			   char *const *names, struct json_object **ret_document)
{
	_cleanup_(jsondoc_error_done) struct jsondoc_error error = {};
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	int status;

	status = cgroup_ref_check(argument, false) ?:
			 daemon_params(options, argument, policy, names, ret_document);
	if (status != USE_LIBRARY)
		return status;
	status = cgroup_ref_open(argument, &cgroup);
	if (status)
		return status;
	if (jsondoc_params_of(cgroup, policy, names, ret_document, &error) < 0)
		return fail_jsondoc(&error);
	return EXIT_DONE;
}
