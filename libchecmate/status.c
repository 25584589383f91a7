// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - What the kernel says is attached and enforced */
#include "checmate.h"

#include <errno.h>
#include <string.h>

#include "backend.h"
#include "error.h"
#include "record.h"
#include "strv.h"

struct checmate_status {
	bool enabled;
	struct control_list local;
	struct control_list effective;
};

/* Names the policies of the attachments that belong to one cgroup. */
static int name_policies(struct control_list *list, uint64_t cgroup_id)
{
	struct pin_path directory = pin_path(cgroup_id, NULL, "");
	_cleanup_strv_ char **names = NULL;

	/* Without the right to look, policies stay without names. */
	if (pin_list(directory.text, &names) < 0)
		return 0;
	for (char **name = names; *name; name++) {
		_cleanup_(record_done) struct record record = {};
		struct pin_path path = pin_path(cgroup_id, *name, "");

		if (record_read(&path, &record) < 0)
			continue;
		/* A new instance that has not taken its place yet has it soon. */
		(*name)[strcspn(*name, "+")] = '\0';
		for (size_t i = 0; i < list->n; i++) {
			struct checmate_attachment *item = &list->items[i];

			for (size_t j = 0; j < record.programs.n; j++)
				if (!item->policy && item->cookie == record.cookie &&
				    item->prog_id == record.programs.items[j].id) {
					item->policy = strdup(*name);
					item->instance = record_instance(&record);
					if (!item->policy)
						return -ENOMEM;
				}
		}
	}
	return 0;
}

static int name_all(struct control_list *list)
{
	uint64_t last = 0;
	int r;

	/* Attachments of one cgroup follow one another. */
	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i].cgroup_id == last)
			continue;
		last = list->items[i].cgroup_id;
		r = name_policies(list, last);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What the kernel leaves out of the local list, since it is in the file's path. */
static int complete_local(struct control_list *list, const struct checmate_cgroup *cgroup)
{
	for (size_t i = 0; i < list->n; i++) {
		list->items[i].cgroup_id = cgroup->id;
		if (list->items[i].path)
			continue;
		list->items[i].path = strdup(cgroup->path);
		if (!list->items[i].path)
			return -ENOMEM;
	}
	return 0;
}

/* A cgroup without the controller is under what its nearest ancestor with it says. */
static int read_effective(const struct backend *backend, const struct checmate_cgroup *cgroup,
			  struct control_list *ret_list, struct checmate_error **ret_error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *parent = NULL;
	int r;

	r = backend->read_effective(cgroup, ret_list, ret_error);
	if (r != -EOPNOTSUPP)
		return r;
	r = cgroup_open_parent(cgroup, &parent, NULL);
	if (r == -ENOENT)
		return -EOPNOTSUPP;
	if (r < 0)
		return r;
	return read_effective(backend, parent, ret_list, ret_error);
}

int checmate_status_read(const struct checmate_cgroup *cgroup, struct checmate_status **ret_status,
			 struct checmate_error **ret_error)
{
	_cleanup_(checmate_status_freep) struct checmate_status *status = NULL;
	const struct backend *backend;
	int r;

	status = calloc(1, sizeof(*status));
	if (!status)
		return error_oom(ret_error);

	r = backend_get(&backend, ret_error);
	if (r < 0)
		return r;
	r = backend->read_local(cgroup, &status->local, ret_error);
	status->enabled = !r;
	if (r < 0 && r != -EOPNOTSUPP)
		return r;
	r = read_effective(backend, cgroup, &status->effective, ret_error);
	if (r < 0)
		return r;
	/* An explanation of what turned out to be no failure. */
	if (ret_error)
		*ret_error = checmate_error_free(*ret_error);

	if (complete_local(&status->local, cgroup) < 0 || name_all(&status->local) < 0 ||
	    name_all(&status->effective) < 0)
		return error_oom(ret_error);

	*ret_status = TAKE_PTR(status);
	return 0;
}

bool checmate_status_enabled(const struct checmate_status *status)
{
	return status->enabled;
}

uint64_t checmate_status_generation(const struct checmate_status *status)
{
	return status->local.generation;
}

size_t checmate_status_count_local(const struct checmate_status *status)
{
	return status->local.n;
}

const struct checmate_attachment *checmate_status_get_local(const struct checmate_status *status,
							    size_t index)
{
	return index < status->local.n ? &status->local.items[index] : NULL;
}

size_t checmate_status_count_effective(const struct checmate_status *status)
{
	return status->effective.n;
}

const struct checmate_attachment *checmate_status_get_effective(const struct checmate_status *status,
								size_t index)
{
	return index < status->effective.n ? &status->effective.items[index] : NULL;
}

struct checmate_status *checmate_status_free(struct checmate_status *status)
{
	if (!status)
		return NULL;
	control_list_done(&status->local);
	control_list_done(&status->effective);
	free(status);
	return NULL;
}
