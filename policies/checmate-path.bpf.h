/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Checmate policies - Judging files by their paths
 *
 * A path here is what leads to a file from the root of the mount namespace of
 * the running task. It is built from the file: names up to the root of the
 * mount, the name of the place where that is mounted, and so on. A symbolic
 * link, "..", /proc/self/fd/N, the working directory and a chroot thus change
 * nothing; bind mounts and pivot_root do, as mounts are what gives a file its
 * path. Policies that rely on paths deny mounting.
 *
 * A file can have no path:
 *
 *   deleted     no name leads to it; the one it had last is told
 *   internal    it is in a file system that only the kernel mounts: memfd,
 *               pipes, sockets; or below an overlay, whose own file was judged
 *   unknown     its mount is in no namespace or in another one, the path has
 *               more than CHECMATE_PATH_ROOM bytes, or it could not be read
 *
 * Some filesystems find a file by several names: in another case, or by 8.3. A dentry has
 * the name that was used. From such a name on, the path is uncertain: it lies on every deny
 * list that has an entry further down, and on no allow list.
 *
 * Names are read while others may rename. The name and the parent of a dentry
 * are of one moment; those of different dentries need not be. That gains
 * nothing: a path so composed needs each of its directories to have been in the
 * next one, and who may arrange that could have put the file itself there.
 */
#ifndef CHECMATE_PATH_BPF_H
#define CHECMATE_PATH_BPF_H

#include "checmate.bpf.h"

/* Bytes of a path with its last '/'; a power of 2. */
#define CHECMATE_PATH_ROOM 4096
/* Longest name, plus 1; a power of 2. */
#define CHECMATE_PATH_NAME_MAX 256
/* Steps to the root: names and mounts. */
#define CHECMATE_PATH_STEPS_MAX 4096

#define CHECMATE_FMODE_WRITE 0x2 /* FMODE_WRITE */
#define CHECMATE_O_TRUNC 01000 /* O_TRUNC */
#define CHECMATE_SB_KERNMOUNT (1 << 22) /* SB_KERNMOUNT */
#define CHECMATE_DCACHE_OP_COMPARE (1 << 1) /* DCACHE_OP_COMPARE */
#define CHECMATE_S_CASEFOLD (1 << 15) /* S_CASEFOLD */
#define CHECMATE_PROC_SUPER_MAGIC 0x9fa0 /* PROC_SUPER_MAGIC */
#define CHECMATE_NTFS3_SUPER_MAGIC 0x7366746e /* of fs/ntfs3, which has 8.3 names */

/* --- paths ----------------------------------------------------------------- */

enum checmate_path_kind {
	CHECMATE_PATH_UNKNOWN,
	CHECMATE_PATH_NAMED,
	CHECMATE_PATH_DELETED,
	CHECMATE_PATH_INTERNAL,
};

/* How a path lies to the prefixes of a list; any of them. */
#define CHECMATE_PATH_BELOW (1U << 0) /* it is one of them, or below */
#define CHECMATE_PATH_ABOVE (1U << 1) /* one of them is below it */
#define CHECMATE_PATH_DIFFERS (1U << 2) /* while one is looked at: not this one */
#define CHECMATE_PATH_FAILED (1U << 3) /* it cannot be told */
#define CHECMATE_PATH_UNCERTAIN (1U << 4) /* it may be any of these, by another name */

/*
 * A path, and what it takes to build and match one. All that changes from step
 * to step is in here and not on the stack: kernels differ in what they take
 * for granted of a stack that a callback of bpf_loop() changes.
 *
 * checmate_path_read() and checmate_path_match() are not static. The verifier goes through
 * them once in each program, and does not remember there what a member holds; nor which of
 * the two maps below it is from.
 */
