// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - The cgroups of the machine, and what happens to them
 *
 * There is one inotify watch per cgroup. The daemon watches a directory before it reads
 * it. It may therefore see a cgroup made meanwhile twice; node_find() makes these one.
 * When the kernel drops events, the daemon reads every directory again. @ops may
 * therefore report a cgroup twice. The inode tells a cgroup from one that had its name.
 *
 * Writes to the files of a cgroup are watched on request only. There are many in any
 * cgroup that processes enter, and each would wake the daemon.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "cgroup-watch.h"
#include "cleanup.h"
#include "clock.h"
#include "parse.h"

struct node {
	struct watched_cgroup cgroup;
	struct cgroup_watch *watch;
	struct node *children;
	struct node *next;
	struct node *next_touched;
	sd_event_source *source; /* of what is made and removed in it */
	sd_event_source *writes; /* of its files; NULL when it never was watched */
	bool watched;
	bool seen;
	bool touched;
	ino_t inode;
	uint64_t wake; /* 0: never */
	char *path; /* "" for the root */
};

struct cgroup_watch {
	sd_event *event;
	char *root;
	struct cgroup_watch_ops ops;
	void *userdata;
	struct node *top;
	struct node *touched; /* to be told of when this turn is over */
	sd_event_source *touched_source;
	sd_event_source *timer;
	uint64_t timer_usec; /* when it goes off; 0: never */
};

static int node_scan(struct node *node);

static const char *node_name(const struct node *node)
{
	return strrchr(node->path, '/') + 1;
}

static struct node *node_of(struct watched_cgroup *cgroup)
{
	return (struct node *)((char *)cgroup - offsetof(struct node, cgroup));
}

static void node_untouch(struct node *node)
{
	for (struct node **link = &node->watch->touched; *link; link = &(*link)->next_touched) {
		if (*link != node)
			continue;
		*link = node->next_touched;
		break;
	}
	node->touched = false;
}

