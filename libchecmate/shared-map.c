// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Maps that all policies of the machine share */
#include "shared-map.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "checmate-types.h"
#include "error.h"
#include "parse.h"
#include "pin.h"

/* Not in the headers of every libc. */
#ifndef BPF_F_INNER_MAP
#define BPF_F_INNER_MAP (1U << 12)
#endif

/**
 * struct form - What a map is made with, and what a pin has to be.
 * @pin: where it is pinned.
 * @name: its name in policy objects; NULL where they have none.
 * @info: a larger max_entries will do, should another version have made it.
 */
struct form {
	struct pin_path (*pin)(void);
	const char *name;
	struct bpf_map_info info;
};

static struct pin_path pin_ring(void)
{
	return pin_events("ring");
}

static struct pin_path pin_lost(void)
{
	return pin_events("lost");
}

static struct pin_path pin_all(void)
{
	return pin_instances("all");
}

static struct pin_path pin_none(void)
{
	return pin_instances("none");
}

/* Readers of events take the count out of "lost" by an atomic exchange, hence the mapping. */
static const struct form forms[] = {
	[SHARED_MAP_RING] = {
		.pin = pin_ring,
		.name = "checmate_events",
		.info = {
			.type = BPF_MAP_TYPE_RINGBUF,
			.max_entries = 256 * 1024,
		},
	},
	[SHARED_MAP_LOST] = {
		.pin = pin_lost,
		.name = "checmate_lost",
		.info = {
			.type = BPF_MAP_TYPE_ARRAY,
			.key_size = sizeof(__u32),
			.value_size = sizeof(__u64),
			.max_entries = 1,
			.map_flags = BPF_F_MMAPABLE,
		},
	},
	[SHARED_MAP_INSTANCES] = {
		.pin = pin_all,
		.name = "checmate_instances",
		.info = {
			.type = BPF_MAP_TYPE_ARRAY_OF_MAPS,
			.key_size = sizeof(__u32),
			.value_size = sizeof(__u32),
			.max_entries = CHECMATE_INSTANCES_MAX,
		},
	},
	[SHARED_MAP_NONE] = {
		.pin = pin_none,
		.info = {
			.type = BPF_MAP_TYPE_ARRAY,
			.key_size = sizeof(__u32),
			.value_size = CHECMATE_ROW_SIZE,
			.max_entries = 1,
			.map_flags = BPF_F_INNER_MAP,
		},
	},
};

bool shared_map_is(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (forms[i].name && streq(name, forms[i].name))
			return true;
	return false;
}

static int explain(const char *path, int code, struct checmate_error **ret_error)
{
	return error_set(ret_error, code, "%s: %s; run as root, see \"checmatectl features\"", path,
			 strerror(-code));
}

static int check(const struct form *form, const char *path, int fd,
		 struct checmate_error **ret_error)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return explain(path, -errno, ret_error);
	if (info.type == form->info.type && info.key_size == form->info.key_size &&
	    info.value_size == form->info.value_size &&
	    info.max_entries >= form->info.max_entries && info.map_flags == form->info.map_flags)
		return 0;
	return error_set(ret_error, -EEXIST,
			 "%s: not the map that policies share; find out who made it, then remove it",
			 path);
}

int shared_map_create_rows(uint32_t n_rows)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP);
	int fd;

	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "checmate_rows", sizeof(__u32), CHECMATE_ROW_SIZE,
			    n_rows, &opts);
	return fd < 0 ? -errno : fd;
}

static int create(const struct form *form)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = form->info.map_flags);
	_cleanup_close_ int inner = -1;
	int fd;

	if (form->info.type == BPF_MAP_TYPE_ARRAY_OF_MAPS) {
		inner = shared_map_create_rows(1);
		if (inner < 0)
			return inner;
		opts.inner_map_fd = inner;
	}
	fd = bpf_map_create(form->info.type, form->name ?: "checmate_none", form->info.key_size,
			    form->info.value_size, form->info.max_entries, &opts);
	return fd < 0 ? -errno : fd;
}

/* Makes the directory of a pin, whose own directory is there. */
static int make_directory(const struct pin_path *pin)
{
	struct pin_path directory = *pin;
	char *slash = strrchr(directory.text, '/');

	*slash = '\0';
	return pin_make_directory(&directory);
}

int shared_map_open(enum shared_map map, int *ret_fd, struct checmate_error **ret_error)
{
	const struct form *form = &forms[map];
	struct pin_path path = form->pin();
	_cleanup_close_ int fd = bpf_obj_get(path.text);
	int r;

	if (fd < 0 && errno != ENOENT)
		return explain(path.text, -errno, ret_error);
	if (fd >= 0) {
		r = check(form, path.text, fd, ret_error);
		if (r < 0)
			return r;
	} else {
		r = make_directory(&path);
		if (!r)
			fd = create(form);
		if (r < 0 || fd < 0)
			return explain(path.text, r < 0 ? r : fd, ret_error);
		if (bpf_obj_pin(fd, path.text))
			return explain(path.text, -errno, ret_error);
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static bool shares(const struct bpf_object *object)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (forms[i].name && bpf_object__find_map_by_name(object, forms[i].name))
			return true;
	return false;
}

int shared_map_reuse(struct bpf_object *object, struct checmate_error **ret_error)
{
	_cleanup_close_ int lock = -1;
	int r;

	if (!shares(object))
		return 0;
	r = pin_lock(true, &lock, ret_error);
	for (size_t i = 0; !r && i < ARRAY_SIZE(forms); i++) {
		struct bpf_map *map = NULL;
		_cleanup_close_ int fd = -1;

		if (forms[i].name)
			map = bpf_object__find_map_by_name(object, forms[i].name);
		if (!map)
			continue;
		r = shared_map_open(i, &fd, ret_error);
		if (r < 0)
			return r;
		r = bpf_map__reuse_fd(map, fd);
		if (r < 0)
			return explain(forms[i].name, r, ret_error);
	}
	return r;
}
