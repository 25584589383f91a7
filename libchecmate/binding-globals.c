// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - What the programs of a binding know about it */
#include "binding-globals.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sys/mman.h>

#include "cleanup.h"

/* The page that programs and this process share, or NULL with errno. */
static struct checmate_self *map_self(int fd)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	void *data;

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return NULL;
	if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size < sizeof(struct checmate_self) ||
	    !(info.map_flags & BPF_F_MMAPABLE)) {
		errno = EBADMSG;
		return NULL;
	}
	data = mmap(NULL, info.value_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return data == MAP_FAILED ? NULL : data;
}

/* A map's size is rounded up to pages, and so is what munmap() is given. */
static void unmap_self(struct checmate_self *self)
{
	munmap(self, sizeof(*self));
}

int binding_globals_write(const struct checmate_policy *policy, uint64_t cgroup_id, uint32_t flags)
{
	const struct bpf_map *map = bpf_object__find_map_by_name(policy->object,
								 BINDING_GLOBALS_MAP);
	struct checmate_self *self;

	if (!map)
		return 0;
	self = map_self(bpf_map__fd(map));
	if (!self)
		return -errno;
	__atomic_store_n(&self->cgroup, cgroup_id, __ATOMIC_RELEASE);
	__atomic_store_n(&self->flags, flags, __ATOMIC_RELEASE);
	unmap_self(self);
	return 0;
}

int binding_globals_open(const struct pin_path *path, struct checmate_self **ret_self)
{
	_cleanup_close_ int fd = pin_open_map(path, BINDING_GLOBALS_MAP);
	struct checmate_self *self;

	if (fd < 0)
		return fd;
	self = map_self(fd);
	if (!self)
		return -errno;
	*ret_self = self;
	return 0;
}

void binding_globals_set_flags(struct checmate_self *self, uint32_t flags)
{
	__atomic_store_n(&self->flags, flags, __ATOMIC_RELEASE);
}

void binding_globals_closep(struct checmate_self **self)
{
	if (*self)
		unmap_self(*self);
}

int binding_globals_read_flags(int fd, uint32_t *ret_flags)
{
	struct checmate_self *self = map_self(fd);

	if (!self)
		return -errno;
	*ret_flags = __atomic_load_n(&self->flags, __ATOMIC_ACQUIRE);
	unmap_self(self);
	return 0;
}
