// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checmate policies - fs-protect: paths that are not to be changed, or not to be
 * opened at all
 *
 * Below the paths of the one list nothing is written, made, moved or removed;
 * what is below those of the other is not read either. Directories above them
 * are not moved, and mounting, which changes what a path means, is denied.
 */
#include "checmate-path.bpf.h"

struct checmate_params {
	CHECMATE_PARAM_PATHS(read_only, "read-only", "", "Paths below which nothing can be changed");
	CHECMATE_PARAM_PATHS(unreadable, "unreadable", "",
			     "Paths below which nothing can be opened or changed");
	CHECMATE_PARAM_BOOL(mounts, "mounts", "no",
			    "Allow mounting, which can change what a path means");
	CHECMATE_PARAM_ERRNO(deny_errno, "deny-errno", "EPERM", "Error that a denied call returns");
};

CHECMATE_POLICY("fs-protect", "1", "Paths that cannot be changed, or neither changed nor read");

#define FS_BELOW CHECMATE_PATH_BELOW
#define FS_AROUND (CHECMATE_PATH_BELOW | CHECMATE_PATH_ABOVE)

#define MS_REMOUNT (1UL << 5)
#define MS_BIND (1UL << 12)
/* MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE, MS_SHARED */
#define MS_PROPAGATION (0xfUL << 17)

/* Whether the lists are about a change at the path. */
static __always_inline bool fs_changes(const struct checmate_self *self, struct checmate_path *path,
				       __u32 relation)
{
	checmate_path_read(path);
	return checmate_path_touches(self, path, &self->param->read_only, relation) ||
	       checmate_path_touches(self, path, &self->param->unreadable, relation);
}

/* Whether they are about the use of a file as it was opened. */
static __always_inline bool fs_uses(const struct checmate_self *self, struct checmate_path *path,
				    bool writes)
{
	checmate_path_read(path);
	return checmate_path_touches(self, path, &self->param->unreadable, FS_BELOW) ||
	       (writes && checmate_path_touches(self, path, &self->param->read_only, FS_BELOW));
}

/* Whether the lists keep a change at the path from being made. */
static __always_inline int fs_change(const struct checmate_self *self, const char *hook,
				     struct vfsmount *mnt, struct dentry *dentry, __u32 relation)
{
	struct checmate_path *path = checmate_path_get();

	/* Deny: no buffer to find the path in. */
	if (!path)
		return checmate_path_deny(self, NULL, hook, self->param->deny_errno);
	checmate_path_begin(path, mnt, dentry);
	if (fs_changes(self, path, relation))
		return checmate_path_deny(self, path, hook, self->param->deny_errno);
	return checmate_path_allow(path);
}

/* The same for an entry of a directory. */
static __always_inline int fs_change_in(const struct checmate_self *self, const char *hook,
					const struct path *dir, struct dentry *dentry,
					__u32 relation)
{
	return fs_change(self, hook, BPF_CORE_READ(dir, mnt), dentry, relation);
}

/* The same for what a path leads to. */
static __always_inline int fs_change_at(const struct checmate_self *self, const char *hook,
					const struct path *path, __u32 relation)
{
	return fs_change(self, hook, BPF_CORE_READ(path, mnt), BPF_CORE_READ(path, dentry),
			 relation);
}

/* Whether the lists let a file be used as it was opened. */
static __always_inline int fs_use(const struct checmate_self *self, const char *hook,
				  struct file *file)
{
	struct checmate_path *path = checmate_path_get();

	/* Deny: no buffer to find the path in. */
	if (!path)
		return checmate_path_deny(self, NULL, hook, self->param->deny_errno);
	checmate_path_begin(path, BPF_CORE_READ(file, f_path.mnt),
			    BPF_CORE_READ(file, f_path.dentry));
	if (fs_uses(self, path, checmate_path_writes(file)))
		return checmate_path_deny(self, path, hook, self->param->deny_errno);
	return checmate_path_allow(path);
}

CHECMATE_PROGRAM(file_open, fs_open, struct file *file)
{
	return fs_use(self, "file_open", file);
}

/* A descriptor that another process hands over: SCM_RIGHTS, pidfd_getfd(2). */
CHECMATE_PROGRAM(file_receive, fs_receive, struct file *file)
{
	return fs_use(self, "file_receive", file);
}