struct checmate_path {
	__u32 busy;
	__u32 kind;
	__u32 start; /* of the path in @text */
	__u32 certain; /* where in @text the certain part has its last '/' */
	__u32 relation;
	/* The file, and the mount that it was reached by. */
	struct vfsmount *file_mnt;
	struct dentry *file;
	/* Where it has got to. */
	struct dentry *dentry;
	struct mount *mount;
	struct mnt_namespace *ns;
	/*
	 * Built from the end, which is a '/' at CHECMATE_PATH_ROOM - 1. What
	 * follows is written by no complete path, and stays 0.
	 */
	char text[CHECMATE_PATH_ROOM + CHECMATE_PATH_NAME_MAX];
	/* The beginning of the path, filled up with 0. */
	__u64 head[CHECMATE_PATH_MAX / sizeof(__u64)];
};

/*
 * Where paths are built. A program may be preempted, though not moved to another
 * CPU, and the next task on this CPU may run a program of the same policy: so a
 * buffer is claimed until the program is done with it. Who comes meanwhile has one
 * of its own, which its task keeps. Interrupts do not come here, and no program
 * runs inside of another one of the same task.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct checmate_path);
} checmate_paths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct checmate_path);
} checmate_task SEC(".maps");

/**
 * checmate_path_get() - Claim a buffer.
 *
 * Return: the buffer, to be given back by checmate_path_put(), or NULL when there
 * is no memory: deny.
 */
static __always_inline struct checmate_path *checmate_path_get(void)
{
	struct checmate_path *path;
	__u32 zero = 0;

	path = bpf_map_lookup_elem(&checmate_paths, &zero);
	if (path && !__sync_val_compare_and_swap(&path->busy, 0, 1))
		return path;
	return bpf_task_storage_get(&checmate_task, bpf_get_current_task_btf(), NULL,
				    BPF_LOCAL_STORAGE_GET_F_CREATE);
}

/* Of a task's own buffer nobody asks whether it is busy. */
static __always_inline void checmate_path_put(struct checmate_path *path)
{
	__sync_val_compare_and_swap(&path->busy, 1, 0);
}

/* What the callbacks of bpf_loop() get, by way of the stack. */
struct checmate_path_walk {
	struct checmate_path *path;
	const struct checmate_self *self;
	const struct checmate_list *list;
};

static __always_inline struct mount *checmate_path_mount(struct vfsmount *mnt)
{
	return (void *)mnt - bpf_core_field_offset(struct mount, mnt);
}

/* Whether only the kernel has mounted it: an error pointer for a namespace. */
static __always_inline bool checmate_path_mount_internal(struct mount *mount)
{
	return (unsigned long)BPF_CORE_READ(mount, mnt_ns) >= (unsigned long)-4095;
}

/*
 * Whether it is a layer of an overlay: a mount that is the kernel's own, of a
 * filesystem that is not.
 */
static __always_inline bool checmate_path_mount_layer(struct vfsmount *mnt, struct dentry *dentry)
{
	return checmate_path_mount_internal(checmate_path_mount(mnt)) &&
	       !(BPF_CORE_READ(dentry, d_sb, s_flags) & CHECMATE_SB_KERNMOUNT);
}

/* Whether @parent finds @dentry by other names, too. */
static __always_inline bool checmate_path_aliased(struct dentry *dentry, struct dentry *parent)
{
	struct super_block *sb = BPF_CORE_READ(dentry, d_sb);
	unsigned long magic = BPF_CORE_READ(sb, s_magic);

	if (magic == CHECMATE_NTFS3_SUPER_MAGIC)
		return true;
	/* /proc/sys has d_compare() to hide entries; each has one name. */
	if (!(BPF_CORE_READ(dentry, d_flags) & CHECMATE_DCACHE_OP_COMPARE) ||
	    magic == CHECMATE_PROC_SUPER_MAGIC)
		return false;
	/* With an encoding, only directories with the flag fold case. */
	if (bpf_core_field_exists(sb->s_encoding) && BPF_CORE_READ(sb, s_encoding))
		return BPF_CORE_READ(parent, d_inode, i_flags) & CHECMATE_S_CASEFOLD;
	return true;
}

