// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Where the kernel's file systems are */
#include "paths.h"

#include <stddef.h>

struct paths checmate_paths = {
	.cgroup = "/sys/fs/cgroup",
	.bpffs = "/sys/fs/bpf",
	.security = "/sys/kernel/security",
	.btf = "/sys/kernel/btf/vmlinux",
	.mounts = "/proc/self/mountinfo",
	.status = "/proc/self/status",
};
