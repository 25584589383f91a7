// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - tree: what holds in every cgroup, and where it comes from */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "holding.h"
#include "output.h"
#include "parse.h"

/**
 * struct node - A cgroup.
 * @cgroup: itself.
 * @holdings: what holds here, or is staged here.
 * @sealed: it is sealed.
 * @children: the cgroups in it, sorted by path.
 * @n_children: how many.
 */
struct node {
	struct checmate_cgroup *cgroup;
	struct holdings holdings;
	bool sealed;
	struct node **children;
	size_t n_children;
};

static struct node *node_free(struct node *node)
{
	if (!node)
		return NULL;
	for (size_t i = 0; i < node->n_children; i++)
		node_free(node->children[i]);
	free(node->children);
	holdings_done(&node->holdings);
	checmate_cgroup_free(node->cgroup);
	free(node);
	return NULL;
}

static void node_freep(struct node **node)
{
	node_free(*node);
}

static int node_read(struct checmate_cgroup *cgroup, struct node **ret_node,
		     struct checmate_error **ret_error);

static int compare_nodes(const void *a, const void *b)
{
	const struct node *const *x = a, *const *y = b;

	return strcmp(checmate_cgroup_path((*x)->cgroup), checmate_cgroup_path((*y)->cgroup));
}

/* One that has gone meanwhile is not there. */
static int add_child(struct node *node, const char *name, struct checmate_error **ret_error)
{
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	_cleanup_(node_freep) struct node *child = NULL;
	_cleanup_close_ int fd = -1;
	struct node **children;
	int r;

	fd = openat(checmate_cgroup_fd(node->cgroup), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	r = checmate_cgroup_open_fd(fd, &cgroup, &error);
	if (!r)
		r = node_read(TAKE_PTR(cgroup), &child, &error);
	if (r == -ENOENT || r == -ENODEV)
		return 0;
	if (r < 0) {
		*ret_error = TAKE_PTR(error);
		return r;
	}

	children = reallocarray(node->children, node->n_children + 1, sizeof(*children));
	if (!children)
		return -ENOMEM;
	node->children = children;
	children[node->n_children++] = TAKE_PTR(child);
	return 0;
}

/* Takes over @cgroup, also on failure. */
static int node_read(struct checmate_cgroup *cgroup, struct node **ret_node,
		     struct checmate_error **ret_error)
{
	_cleanup_(node_freep) struct node *node = calloc(1, sizeof(*node));
	_cleanup_status_ struct checmate_status *status = NULL;
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	int fd, r;

	if (!node) {
		checmate_cgroup_free(cgroup);
		return -ENOMEM;
	}
	node->cgroup = cgroup;
	r = checmate_status_read(cgroup, &status, ret_error);
	if (r < 0)
		return r;
	r = holdings_read(&node->holdings, cgroup, status);
	if (r < 0)
		return r;
	node->sealed = checmate_cgroup_sealed(cgroup, NULL) > 0;

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
		r = add_child(node, entry->d_name, ret_error);
		if (r < 0)
			return r;
	}
	if (node->n_children)
		qsort(node->children, node->n_children, sizeof(*node->children), compare_nodes);

	*ret_node = TAKE_PTR(node);
	return 0;
}

/* Something is to be seen there or below. */
static bool has_policy(const struct node *node)
{
	if (node->holdings.n)
		return true;
	for (size_t i = 0; i < node->n_children; i++)
		if (has_policy(node->children[i]))
			return true;
	return false;
}

/* --- output ----------------------------------------------------------------- */

static struct json_object *node_json(const struct node *node, bool all)
{
	struct json_object *object = json_new(), *policies = json_new_array();
	struct json_object *children = json_new_array();

	for (size_t i = 0; i < node->holdings.n; i++)
		json_append(policies, holding_json(&node->holdings.items[i]));
	for (size_t i = 0; i < node->n_children; i++)
		if (all || has_policy(node->children[i]))
			json_append(children, node_json(node->children[i], all));

	json_add_text(object, "cgroup", checmate_cgroup_path(node->cgroup));
	json_add_number(object, "id", checmate_cgroup_id(node->cgroup));
	json_add_bool(object, "sealed", node->sealed);
	json_add(object, "policies", policies);
	json_add(object, "children", children);
	return object;
}

/* Several policies are as many lines of one cell. */
static void node_table(const struct node *node, bool all, struct libscols_table *table,
		       struct libscols_line *parent)
{
	_cleanup_free_ char *names = NULL, *states = NULL, *from = NULL;
	const char *path = checmate_cgroup_path(node->cgroup);
	struct libscols_line *line;
	enum color color = COLOR_GOOD;

	for (size_t i = 0; i < node->holdings.n; i++) {
		const struct holding *holding = &node->holdings.items[i];
		enum color its = state_color(holding->state);

		text_add_line(&names, holding->name);
		text_add_line(&states, state_text(holding->state));
		text_add_line(&from, holding->inherited ? holding->path : "-");
		color = its > color ? its : color;
	}
	if (node->sealed) {
		text_add_line(&names, "(sealed)");
		text_add_line(&states, "");
		text_add_line(&from, "");
	}

	line = table_add_below(table, parent,
			       (const char *const[]){ parent ? strrchr(path, '/') + 1 : path, names,
						      states, from });
	line_color(line, 2, color);
	for (size_t i = 0; i < node->n_children; i++)
		if (all || has_policy(node->children[i]))
			node_table(node->children[i], all, table, line);
}

int command_tree(const struct options *options, int argc, char **argv)
{
	static const char *const headings[] = { "CGROUP", "POLICY", "STATE", "FROM", NULL };
	_cleanup_table_ struct libscols_table *table = table_new(headings);
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	_cleanup_(node_freep) struct node *top = NULL;
	_cleanup_json_ struct json_object *object = NULL;
	int status;

	status = open_target(argc ? argv[0] : "/", &cgroup);
	if (status)
		return status;
	if (node_read(TAKE_PTR(cgroup), &top, &error) < 0)
		return fail(error);

	if (options->json) {
		object = node_json(top, options->all);
		json_print(object);
		return EXIT_DONE;
	}
	if (!options->all && !has_policy(top)) {
		printf("%s: no policy holds there or below\n", checmate_cgroup_path(top->cgroup));
		return EXIT_DONE;
	}
	table_is_tree(table);
	node_table(top, options->all, table, NULL);
	table_print(table, NULL);
	return EXIT_DONE;
}