static struct node *node_free(struct node *node)
{
	if (!node)
		return NULL;
	while (node->children) {
		struct node *child = node->children;

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

static void node_freep(struct node **node)
{
	node_free(*node);
}

static struct node *node_find(struct node *node, const char *name)
{
	for (struct node *child = node->children; child; child = child->next)
		if (streq(node_name(child), name))
			return child;
	return NULL;
}

static void node_tell_removed(struct node *node)
{
	for (struct node *child = node->children; child; child = child->next)
		node_tell_removed(child);
	node->watch->ops.removed(&node->cgroup, node->watch->userdata);
}

static void node_drop(struct node *node, struct node *child)
{
	for (struct node **link = &node->children; *link; link = &(*link)->next) {
		if (*link != child)
			continue;
		*link = child->next;
		node_tell_removed(child);
		node_free(child);
		return;
	}
}

static int node_path(const struct node *node, char **ret_path)
{
	char *path;

	if (asprintf(&path, "%s%s", node->watch->root, node->path) < 0)
		return -ENOMEM;
	*ret_path = path;
	return 0;
}

static int on_inotify(sd_event_source *source, const struct inotify_event *event, void *userdata);

static int node_watch(struct node *node)
{
	_cleanup_free_ char *path = NULL;
	int r;

	r = node_path(node, &path);
	if (r < 0)
		return r;
	r = sd_event_add_inotify(node->watch->event, &node->source, path,
				 IN_CREATE | IN_DELETE | IN_ONLYDIR | IN_DONT_FOLLOW, on_inotify,
				 node);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(node->source, "cgroup-watch");
	/* A cgroup that cannot be followed would get no policy: rather be started anew. */
	return sd_event_source_set_exit_on_failure(node->source, true);
}

/*
 * Asked when it is watched: of a cgroup that has no directory then, all are heard of. To read
 * one costs as much as all the rest that is done about it.
 */
static bool node_is_empty(const struct node *node)
{
	_cleanup_free_ char *path = NULL;
	struct stat st;

	return node_path(node, &path) >= 0 && lstat(path, &st) == 0 && st.st_ino == node->inode &&
	       st.st_nlink == 2;
}

/* Asked before the directory is watched: of one that takes its place then, a scan sees it. */
static int node_inode(const struct node *node, ino_t *ret_inode)
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

static int node_add(struct node *node, const char *name)
{
	_cleanup_(node_freep) struct node *child = NULL;
	struct cgroup_watch *watch = node->watch;
	struct node *added;
	int r;

	child = calloc(1, sizeof(*child));
	if (!child)
		return -ENOMEM;
	child->watch = watch;
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
	watch->ops.added(&added->cgroup, watch->userdata);
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

static int node_merge(struct node *node, char *const *names, size_t n)
{
	struct node *child, *next;
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

static int node_scan(struct node *node)
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
	struct node *node = userdata;
	struct node *child;

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
	struct node *node = userdata;

	(void)source;

	if (!node->watched)
		return 0;
	if (event->mask & IN_Q_OVERFLOW || (event->len && changes_policy(event->name)))
		return cgroup_watch_touch(&node->cgroup);
	return 0;
}

/**
 * cgroup_watch_writes() - Report writes to the files of a cgroup, or stop
 * @cgroup: the cgroup
 * @on: report its writes
 */
int cgroup_watch_writes(struct watched_cgroup *cgroup, bool on)
{
	struct node *node = node_of(cgroup);
	_cleanup_free_ char *path = NULL;
	int r;

	/*
	 * The source stays once it is there: sd-event leaves the kernel's watch as
	 * it is while there is another source for the same directory, and that of
	 * systemd 252 goes round for ever over an event that no source wants.
	 */
	node->watched = on;
	if (!on || node->writes)
		return 0;
	r = node_path(node, &path);
	if (r < 0)
		return r;
	r = sd_event_add_inotify(node->watch->event, &node->writes, path,
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
	struct cgroup_watch *watch = userdata;
	struct node *node = watch->touched;

	(void)source;

	if (!node)
		return 0;
	node_untouch(node);
	watch->ops.changed(&node->cgroup, watch->userdata);
	if (!watch->touched)
		return 0;
	return sd_event_source_set_enabled(watch->touched_source, SD_EVENT_ONESHOT);
}

/**
 * cgroup_watch_touch() - Report a cgroup at the end of this turn of the loop
 * @cgroup: the cgroup
 */
int cgroup_watch_touch(struct watched_cgroup *cgroup)
{
	struct node *node = node_of(cgroup), **link;
	struct cgroup_watch *watch = node->watch;

	if (node->touched)
		return 0;
	for (link = &watch->touched; *link; link = &(*link)->next_touched)
		;
	*link = node;
	node->next_touched = NULL;
	node->touched = true;
	return sd_event_source_set_enabled(watch->touched_source, SD_EVENT_ONESHOT);
}

/* --- time ----------------------------------------------------------------- */

static int set_timer(struct cgroup_watch *watch, uint64_t usec)
{
	int r;

	watch->timer_usec = usec;
	if (!usec)
		return sd_event_source_set_enabled(watch->timer, SD_EVENT_OFF);
	r = sd_event_source_set_time(watch->timer, usec);
	return r < 0 ? r : sd_event_source_set_enabled(watch->timer, SD_EVENT_ONESHOT);
}

/* Touches what is due; returns -errno. @next is when the next one is. */
static int node_wake(struct node *node, uint64_t now, uint64_t *next)
{
	int r;

	if (node->wake && node->wake <= now) {
		node->wake = 0;
		r = cgroup_watch_touch(&node->cgroup);
		if (r < 0)
			return r;
	}
	if (node->wake && (!*next || node->wake < *next))
		*next = node->wake;
	for (struct node *child = node->children; child; child = child->next) {
		r = node_wake(child, now, next);
		if (r < 0)
			return r;
	}
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct cgroup_watch *watch = userdata;
	uint64_t next = 0;
	int r;

	(void)source;
	(void)usec;

	r = node_wake(watch->top, now_usec(), &next);
	return r < 0 ? r : set_timer(watch, next);
}

/**
 * cgroup_watch_wake() - Report a cgroup later
 * @cgroup: the cgroup
 * @usec: when, by CLOCK_MONOTONIC. Replaces a later time that was set before
 */
int cgroup_watch_wake(struct watched_cgroup *cgroup, uint64_t usec)
{
	struct node *node = node_of(cgroup);
	struct cgroup_watch *watch = node->watch;

	if (!node->wake || usec < node->wake)
		node->wake = usec;
	if (watch->timer_usec && watch->timer_usec <= node->wake)
		return 0;
	return set_timer(watch, node->wake);
}

/* --- the watch ------------------------------------------------------------ */

static int add_sources(struct cgroup_watch *watch)
{
	int r;

	r = sd_event_add_defer(watch->event, &watch->touched_source, on_touched, watch);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(watch->touched_source, "cgroup-changed");
	r = sd_event_source_set_priority(watch->touched_source, CGROUP_WATCH_PRIORITY_CHANGED);
	if (r >= 0)
		r = sd_event_source_set_enabled(watch->touched_source, SD_EVENT_OFF);
	if (r < 0)
		return r;

	r = sd_event_add_time(watch->event, &watch->timer, CLOCK_MONOTONIC, UINT64_MAX, 0, on_timer,
			      watch);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(watch->timer, "cgroup-wake");
	return sd_event_source_set_enabled(watch->timer, SD_EVENT_OFF);
}

/**
 * cgroup_watch_new() - Follow the cgroups below a mount
 * @event: the loop
 * @root: where cgroup2 is mounted
 * @ops: the callbacks
 * @userdata: for @ops
 * @ret_watch: receives the watch
 */
int cgroup_watch_new(sd_event *event, const char *root, const struct cgroup_watch_ops *ops,
		     void *userdata, struct cgroup_watch **ret_watch)
{
	_cleanup_(cgroup_watch_freep) struct cgroup_watch *watch = NULL;
	int r;

	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return -ENOMEM;
	watch->event = sd_event_ref(event);
	watch->ops = *ops;
	watch->userdata = userdata;
	watch->root = strdup(root);
	watch->top = calloc(1, sizeof(*watch->top));
	if (!watch->root || !watch->top)
		return -ENOMEM;
	watch->top->watch = watch;
	watch->top->path = strdup("");
	if (!watch->top->path)
		return -ENOMEM;

	r = add_sources(watch);
	if (r < 0)
		return r;
	r = node_watch(watch->top);
	if (r < 0)
		return r;
	r = node_scan(watch->top);
	if (r < 0)
		return r;

	*ret_watch = TAKE_PTR(watch);
	return 0;
}

struct cgroup_watch *cgroup_watch_free(struct cgroup_watch *watch)
{
	if (!watch)
		return NULL;
	node_free(watch->top);
	sd_event_source_disable_unref(watch->touched_source);
	sd_event_source_disable_unref(watch->timer);
	sd_event_unref(watch->event);
	free(watch->root);
	free(watch);
	return NULL;
}

void cgroup_watch_freep(struct cgroup_watch **watch)
{
	cgroup_watch_free(*watch);
}

static void node_foreach(struct node *node,
			 void (*each)(struct watched_cgroup *cgroup, void *userdata), void *userdata)
{
	for (struct node *child = node->children; child; child = child->next) {
		each(&child->cgroup, userdata);
		node_foreach(child, each, userdata);
	}
}

/**
 * cgroup_watch_foreach() - Visit all cgroups, parents before children
 * @watch: the watch; must not change meanwhile
 * @each: called for each
 * @userdata: for @each
 */
void cgroup_watch_foreach(struct cgroup_watch *watch,
			  void (*each)(struct watched_cgroup *cgroup, void *userdata),
			  void *userdata)
{
	node_foreach(watch->top, each, userdata);
}

/**
 * cgroup_watch_find() - Find a cgroup by its path
 * @watch: the watch
 * @path: below the mount, starts with '/'
 *
 * Return: the cgroup; NULL for the root and for a cgroup that was not reported (yet).
 */
struct watched_cgroup *cgroup_watch_find(struct cgroup_watch *watch, const char *path)
{
	struct node *node = watch->top;

	while (node && *path == '/') {
		size_t n = strcspn(path + 1, "/");
		struct node *child;

		for (child = node->children; child; child = child->next)
			if (strlen(node_name(child)) == n &&
			    strncmp(node_name(child), path + 1, n) == 0)
				break;
		node = child;
		path += 1 + n;
	}
	return node && node != watch->top ? &node->cgroup : NULL;
}