/* From the root of a mount to where it is mounted. Returns 1 at the end. */
static __always_inline long checmate_path_leave(struct checmate_path *path, struct mount *mount)
{
	struct mount *parent = BPF_CORE_READ(mount, mnt_parent);
	struct dentry *mountpoint = BPF_CORE_READ(mount, mnt_mountpoint);
	struct mnt_namespace *ns = BPF_CORE_READ(mount, mnt_ns);

	if (checmate_path_mount_internal(mount)) {
		path->kind = CHECMATE_PATH_INTERNAL;
		return 1;
	}
	/* Unknown: elsewhere, or nowhere. A task without a namespace ends here too. */
	if (!ns || ns != path->ns)
		return 1;
	if (parent == mount) {
		path->kind = CHECMATE_PATH_NAMED;
		return 1;
	}
	/* Unknown: moved meanwhile, or not readable. */
	if (!parent || parent != BPF_CORE_READ(mount, mnt_parent))
		return 1;

	path->mount = parent;
	path->dentry = mountpoint;
	return 0;
}

/* A step towards the root; returns 1 to end. */
static long checmate_path_step(__u32 index, struct checmate_path_walk *walk)
{
	struct checmate_path *path = walk->path;
	struct dentry *parent, *dentry = path->dentry;
	struct mount *mount = path->mount;
	const unsigned char *name;
	__u32 sequence, start, len;

	if (dentry == BPF_CORE_READ(mount, mnt.mnt_root))
		return checmate_path_leave(path, mount);

	sequence = BPF_CORE_READ(dentry, d_seq.seqcount.sequence);
	parent = BPF_CORE_READ(dentry, d_parent);
	len = BPF_CORE_READ(dentry, d_name.len);
	name = BPF_CORE_READ(dentry, d_name.name);
	start = path->start;

	/* Unknown: a root, but not that of the mount; or not readable. */
	if (!parent || parent == dentry)
		return 1;
	/* Unknown: no such name; or too long a path. */
	if (!len || len >= CHECMATE_PATH_NAME_MAX || start >= CHECMATE_PATH_ROOM || start <= len)
		return 1;

	start -= len;
	/* The verifier has to see the bounds at the very use. */
	barrier_var(start);
	barrier_var(len);
	/* Unknown: not readable. */
	if (bpf_probe_read_kernel(&path->text[start & (CHECMATE_PATH_ROOM - 1)],
				  len & (CHECMATE_PATH_NAME_MAX - 1), name))
		return 1;
	/* Renamed meanwhile: the same step again. The steps are counted. */
	if ((sequence & 1) || sequence != BPF_CORE_READ(dentry, d_seq.seqcount.sequence))
		return 0;

	start--;
	path->text[start & (CHECMATE_PATH_ROOM - 1)] = '/';
	path->start = start;
	if (checmate_path_aliased(dentry, parent))
		path->certain = start;
	path->dentry = parent;
	return 0;
}

/**
 * checmate_path_begin() - Say which file's path is meant.
 * @path: a claimed buffer; what it held before is gone.
 * @mnt: the mount the file was reached by.
 * @dentry: the file.
 */
static __always_inline void checmate_path_begin(struct checmate_path *path, struct vfsmount *mnt,
						struct dentry *dentry)
{
	path->file_mnt = mnt;
	path->file = dentry;
}

/**
 * checmate_path_read() - Find the path of the file.
 * @path: a buffer with which it was begun. What came of it is in @path->kind.
 *
 * Return: 0.
 */
