// SPDX-License-Identifier: LGPL-2.1-or-later
/* Benches - Trees of cgroups, and ways to attach a program to them */

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../../common/cleanup.h"
#include "tree.h"

/* What the arms of rows are called. */
const char *const backend_arm[] = {
	[CHECMATE] = "Checmate",
	[LINK] = "lsm_cgroup, link",
	[ATTACH] = "lsm_cgroup, attached",
};

/**
 * write_file - Write a control file
 * @path: which
 * @text: what
 */
void write_file(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
}

/**
 * tree_control - Switch a controller on, or off again, for the cgroups below one
 * @cgroup: the one, a child of the root
 * @controller: which
 * @sign: '+' or '-'
 */
void tree_control(const char *cgroup, const char *controller, char sign)
{
	char path[PATH_MAX], text[64];

	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", cgroup);
	snprintf(text, sizeof(text), "%c%s", sign, controller);
	if (sign == '-')
		write_file(path, text);
	write_file(CGROUPFS "/cgroup.subtree_control", text);
	if (sign == '+')
		write_file(path, text);
}

/**
 * tree_path - Where a cgroup of the tree is
 * @index: which one, counted from 0
 * @ret_path: where to
 * @size: its size
 *
 * The first of each hundred is below the root, the others are below it.
 */
void tree_path(unsigned int index, char *ret_path, unsigned int size)
{
	unsigned int group = index / TREE_FANOUT, member = index % TREE_FANOUT;

	if (member)
		snprintf(ret_path, size, CGROUPFS "/group%03u/member%02u", group, member);
	else
		snprintf(ret_path, size, CGROUPFS "/group%03u", group);
}

/**
 * tree_grow - Make cgroups, with Checmate's controller on
 * @from: how many of the tree there are
 * @to: how many there shall be
 */
void tree_grow(unsigned int from, unsigned int to)
{
	char path[64];

	if (!from)
		write_file(CGROUPFS "/cgroup.subtree_control", "+checmate");
	for (unsigned int i = from; i < to; i++) {
		tree_path(i, path, sizeof(path));
		if (mkdir(path, 0755) < 0)
			err(1, "%s", path);
		if (i % TREE_FANOUT == 0)
			tree_control(path, "checmate", '+');
	}
}

/* How many cgroups are removed but not gone. */
static unsigned long dying(void)
{
	_cleanup_fclose_ FILE *file = fopen(CGROUPFS "/cgroup.stat", "re");
	unsigned long n;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "nr_dying_descendants %lu", &n) == 1)
			return n;
	err(1, CGROUPFS "/cgroup.stat");
}

/**
 * tree_settle - Wait for what the kernel does later
 *
 * That is, until no cgroup is dying; then for a grace period and the work that it
 * sets off, in which the guest has nothing else to do.
 */
void tree_settle(void)
{
	const struct timespec pause = { .tv_nsec = 50000000 };

	do
		nanosleep(&pause, NULL);
	while (dying());
	/* Ends when every reader of before it has ended. */
	if (syscall(SYS_membarrier, 1 /* MEMBARRIER_CMD_GLOBAL */, 0, 0) < 0)
		err(1, "membarrier");
	nanosleep(&pause, NULL);
}

static int load(const struct bpf_insn *insn, size_t n)
{
	static int id;
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_LSM_CGROUP);
	int fd;

	/* Looking it up reads all of the kernel's types. */
	if (!id)
		id = libbpf_find_vmlinux_btf_id("socket_bind", BPF_LSM_CGROUP);
	if (id < 0)
		errx(1, "socket_bind: %s", strerror(-id));
	opts.attach_btf_id = (uint32_t)id;
	fd = bpf_prog_load(BPF_PROG_TYPE_LSM, "trivial", "GPL", insn, n, &opts);
	if (fd < 0)
		err(1, "loading a program");
	return fd;
}

/**
 * load_allowing - Load a program that allows every bind
 *
 * Return: Its descriptor.
 */
