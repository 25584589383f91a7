// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checmate policies - fs-types: files of which filesystem types may be opened
 *
 * Every open is judged by the type of the filesystem that the file was found in.
 * Executing a file opens it.
 */
#include "checmate-path.bpf.h"

/* The order of the words of "rule". */
enum {
	FS_TYPES_ALLOW,
	FS_TYPES_DENY,
};

struct checmate_params {
	CHECMATE_PARAM_FSTYPES(types, "types", "", "Filesystem types, as in /proc/filesystems");
	CHECMATE_PARAM_CHOICE(rule, "rule", "allow", "allow|deny",
			      "Whether only these types are allowed, or only these denied");
	CHECMATE_PARAM_ERRNO(deny_errno, "deny-errno", "EPERM", "Error that a denied open returns");
};

CHECMATE_POLICY("fs-types", "1", "Types of filesystems from which files may be opened");

/**
 * struct fs_types_search - A search for a name in the list.
 * @self: the binding.
 * @name: the name, filled up with 0.
 * @found: 1 when it is there; -EINVAL when the instance lacks a row that the list names.
 */
struct fs_types_search {
	const struct checmate_self *self;
	const __u64 *name;
	__s32 found;
};

/* Two branches: the verifier goes through them for each entry that a row can have. */
static __always_inline bool fs_types_same(const struct checmate_name *entry, const __u64 *name)
{
	const __u64 *text = (const __u64 *)entry->text;

	return text[0] == name[0] &&
	       !((text[1] ^ name[1]) | (text[2] ^ name[2]) | (text[3] ^ name[3]));
}

/* One row of the list; returns 1 to end the search. What is not in use has no name. */
static long fs_types_match(__u32 index, struct fs_types_search *search)
{
	const union checmate_row *row;

	row = checmate_row(search->self, search->self->param->types.row + index);
	if (!row) {
		search->found = -EINVAL;
		return 1;
	}
	for (__u32 i = 0; i < CHECMATE_ROW_NAMES; i++) {
		if (!fs_types_same(&row->name[i], search->name))
			continue;
		search->found = 1;
		return 1;
	}
	return 0;
}

/* 1 if the list has a name, which is not empty, or 0; a negative errno if it cannot be searched. */
static __always_inline int fs_types_find(const struct checmate_self *self, const __u64 *name)
{
	const struct checmate_list *list = &self->param->types;
	struct fs_types_search search = { .self = self, .name = name };

	search.found = checmate_zero(list->count);
	if (bpf_loop(checmate_list_rows(list, CHECMATE_ROW_NAMES), fs_types_match, &search, 0) < 0)
		return -EINVAL;
	return search.found;
}

static __always_inline int fs_types_judge(const struct checmate_self *self, const char *hook,
					  struct file *file)
{
	struct super_block *sb = BPF_CORE_READ(file, f_path.dentry, d_sb);
	const char *type = BPF_CORE_READ(sb, s_type, name);
	__u64 name[CHECMATE_NAME_MAX / sizeof(__u64)] = {};
	long length;
	int found;

	length = bpf_probe_read_kernel_str(name, sizeof(name), type);
	/* Deny: the type cannot be read, or has a name that may go on. */
	if (length <= 1 || length >= (long)sizeof(name))
		return checmate_deny(self, hook, self->param->deny_errno);

	found = fs_types_find(self, name);
	if (found >= 0 && found == (self->param->rule == FS_TYPES_ALLOW))
		return checmate_allow();
	/*
	 * Deny: what is not on the list or, by the other rule, what is. By either rule: the
	 * list cannot be searched.
	 */
	return checmate_deny_text(self, hook, self->param->deny_errno, (const char *)name);
}

CHECMATE_PROGRAM(file_open, fs_types_open, struct file *file)
{
	/* Allow: a layer of an overlay. The overlay's file is judged by itself. */
	if (checmate_path_mount_layer(BPF_CORE_READ(file, f_path.mnt),
				      BPF_CORE_READ(file, f_path.dentry)))
		return checmate_allow();

	return fs_types_judge(self, "file_open", file);
}

/* A descriptor that another process hands over: SCM_RIGHTS, pidfd_getfd(2). */
CHECMATE_PROGRAM(file_receive, fs_types_recv, struct file *file)
{
	/* Allow: pipes, sockets and the like, which nobody opens by a name. */
	if (checmate_path_mount_internal(checmate_path_mount(BPF_CORE_READ(file, f_path.mnt))))
		return checmate_allow();

	return fs_types_judge(self, "file_receive", file);
}
