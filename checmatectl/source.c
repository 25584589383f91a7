// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - Where the documents come from that are shown */
#include "source.h"

#include "report.h"

int source_status(const struct options *options, const char *target,
		  struct json_object **ret_document)
{
	_cleanup_(report_error_done) struct report_error error = {};
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	int status;

	(void)options;
	status = open_target(target, &cgroup);
	if (status)
		return status;
	return report_status(cgroup, ret_document, &error) < 0 ? fail_report(&error) : EXIT_DONE;
}

int source_bindings(const struct options *options, struct json_object **ret_document)
{
	_cleanup_(report_error_done) struct report_error error = {};

	(void)options;
	return report_bindings(ret_document, &error) < 0 ? fail_report(&error) : EXIT_DONE;
}

int source_tree(const struct options *options, const char *target, struct json_object **ret_document)
{
	_cleanup_(report_error_done) struct report_error error = {};
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	int status;

	status = open_target(target, &cgroup);
	if (status)
		return status;
	if (report_tree(cgroup, options->all, ret_document, &error) < 0)
		return fail_report(&error);
	return EXIT_DONE;
}

int source_explain(const struct options *options, const char *target, const char *hook,
		   struct json_object **ret_document)
{
	_cleanup_(report_error_done) struct report_error error = {};
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	int status;

	(void)options;
	status = open_target(target, &cgroup);
	if (status)
		return status;
	if (report_explain(cgroup, hook, ret_document, &error) < 0)
		return fail_report(&error);
	return EXIT_DONE;
}

int source_params(const struct options *options, const char *argument, const char *policy,
		  char *const *names, struct json_object **ret_document)
{
	_cleanup_(report_error_done) struct report_error error = {};
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	int status;

	(void)options;
	status = open_cgroup(argument, &cgroup);
	if (status)
		return status;
	if (report_params_of(cgroup, policy, names, ret_document, &error) < 0)
		return fail_report(&error);
	return EXIT_DONE;
}
