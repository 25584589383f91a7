// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - The cgroups there are, followed as they come and go
 *
 * One inotify watch per cgroup.  A directory is watched before it is read, so
 * a cgroup made meanwhile is seen once by the one and once by the other, which
 * node_find() makes one.  When the kernel drops events every directory is read
 * again; whoever is told of a cgroup may therefore be told of it twice.  One that
 * went meanwhile, and came back by the same name, is told apart by its inode.
 *
 * Writes to the files of a cgroup are heard of where it is asked for only: there
 * are many in any cgroup that processes come to, and each would wake the daemon.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "clock.h"
#include "parse.h"
#include "tree.h"

struct tree_node {
	struct tree_cgroup cgroup;
	struct tree *tree;
	struct tree_node *children;
	struct tree_node *next;
	struct tree_node *next_touched;
	sd_event_source *source; /* of what is made and removed in it */
	sd_event_source *writes; /* of its files; NULL when it never was watched */
	bool watched;
	bool seen;
	bool touched;
	ino_t inode;
	uint64_t wake; /* 0: never */
	char *path; /* "" for the root */
};

struct tree {
	sd_event *event;
	char *root;
	struct tree_ops ops;
	void *userdata;
	struct tree_node *top;
	struct tree_node *touched; /* to be told of when this turn is over */
	sd_event_source *touched_source;
	sd_event_source *timer;
	uint64_t timer_usec; /* when it goes off; 0: never */
};

static int node_scan(struct tree_node *node);

static const char *node_name(const struct tree_node *node)
{
	return strrchr(node->path, '/') + 1;
}

static struct tree_node *node_of(struct tree_cgroup *cgroup)
{
	return (struct tree_node *)((char *)cgroup - offsetof(struct tree_node, cgroup));
}

static void node_untouch(struct tree_node *node)
{
	for (struct tree_node **link = &node->tree->touched; *link; link = &(*link)->next_touched) {
		if (*link != node)
			continue;
		*link = node->next_touched;
		break;
	}
	node->touched = false;
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
	if (node->touched)
		node_untouch(node);
	sd_event_source_disable_unref(node->source);
	sd_event_source_disable_unref(node->writes);
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
		if (streq(node_name(child), name))
			return child;
	return NULL;
}

static void node_tell_removed(struct tree_node *node)
{
	for (struct tree_node *child = node->children; child; child = child->next)
		node_tell_removed(child);
	node->tree->ops.removed(&node->cgroup, node->tree->userdata);
}

static void node_drop(struct tree_node *node, struct tree_node *child)
{
	for (struct tree_node **link = &node->children; *link; link = &(*link)->next) {
		if (*link != child)
			continue;
		*link = child->next;
		node_tell_removed(child);
		node_free(child);
		return;
	}
}

static int node_path(const struct tree_node *node, char **ret_path)
{
	char *path;

	if (asprintf(&path, "%s%s", node->tree->root, node->path) < 0)
		return -ENOMEM;
	*ret_path = path;
	return 0;
}

static int on_inotify(sd_event_source *source, const struct inotify_event *event, void *userdata);

static int node_watch(struct tree_node *node)
{
	_cleanup_free_ char *path = NULL;
	int r;

	r = node_path(node, &path);
	if (r < 0)
		return r;
	r = sd_event_add_inotify(node->tree->event, &node->source, path,
				 IN_CREATE | IN_DELETE | IN_ONLYDIR | IN_DONT_FOLLOW, on_inotify,
				 node);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(node->source, "cgroup-tree");
	/* A cgroup that cannot be followed would get no policy: rather be started anew. */
	return sd_event_source_set_exit_on_failure(node->source, true);
}

/*
 * Asked when it is watched: of a cgroup that has no directory then, all are heard of. To read
 * one costs as much as all the rest that is done about it.
 */
static bool node_is_empty(const struct tree_node *node)
{
	_cleanup_free_ char *path = NULL;
	struct stat st;

	return node_path(node, &path) >= 0 && lstat(path, &st) == 0 && st.st_ino == node->inode &&
	       st.st_nlink == 2;
}

