// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libchecmate - What the paths of a list are
 *
 * Policies compare the path that the kernel finds for a file, which has no symbolic
 * links. A listed path with one on the way therefore matches nothing.
 *
 * The links are followed here, one after the other, and not by the kernel: it would not
 * tell which of them were on the way. The kernel opens every step, within the root.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "checmate.h"
#include "cleanup.h"
#include "error.h"
#include "param.h"
#include "parse.h"

/* As many links as the kernel follows. */
#define LINKS_MAX 40

struct checmate_path_list {
	struct checmate_path_entry entries[CHECMATE_TEXT_LIST_MAX];
	size_t n;
};

static_assert(PATH_MAX > CHECMATE_PATH_MAX, "a listed path fits into a walk");

/**
 * struct walk - From the root to what a path names.
 * @root_fd: the root.
 * @done: the path so far: without links, "" for the root.
 * @rest: what is left to go.
 * @links: how many links were followed.
 */
struct walk {
	int root_fd;
	char done[PATH_MAX];
	char rest[PATH_MAX];
	unsigned int links;
};

/* Nothing is opened that could have an effect. Returns a descriptor, -errno. */
static int open_step(int root_fd, const char *path)
{
	const struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS,
	};
	int fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/* Returns 1 and the text of a link; 0: no link; -errno. */
static int read_step(int root_fd, const char *path, char text[PATH_MAX])
{
	_cleanup_close_ int fd = open_step(root_fd, path);
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISLNK(st.st_mode))
		return 0;
	n = readlinkat(fd, "", text, PATH_MAX);
	if (n < 0)
		return -errno;
	if (n == PATH_MAX)
		return -ENAMETOOLONG;
	text[n] = '\0';
	return 1;
}

static void step_back(struct walk *walk)
{
	char *slash = strrchr(walk->done, '/');

	if (slash)
		*slash = '\0';
}

/* Goes on with the text of the link that was the last step. Returns 0, -errno. */
static int follow(struct walk *walk, const char *text)
{
	char rest[PATH_MAX];

	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	if (snprintf(rest, sizeof(rest), "%s/%s", text, walk->rest) >= (int)sizeof(rest))
		return -ENAMETOOLONG;
	strcpy(walk->rest, rest);
	if (*text == '/')
		*walk->done = '\0';
	else
		step_back(walk);
	return 0;
}

/* The first link is kept in @entry. Returns 0, -errno. */
static int step(struct walk *walk, const char *name, struct checmate_path_entry *entry)
{
	size_t n = strlen(walk->done);
	char text[PATH_MAX];
	int r;

	if (!*name || streq(name, "."))
		return 0;
	if (streq(name, "..")) {
		step_back(walk);
		return 0;
	}
	if (n + 1 + strlen(name) >= sizeof(walk->done))
		return -ENAMETOOLONG;
	walk->done[n] = '/';
	strcpy(walk->done + n + 1, name);

	r = read_step(walk->root_fd, walk->done, text);
	if (r <= 0)
		return r;
	if (!entry->link) {
		entry->link = strdup(walk->done);
		entry->target = strdup(text);
		if (!entry->link || !entry->target)
			return -ENOMEM;
	}
	return follow(walk, text);
}

static int walk_path(struct walk *walk, const char *path, struct checmate_path_entry *entry)
{
	int r = 0;

	strcpy(walk->rest, path);
	while (r >= 0 && *walk->rest) {
		size_t n = strcspn(walk->rest, "/"), skip = n + (walk->rest[n] == '/');
		char name[PATH_MAX];

		memcpy(name, walk->rest, n);
		name[n] = '\0';
		memmove(walk->rest, walk->rest + skip, strlen(walk->rest + skip) + 1);
		r = step(walk, name, entry);
	}
	return r;
}

/* Returns 0, -ENOMEM. */
static int look(int root_fd, struct checmate_path_entry *entry)
{
	struct walk walk = { .root_fd = root_fd };
	int r;

	r = walk_path(&walk, entry->path, entry);
	if (r == -ENOMEM)
		return r;
	if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP) {
		entry->kind = entry->link ? "dangling" : "absent";
		return 0;
	}
	if (r < 0) {
		entry->kind = "unknown";
		return 0;
	}
	entry->kind = entry->link ? "link" : "exact";
	entry->resolved = strdup(*walk.done ? walk.done : "/");
	return entry->resolved ? 0 : -ENOMEM;
}

/* The path of an entry without the '/' at its end. */
static char *entry_path(const struct checmate_path_prefix *prefix)
{
	return strndup(prefix->text, prefix->length > 1 ? prefix->length - 1 : prefix->length);
}

int checmate_path_list_resolve(int root_fd, const char *text, struct checmate_path_list **ret_list,
			       struct checmate_error **ret_error)
{
	_cleanup_(checmate_path_list_freep) struct checmate_path_list *list = NULL;
	_cleanup_free_ struct checmate_path_prefixes *prefixes = NULL;
	const struct param_type *type = param_type_find("paths");
	const struct param_limits limits = {};
	_cleanup_free_ char *reason = NULL;
	int r;

	list = calloc(1, sizeof(*list));
	prefixes = calloc(1, sizeof(*prefixes));
	if (!list || !prefixes)
		return error_oom(ret_error);
	r = param_type_parse(type, &limits, text, prefixes, &reason);
	if (r < 0)
		return reason ? error_set(ret_error, r, "list of paths: %s; accepted is %s", reason,
					  type->form) :
				error_oom(ret_error);
	for (__u32 i = 0; i < prefixes->count; i++) {
		struct checmate_path_entry *entry = &list->entries[i];

		list->n++;
		entry->path = entry_path(&prefixes->entry[i]);
		r = entry->path ? look(root_fd, entry) : -ENOMEM;
		if (r < 0)
			return error_oom(ret_error);
	}
	*ret_list = TAKE_PTR(list);
	return 0;
}

size_t checmate_path_list_count(const struct checmate_path_list *list)
{
	return list->n;
}

const struct checmate_path_entry *checmate_path_list_get(const struct checmate_path_list *list,
							 size_t index)
{
	return index < list->n ? &list->entries[index] : NULL;
}

struct checmate_path_list *checmate_path_list_free(struct checmate_path_list *list)
{
	if (!list)
		return NULL;
	for (size_t i = 0; i < list->n; i++) {
		const struct checmate_path_entry *entry = &list->entries[i];

		free((char *)entry->path);
		free((char *)entry->link);
		free((char *)entry->target);
		free((char *)entry->resolved);
	}
	free(list);
	return NULL;
}
