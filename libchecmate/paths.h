/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libchecmate - Where the kernel's file systems are */
#pragma once

/**
 * struct paths - Mount points.
 * @cgroup: the cgroup2 hierarchy.
 * @bpffs: BPF file system.
 * @security: securityfs.
 * @btf: the kernel's types.
 *
 * Unit tests point them at folders of their own; nothing else changes them.
 */
struct paths {
	const char *cgroup;
	const char *bpffs;
	const char *security;
	const char *btf;
};

extern struct paths checmate_paths;
