/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libchecmate - Where the kernel's file systems are */
#pragma once

/**
 * struct paths - Mount points and files.
 * @cgroup: the cgroup2 hierarchy.
 * @bpffs: BPF file system.
 * @security: securityfs.
 * @btf: the kernel's types.
 * @mounts: the mounts of this process.
 * @status: the capabilities of this process.
 * @release: the kernel's release; NULL for that of uname(2).
 *
 * Unit tests point them at folders of their own; nothing else changes them.
 */
struct paths {
	const char *cgroup;
	const char *bpffs;
	const char *security;
	const char *btf;
	const char *mounts;
	const char *status;
	const char *release;
};

extern struct paths checmate_paths;
