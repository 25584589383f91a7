// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - The cgroups there are, followed as they come and go
 *
 * One inotify watch per cgroup.  A directory is watched before it is read, so
 * a cgroup made meanwhile is seen once by the one and once by the other, which
 * tree_find() makes one.  When the kernel drops events every directory is read
 * again; whoever is told of a cgroup may therefore be told of it twice.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include "cleanup.h"
#include "tree.h"

struct tree_node {
	struct tree *tree;
	struct tree_node *children;
	struct tree_node *next;
	sd_event_source *source;
	bool seen;
	char *path; /* "" for the root */
};

struct tree {
	sd_event *event;
	char *root;
	tree_added_t added;
	tree_removed_t removed;
	void *userdata;
	struct tree_node *top;
};

static int node_scan(struct tree_node *node);

static const char *node_name(const struct tree_node *node)
{
	return strrchr(node->path, '/') + 1;
}

static struct tree_node *node_free(struct tree_node *node)
{
	if (!node)
		return NULL;
	while (node->children) {
		struct tree_node *child = node->children;

		node->children = child->next;
		node_free(child);
	}
	sd_event_source_disable_unref(node->source);
	free(node->path);
	free(node);
	return NULL;
}

static void node_freep(struct tree_node **node)
{
	node_free(*node);
}

static struct tree_node *node_find(struct tree_node *node, const char *name)
{
	for (struct tree_node *child = node->children; child; child = child->next)
		if (strcmp(node_name(child), name) == 0)
			return child;
	return NULL;
}

static void node_drop(struct tree_node *node, struct tree_node *child)
{
	struct tree *tree = node->tree;

	for (struct tree_node **link = &node->children; *link; link = &(*link)->next) {
		if (*link != child)
			continue;
		*link = child->next;
		tree->removed(child->path, tree->userdata);
		node_free(child);
		return;
	}
}

static int on_inotify(sd_event_source *source, const struct inotify_event *event, void *userdata);

static int node_watch(struct tree_node *node)
{
	_cleanup_free_ char *path = NULL;
	int r;

	if (asprintf(&path, "%s%s", node->tree->root, node->path) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = sd_event_add_inotify(node->tree->event, &node->source, path,
				 IN_CREATE | IN_DELETE | IN_ONLYDIR | IN_DONT_FOLLOW, on_inotify,
				 node);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(node->source, "cgroup-tree");
	/* A cgroup that cannot be followed would get no policy: rather be started anew. */
	return sd_event_source_set_exit_on_failure(node->source, true);
}

static int node_add(struct tree_node *node, const char *name)
{
	_cleanup_(node_freep) struct tree_node *child = NULL;
	struct tree *tree = node->tree;
	struct tree_node *added;
	int r;

	child = calloc(1, sizeof(*child));
	if (!child)
		return -ENOMEM;
	child->tree = tree;
	child->seen = true;
	if (asprintf(&child->path, "%s/%s", node->path, name) < 0) {
		child->path = NULL;
		return -ENOMEM;
	}

	r = node_watch(child);
	if (r == -ENOENT)
		return 0; /* gone again */
	if (r < 0)
		return r;

	added = child;
	child->next = node->children;
	node->children = TAKE_PTR(child);
	tree->added(added->path, tree->userdata);
	return node_scan(added);
}

static int push_name(char ***names, size_t *n, const char *name)
{
	char **more;

	more = reallocarray(*names, *n + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	*names = more;
	more[*n] = strdup(name);
	if (!more[*n])
		return -ENOMEM;
	(*n)++;
	return 0;
}

/* All names first: going down with the directory open would need a descriptor per level. */
static int read_names(const char *path, char ***names, size_t *n)
{
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *entry;
	int r;

	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;

	while ((errno = 0, entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		r = push_name(names, n, entry->d_name);
		if (r < 0)
			return r;
	}
	/* ENOENT, ENODEV: removed while it was read. */
	return errno == ENOENT || errno == ENODEV ? 0 : -errno;
}

static int node_merge(struct tree_node *node, char *const *names, size_t n)
{
	struct tree_node *child, *next;
	int r;

	for (child = node->children; child; child = child->next)
		child->seen = false;

	for (size_t i = 0; i < n; i++) {
		child = node_find(node, names[i]);
		if (child) {
			child->seen = true;
			continue;
		}
		r = node_add(node, names[i]);
		if (r < 0)
			return r;
	}

	for (child = node->children; child; child = next) {
		next = child->next;
		if (!child->seen)
			node_drop(node, child);
	}
	return 0;
}

static int node_scan(struct tree_node *node)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char **names = NULL;
	size_t n = 0;
	int r;

	if (asprintf(&path, "%s%s", node->tree->root, node->path) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = read_names(path, &names, &n);
	if (r >= 0)
		r = node_merge(node, names, n);
	while (n > 0)
		free(names[--n]);
	return r;
}

static int on_inotify(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
	struct tree_node *node = userdata;
	struct tree_node *child;

	(void)source;

	if (event->mask & IN_Q_OVERFLOW)
		return node_scan(node);
	if (!(event->mask & IN_ISDIR) || !event->len)
		return 0;

	child = node_find(node, event->name);
	if (event->mask & IN_DELETE) {
		if (child)
			node_drop(node, child);
		return 0;
	}
	if (event->mask & IN_CREATE && !child)
		return node_add(node, event->name);
	return 0;
}

/**
 * tree_new() - Follow the cgroups below a mount
 * @event: the loop to be told in
 * @root: where cgroup2 is mounted
 * @added: told of every cgroup, those that exist now included
 * @removed: told of every cgroup that went; not of those below it
 * @userdata: for both
 * @ret_tree: the tree
 */
int tree_new(sd_event *event, const char *root, tree_added_t added, tree_removed_t removed,
	     void *userdata, struct tree **ret_tree)
{
	_cleanup_(tree_freep) struct tree *tree = NULL;
	int r;

	tree = calloc(1, sizeof(*tree));
	if (!tree)
		return -ENOMEM;
	tree->event = sd_event_ref(event);
	tree->added = added;
	tree->removed = removed;
	tree->userdata = userdata;
	tree->root = strdup(root);
	tree->top = calloc(1, sizeof(*tree->top));
	if (!tree->root || !tree->top)
		return -ENOMEM;
	tree->top->tree = tree;
	tree->top->path = strdup("");
	if (!tree->top->path)
		return -ENOMEM;

	r = node_watch(tree->top);
	if (r < 0)
		return r;
	r = node_scan(tree->top);
	if (r < 0)
		return r;

	*ret_tree = TAKE_PTR(tree);
	return 0;
}

struct tree *tree_free(struct tree *tree)
{
	if (!tree)
		return NULL;
	node_free(tree->top);
	sd_event_unref(tree->event);
	free(tree->root);
	free(tree);
	return NULL;
}

void tree_freep(struct tree **tree)
{
	tree_free(*tree);
}

static void node_foreach(struct tree_node *node, void (*each)(const char *path, void *userdata),
			 void *userdata)
{
	for (struct tree_node *child = node->children; child; child = child->next) {
		each(child->path, userdata);
		node_foreach(child, each, userdata);
	}
}

/**
 * tree_foreach() - Visit all cgroups, parents before children
 * @tree: the tree; must not change meanwhile
 * @each: told of each
 * @userdata: for @each
 */
void tree_foreach(struct tree *tree, void (*each)(const char *path, void *userdata), void *userdata)
{
	node_foreach(tree->top, each, userdata);
}
