// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Enforcing by the controller "checmate" */
#include "backend.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "parse.h"
#include "paths.h"
#include "strv.h"

#define POLICY_FILE "checmate.policy"
#define EFFECTIVE_FILE "checmate.effective"

/* 64 programs for each of 260 hooks, and a path each. */
#define LIST_MAX (64 * 1024 * 1024)

/* Whether the controller is among the words of a cgroup's file; -errno. */
static int has_controller(int cgroup_fd, const char *file)
{
	_cleanup_free_ char *text = NULL;
	int r;

	r = file_read(cgroup_fd, file, 65536, &text, NULL);
	return r < 0 ? r : word_in_text(text, "checmate", " \n");
}

/* Turns the controller on for the children of @cgroup, if it is not. */
static int enable_children(const struct checmate_cgroup *cgroup, char ***enabled,
			   struct checmate_error **ret_error)
{
	int r;

	r = has_controller(cgroup->fd, "cgroup.subtree_control");
	if (r > 0)
		return 0;
	if (!r)
		r = file_write(cgroup->fd, "cgroup.subtree_control", "+checmate");
	if (r == -EACCES || r == -EPERM)
		return error_set(ret_error, r,
				 "cgroup %s: turning the controller on for its children is not permitted; run as root",
				 cgroup->path);
	if (r < 0)
		return error_set(ret_error, r,
				 "cgroup %s: the controller cannot be turned on for its children: %s; see its cgroup.type and cgroup.controllers",
				 cgroup->path, strerror(-r));
	if (strv_extend(enabled, cgroup->path) < 0)
		return error_oom(ret_error);
	return 0;
}

/* From the root down, so every cgroup finds the controller in its parent. */
static int enable_ancestors(const struct checmate_cgroup *cgroup, char ***enabled,
			    struct checmate_error **ret_error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *parent = NULL;
	int r;

	if (streq(cgroup->path, "/"))
		return 0;
	r = cgroup_open_parent(cgroup, &parent, ret_error);
	if (r < 0)
		return r;
	r = enable_ancestors(parent, enabled, ret_error);
	if (r < 0)
		return r;
	return enable_children(parent, enabled, ret_error);
}

static int enable(struct checmate_cgroup *cgroup, char ***ret_enabled,
		  struct checmate_error **ret_error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *root = NULL;
	_cleanup_strv_ char **enabled = calloc(1, sizeof(*enabled));
	int r;

	if (!enabled)
		return error_oom(ret_error);
	r = checmate_cgroup_open("/", &root, ret_error);
	if (r < 0)
		return r;
	if (has_controller(root->fd, "cgroup.controllers") <= 0)
		return error_set(ret_error, -EOPNOTSUPP,
				 "controller checmate: not in %s/cgroup.controllers; see \"checmatectl features\"",
				 checmate_paths.cgroup);
	r = enable_ancestors(cgroup, &enabled, ret_error);
	if (r < 0)
		return r;

	if (ret_enabled)
		*ret_enabled = TAKE_PTR(enabled);
	return 0;
}

static int read_list(const struct checmate_cgroup *cgroup, const char *file,
		     struct control_list *ret_list, struct checmate_error **ret_error)
{
	_cleanup_free_ char *text = NULL;
	int r;

	r = file_read(cgroup->fd, file, LIST_MAX, &text, NULL);
	if (r == -ENOMEM)
		return error_oom(ret_error);
	if (r == -ENODEV || (r == -ENOENT && faccessat(cgroup->fd, "cgroup.procs", F_OK, 0) < 0))
		return error_set(ret_error, -ENODEV, "cgroup %s: it is gone; give another",
				 cgroup->path);
	if (r == -ENOENT)
		return error_set(ret_error, -EOPNOTSUPP,
				 "cgroup %s: the controller checmate is not enabled here; write +checmate to the parent's cgroup.subtree_control or see \"checmatectl features\"",
				 cgroup->path);
	if (r < 0)
		return error_set(ret_error, r, "cgroup %s: %s: %s; run as root", cgroup->path, file,
				 strerror(-r));

	r = control_parse(text, ret_list);
	if (r == -ENOMEM)
		return error_oom(ret_error);
	if (r < 0)
		return error_set(ret_error, r,
				 "cgroup %s: %s has a form unknown to libchecmate %s; use the library that belongs to the kernel",
				 cgroup->path, file, CHECMATE_VERSION);
	return 0;
}

static int read_local(const struct checmate_cgroup *cgroup, struct control_list *ret_list,
		      struct checmate_error **ret_error)
{
	return read_list(cgroup, POLICY_FILE, ret_list, ret_error);
}

static int read_effective(const struct checmate_cgroup *cgroup, struct control_list *ret_list,
			  struct checmate_error **ret_error)
{
	int r;

	r = read_list(cgroup, EFFECTIVE_FILE, ret_list, ret_error);
	/*
	 * The root's files may not show before the first cgroup is made. Nothing
	 * can have been attached to it then.
	 */
	if (r == -EOPNOTSUPP && streq(cgroup->path, "/") &&
	    has_controller(cgroup->fd, "cgroup.controllers") > 0) {
		*ret_list = (struct control_list){};
		return 0;
	}
	return r;
}

static int commit(const struct checmate_cgroup *cgroup, const struct control_change *change)
{
	_cleanup_free_ char *text = NULL;
	int r;

	r = control_format(change, &text);
	if (r < 0)
		return r;
	r = file_write(cgroup->fd, POLICY_FILE, text);
	/* The file goes with the controller or with the cgroup. */
	return r == -ENOENT ? -ENODEV : r;
}

const struct backend backend_checmate = {
	.name = "checmate",
	.enable = enable,
	.read_local = read_local,
	.read_effective = read_effective,
	.commit = commit,
};

int checmate_cgroup_enable(struct checmate_cgroup *cgroup, char ***ret_enabled,
			   struct checmate_error **ret_error)
{
	return backend_get()->enable(cgroup, ret_enabled, ret_error);
}
