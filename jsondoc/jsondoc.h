/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * jsondoc - The documents of docs/schema, made of what libchecmate says
 *
 * What prints them, or sends them over the bus, need not know what is in them. Each
 * function gives a document that is the caller's, json_object_put() frees it, and
 * returns 0; or it returns -errno and leaves text in @error, if memory allows.
 *
 * Every text in a document is UTF-8: a byte of a name that is not is written "\ooo".
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "checmate.h"
#include "cleanup.h"

/**
 * struct jsondoc_error - Why there is no document.
 * @text: one line, which names the thing, the reason and the remedy; or NULL.
 * @detail: what else is to be told, of several lines; or NULL.
 */
struct jsondoc_error {
	char *text;
	char *detail;
};

void jsondoc_error_done(struct jsondoc_error *error);

/* Keeps an error of the library, which it frees. Returns @r. */
int jsondoc_error_take(struct jsondoc_error *error, struct checmate_error *from, int r);

/* Keeps a text. Returns @r. */
int jsondoc_error_set(struct jsondoc_error *error, int r, const char *format, ...) _printf_(3, 4);

/* status.json: what is attached and enforced in a cgroup. */
int jsondoc_status(const struct checmate_cgroup *cgroup, struct json_object **ret_document,
		   struct jsondoc_error *error);

/* bindings.json: every binding there is. */
int jsondoc_bindings(struct json_object **ret_document, struct jsondoc_error *error);

/* tree.json: a cgroup and those below; all of them, or only where a policy holds. */
int jsondoc_tree(const struct checmate_cgroup *cgroup, bool all, struct json_object **ret_document,
		 struct jsondoc_error *error);

/*
 * explain.json: who judges what is done in a cgroup; at @hook only, unless that is
 * NULL. -ENOENT when the kernel has no such hook.
 */
int jsondoc_explain(const struct checmate_cgroup *cgroup, const char *hook,
		    struct json_object **ret_document, struct jsondoc_error *error);

/* params.json: the parameters of a binding with these names; NULL: all there are. */
int jsondoc_params(const struct checmate_binding *binding, char *const *names,
		   struct json_object **ret_document, struct jsondoc_error *error);

/* The same of the binding of a policy in a cgroup. */
int jsondoc_params_of(const struct checmate_cgroup *cgroup, const char *policy, char *const *names,
		      struct json_object **ret_document, struct jsondoc_error *error);

/**
 * jsondoc_event() - events.json: a denial.
 * @event: the denial.
 * @bound: path of the cgroup that the policy is bound to; NULL when it is gone.
 * @task: path of the cgroup of the task, likewise.
 * @ret_document: receives the document.
 *
 * Return: 0, -ENOMEM.
 */
int jsondoc_event(const struct checmate_event *event, const char *bound, const char *task,
		  struct json_object **ret_document);

/* events.json: that @n events were lost. Returns 0, -ENOMEM. */
int jsondoc_lost(uint64_t n, struct json_object **ret_document);

/* --- listed paths --------------------------------------------------------------- */

/*
 * Add the lists of paths that the parameters of a policy or of a binding have: the
 * policy, the parameter and the value of each, three texts. Those that are empty are
 * left out, and, unless @only is NULL, those of other parameters. Return 0, -errno.
 */
int jsondoc_lists_of_policy(const struct checmate_policy *policy, char *const *only, char ***lists);
int jsondoc_lists_of_binding(const struct checmate_binding *binding, char *const *only,
			     char ***lists);

/**
 * struct jsondoc_root - Below which root directory paths are looked at.
 * @pid: that of this process; 0: our own.
 * @below: the root is this directory there; NULL: no other one.
 */
struct jsondoc_root {
	pid_t pid;
	const char *below;
};

/*
 * The first process of the cgroup, or of the only one below: its root is that of the
 * others as a rule. 0: there is none.
 */
pid_t jsondoc_root_pid(const struct checmate_cgroup *cgroup);

/**
 * jsondoc_paths() - The member "paths" of documents: what listed paths are.
 * @root: where to look. All are "unknown" when it cannot be looked at.
 * @lists: of jsondoc_lists_of_policy() and the like; NULL for none.
 * @ret_document: receives the array.
 *
 * Waits for file systems that do not answer, but not longer than two seconds: not for
 * event loops.
 *
 * Return: 0; -ETIMEDOUT no answer in this time; -errno.
 */
int jsondoc_paths(const struct jsondoc_root *root, char *const *lists,
		  struct json_object **ret_document);

/*
 * The fault of a path in that array and its remedy, in one line for a
 * terminal, which the caller frees; NULL when nothing is. A warning names the policy and
 * the parameter, too.
 */
char *jsondoc_path_fault(const struct json_object *entry);
char *jsondoc_path_warning(const struct json_object *entry);

/* --- of others -------------------------------------------------------------------- */

/* Path of a cgroup, for jsondoc_event(); NULL when it is gone. The caller frees it. */
char *jsondoc_cgroup_path(uint64_t cgroup_id);

/* A path as jsondoc_event() writes it: without what confuses a terminal. */
char *jsondoc_printable(const char *path);

/* The text of a document in one line, or indented; belongs to the document. */
const char *jsondoc_text(struct json_object *document, bool pretty);

/* --- of documents ------------------------------------------------------------ */

/* NULL: there is no such member, it is null, or of another type. */
const char *jsondoc_get_text(const struct json_object *object, const char *key);
struct json_object *jsondoc_get_object(const struct json_object *object, const char *key);
/* 0 and false in these cases. */
uint64_t jsondoc_get_number(const struct json_object *object, const char *key);
bool jsondoc_get_bool(const struct json_object *object, const char *key);
size_t jsondoc_count(const struct json_object *object, const char *key);
/* One of as many as the array of this name has. */
struct json_object *jsondoc_get_item(const struct json_object *object, const char *key,
				     size_t index);