int load_allowing(void)
{
	const struct bpf_insn insn[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return load(insn, ARRAY_SIZE(insn));
}

/**
 * load_counting - Load a program that allows every bind and counts it
 * @map: an array of u64, whose first is the count
 *
 * Return: Its descriptor.
 */
int load_counting(int map)
{
	const struct bpf_insn insn[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = 10, .off = -4, .imm = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .imm = -4 },
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = 1,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = map },
		{ .code = 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 0, .off = 2, .imm = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = 1 },
		{ .code = BPF_STX | BPF_DW | BPF_ATOMIC, .dst_reg = 0, .src_reg = 1, .imm = BPF_ADD },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return load(insn, ARRAY_SIZE(insn));
}

/**
 * target_open - Make ready to attach
 * @target: to be initialised, but for its programs
 * @backend: how to attach
 * @cgroup: the cgroup's directory
 */
void target_open(struct target *target, enum backend backend, const char *cgroup)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", cgroup, backend == CHECMATE ? "checmate.policy" : "");
	target->backend = backend;
	target->link = -1;
	target->fd = open(path, (backend == CHECMATE ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
	if (target->fd < 0)
		err(1, "%s", path);
}

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int write_policy(const struct target *target, const char *before, int prog)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "%sattach %d\n", before, prog);

	return pwrite(target->fd, text, (size_t)len, 0) < 0 ? -errno : 0;
}

static int prog_attach(const struct target *target, int prog, int replaced)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t)target->fd,
		.attach_bpf_fd = (uint32_t)prog,
		.attach_type = BPF_LSM_CGROUP,
		.attach_flags = BPF_F_ALLOW_MULTI | (replaced < 0 ? 0 : BPF_F_REPLACE),
		.replace_bpf_fd = replaced < 0 ? 0 : (uint32_t)replaced,
	};

	return bpf(BPF_PROG_ATTACH, &attr) < 0 ? -errno : 0;
}

/**
 * target_attach - Attach the first program
 * @target: where to
 *
 * Return: 0 or -errno.
 */
int target_attach(struct target *target)
{
	union bpf_attr attr = {
		.link_create.prog_fd = (uint32_t)target->prog[0],
		.link_create.target_fd = (uint32_t)target->fd,
		.link_create.attach_type = BPF_LSM_CGROUP,
	};

	switch (target->backend) {
	case CHECMATE:
		return write_policy(target, "", target->prog[0]);
	case LINK:
		target->link = bpf(BPF_LINK_CREATE, &attr);
		return target->link < 0 ? -errno : 0;
	case ATTACH:
		return prog_attach(target, target->prog[0], -1);
	}
	return -EINVAL;
}

/**
 * target_replace - Replace the first program by the second
 * @target: where
 *
 * Return: 0 or -errno.
 */
int target_replace(struct target *target)
{
	union bpf_attr attr = {
		.link_update.link_fd = (uint32_t)target->link,
		.link_update.new_prog_fd = (uint32_t)target->prog[1],
	};

	switch (target->backend) {
	case CHECMATE:
		return write_policy(target, "clear\n", target->prog[1]);
	case LINK:
		return bpf(BPF_LINK_UPDATE, &attr) < 0 ? -errno : 0;
	case ATTACH:
		return prog_attach(target, target->prog[1], target->prog[0]);
	}
	return -EINVAL;
}

/**
 * target_detach - Detach the second program
 * @target: where from
 *
 * Return: 0 or -errno.
 */
int target_detach(struct target *target)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t)target->fd,
		.attach_bpf_fd = (uint32_t)target->prog[1],
		.attach_type = BPF_LSM_CGROUP,
	};

	switch (target->backend) {
	case CHECMATE:
		return pwrite(target->fd, "clear\n", 6, 0) < 0 ? -errno : 0;
	case LINK:
		return close(TAKE_FD(target->link)) < 0 ? -errno : 0;
	case ATTACH:
		return bpf(BPF_PROG_DETACH, &attr) < 0 ? -errno : 0;
	}
	return -EINVAL;
}

/**
 * target_close - Close the cgroup; what is attached by a link is no longer
 * @target: which
 */
void target_close(struct target *target)
{
	if (target->link >= 0)
		close(target->link);
	close(target->fd);
}
