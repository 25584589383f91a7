// SPDX-License-Identifier: LGPL-2.1-or-later
/* jsondoc - tree: what holds in every cgroup, and where it comes from */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "build.h"
#include "cgroup-policies.h"
#include "jsondoc.h"
#include "parse.h"
#include "strv.h"

/* What every step of the way down is told. */
struct walk {
	bool all;
	struct jsondoc_error *error;
};

static int read_node(const struct checmate_cgroup *cgroup, const struct walk *walk,
		     struct json_object **ret_node);

static int compare_nodes(const void *a, const void *b)
{
	struct json_object *const *x = a, *const *y = b;

	return strcmp(jsondoc_get_text(*x, "cgroup"), jsondoc_get_text(*y, "cgroup"));
}

/* Something is to be seen there or below: children are there only if that is so of them. */
static bool has_policy(const struct json_object *node)
{
	return jsondoc_count(node, "policies") || jsondoc_count(node, "children");
}

/* Names of the cgroups in this one. */
static int read_names(const struct checmate_cgroup *cgroup, char ***ret_names)
{
	_cleanup_strv_ char **names = NULL;
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	int fd, r;

	fd = openat(checmate_cgroup_fd(cgroup), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || streq(entry->d_name, ".") ||
		    streq(entry->d_name, ".."))
			continue;
		r = strv_extend(&names, entry->d_name);
		if (r < 0)
			return r;
	}
	*ret_names = TAKE_PTR(names);
	return 0;
}

/* One that has gone meanwhile is not there. */
static int add_child(struct json_object *children, const struct checmate_cgroup *parent,
		     const char *name, const struct walk *walk)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	_cleanup_json_ struct json_object *child = NULL;
	struct checmate_error *why = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	fd = openat(checmate_cgroup_fd(parent), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	r = checmate_cgroup_open_fd(fd, &cgroup, &why);
	if (r < 0)
		jsondoc_error_take(walk->error, why, r);
	else
		r = read_node(cgroup, walk, &child);
	if (r == -ENOENT || r == -ENODEV)
		return 0;
	if (r >= 0 && (walk->all || has_policy(child)))
		build_append(&r, children, TAKE_PTR(child));
	return r;
}

static int add_children(struct json_object *children, const struct checmate_cgroup *cgroup,
			const struct walk *walk)
{
	_cleanup_strv_ char **names = NULL;
	int r;

	r = read_names(cgroup, &names);
	for (char **name = names; r >= 0 && name && *name; name++)
		r = add_child(children, cgroup, *name, walk);
	if (r >= 0)
		json_object_array_sort(children, compare_nodes);
	return r;
}

static int add_policies(struct json_object *array, const struct checmate_cgroup *cgroup,
			const struct walk *walk)
{
	_cleanup_(checmate_status_freep) struct checmate_status *status = NULL;
	_cleanup_(cgroup_policies_done) struct cgroup_policies policies = {};
	struct checmate_error *why = NULL;
	int r;

	r = checmate_status_read(cgroup, &status, &why);
	if (r < 0)
		return jsondoc_error_take(walk->error, why, r);
	r = cgroup_policies_read(&policies, cgroup, status);
	for (size_t i = 0; r >= 0 && i < policies.n; i++)
		build_append(&r, array, cgroup_policy_json(&r, &policies.items[i]));
	return r;
}

static int read_node(const struct checmate_cgroup *cgroup, const struct walk *walk,
		     struct json_object **ret_node)
{
	_cleanup_json_ struct json_object *object = NULL;
	struct json_object *policies, *children;
	int r = 0;

	object = build_object(&r);
	build_text(&r, object, "cgroup", checmate_cgroup_path(cgroup));
	build_number(&r, object, "id", checmate_cgroup_id(cgroup));
	build_bool(&r, object, "sealed", checmate_cgroup_sealed(cgroup, NULL) > 0);
	policies = build_array(&r);
	build_add(&r, object, "policies", policies);
	children = build_array(&r);
	build_add(&r, object, "children", children);
	if (r >= 0)
		r = add_policies(policies, cgroup, walk);
	if (r >= 0)
		r = add_children(children, cgroup, walk);
	if (r < 0)
		return r;

	*ret_node = TAKE_PTR(object);
	return 0;
}

int jsondoc_tree(const struct checmate_cgroup *cgroup, bool all, struct json_object **ret_document,
		 struct jsondoc_error *error)
{
	const struct walk walk = { .all = all, .error = error };

	return read_node(cgroup, &walk, ret_document);
}
