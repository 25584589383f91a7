// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - Listed paths that are symbolic links or do not exist */
#include "paths.h"

#include <errno.h>
#include <string.h>

#include "output.h"
#include "parse.h"
#include "policy-args.h"

/* --- warnings -------------------------------------------------------------------- */

static struct json_object *look(pid_t pid, char *const *lists)
{
	const struct jsondoc_root root = { .pid = pid };
	struct json_object *array;
	int r;

	r = jsondoc_paths(&root, lists, &array);
	if (r == -ETIMEDOUT)
		say("warning: listed paths: a file system does not answer; look at them with "
		    "\"ls -ld\"");
	return r < 0 ? NULL : array;
}

struct json_object *paths_warn(pid_t pid, char *const *lists)
{
	struct json_object *array = look(pid, lists);

	for (size_t i = 0; array && i < json_object_array_length(array); i++) {
		_cleanup_free_ char *warning = jsondoc_path_warning(
			json_object_array_get_idx(array, i));

		if (warning)
			say("warning: %s", warning);
	}
	return array ?: json_new_array();
}

/* Returns 0, -errno. */
static int read_words(int argc, char *const *argv, char ***lists)
{
	int i = 0, r = 0;

	while (r >= 0 && i < argc) {
		_cleanup_policy_ struct checmate_policy *policy = NULL;

		r = checmate_policy_open(argv[i++], &policy, NULL);
		while (r >= 0 && i < argc && policy_args_is_assignment(argv[i])) {
			_cleanup_free_ char *name = text_new("%s", argv[i++]);
			const char *value = policy_args_split(name);

			r = checmate_policy_set(policy, name, value, NULL);
		}
		if (r >= 0)
			r = jsondoc_lists_of_policy(policy, NULL, lists);
	}
	return r;
}

struct json_object *paths_warn_words(const char *path, int argc, char *const *argv)
{
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	_cleanup_strv_ char **lists = NULL;

	if (read_words(argc, argv, &lists) < 0 || checmate_cgroup_open(path, &cgroup, NULL) < 0)
		return json_new_array();
	return paths_warn(jsondoc_root_pid(cgroup), lists);
}

/* --- explain --------------------------------------------------------------------- */

bool is_file_path(const char *argument)
{
	return *argument == '/';
}

/* As an entry of a list. */
static char *escape(const char *path)
{
	char *text = text_new("%s%s", path, path), *to = text;

	for (; *path; path++) {
		if (strchr(" ,\\", *path))
			*to++ = '\\';
		*to++ = *path;
	}
	*to = '\0';
	return text;
}

/* How many components both begin with; @ret_all: these are all that @b has. */
static size_t common_length(const char *a, const char *b, bool *ret_all)
{
	size_t n = 0;

	for (;;) {
		size_t length = strcspn(a + 1, "/");

		if (!b[1] || !a[1] || strcspn(b + 1, "/") != length || strncmp(a + 1, b + 1, length))
			break;
		n++;
		a += 1 + length;
		b += 1 + strcspn(b + 1, "/");
		if (!*a || !*b)
			break;
	}
	*ret_all = !*b || !b[1];
	return n;
}

/*
 * An entry that is a link is near by what it resolves to, too: that is what its author
 * meant. It covers nothing by that.
 */
static size_t nearness(const struct json_object *entry, const char *path, bool *ret_covers)
{
	const char *resolved = jsondoc_get_text(entry, "resolved");
	size_t n = common_length(path, text_of(entry, "path"), ret_covers), m;
	bool all;

	m = resolved ? common_length(path, resolved, &all) : 0;
	return m > n ? m : n;
}

