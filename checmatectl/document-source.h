/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* checmatectl - Where the documents come from that are shown */
#pragma once

#include "command.h"
#include "output.h"

/*
 * Each gives the document of jsondoc.h of the same name, and returns an exit status,
 * after having said why it is not EXIT_DONE.
 */
int document_source_status(const struct options *options, const char *target,
			   struct json_object **ret_document);
int document_source_bindings(const struct options *options, struct json_object **ret_document);
int document_source_tree(const struct options *options, const char *target,
			 struct json_object **ret_document);
/* @hook NULL: all. */
int document_source_explain(const struct options *options, const char *target, const char *hook,
			    struct json_object **ret_document);
/* @names NULL: all. */
int document_source_params(const struct options *options, const char *cgroup, const char *policy,
			   char *const *names, struct json_object **ret_document);