__noinline int checmate_path_read(struct checmate_path *path)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct checmate_path_walk walk = { .path = path };
	struct dentry *dentry;

	/* It is never NULL, which the verifier cannot know. */
	if (!path)
		return 0;
	dentry = path->file;
	path->kind = CHECMATE_PATH_UNKNOWN;
	path->start = CHECMATE_PATH_ROOM - 1;
	path->certain = CHECMATE_PATH_ROOM - 1;
	path->text[CHECMATE_PATH_ROOM - 1] = '/';
	path->dentry = dentry;
	path->mount = checmate_path_mount(path->file_mnt);
	path->ns = BPF_CORE_READ(task, nsproxy, mnt_ns);

	/* Unknown stays what takes too many steps. */
	bpf_loop(CHECMATE_PATH_STEPS_MAX, checmate_path_step, &walk, 0);

	if (path->kind == CHECMATE_PATH_NAMED && !BPF_CORE_READ(dentry, d_hash.pprev) &&
	    dentry != BPF_CORE_READ(dentry, d_parent))
		path->kind = CHECMATE_PATH_DELETED;
	/* Unknown: there would be no beginning to match. */
	if (bpf_probe_read_kernel(path->head, sizeof(path->head),
				  &path->text[path->start & (CHECMATE_PATH_ROOM - 1)]))
		path->kind = CHECMATE_PATH_UNKNOWN;
	return 0;
}

/* Whether the file can be written to, or is emptied by opening it. */
static __always_inline bool checmate_path_writes(struct file *file)
{
	return (BPF_CORE_READ(file, f_mode) & CHECMATE_FMODE_WRITE) ||
	       (BPF_CORE_READ(file, f_flags) & CHECMATE_O_TRUNC);
}

/* The first @bytes of a word, in the order of memory; 8 and more are all. */
static __always_inline __u64 checmate_path_mask(__u32 bytes)
{
	if (bytes >= sizeof(__u64))
		return ~0ULL;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (1ULL << (bytes * 8)) - 1;
#else
	return ~(~0ULL >> (bytes * 8));
#endif
}

/* What is compared with an entry of a list. */
struct checmate_path_compare {
	struct checmate_path *path;
	const struct checmate_path_prefix *entry;
	__u32 common; /* bytes that both have */
};

/* Compares one word; returns 1 to end. */
static long checmate_path_compare_word(__u32 index, struct checmate_path_compare *compare)
{
	struct checmate_path *path = compare->path;
	__u32 done;
	__u64 word;

	if (index >= CHECMATE_PATH_MAX / sizeof(__u64))
		return 1;
	done = index * sizeof(__u64);
	if (done >= compare->common)
		return 1;
	word = *(const __u64 *)&compare->entry->text[done];
	if (!((path->head[index] ^ word) & checmate_path_mask(compare->common - done)))
		return 0;
	path->relation |= CHECMATE_PATH_DIFFERS;
	return 1;
}

/*
 * Adds to @path->relation how the path lies to an entry of a list; returns -1 if it cannot be
 * told. Neither is NULL, which the verifier cannot know. With a const entry, of which there
 * are pointers elsewhere, clang would not tell what that is.
 */
__noinline int checmate_path_match(struct checmate_path *path, struct checmate_path_prefix *entry)
{
	struct checmate_path_compare compare = { .path = path, .entry = entry };
	__u32 length;

	if (!path || !entry)
		return -1;
	length = path->certain + 1 - path->start;
	compare.common = length < entry->length ? length : entry->length;
	path->relation &= ~CHECMATE_PATH_DIFFERS;
	if (bpf_loop(CHECMATE_PATH_MAX / sizeof(__u64), checmate_path_compare_word, &compare, 0) < 0)
		return -1;
	if (path->relation & CHECMATE_PATH_DIFFERS)
		return 0;

	if (length >= entry->length)
		path->relation |= CHECMATE_PATH_BELOW;
	else if (path->certain == CHECMATE_PATH_ROOM - 1)
		path->relation |= CHECMATE_PATH_ABOVE;
	else
		path->relation |= CHECMATE_PATH_UNCERTAIN;
	return 0;
}