/* An entry that covers the path is the nearest; NULL: none has anything in common with it. */
static struct json_object *find_nearest(const struct json_object *array, const char *index,
					const char *parameter, const char *path, bool *ret_covers)
{
	struct json_object *nearest = NULL;
	size_t best = 0;

	*ret_covers = false;
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		struct json_object *entry = json_object_array_get_idx(array, i);
		bool covers;
		size_t n;

		if (!streq(text_of(entry, "policy"), index) ||
		    !streq(text_of(entry, "parameter"), parameter))
			continue;
		n = nearness(entry, path, &covers);
		if (*ret_covers > covers || (*ret_covers == covers && n <= best))
			continue;
		nearest = entry;
		best = n;
		*ret_covers = covers;
	}
	return nearest;
}

/* The members of an entry that the documents have. */
static void copy_entry(struct json_object *object, const struct json_object *entry)
{
	static const char *const keys[] = { "path", "kind", "link", "target", "resolved" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		json_add_text(object, keys[i], jsondoc_get_text(entry, keys[i]));
}

/* The parameters of a policy of the document that are lists of paths, one after the other. */
static const char *next_list(const struct json_object *item, size_t *index)
{
	const struct json_object *types = jsondoc_get_object(item, "types");
	size_t i = 0;

	if (!types)
		return NULL;
	json_object_object_foreach(types, name, type) {
		if (streq(json_object_get_string(type), "paths") && i++ == *index) {
			(*index)++;
			return name;
		}
	}
	return NULL;
}

static void add_nearest(struct json_object *item, const char *index,
			const struct json_object *array, const char *path)
{
	struct json_object *nearest = json_new_array();
	const char *parameter;
	size_t i = 0;

	while ((parameter = next_list(item, &i))) {
		struct json_object *object = json_new(), *entry;
		bool covers;

		entry = find_nearest(array, index, parameter, path, &covers);
		json_add_text(object, "parameter", parameter);
		json_add_bool(object, "covers", covers);
		copy_entry(object, entry);
		json_append(nearest, object);
	}
	json_add(item, "nearest", nearest);
}

static int add_list(char ***lists, const char *index, const char *parameter, const char *value)
{
	int r;

	r = strv_extend(lists, index);
	if (r >= 0)
		r = strv_extend(lists, parameter);
	return r < 0 ? r : strv_extend(lists, value);
}

/* A policy may be there several times, of several cgroups: the index tells them apart. */
static int collect(const struct json_object *document, const char *path, char ***lists)
{
	int r = add_list(lists, "", "", path);

	for (size_t i = 0; i < jsondoc_count(document, "policies"); i++) {
		const struct json_object *item = jsondoc_get_item(document, "policies", i);
		_cleanup_free_ char *index = text_new("%zu", i);
		const char *parameter;
		size_t j = 0;

		while (r >= 0 && (parameter = next_list(item, &j)))
			r = add_list(lists, index, parameter,
				     text_of(jsondoc_get_object(item, "params"), parameter));
	}
	return r;
}

int paths_explain(struct json_object *document, const char *path, pid_t pid)
{
	_cleanup_(checmate_path_list_freep) struct checmate_path_list *list = NULL;
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_json_ struct json_object *array = NULL;
	_cleanup_free_ char *text = escape(path);
	_cleanup_strv_ char **lists = NULL;
	struct json_object *entry, *own;
	const char *real;

	if (checmate_path_list_resolve(-1, text, &list, &error) < 0)
		return fail(error);
	if (collect(document, text, &lists) < 0)
		return fail(NULL);
	array = look(pid, lists);
	entry = array ? json_object_array_get_idx(array, 0) : NULL;
	if (!entry)
		return fail_text("explain: %s: not looked at; try again", path);

	own = json_new();
	copy_entry(own, entry);
	json_add(document, "path", own);
	real = jsondoc_get_text(entry, "resolved") ?: text_of(entry, "path");
	for (size_t i = 0; i < jsondoc_count(document, "policies"); i++) {
		_cleanup_free_ char *index = text_new("%zu", i);

		add_nearest(jsondoc_get_item(document, "policies", i), index, array, real);
	}
	return EXIT_DONE;
}
