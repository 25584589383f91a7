// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checmate policies - exec-allow: which files may be executed
 *
 * Executing a file, and mapping one as code, is denied unless its path is on the
 * list and, if so asked, the file is what the image has brought along or root
 * has installed. Paths are kept from meaning something else: no mounting, and no
 * writing to, moving or linking of what is on the list.
 */
#include "checmate-path.bpf.h"

/* The order of the words of "drift". */
enum {
	EXEC_DRIFT_OFF,
	EXEC_DRIFT_IMAGE,
	EXEC_DRIFT_ROOT_OWNED,
};

struct checmate_params {
	CHECMATE_PARAM_PATHS(allow, "allow", "", "Paths below which files may be executed");
	CHECMATE_PARAM_CHOICE(drift, "drift", "off", "off|image|root-owned",
			      "Of these, only files of an overlay's lower layers, or root's alone");
	CHECMATE_PARAM_BOOL(libraries, "libraries", "yes", "Evaluate what is mapped as code, too");
	CHECMATE_PARAM_BOOL(protect, "protect", "yes",
			    "Deny changing the files that may be executed");
	CHECMATE_PARAM_BOOL(mounts, "mounts", "no",
			    "Allow mounting, which can change what a path means");
	CHECMATE_PARAM_ERRNO(deny_errno, "deny-errno", "EPERM", "Error that a denied call returns");
};

CHECMATE_POLICY("exec-allow", "1", "Allow list for executing files, and their origin");

#define PROT_EXEC 4
#define S_IWGRP 0020
#define S_IWOTH 0002

/* The type of overlay filesystems. */
#define EXEC_OVERLAY "overlay"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ovl_inode {
	struct inode vfs_inode;
	struct dentry *__upperdentry;
};

#pragma clang attribute pop

/* Whether nothing of the file is in the overlay's upper layer. */
static __always_inline bool exec_from_image(struct inode *inode)
{
	char type[sizeof(EXEC_OVERLAY)] = {};
	struct ovl_inode *overlay = NULL;
	void *upper = NULL;

	/* Deny: not an overlay, or the type cannot be read. */
	if (bpf_probe_read_kernel_str(type, sizeof(type),
				      BPF_CORE_READ(inode, i_sb, s_type, name)) != sizeof(type) ||
	    __builtin_memcmp(type, EXEC_OVERLAY, sizeof(type)))
		return false;
	/*
	 * Deny: it is not known how an overlay keeps its inodes, since the module
	 * was not there when the policy was loaded, or has no type information.
	 */
	if (!bpf_core_field_exists(overlay->vfs_inode) ||
	    !bpf_core_field_exists(overlay->__upperdentry))
		return false;

	overlay = (void *)inode - bpf_core_field_offset(struct ovl_inode, vfs_inode);
	/* Deny: not readable. */
	if (bpf_core_read(&upper, sizeof(upper), &overlay->__upperdentry))
		return false;
	return !upper;
}

static __always_inline bool exec_roots_alone(struct inode *inode)
{
	unsigned short mode = S_IWOTH;
	__u32 uid = 1;

	/* Deny: not readable. */
	if (BPF_CORE_READ_INTO(&uid, inode, i_uid.val) || BPF_CORE_READ_INTO(&mode, inode, i_mode))
		return false;
	return !uid && !(mode & (S_IWGRP | S_IWOTH));
}

static __always_inline bool exec_original(const struct checmate_self *self, struct dentry *dentry)
{
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);

	switch (self->param->drift) {
	case EXEC_DRIFT_OFF:
		return true;
	case EXEC_DRIFT_IMAGE:
		return exec_from_image(inode);
	case EXEC_DRIFT_ROOT_OWNED:
		return exec_roots_alone(inode);
	default:
		/* Deny: no such choice. */
		return false;
	}
}

/* Whether a file may be executed. */
static __always_inline bool exec_allows(const struct checmate_self *self, struct checmate_path *path)
{
	checmate_path_read(path);
	/* Deny: no path, one that is not on the list, or a file of another origin. */
	return checmate_path_listed(self, path, &self->param->allow) &&
	       exec_original(self, path->file);
}

static __always_inline int exec_judge(const struct checmate_self *self, const char *hook,
				      struct vfsmount *mnt, struct dentry *dentry)
{
	struct checmate_path *path = checmate_path_get();

	/* Deny: no buffer to find the path in. */
	if (!path)
		return checmate_path_deny(self, NULL, hook, self->param->deny_errno);
	checmate_path_begin(path, mnt, dentry);
	if (!exec_allows(self, path))
		return checmate_path_deny(self, path, hook, self->param->deny_errno);
	return checmate_path_allow(path);
}

/* Asked about the file itself, and about each interpreter that it leads to. */
CHECMATE_PROGRAM(bprm_check_security, exec_check, struct linux_binprm *bprm)
{
	return exec_judge(self, "bprm_check_security", BPF_CORE_READ(bprm, file, f_path.mnt),
			  BPF_CORE_READ(bprm, file, f_path.dentry));
}