/* O_CREAT that makes a file is asked about as this. */
CHECMATE_PROGRAM(path_mknod, fs_mknod, const struct path *dir, struct dentry *dentry,
		 unsigned short mode, unsigned int dev)
{
	return fs_change_in(self, "path_mknod", dir, dentry, FS_BELOW);
}

CHECMATE_PROGRAM(path_mkdir, fs_mkdir, const struct path *dir, struct dentry *dentry,
		 unsigned short mode)
{
	return fs_change_in(self, "path_mkdir", dir, dentry, FS_BELOW);
}

CHECMATE_PROGRAM(path_symlink, fs_symlink, const struct path *dir, struct dentry *dentry,
		 const char *old_name)
{
	/* Above as well: it would lead the path to elsewhere. */
	return fs_change_in(self, "path_symlink", dir, dentry, FS_AROUND);
}

CHECMATE_PROGRAM(path_link, fs_link, struct dentry *old_dentry, const struct path *new_dir,
		 struct dentry *new_dentry)
{
	/* By another name the file could be opened. Both names are of one mount. */
	int verdict = fs_change_in(self, "path_link", new_dir, old_dentry, FS_BELOW);

	if (verdict != checmate_allow())
		return verdict;
	return fs_change_in(self, "path_link", new_dir, new_dentry, FS_BELOW);
}

CHECMATE_PROGRAM(path_unlink, fs_unlink, const struct path *dir, struct dentry *dentry)
{
	return fs_change_in(self, "path_unlink", dir, dentry, FS_BELOW);
}

CHECMATE_PROGRAM(path_rmdir, fs_rmdir, const struct path *dir, struct dentry *dentry)
{
	return fs_change_in(self, "path_rmdir", dir, dentry, FS_AROUND);
}

CHECMATE_PROGRAM(path_rename, fs_rename, const struct path *old_dir, struct dentry *old_dentry,
		 const struct path *new_dir, struct dentry *new_dentry, unsigned int flags)
{
	/* A directory would take along what is below it. */
	int verdict = fs_change_in(self, "path_rename", old_dir, old_dentry, FS_AROUND);

	if (verdict != checmate_allow())
		return verdict;
	return fs_change_in(self, "path_rename", new_dir, new_dentry, FS_AROUND);
}

CHECMATE_PROGRAM(path_chmod, fs_chmod, const struct path *path, unsigned short mode)
{
	return fs_change_at(self, "path_chmod", path, FS_BELOW);
}

CHECMATE_PROGRAM(path_chown, fs_chown, const struct path *path)
{
	return fs_change_at(self, "path_chown", path, FS_BELOW);
}

CHECMATE_PROGRAM(path_truncate, fs_truncate, const struct path *path)
{
	return fs_change_at(self, "path_truncate", path, FS_BELOW);
}

CHECMATE_PROGRAM(sb_mount, fs_mount, const char *dev_name, const struct path *path,
		 const char *type, unsigned long flags, void *data)
{
	if (!self->param->mounts)
		return checmate_deny(self, "sb_mount", self->param->deny_errno);
	/* Allow: how mounts propagate changes no path. The kernel looks at the others first. */
	if ((flags & MS_PROPAGATION) && !(flags & (MS_REMOUNT | MS_BIND)))
		return checmate_allow();
	return fs_change_at(self, "sb_mount", path, FS_AROUND);
}

CHECMATE_PROGRAM(move_mount, fs_move_mount, const struct path *from_path, const struct path *to_path)
{
	if (!self->param->mounts)
		return checmate_deny(self, "move_mount", self->param->deny_errno);
	return fs_change_at(self, "move_mount", to_path, FS_AROUND);
}

CHECMATE_PROGRAM(sb_umount, fs_umount, struct vfsmount *mnt, int flags)
{
	if (!self->param->mounts)
		return checmate_deny(self, "sb_umount", self->param->deny_errno);
	return fs_change(self, "sb_umount", mnt, BPF_CORE_READ(mnt, mnt_root), FS_AROUND);
}

CHECMATE_PROGRAM(sb_pivotroot, fs_pivot_root, const struct path *old_path,
		 const struct path *new_path)
{
	return self->param->mounts ? checmate_allow() :
				     checmate_deny(self, "sb_pivotroot", self->param->deny_errno);
}
