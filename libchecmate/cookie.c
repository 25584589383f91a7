// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Cookies where the kernel has no kfunc for them */
#include "cookie.h"

#include <bpf/bpf.h>
#include <errno.h>

#include "cleanup.h"
#include "pin.h"

/* Opens the map of cookies that a program uses. -ENOENT: it uses none. */
static int open_cookies(int prog_fd)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info), ids[64];

	info.nr_map_ids = ARRAY_SIZE(ids);
	info.map_ids = (uintptr_t)ids;
	if (bpf_obj_get_info_by_fd(prog_fd, &info, &size))
		return -errno;
	for (size_t i = 0; i < info.nr_map_ids && i < ARRAY_SIZE(ids); i++) {
		_cleanup_close_ int fd = bpf_map_get_fd_by_id(ids[i]);
		struct bpf_map_info map = {};

		size = sizeof(map);
		/* The map that cannot be read may be the one that says what is permissive. */
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &map, &size))
			return -errno;
		if (map.type == BPF_MAP_TYPE_CGROUP_STORAGE && map.key_size == sizeof(__u64) &&
		    map.value_size == sizeof(__u64))
			return TAKE_FD(fd);
	}
	return -ENOENT;
}

int cookie_read(int prog_fd, uint64_t cgroup_id, uint64_t *ret_cookie)
{
	_cleanup_close_ int fd = open_cookies(prog_fd);

	*ret_cookie = 0;
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (bpf_map_lookup_elem(fd, &cgroup_id, ret_cookie) && errno != ENOENT)
		return -errno;
	return 0;
}

/*
 * The kernel makes the word of a cgroup when the first program that uses the map is attached
 * there, and it is 0 then, which denies. So a program that allows everything is attached
 * for that moment.
 */
static int make_word(const struct checmate_cgroup *cgroup, int cookies_fd, int prog_fd)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = BPF_REG_1,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = cookies_fd },
		{},
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_local_storage },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_LSM_CGROUP);
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	_cleanup_close_ int program = -1, link = -1;

	/* On a hook that is going to be used anyway. */
	if (bpf_obj_get_info_by_fd(prog_fd, &info, &size))
		return -errno;
	opts.attach_btf_id = info.attach_btf_id;
	program = bpf_prog_load(BPF_PROG_TYPE_LSM, "checmate_cookie", "GPL", code, ARRAY_SIZE(code),
				&opts);
	if (program < 0)
		return -errno;
	link = bpf_link_create(program, cgroup->fd, BPF_LSM_CGROUP, NULL);
	return link < 0 ? -errno : 0;
}

int cookie_set(const struct checmate_cgroup *cgroup, const char *set, int prog_fd, uint64_t cookie)
{
	struct pin_path directory = pin_set(set, "");
	_cleanup_close_ int fd = pin_open(&directory, PIN_MAP, "checmate_cookies");
	int r;

	/* Programs without instances have no such map. */
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (!bpf_map_update_elem(fd, &cgroup->id, &cookie, BPF_ANY))
		return 0;
	if (errno != ENOENT)
		return -errno;
	r = make_word(cgroup, fd, prog_fd);
	if (r < 0)
		return r;
	return bpf_map_update_elem(fd, &cgroup->id, &cookie, BPF_ANY) ? -errno : 0;
}
