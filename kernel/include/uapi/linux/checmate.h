/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Checmate - BPF LSM programs bound to cgroups: user space interface
 */
#ifndef _UAPI_LINUX_CHECMATE_H
#define _UAPI_LINUX_CHECMATE_H

/*
 * Version of the control files' syntax and meaning, as read from
 * /sys/kernel/security/checmate/version.
 */
#define CHECMATE_ABI_VERSION	1

/* Most programs of one hook, from a cgroup up to the root. */
#define CHECMATE_MAX_PROGS	64

#endif /* _UAPI_LINUX_CHECMATE_H */
