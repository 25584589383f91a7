// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Instances: what the programs of a policy know about one binding */
#include "instance.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "cleanup.h"
#include "error.h"
#include "shared-map.h"

/* How many places are tried by chance, before they are tried one by one. */
#define CHANCES 64

static_assert(sizeof(union checmate_row) == CHECMATE_ROW_SIZE, "a row is as large as it says");

void instance_done(struct instance *instance)
{
	free(instance->rows);
	*instance = (struct instance){};
}

/* --- parameters to rows, and back ------------------------------------------- */

/* What the value of a list begins with, here and not in rows. */
struct list_head {
	__u32 count;
	__u32 reserved;
};

/* How many entries of a list are in a row: as many as fit, a power of 2. */
static size_t entries_of_row(const struct param *param)
{
	size_t n = CHECMATE_ROW_SIZE / param->type->entries->size, power = 1;

	while (power * 2 <= n)
		power *= 2;
	return power;
}

static size_t rows_of(const struct param *param, size_t count)
{
	size_t n = entries_of_row(param);

	return (count + n - 1) / n;
}

/* Where the entry @index of a list is, whose rows begin at @rows. */
static void *entry_of(const struct param *param, union checmate_row *rows, size_t index)
{
	size_t n = entries_of_row(param);

	return rows[index / n].bytes + index % n * param->type->entries->size;
}

int instance_build(const struct description *description, void *const *values, uint64_t cgroup_id,
		   uint32_t flags, struct instance *ret_instance)
{
	struct instance instance = { .n_rows = 1 };
	struct list_head head;
	size_t row = 1;

	for (size_t i = 0; i < description->n_params; i++) {
		const struct param *param = &description->params[i];

		if (!param->type->list)
			continue;
		memcpy(&head, values[i], sizeof(head));
		instance.n_rows += rows_of(param, head.count);
	}
	instance.rows = calloc(instance.n_rows, sizeof(*instance.rows));
	if (!instance.rows)
		return -ENOMEM;

	*instance_head(&instance) = (struct checmate_head){
		.cgroup = cgroup_id,
		.flags = flags,
		.rows = instance.n_rows,
	};
	for (size_t i = 0; i < description->n_params; i++) {
		const struct param *param = &description->params[i];
		const char *value = values[i];
		struct checmate_list list;

		if (!param->type->list) {
			memcpy(instance.rows[0].bytes + param->offset, value, param->type->size);
			continue;
		}
		memcpy(&head, value, sizeof(head));
		list = (struct checmate_list){ .row = row, .count = head.count };
		memcpy(instance.rows[0].bytes + param->offset, &list, sizeof(list));
		for (size_t j = 0; j < list.count; j++)
			memcpy(entry_of(param, instance.rows + row, j),
			       value + sizeof(head) + j * param->type->entries->size,
			       param->type->entries->size);
		row += rows_of(param, list.count);
	}
	*ret_instance = instance;
	return 0;
}

static int list_value(const struct instance *instance, const struct param *param, char *value)
{
	struct list_head head = {};
	struct checmate_list list;

	memcpy(&list, instance->rows[0].bytes + param->offset, sizeof(list));
	if (list.count > param->type->entries->max || list.row > instance->n_rows ||
	    rows_of(param, list.count) > instance->n_rows - list.row)
		return -EBADMSG;
	head.count = list.count;
	memcpy(value, &head, sizeof(head));
	for (size_t i = 0; i < list.count; i++)
		memcpy(value + sizeof(head) + i * param->type->entries->size,
		       entry_of(param, instance->rows + list.row, i), param->type->entries->size);
	return 0;
}

int instance_value(const struct instance *instance, const struct param *param, void **ret_value)
{
	_cleanup_free_ void *value = calloc(1, param->type->size);
	int r;

	if (!value)
		return -ENOMEM;
	if (param->type->list) {
		r = list_value(instance, param, value);
		if (r < 0)
			return r;
	} else {
		memcpy(value, instance->rows[0].bytes + param->offset, param->type->size);
	}
	*ret_value = TAKE_PTR(value);
	return 0;
}

/* --- in the kernel ------------------------------------------------------------ */

static uint32_t index_of(uint64_t cookie)
{
	return cookie % CHECMATE_INSTANCES_MAX;
}

/* Opens the map of rows at a place. -ENOENT: there is none. */
static int open_rows(int all, uint32_t index)
{
	__u32 id;
	int fd;

	if (bpf_map_lookup_elem(all, &index, &id))
		return -errno;
	fd = bpf_map_get_fd_by_id(id);
	return fd < 0 ? -errno : fd;
}

