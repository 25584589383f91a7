/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Checmate policies - The few kernel types that policies look into
 *
 * Only the members in use are declared; CO-RE finds where the running kernel
 * has them. A member that the running kernel lacks makes loading fail.
 * Structures of the kernel's user ABI have a fixed layout and need no CO-RE.
 */
#ifndef CHECMATE_KERNEL_H
#define CHECMATE_KERNEL_H

#include <linux/types.h>

#define AF_UNSPEC 0
#define AF_INET 2
#define AF_INET6 10
#define AF_SMC 43

/* Passed to programs, but not looked into. */
struct cred;
struct kernel_siginfo;
struct key;
struct mnt_namespace;
struct user_namespace;

#define SOCK_STREAM 1
#define SOCK_RAW 3

#define TCP_ESTABLISHED 1
#define TCP_CLOSE 7
#define TCP_LISTEN 10

struct sockaddr_un {
	__u16 sun_family;
	char sun_path[108];
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kernfs_node {
	__u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
	int level;
	/* The last is the cgroup itself, at its level. */
	struct cgroup *ancestors[];
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct sock_cgroup_data {
	struct cgroup *cgroup;
};

struct in6_addr {
	union {
		__be32 u6_addr32[4];
	} in6_u;
};

struct sock_common {
	__be32 skc_daddr;
	__be16 skc_dport;
	__be32 skc_rcv_saddr;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	struct {
		__s64 counter;
	} skc_cookie;
	struct {
		struct {
			int counter;
		} refs;
	} skc_refcnt;
};

struct sock {
	struct sock_common __sk_common;
	/* A bit field of Linux 6.1. */
	__u8 sk_userlocks : 4;
	__u16 sk_type;
	__u16 sk_protocol;
	struct sock_cgroup_data sk_cgrp_data;
};

struct inet_sock {
	/* One of the two: the bits are in the word since 6.6. */
	__u8 hdrincl : 1;
	unsigned long inet_flags;
};

struct mptcp_sock {
	struct sock *first;
};

struct upid {
	int nr;
};

struct pid {
	unsigned int level;
	/* As many as there are levels, the initial namespace's first. */
	struct upid numbers[];
};

struct pt_regs {
	unsigned long orig_ax;
};

struct qstr {
	__u32 len;
	const unsigned char *name;
};

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};

struct seqcount {
	unsigned int sequence;
};

struct seqcount_spinlock {
	struct seqcount seqcount;
};

struct file_system_type {
	const char *name;
};

struct super_block {
	unsigned long s_flags;
	unsigned long s_magic;
	struct unicode_map *s_encoding;
	struct file_system_type *s_type;
};

struct inode {
	unsigned short i_mode;
	unsigned int i_flags;
	struct {
		__u32 val;
	} i_uid;
	struct super_block *i_sb;
};

struct dentry {
	unsigned int d_flags;
	struct seqcount_spinlock d_seq;
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct mnt_namespace *mnt_ns;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	unsigned int f_mode;
	unsigned int f_flags;
	struct path f_path;
};

/* Of an overlay's layer, for a file of the overlay at @user_path; since 6.5. */
struct backing_file {
	struct file file;
	struct path user_path;
};

struct vm_area_struct {
	struct file *vm_file;
};

struct linux_binprm {
	struct file *file;
};

struct mm_struct {
	struct file *exe_file;
};

struct nsproxy {
	struct mnt_namespace *mnt_ns;
};

struct task_struct {
	int pid;
	int tgid;
	char comm[16];
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct css_set *cgroups;
	struct mm_struct *mm;
	struct nsproxy *nsproxy;
};

struct socket {
	short type;
	struct sock *sk;
};

struct smc_sock {
	struct socket *clcsock;
};

struct msghdr {
	void *msg_name;
	int msg_namelen;
	void *msg_control;
	unsigned long msg_controllen;
};

struct unix_address {
	int len;
	struct sockaddr_un name[];
};

struct unix_sock {
	struct unix_address *addr;
};

#pragma clang attribute pop

struct sockaddr {
	__u16 sa_family;
	char sa_data[14];
};

struct sockaddr_in {
	__u16 sin_family;
	__be16 sin_port;
	__be32 sin_addr;
	__u8 sin_zero[8];
};

struct sockaddr_in6 {
	__u16 sin6_family;
	__be16 sin6_port;
	__be32 sin6_flowinfo;
	__be32 sin6_addr[4];
	__u32 sin6_scope_id;
};

#endif /* CHECMATE_KERNEL_H */
