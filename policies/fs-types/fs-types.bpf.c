// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checmate policies - fs-types: files of which filesystem types may be opened
 *
 * Every open is judged by the type of the filesystem that the file was found in.
 * Executing a file opens it.
 */
#include "checmate-path.bpf.h"

CHECMATE_POLICY("fs-types", "1", "Types of filesystems from which files may be opened");

CHECMATE_PARAM_FSTYPES(types, "types", "", "Filesystem types, as in /proc/filesystems");
#define FS_TYPES_ALLOW 0
CHECMATE_PARAM_CHOICE(rule, "rule", FS_TYPES_ALLOW, "allow|deny",
		      "Whether only these types are allowed, or only these denied");
CHECMATE_PARAM_ERRNO(deny_errno, "deny-errno", EPERM, "Error that a denied open returns");

/* Two branches: the verifier goes through them for each entry that there can be. */
static __always_inline bool fs_types_same(const struct checmate_name *entry, const __u64 *name)
{
	const __u64 *text = (const __u64 *)entry->text;

	return text[0] == name[0] &&
	       !((text[1] ^ name[1]) | (text[2] ^ name[2]) | (text[3] ^ name[3]));
}

static __always_inline bool fs_types_listed(const struct checmate_names *list, const __u64 *name)
{
	for (__u32 i = 0; i < CHECMATE_TEXT_LIST_MAX; i++) {
		if (i >= list->count)
			return false;
		if (fs_types_same(&list->entry[i], name))
			return true;
	}
	return false;
}

static __always_inline int fs_types_judge(const char *hook, struct file *file)
{
	struct super_block *sb = BPF_CORE_READ(file, f_path.dentry, d_sb);
	const char *type = BPF_CORE_READ(sb, s_type, name);
	__u64 name[CHECMATE_NAME_MAX / sizeof(__u64)] = {};
	const struct checmate_names *list;
	long length;

	length = bpf_probe_read_kernel_str(name, sizeof(name), type);
	/* Deny: the type cannot be read, or has a name that may go on. */
	if (length <= 1 || length >= (long)sizeof(name))
		return checmate_deny(hook, deny_errno);

	list = checmate_list(&types);
	if (list && fs_types_listed(list, name) == (rule == FS_TYPES_ALLOW))
		return checmate_allow();
	/*
	 * Deny: what is not on the list or, by the other rule, what is. By either rule: no
	 * list was put there.
	 */
	return checmate_deny_text(hook, deny_errno, (const char *)name);
}

CHECMATE_HOOK(file_open)
int BPF_PROG(fs_types_open, struct file *file)
{
	/* Allow: a layer of an overlay. The overlay's file is judged by itself. */
	if (checmate_path_mount_layer(BPF_CORE_READ(file, f_path.mnt),
				      BPF_CORE_READ(file, f_path.dentry)))
		return checmate_allow();

	return fs_types_judge("file_open", file);
}

/* A descriptor that another process hands over: SCM_RIGHTS, pidfd_getfd(2). */
CHECMATE_HOOK(file_receive)
int BPF_PROG(fs_types_recv, struct file *file)
{
	/* Allow: pipes, sockets and the like, which nobody opens by a name. */
	if (checmate_path_mount_internal(checmate_path_mount(BPF_CORE_READ(file, f_path.mnt))))
		return checmate_allow();

	return fs_types_judge("file_receive", file);
}