static int read_rows(int fd, struct instance *ret_instance)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	_cleanup_(instance_done) struct instance instance = {};
	_cleanup_free_ __u32 *keys = NULL;
	struct bpf_map_info info = {};
	__u32 size = sizeof(info), batch, n;

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	if (info.value_size != CHECMATE_ROW_SIZE || !info.max_entries)
		return -EBADMSG;
	n = info.max_entries;
	instance.n_rows = n;
	instance.rows = calloc(n, sizeof(*instance.rows));
	keys = calloc(n, sizeof(*keys));
	if (!instance.rows || !keys)
		return -ENOMEM;
	/* Which says with an error that these were the last ones. */
	if (bpf_map_lookup_batch(fd, NULL, &batch, keys, instance.rows, &n, &opts) &&
	    errno != ENOENT)
		return -errno;
	if (n != instance.n_rows)
		return -EBADMSG;
	*ret_instance = instance;
	instance = (struct instance){};
	return 0;
}

/* What the instance at a place begins with; all zero: the place is free. */
static int read_head(int all, uint32_t index, struct checmate_head *ret_head)
{
	_cleanup_close_ int fd = open_rows(all, index);
	union checmate_row row;
	__u32 zero = 0;

	*ret_head = (struct checmate_head){};
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (bpf_map_lookup_elem(fd, &zero, &row))
		return -errno;
	memcpy(ret_head, row.bytes, sizeof(*ret_head));
	return 0;
}

/* A map with the rows of an instance. */
static int create_rows(const struct instance *instance)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	_cleanup_free_ __u32 *keys = NULL;
	__u32 n = instance->n_rows, zero = 0;
	_cleanup_close_ int fd = -1;

	fd = shared_map_create_rows(n);
	if (fd < 0)
		return fd;
	if (n == 1)
		return bpf_map_update_elem(fd, &zero, instance->rows, BPF_ANY) ? -errno :
										 TAKE_FD(fd);
	keys = calloc(n, sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	for (__u32 i = 0; i < n; i++)
		keys[i] = i;
	if (bpf_map_update_batch(fd, keys, instance->rows, &n, &opts))
		return -errno;
	return n == instance->n_rows ? TAKE_FD(fd) : -EIO;
}

/* Whether one of the new instances is going to be at a place. */
static bool is_taken(struct instance *const *instances, size_t n, uint32_t index)
{
	for (size_t i = 0; i < n; i++)
		if (index_of(instance_head(instances[i])->cookie) == index)
			return true;
	return false;
}

/* Finds a place that is free, and that none of the first @n instances is to have. */
static int find_place(int all, struct instance *const *instances, size_t n, uint32_t *ret_index)
{
	struct checmate_head head;
	uint32_t chance, index;
	int r;

	for (size_t i = 0; i < CHANCES + CHECMATE_INSTANCES_MAX; i++) {
		if (getrandom(&chance, sizeof(chance), 0) != sizeof(chance))
			return -EIO;
		index = i < CHANCES ? index_of(chance) : i - CHANCES;
		if (is_taken(instances, n, index))
			continue;
		r = read_head(all, index, &head);
		if (r < 0)
			return r;
		if (head.cookie)
			continue;
		*ret_index = index;
		return 0;
	}
	return -ENOSPC;
}

/* Has the map know @fds at the places of the cookies, at one go. */
static int store(int all, const uint64_t *cookies, const int *fds, size_t n)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	_cleanup_free_ __u32 *keys = calloc(n, sizeof(*keys));
	__u32 done = n;

	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		keys[i] = index_of(cookies[i]);
	if (n == 1)
		return bpf_map_update_elem(all, keys, fds, BPF_ANY) ? -errno : 0;
	return bpf_map_update_batch(all, keys, fds, &done, &opts) ? -errno : 0;
}

struct fds {
	int *items;
	size_t n;
};

static void fds_done(struct fds *fds)
{
	for (size_t i = 0; i < fds->n; i++)
		cleanup_close(&fds->items[i]);
	free(fds->items);
}

static int explain(int code, struct checmate_error **ret_error)
{
	if (code == -ENOMEM)
		return error_oom(ret_error);
	if (code == -ENOSPC)
		return error_set(ret_error, code,
				 "bindings: this machine has %d, which is all that there can be; remove some",
				 CHECMATE_INSTANCES_MAX);
	return error_set(ret_error, code,
			 "bindings: the parameters cannot be stored in the kernel: %s; try again",
			 strerror(-code));
}

int instances_place(struct instance *const *instances, const uint32_t *generations, size_t n,
		    struct checmate_error **ret_error)
{
	_cleanup_close_ int all = -1;
	uint32_t index;
	int r;

