// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checmate policies - secrets: files that only named executables may open
 *
 * Whoever opens a file below the listed paths has to run one of the listed
 * executables. These cannot be written to, replaced or told by the environment
 * to load other code, nor can a process claim to run another executable.
 */
#include "checmate-path.bpf.h"

struct checmate_params {
	CHECMATE_PARAM_PATHS(files, "files", "",
			     "Paths below which only the readers may open files");
	CHECMATE_PARAM_PATHS(readers, "readers", "",
			     "Paths of the executables that may; empty: none");
	CHECMATE_PARAM_BOOL(secure_exec, "secure-exec", "yes",
			    "Run readers as set-user-ID programs are: no LD_PRELOAD and the like");
	CHECMATE_PARAM_BOOL(mounts, "mounts", "no",
			    "Allow mounting, which can change what a path means");
	CHECMATE_PARAM_ERRNO(deny_errno, "deny-errno", "EPERM", "Error that a denied call returns");
};

CHECMATE_POLICY("secrets", "1", "Files that only named executables may open");

#define PR_SET_MM 35
#define PR_SET_MM_EXE_FILE 13
#define PR_SET_MM_MAP 14

#define SECRETS_AROUND (CHECMATE_PATH_BELOW | CHECMATE_PATH_ABOVE)

/* Whether the file, an executable, is a reader. */
static __always_inline bool secrets_reads(const struct checmate_self *self,
					  struct checmate_path *path)
{
	/* Not one: no executable, one that was deleted, or one that is not listed. */
	checmate_path_read(path);
	return checmate_path_listed(self, path, &self->param->readers);
}

/*
 * Whether the use of a file, or of its name, is to be denied; @path is then the file's, as
 * read. A change is one that could make other code of a reader: nobody may do that.
 */
static __always_inline bool secrets_denies(const struct checmate_self *self,
					   struct checmate_path *path, __u32 relation, bool change)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct vfsmount *mnt;
	struct dentry *dentry;
	struct file *exe;

	checmate_path_read(path);
	if (change && checmate_path_touches(self, path, &self->param->readers, relation))
		return true;
	if (!checmate_path_touches(self, path, &self->param->files, relation))
		return false;

	mnt = path->file_mnt;
	dentry = path->file;
	exe = BPF_CORE_READ(task, mm, exe_file);
	checmate_path_begin(path, BPF_CORE_READ(exe, f_path.mnt), BPF_CORE_READ(exe, f_path.dentry));
	if (secrets_reads(self, path))
		return false;

	/* Deny, and tell of the file. */
	checmate_path_begin(path, mnt, dentry);
	checmate_path_read(path);
	return true;
}

static __always_inline int secrets_judge(const struct checmate_self *self, const char *hook,
					 struct vfsmount *mnt, struct dentry *dentry,
					 __u32 relation, bool change)
{
	struct checmate_path *path = checmate_path_get();

	/* Deny: no buffer to find the path in. */
	if (!path)
		return checmate_path_deny(self, NULL, hook, self->param->deny_errno);
	checmate_path_begin(path, mnt, dentry);
	if (secrets_denies(self, path, relation, change))
		return checmate_path_deny(self, path, hook, self->param->deny_errno);
	return checmate_path_allow(path);
}

static __always_inline int secrets_use(const struct checmate_self *self, const char *hook,
				       struct file *file)
{
	return secrets_judge(self, hook, BPF_CORE_READ(file, f_path.mnt),
			     BPF_CORE_READ(file, f_path.dentry), CHECMATE_PATH_BELOW,
			     checmate_path_writes(file));
}

CHECMATE_PROGRAM(file_open, secrets_open, struct file *file)
{
	return secrets_use(self, "file_open", file);
}

/* A descriptor that another process hands over: SCM_RIGHTS, pidfd_getfd(2). */
CHECMATE_PROGRAM(file_receive, secrets_receive, struct file *file)
{
	return secrets_use(self, "file_receive", file);
}

CHECMATE_PROGRAM(path_link, secrets_link, struct dentry *old_dentry, const struct path *new_dir,
		 struct dentry *new_dentry)
{
	struct vfsmount *mnt = BPF_CORE_READ(new_dir, mnt);
	int verdict;

	/* Both names are of one mount. */
	verdict = secrets_judge(self, "path_link", mnt, old_dentry, CHECMATE_PATH_BELOW, true);
	if (verdict != checmate_allow())
		return verdict;
	return secrets_judge(self, "path_link", mnt, new_dentry, CHECMATE_PATH_BELOW, true);
}

CHECMATE_PROGRAM(path_rename, secrets_rename, const struct path *old_dir, struct dentry *old_dentry,
		 const struct path *new_dir, struct dentry *new_dentry, unsigned int flags)
{
	struct vfsmount *mnt = BPF_CORE_READ(new_dir, mnt);
	int verdict;

	/* Both ends are of one mount. A directory takes along what is below it. */
	verdict = secrets_judge(self, "path_rename", mnt, old_dentry, SECRETS_AROUND, true);
	if (verdict != checmate_allow())
		return verdict;
	return secrets_judge(self, "path_rename", mnt, new_dentry, SECRETS_AROUND, true);
}

/* A reader's environment is of whoever starts it. */
CHECMATE_PROGRAM(bprm_check_security, secrets_exec, struct linux_binprm *bprm)
{
	struct checmate_path *path;
	struct file *file;

	/* Allow: not wanted, or nothing is to be enforced. */
	if (!self->param->secure_exec || (self->head->flags & CHECMATE_HEAD_PERMISSIVE))
		return checmate_allow();
	path = checmate_path_get();
	/* Deny: no buffer to find the path in. */
	if (!path)
		return checmate_path_deny(self, NULL, "bprm_check_security",
					  self->param->deny_errno);
	file = BPF_CORE_READ(bprm, file);
	checmate_path_begin(path, BPF_CORE_READ(file, f_path.mnt),
			    BPF_CORE_READ(file, f_path.dentry));
	/* Deny: it would run as somebody else has prepared it. */
	if (secrets_reads(self, path) && bpf_bprm_opts_set(bprm, BPF_F_BPRM_SECUREEXEC))
		return checmate_path_deny(self, path, "bprm_check_security",
					  self->param->deny_errno);
	return checmate_path_allow(path);
}

/* What a process says it executes is no matter of its own. */
CHECMATE_PROGRAM(task_prctl, secrets_prctl, int option, unsigned long arg2, unsigned long arg3,
		 unsigned long arg4, unsigned long arg5)
{
	if (option == PR_SET_MM && (arg2 == PR_SET_MM_EXE_FILE || arg2 == PR_SET_MM_MAP))
		return checmate_deny(self, "task_prctl", self->param->deny_errno);
	return checmate_allow();
}

CHECMATE_PROGRAM(sb_mount, secrets_mount, const char *dev_name, const struct path *path,
		 const char *type, unsigned long flags, void *data)
{
	return self->param->mounts ? checmate_allow() :
				     checmate_deny(self, "sb_mount", self->param->deny_errno);
}

CHECMATE_PROGRAM(move_mount, secrets_move, const struct path *from_path, const struct path *to_path)
{
	return self->param->mounts ? checmate_allow() :
				     checmate_deny(self, "move_mount", self->param->deny_errno);
}

CHECMATE_PROGRAM(sb_pivotroot, secrets_pivot, const struct path *old_path,
		 const struct path *new_path)
{
	return self->param->mounts ? checmate_allow() :
				     checmate_deny(self, "sb_pivotroot", self->param->deny_errno);
}