/* Asked before the directory is watched: of one that takes its place then, a scan sees it. */
static int node_inode(const struct tree_node *node, ino_t *ret_inode)
{
	_cleanup_free_ char *path = NULL;
	struct stat st;
	int r;

	r = node_path(node, &path);
	if (r < 0)
		return r;
	if (lstat(path, &st) < 0)
		return -errno;
	*ret_inode = st.st_ino;
	return 0;
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
	child->cgroup.path = child->path;
	child->cgroup.since = now_usec();

	r = node_inode(child, &child->inode);
	if (r >= 0)
		r = node_watch(child);
	if (r == -ENOENT)
		return 0; /* gone again */
	if (r < 0)
		return r;

	child->cgroup.id = child->inode;
	added = child;
	child->next = node->children;
	node->children = TAKE_PTR(child);
	tree->ops.added(&added->cgroup, tree->userdata);
	return node_is_empty(added) ? 0 : node_scan(added);
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
		if (entry->d_type != DT_DIR || streq(entry->d_name, ".") ||
		    streq(entry->d_name, ".."))
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
		ino_t inode;

		child = node_find(node, names[i]);
		r = child ? node_inode(child, &inode) : 0;
		if (r == -ENOENT)
			continue; /* gone again */
		if (r < 0)
			return r;
		if (child && inode == child->inode) {
			child->seen = true;
			continue;
		}
		if (child)
			node_drop(node, child);
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

	r = node_path(node, &path);
	if (r < 0)
		return r;
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

/* --- writes --------------------------------------------------------------- */

/* Those that count are read only, and change by themselves. */
static bool changes_policy(const char *name)
{
	const char *file = startswith(name, "checmate.");

	return file && !streq(file, "events") && !streq(file, "events.local") &&
	       !streq(file, "stat") && !streq(file, "effective");
}

static int on_write(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
	struct tree_node *node = userdata;

	(void)source;

	if (!node->watched)
		return 0;
	if (event->mask & IN_Q_OVERFLOW || (event->len && changes_policy(event->name)))
		return tree_touch(&node->cgroup);
	return 0;
}

/**
 * tree_watch() - Have oneself told when a cgroup's policy is changed, or no longer
 * @cgroup: the cgroup
 * @watch: be told
 */
int tree_watch(struct tree_cgroup *cgroup, bool watch)
{
	struct tree_node *node = node_of(cgroup);
	_cleanup_free_ char *path = NULL;
	int r;

	/*
	 * The source stays once it is there: sd-event leaves the kernel's watch as
	 * it is while there is another source for the same directory, and that of
	 * systemd 252 goes round for ever over an event that no source wants.
	 */
	node->watched = watch;
	if (!watch || node->writes)
		return 0;
	r = node_path(node, &path);
	if (r < 0)
		return r;
	r = sd_event_add_inotify(node->tree->event, &node->writes, path,
				 IN_MODIFY | IN_ONLYDIR | IN_DONT_FOLLOW, on_write, node);
	if (r == -ENOENT)
		return 0; /* gone, which is told of as well */
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(node->writes, "cgroup-writes");
	return 0;
}

/* One per turn, so that whoever asks something of the daemon need not wait for all. */
static int on_touched(sd_event_source *source, void *userdata)
{
	struct tree *tree = userdata;
	struct tree_node *node = tree->touched;

	(void)source;

	if (!node)
		return 0;
	node_untouch(node);
	tree->ops.changed(&node->cgroup, tree->userdata);
	if (!tree->touched)
		return 0;
	return sd_event_source_set_enabled(tree->touched_source, SD_EVENT_ONESHOT);
}

/**
 * tree_touch() - Have a cgroup looked at when this turn of the loop is over
 * @cgroup: the cgroup
 */
int tree_touch(struct tree_cgroup *cgroup)
{
	struct tree_node *node = node_of(cgroup), **link;
	struct tree *tree = node->tree;

	if (node->touched)
		return 0;
	for (link = &tree->touched; *link; link = &(*link)->next_touched)
		;
	*link = node;
	node->next_touched = NULL;
	node->touched = true;
	return sd_event_source_set_enabled(tree->touched_source, SD_EVENT_ONESHOT);
}

/* --- time ----------------------------------------------------------------- */

static int set_timer(struct tree *tree, uint64_t usec)
{
	int r;

	tree->timer_usec = usec;
	if (!usec)
		return sd_event_source_set_enabled(tree->timer, SD_EVENT_OFF);
	r = sd_event_source_set_time(tree->timer, usec);
	return r < 0 ? r : sd_event_source_set_enabled(tree->timer, SD_EVENT_ONESHOT);
}

/* Touches what is due; returns -errno. @next is when the next one is. */
static int node_wake(struct tree_node *node, uint64_t now, uint64_t *next)
{
	int r;

	if (node->wake && node->wake <= now) {
		node->wake = 0;
		r = tree_touch(&node->cgroup);
		if (r < 0)
			return r;
	}
	if (node->wake && (!*next || node->wake < *next))
		*next = node->wake;
	for (struct tree_node *child = node->children; child; child = child->next) {
		r = node_wake(child, now, next);
		if (r < 0)
			return r;
	}
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct tree *tree = userdata;
	uint64_t next = 0;
	int r;

	(void)source;
	(void)usec;

	r = node_wake(tree->top, now_usec(), &next);
	return r < 0 ? r : set_timer(tree, next);
}

/**
 * tree_wake() - Have a cgroup looked at later
 * @cgroup: the cgroup
 * @usec: when, by CLOCK_MONOTONIC. Takes the place of a later time that was
 *	given before.
 */
int tree_wake(struct tree_cgroup *cgroup, uint64_t usec)
{
	struct tree_node *node = node_of(cgroup);
	struct tree *tree = node->tree;

	if (!node->wake || usec < node->wake)
		node->wake = usec;
	if (tree->timer_usec && tree->timer_usec <= node->wake)
		return 0;
	return set_timer(tree, node->wake);
}

/* --- the tree ------------------------------------------------------------- */

static int add_sources(struct tree *tree)
{
	int r;

	r = sd_event_add_defer(tree->event, &tree->touched_source, on_touched, tree);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(tree->touched_source, "cgroup-changed");
	r = sd_event_source_set_priority(tree->touched_source, TREE_PRIORITY_CHANGED);
	if (r >= 0)
		r = sd_event_source_set_enabled(tree->touched_source, SD_EVENT_OFF);
	if (r < 0)
		return r;

	r = sd_event_add_time(tree->event, &tree->timer, CLOCK_MONOTONIC, UINT64_MAX, 0, on_timer,
			      tree);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(tree->timer, "cgroup-wake");
	return sd_event_source_set_enabled(tree->timer, SD_EVENT_OFF);
}

/**
 * tree_new() - Follow the cgroups below a mount
 * @event: the loop to be told in
 * @root: where cgroup2 is mounted
 * @ops: whom to tell
 * @userdata: for them
 * @ret_tree: the tree
 */
int tree_new(sd_event *event, const char *root, const struct tree_ops *ops, void *userdata,
	     struct tree **ret_tree)
{
	_cleanup_(tree_freep) struct tree *tree = NULL;
	int r;

	tree = calloc(1, sizeof(*tree));
	if (!tree)
		return -ENOMEM;
	tree->event = sd_event_ref(event);
	tree->ops = *ops;
	tree->userdata = userdata;
	tree->root = strdup(root);
	tree->top = calloc(1, sizeof(*tree->top));
	if (!tree->root || !tree->top)
		return -ENOMEM;
	tree->top->tree = tree;
	tree->top->path = strdup("");
	if (!tree->top->path)
		return -ENOMEM;

	r = add_sources(tree);
	if (r < 0)
		return r;
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
	sd_event_source_disable_unref(tree->touched_source);
	sd_event_source_disable_unref(tree->timer);
	sd_event_unref(tree->event);
	free(tree->root);
	free(tree);
	return NULL;
}

void tree_freep(struct tree **tree)
{
	tree_free(*tree);
}

static void node_foreach(struct tree_node *node,
			 void (*each)(struct tree_cgroup *cgroup, void *userdata), void *userdata)
{
	for (struct tree_node *child = node->children; child; child = child->next) {
		each(&child->cgroup, userdata);
		node_foreach(child, each, userdata);
	}
}

/**
 * tree_foreach() - Visit all cgroups, parents before children
 * @tree: the tree; must not change meanwhile
 * @each: told of each
 * @userdata: for @each
 */
void tree_foreach(struct tree *tree, void (*each)(struct tree_cgroup *cgroup, void *userdata),
		  void *userdata)
{
	node_foreach(tree->top, each, userdata);
}

/**
 * tree_find() - A cgroup by its path
 * @tree: the tree
 * @path: below the mount, starts with '/'
 *
 * Return: the cgroup; NULL for the root, and for one that was not told of (yet).
 */
struct tree_cgroup *tree_find(struct tree *tree, const char *path)
{
	struct tree_node *node = tree->top;

	while (node && *path == '/') {
		size_t n = strcspn(path + 1, "/");
		struct tree_node *child;

		for (child = node->children; child; child = child->next)
			if (strlen(node_name(child)) == n &&
			    strncmp(node_name(child), path + 1, n) == 0)
				break;
		node = child;
		path += 1 + n;
	}
	return node && node != tree->top ? &node->cgroup : NULL;
}