	if (!n)
		return 0;
	r = shared_map_open(SHARED_MAP_INSTANCES, &all, ret_error);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		r = find_place(all, instances, i, &index);
		if (r < 0)
			return explain(r, ret_error);
		instance_head(instances[i])->cookie =
			(uint64_t)generations[i] * CHECMATE_INSTANCES_MAX + index;
	}
	return 0;
}

static int add(int all, struct instance *const *instances, size_t n)
{
	_cleanup_(fds_done) struct fds fds = { .items = calloc(n, sizeof(*fds.items)) };
	_cleanup_free_ uint64_t *cookies = calloc(n, sizeof(*cookies));
	int r;

	if (!fds.items || !cookies)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		cookies[i] = instance_head(instances[i])->cookie;
		r = create_rows(instances[i]);
		if (r < 0)
			return r;
		fds.items[fds.n++] = r;
	}
	return store(all, cookies, fds.items, n);
}

int instances_add(struct instance *const *instances, size_t n, struct checmate_error **ret_error)
{
	_cleanup_close_ int all = -1;
	int r;

	if (!n)
		return 0;
	r = shared_map_open(SHARED_MAP_INSTANCES, &all, ret_error);
	if (r < 0)
		return r;
	r = add(all, instances, n);
	return r < 0 ? explain(r, ret_error) : 0;
}

/*
 * Two stores. The first changes nothing, and returns when programs have ended that ran
 * when it began: those that were attached with such a cookie find their instance until then.
 */
static int take_away(int all, int none, const uint64_t *cookies, size_t n)
{
	_cleanup_(fds_done) struct fds fds = { .items = calloc(n, sizeof(*fds.items)) };
	_cleanup_free_ uint64_t *found = calloc(n, sizeof(*found));
	_cleanup_free_ int *nones = calloc(n, sizeof(*nones));
	int r;

	if (!fds.items || !found || !nones)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct checmate_head head;

		r = read_head(all, index_of(cookies[i]), &head);
		if (r < 0)
			return r;
		if (!cookies[i] || head.cookie != cookies[i])
			continue;
		r = open_rows(all, index_of(cookies[i]));
		if (r < 0)
			return r;
		found[fds.n] = cookies[i];
		nones[fds.n] = none;
		fds.items[fds.n++] = r;
	}
	if (!fds.n)
		return 0;
	r = store(all, found, fds.items, fds.n);
	return r < 0 ? r : store(all, found, nones, fds.n);
}

int instances_remove(const uint64_t *cookies, size_t n)
{
	_cleanup_close_ int all = -1, none = -1;
	bool any = false;
	int r;

	for (size_t i = 0; i < n; i++)
		any |= cookies[i] != 0;
	if (!any)
		return 0;
	r = shared_map_open(SHARED_MAP_INSTANCES, &all, NULL);
	if (!r)
		r = shared_map_open(SHARED_MAP_NONE, &none, NULL);
	return r < 0 ? r : take_away(all, none, cookies, n);
}

int instance_read(uint64_t cookie, struct instance *ret_instance)
{
	_cleanup_(instance_done) struct instance instance = {};
	_cleanup_close_ int all = -1, fd = -1;
	int r;

	r = shared_map_open(SHARED_MAP_INSTANCES, &all, NULL);
	if (r < 0)
		return r;
	fd = open_rows(all, index_of(cookie));
	if (fd < 0)
		return fd;
	r = read_rows(fd, &instance);
	if (r < 0)
		return r;
	if (!cookie || instance_head(&instance)->cookie != cookie)
		return -ENOENT;
	*ret_instance = instance;
	instance = (struct instance){};
	return 0;
}

int instance_read_flags(uint64_t cookie, uint32_t *ret_flags)
{
	_cleanup_close_ int all = -1;
	struct checmate_head head;
	int r;

	r = shared_map_open(SHARED_MAP_INSTANCES, &all, NULL);
	if (!r)
		r = read_head(all, index_of(cookie), &head);
	if (r < 0)
		return r;
	if (!cookie || head.cookie != cookie)
		return -ENOENT;
	*ret_flags = head.flags;
	return 0;
}

int instance_replace(const struct instance *instance)
{
	const uint64_t cookie = instance_head(instance)->cookie;
	_cleanup_close_ int all = -1, fd = -1;
	struct checmate_head found;
	int r;

	r = shared_map_open(SHARED_MAP_INSTANCES, &all, NULL);
	if (!r)
		r = read_head(all, index_of(cookie), &found);
	if (r < 0)
		return r;
	if (found.cookie != cookie)
		return -ENOENT;
	fd = create_rows(instance);
	if (fd < 0)
		return fd;
	return store(all, &cookie, &fd, 1);
}
