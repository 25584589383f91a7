/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Benches - Trees of cgroups, and ways to attach a program to them */
#pragma once

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>

#define CGROUPFS "/sys/fs/cgroup"

/* Cgroups below one that is below the root, that one included. */
#define TREE_FANOUT 100

void write_file(const char *path, const char *text);
void tree_path(unsigned int index, char *ret_path, unsigned int size);
void tree_control(const char *cgroup, const char *controller, char sign);
void tree_grow(unsigned int from, unsigned int to);
void tree_settle(void);

/**
 * enum backend - Who enforces
 * @CHECMATE: checmate.policy of the cgroup
 * @LINK: the kernel's own BPF_LSM_CGROUP, by links
 * @ATTACH: the same, by BPF_PROG_ATTACH
 */
enum backend {
	CHECMATE,
	LINK,
	ATTACH,
};

extern const char *const backend_arm[];

/**
 * struct target - A cgroup to attach to
 * @backend: how
 * @prog: two programs of one hook; the first is attached, then replaced by the second
 * @fd: of the cgroup's directory, or of its checmate.policy
 * @link: of the link, or -1
 */
struct target {
	enum backend backend;
	int prog[2];
	int fd;
	int link;
};

int load_allowing(void);
int load_counting(int map);
void target_open(struct target *target, enum backend backend, const char *cgroup);
int target_attach(struct target *target);
int target_replace(struct target *target);
int target_detach(struct target *target);
void target_close(struct target *target);
