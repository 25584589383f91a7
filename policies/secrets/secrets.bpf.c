// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checmate policies - secrets: files that only named executables may open
 *
 * Whoever opens a file below the listed paths has to run one of the listed
 * executables. These cannot be written to, replaced or told by the environment
 * to load other code, nor can a process claim to run another executable.
 */
#include "checmate-path.bpf.h"

CHECMATE_POLICY("secrets", "1", "Files that only named executables may open");

CHECMATE_PARAM_PATHS(files, "files", "", "Paths below which only the readers may open files");
CHECMATE_PARAM_PATHS(readers, "readers", "", "Paths of the executables that may; empty: none");
CHECMATE_PARAM_BOOL(secure_exec, "secure-exec", 1,
		    "Run readers as set-user-ID programs are: no LD_PRELOAD and the like");
CHECMATE_PARAM_BOOL(mounts, "mounts", 0, "Allow mounting, which can change what a path means");
CHECMATE_PARAM_ERRNO(deny_errno, "deny-errno", EPERM, "Error that a denied call returns");

#define PR_SET_MM 35
#define PR_SET_MM_EXE_FILE 13
#define PR_SET_MM_MAP 14

#define SECRETS_AROUND (CHECMATE_PATH_BELOW | CHECMATE_PATH_ABOVE)

/* As it is done more than once. */
__noinline int secrets_read(struct checmate_path *path)
{
	if (path)
		checmate_path_read(path);
	return 0;
}

/* Whether the file, an executable, is a reader. */
__noinline int secrets_reads(struct checmate_path *path)
{
	/* Not one: it always is there, which the verifier cannot know. */
	if (!path)
		return 0;
	/* Not one: no executable, one that was deleted, or one that is not listed. */
	secrets_read(path);
	return checmate_path_listed(path, &readers);
}

/*
 * Whether the use of a file, or of its name, is to be denied; @path is then the file's, as
 * read. A change is one that could make other code of a reader: nobody may do that.
 */
__noinline int secrets_denies(struct checmate_path *path, __u32 relation, __u32 change)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct vfsmount *mnt;
	struct dentry *dentry;
	struct file *exe;

	/* Deny: as above. */
	if (!path)
		return 1;
	checmate_path_read(path);
	if (change && checmate_path_touches(path, &readers, relation))
		return 1;
	if (!checmate_path_touches(path, &files, relation))
		return 0;

	mnt = path->file_mnt;
	dentry = path->file;
	exe = BPF_CORE_READ(task, mm, exe_file);
	checmate_path_begin(path, BPF_CORE_READ(exe, f_path.mnt), BPF_CORE_READ(exe, f_path.dentry));
	if (secrets_reads(path))
		return 0;

	/* Deny, and tell of the file. */
	checmate_path_begin(path, mnt, dentry);
	secrets_read(path);
	return 1;
}

static __always_inline int secrets_judge(const char *hook, struct vfsmount *mnt,
					 struct dentry *dentry, __u32 relation, bool change)
{
	struct checmate_path *path = checmate_path_get();

	/* Deny: no buffer to find the path in. */
	if (!path)
		return checmate_path_deny(NULL, hook, deny_errno);
	checmate_path_begin(path, mnt, dentry);
	if (secrets_denies(path, relation, change))
		return checmate_path_deny(path, hook, deny_errno);
	return checmate_path_allow(path);
}

static __always_inline int secrets_use(const char *hook, struct file *file)
{
	return secrets_judge(hook, BPF_CORE_READ(file, f_path.mnt),
			     BPF_CORE_READ(file, f_path.dentry), CHECMATE_PATH_BELOW,
			     checmate_path_writes(file));
}

CHECMATE_HOOK(file_open)
int BPF_PROG(secrets_open, struct file *file)
{
	return secrets_use("file_open", file);
}

/* A descriptor that another process hands over: SCM_RIGHTS, pidfd_getfd(2). */
CHECMATE_HOOK(file_receive)
int BPF_PROG(secrets_receive, struct file *file)
{
	return secrets_use("file_receive", file);
}

CHECMATE_HOOK(path_link)
int BPF_PROG(secrets_link, struct dentry *old_dentry, const struct path *new_dir,
	     struct dentry *new_dentry)
{
	struct vfsmount *mnt = BPF_CORE_READ(new_dir, mnt);
	int verdict;

	/* Both names are of one mount. */
	verdict = secrets_judge("path_link", mnt, old_dentry, CHECMATE_PATH_BELOW, true);
	if (verdict != checmate_allow())
		return verdict;
	return secrets_judge("path_link", mnt, new_dentry, CHECMATE_PATH_BELOW, true);
}

CHECMATE_HOOK(path_rename)
int BPF_PROG(secrets_rename, const struct path *old_dir, struct dentry *old_dentry,
	     const struct path *new_dir, struct dentry *new_dentry, unsigned int flags)
{
	struct vfsmount *mnt = BPF_CORE_READ(new_dir, mnt);
	int verdict;

	/* Both ends are of one mount. A directory takes along what is below it. */
	verdict = secrets_judge("path_rename", mnt, old_dentry, SECRETS_AROUND, true);
	if (verdict != checmate_allow())
		return verdict;
	return secrets_judge("path_rename", mnt, new_dentry, SECRETS_AROUND, true);
}

/* A reader's environment is of whoever starts it. */
CHECMATE_HOOK(bprm_check_security)
int BPF_PROG(secrets_exec, struct linux_binprm *bprm)
{
	struct checmate_path *path;
	struct file *file;

	/* Allow: not wanted, or nothing is to be enforced. */
	if (!secure_exec || (checmate_self.flags & CHECMATE_SELF_PERMISSIVE))
		return checmate_allow();
	path = checmate_path_get();
	/* Deny: no buffer to find the path in. */
	if (!path)
		return checmate_path_deny(NULL, "bprm_check_security", deny_errno);
	file = BPF_CORE_READ(bprm, file);
	checmate_path_begin(path, BPF_CORE_READ(file, f_path.mnt),
			    BPF_CORE_READ(file, f_path.dentry));
	/* Deny: it would run as somebody else has prepared it. */
	if (secrets_reads(path) && bpf_bprm_opts_set(bprm, BPF_F_BPRM_SECUREEXEC))
		return checmate_path_deny(path, "bprm_check_security", deny_errno);
	return checmate_path_allow(path);
}

/* What a process says it executes is no matter of its own. */
CHECMATE_HOOK(task_prctl)
int BPF_PROG(secrets_prctl, int option, unsigned long arg2, unsigned long arg3, unsigned long arg4,
	     unsigned long arg5)
{
	if (option == PR_SET_MM && (arg2 == PR_SET_MM_EXE_FILE || arg2 == PR_SET_MM_MAP))
		return checmate_deny("task_prctl", deny_errno);
	return checmate_allow();
}

CHECMATE_HOOK(sb_mount)
int BPF_PROG(secrets_mount, const char *dev_name, const struct path *path, const char *type,
	     unsigned long flags, void *data)
{
	return mounts ? checmate_allow() : checmate_deny("sb_mount", deny_errno);
}

CHECMATE_HOOK(move_mount)
int BPF_PROG(secrets_move, const struct path *from_path, const struct path *to_path)
{
	return mounts ? checmate_allow() : checmate_deny("move_mount", deny_errno);
}

CHECMATE_HOOK(sb_pivotroot)
int BPF_PROG(secrets_pivot, const struct path *old_path, const struct path *new_path)
{
	return mounts ? checmate_allow() : checmate_deny("sb_pivotroot", deny_errno);
}