/* Libraries, the dynamic loader, and what that is told to load as a program. */
CHECMATE_PROGRAM(mmap_file, exec_mmap, struct file *file, unsigned long reqprot, unsigned long prot,
		 unsigned long flags)
{
	/* Allow: not code, or not of a file: see what the policy does not cover. */
	if (!self->param->libraries || !file || !(prot & PROT_EXEC))
		return checmate_allow();
	return exec_judge(self, "mmap_file", BPF_CORE_READ(file, f_path.mnt),
			  BPF_CORE_READ(file, f_path.dentry));
}

CHECMATE_PROGRAM(file_mprotect, exec_mprotect, struct vm_area_struct *vma, unsigned long reqprot,
		 unsigned long prot)
{
	struct file *file = BPF_CORE_READ(vma, vm_file);
	struct backing_file *backing = NULL;
	struct vfsmount *mnt;
	struct dentry *dentry;

	/* Allow: as above. */
	if (!self->param->libraries || !file || !(prot & PROT_EXEC))
		return checmate_allow();

	mnt = BPF_CORE_READ(file, f_path.mnt);
	dentry = BPF_CORE_READ(file, f_path.dentry);
	/*
	 * A mapping of an overlay's file is one of a layer's file, which knows
	 * what it is mapped for, or on older kernels has that for its path.
	 */
	if (checmate_path_mount_layer(mnt, dentry) && bpf_core_field_exists(backing->user_path)) {
		backing = (void *)file - bpf_core_field_offset(struct backing_file, file);
		mnt = BPF_CORE_READ(backing, user_path.mnt);
		dentry = BPF_CORE_READ(backing, user_path.dentry);
	}
	return exec_judge(self, "file_mprotect", mnt, dentry);
}

/* Whether the list is about a change at the path. */
static __always_inline bool exec_changes(const struct checmate_self *self,
					 struct checmate_path *path, __u32 relation)
{
	checmate_path_read(path);
	return checmate_path_touches(self, path, &self->param->allow, relation);
}

/* Whether the list keeps a change at the path from being made. */
static __always_inline int exec_change(const struct checmate_self *self, const char *hook,
				       struct vfsmount *mnt, struct dentry *dentry, __u32 relation)
{
	struct checmate_path *path = checmate_path_get();

	/* Deny: no buffer to find the path in. */
	if (!path)
		return checmate_path_deny(self, NULL, hook, self->param->deny_errno);
	checmate_path_begin(path, mnt, dentry);
	if (exec_changes(self, path, relation))
		return checmate_path_deny(self, path, hook, self->param->deny_errno);
	return checmate_path_allow(path);
}

CHECMATE_PROGRAM(file_open, exec_open, struct file *file)
{
	if (!self->param->protect || !checmate_path_writes(file))
		return checmate_allow();
	return exec_change(self, "file_open", BPF_CORE_READ(file, f_path.mnt),
			   BPF_CORE_READ(file, f_path.dentry), CHECMATE_PATH_BELOW);
}

CHECMATE_PROGRAM(path_rename, exec_rename, const struct path *old_dir, struct dentry *old_dentry,
		 const struct path *new_dir, struct dentry *new_dentry, unsigned int flags)
{
	struct vfsmount *mnt = BPF_CORE_READ(new_dir, mnt);
	int verdict;

	if (!self->param->protect)
		return checmate_allow();
	/* Both ends are of one mount. A directory may bring a listed one along. */
	verdict = exec_change(self, "path_rename", mnt, old_dentry,
			      CHECMATE_PATH_BELOW | CHECMATE_PATH_ABOVE);
	if (verdict != checmate_allow())
		return verdict;
	return exec_change(self, "path_rename", mnt, new_dentry,
			   CHECMATE_PATH_BELOW | CHECMATE_PATH_ABOVE);
}

CHECMATE_PROGRAM(path_link, exec_link, struct dentry *old_dentry, const struct path *new_dir,
		 struct dentry *new_dentry)
{
	struct vfsmount *mnt = BPF_CORE_READ(new_dir, mnt);
	int verdict;

	if (!self->param->protect)
		return checmate_allow();
	/* By another name a listed file could be written to. */
	verdict = exec_change(self, "path_link", mnt, old_dentry, CHECMATE_PATH_BELOW);
	if (verdict != checmate_allow())
		return verdict;
	return exec_change(self, "path_link", mnt, new_dentry, CHECMATE_PATH_BELOW);
}

CHECMATE_PROGRAM(sb_mount, exec_mount, const char *dev_name, const struct path *path,
		 const char *type, unsigned long flags, void *data)
{
	return self->param->mounts ? checmate_allow() :
				     checmate_deny(self, "sb_mount", self->param->deny_errno);
}

CHECMATE_PROGRAM(move_mount, exec_move_mount, const struct path *from_path,
		 const struct path *to_path)
{
	return self->param->mounts ? checmate_allow() :
				     checmate_deny(self, "move_mount", self->param->deny_errno);
}

CHECMATE_PROGRAM(sb_pivotroot, exec_pivot_root, const struct path *old_path,
		 const struct path *new_path)
{
	return self->param->mounts ? checmate_allow() :
				     checmate_deny(self, "sb_pivotroot", self->param->deny_errno);
}
