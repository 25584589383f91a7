/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Checmate policies - kernel-surface: system calls by their numbers, on x86-64
 */
#ifndef CHECMATE_KERNEL_SURFACE_SYSCALLS_H
#define CHECMATE_KERNEL_SURFACE_SYSCALLS_H

#include <linux/types.h>
#include <stdbool.h>

/* Calls of x86-64 and i386; what is not named has one number in both. */
enum surface_syscall {
	SURFACE_MOUNT_I386 = 21,
	SURFACE_UMOUNT_I386 = 22,
	SURFACE_UMOUNT2_I386 = 52,
	SURFACE_PIVOT_ROOT = 155,
	SURFACE_MOUNT = 165,
	SURFACE_UMOUNT2 = 166,
	SURFACE_PIVOT_ROOT_I386 = 217,
	SURFACE_OPEN_TREE = 428,
	SURFACE_FSPICK = 433, /* and between them: move_mount, fsopen, fsconfig, fsmount */
	SURFACE_MOUNT_SETATTR = 442,
	SURFACE_OPEN_TREE_ATTR = 467,
	/* The last whose meaning is known: file_setattr, since Linux 6.17. */
	SURFACE_LAST = 469,
	/* Those that only x32 has. */
	SURFACE_X32_FIRST = 512,
	SURFACE_X32_LAST = 547,
	/* Set in the numbers of x32 calls. */
	SURFACE_X32 = 0x40000000,
};

/*
 * Is the call one of mount(2)'s family? Numbers of either kind count: none of
 * them is, as the other kind, a call that needs CAP_SYS_ADMIN. An unknown number,
 * and one that is none, as -1, counts as the most dangerous call that the policy
 * knows, which is one that mounts.
 */
static inline bool surface_mounts(__u32 nr)
{
	nr &= ~SURFACE_X32;
	switch (nr) {
	case SURFACE_MOUNT_I386:
	case SURFACE_UMOUNT_I386:
	case SURFACE_UMOUNT2_I386:
	case SURFACE_PIVOT_ROOT:
	case SURFACE_MOUNT:
	case SURFACE_UMOUNT2:
	case SURFACE_PIVOT_ROOT_I386:
	case SURFACE_OPEN_TREE ... SURFACE_FSPICK:
	case SURFACE_MOUNT_SETATTR:
	case SURFACE_OPEN_TREE_ATTR:
		return true;
	case SURFACE_X32_FIRST ... SURFACE_X32_LAST:
		return false;
	default:
		return nr > SURFACE_LAST;
	}
}

#endif /* CHECMATE_KERNEL_SURFACE_SYSCALLS_H */