/* One row of a search; returns 1 to end it. */
static long checmate_path_match_row(__u32 index, struct checmate_path_walk *walk)
{
	const union checmate_row *row = checmate_row(walk->self, walk->list->row + index);

	/* The instance lacks a row that the list names: it cannot be right. */
	if (row && !checmate_path_match(walk->path, (void *)&row->path[0]))
		return 0;
	walk->path->relation |= CHECMATE_PATH_FAILED;
	return 1;
}

/* Sets @path->relation; returns -1 if a search failed. */
static __always_inline int checmate_path_relate(const struct checmate_self *self,
						struct checmate_path *path,
						const struct checmate_list *list)
{
	struct checmate_path_walk walk = { .path = path, .self = self, .list = list };

	path->relation = 0;
	if (bpf_loop(list->count, checmate_path_match_row, &walk, 0) < 0)
		return -1;
	return path->relation & CHECMATE_PATH_FAILED ? -1 : 0;
}

/**
 * checmate_path_listed() - Whether an allow list contains the path.
 * @self: the binding.
 * @path: the path, as read.
 * @list: a CHECMATE_PARAM_PATHS of the binding.
 *
 * Return: true only if the file has a path and the certain part of it is below an entry.
 */
static __always_inline bool checmate_path_listed(const struct checmate_self *self,
						 struct checmate_path *path,
						 const struct checmate_list *list)
{
	if (path->kind != CHECMATE_PATH_NAMED)
		return false;
	/* Deny: a search failed. */
	if (checmate_path_relate(self, path, list))
		return false;
	return path->relation & CHECMATE_PATH_BELOW;
}

/**
 * checmate_path_touches() - Whether a deny list concerns the path.
 * @self: the binding.
 * @path: the path, as read.
 * @list: a CHECMATE_PARAM_PATHS of the binding.
 * @relation: what concerns: CHECMATE_PATH_BELOW, or CHECMATE_PATH_ABOVE as well.
 *
 * A deleted file is judged by the path it had. An internal file is on no list.
 *
 * Return: false only if the list does not concern the file: true as well for a
 * path that is unknown, unless the list is empty, and for one that is uncertain
 * where an entry goes on.
 */
static __always_inline bool checmate_path_touches(const struct checmate_self *self,
						  struct checmate_path *path,
						  const struct checmate_list *list, __u32 relation)
{
	if (path->kind == CHECMATE_PATH_INTERNAL || !list->count)
		return false;
	/* Deny: what has no path could be the file that is to be protected. */
	if (path->kind == CHECMATE_PATH_UNKNOWN)
		return true;
	/* Deny: a search failed. */
	if (checmate_path_relate(self, path, list))
		return true;
	return path->relation & (relation | CHECMATE_PATH_UNCERTAIN);
}

/**
 * checmate_path_deny() - The verdict: denied, because of a path.
 * @self: the binding.
 * @path: the path, as read; it is given back. May be NULL.
 * @hook: the hook's name.
 * @error: the errno of the denial.
 *
 * What is told is the path as far as it could be found.
 */
static __noinline __attribute__((unused)) int checmate_path_deny(const struct checmate_self *self,
								 struct checmate_path *path,
								 const char *hook, __s32 error)
{
	__u32 start;
	int verdict;

	if (!path)
		return checmate_deny(self, hook, error);

	start = path->start & (CHECMATE_PATH_ROOM - 1);
	/* The '/' at the end goes, unless it is all there is. */
	if (start != CHECMATE_PATH_ROOM - 1)
		path->text[CHECMATE_PATH_ROOM - 1] = '\0';
	barrier_var(start);
	verdict = checmate_deny_path(self, hook, error,
				     &path->text[start & (CHECMATE_PATH_ROOM - 1)]);
	checmate_path_put(path);
	return verdict;
}

/* The verdict: allowed; @path is given back. */
static __always_inline int checmate_path_allow(struct checmate_path *path)
{
	checmate_path_put(path);
	return checmate_allow();
}

#endif /* CHECMATE_PATH_BPF_H */
