/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Selftests: cgroups, programs and control files
 *
 * Programs are a few instructions each, written out here, so that the tests
 * need neither a BPF compiler nor object files.
 */
#ifndef _SELFTESTS_CHECMATE_COMMON_H
#define _SELFTESTS_CHECMATE_COMMON_H

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Programs with a main() of their own say so. */
#ifdef WITHOUT_HARNESS
#include "../kselftest.h"
#else
#include "../kselftest_harness.h"

/* Time for debug kernels that are emulated on a busy machine. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 600
#undef TEST_F_TIMEOUT
#define TEST_F_TIMEOUT(fixture_name, test_name, timeout) \
	__TEST_F_IMPL(fixture_name, test_name, -1, 4 * (timeout))
#endif

#define CGROUPFS	"/sys/fs/cgroup"
#define HOOKS_FILE	"/sys/kernel/security/checmate/hooks"

#define ARRAY_LEN(A)	(sizeof(A) / sizeof((A)[0]))

/* --- instructions ------------------------------------------------------ */

#define INSN(CODE, DST, SRC, OFF, IMM)					\
	((struct bpf_insn){ .code = (CODE), .dst_reg = (DST),		\
			    .src_reg = (SRC), .off = (OFF), .imm = (IMM) })
#define MOV_IMM(DST, IMM)	INSN(BPF_ALU64 | BPF_MOV | BPF_K, DST, 0, 0, IMM)
#define MOV_REG(DST, SRC)	INSN(BPF_ALU64 | BPF_MOV | BPF_X, DST, SRC, 0, 0)
#define ADD_IMM(DST, IMM)	INSN(BPF_ALU64 | BPF_ADD | BPF_K, DST, 0, 0, IMM)
#define LOAD(SIZE, DST, SRC, OFF) \
	INSN(BPF_LDX | BPF_MEM | (SIZE), DST, SRC, OFF, 0)
#define STORE_IMM(SIZE, DST, OFF, IMM) \
	INSN(BPF_ST | BPF_MEM | (SIZE), DST, 0, OFF, IMM)
#define JUMP_IF(OP, DST, IMM, OFF) \
	INSN(BPF_JMP | (OP) | BPF_K, DST, 0, OFF, IMM)
/* For an int, of which only the low half is defined. */
#define JUMP32_IF(OP, DST, IMM, OFF) \
	INSN(BPF_JMP32 | (OP) | BPF_K, DST, 0, OFF, IMM)
#define CALL(FUNC)		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, FUNC)
#define CALL_KFUNC(ID)							\
	INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, ID)
#define LOAD_MAP(DST, FD)						\
	INSN(BPF_LD | BPF_DW | BPF_IMM, DST, BPF_PSEUDO_MAP_FD, 0, FD),	\
	INSN(0, 0, 0, 0, 0)
#define ATOMIC_ADD(DST, SRC, OFF) \
	INSN(BPF_STX | BPF_DW | BPF_ATOMIC, DST, SRC, OFF, BPF_ADD)
#define EXIT()			INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* The BTF id of a hook's attach function; looking one up takes long. */
static inline int hook_btf_id(const char *hook)
{
	static __thread struct {
		char hook[64];
		int id;
	} known[16], *slot;
	static __thread unsigned int next;
	/* Reading all the types takes longer still.  Stays to the end. */
	static __thread struct btf *types;
	char name[96];
	size_t i;

	for (i = 0; i < ARRAY_LEN(known); i++)
		if (!strcmp(known[i].hook, hook))
			return known[i].id;
	if (!types)
		types = btf__load_vmlinux_btf();
	if (!types)
		return -errno;
	slot = &known[next++ % ARRAY_LEN(known)];
	snprintf(name, sizeof(name), "bpf_lsm_%s", hook);
	slot->id = btf__find_by_name_kind(types, name, BTF_KIND_FUNC);
	snprintf(slot->hook, sizeof(slot->hook), "%s", hook);
	return slot->id;
}

static inline int load_named(const char *name, const char *hook,
			     enum bpf_attach_type type, __u32 flags,
			     const struct bpf_insn *insn, size_t nr)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = type, .prog_flags = flags);
	int id = hook_btf_id(hook);

	if (id < 0)
		return id;
	opts.attach_btf_id = id;
	return bpf_prog_load(BPF_PROG_TYPE_LSM, name, "GPL", insn, nr, &opts);
}

static inline int load_prog(const char *hook, enum bpf_attach_type type,
			    __u32 flags, const struct bpf_insn *insn,
			    size_t nr)
{
	return load_named("test", hook, type, flags, insn, nr);
}

/* A program that allows, or denies with an errno: BPF_LSM_MAC. */
static inline int load_mac(const char *hook, int err)
{
	const struct bpf_insn insn[] = { MOV_IMM(0, -err), EXIT() };

	return load_prog(hook, BPF_LSM_MAC, 0, insn, ARRAY_LEN(insn));
}

/* The same as BPF_LSM_CGROUP; @err -1 denies without an errno. */
static inline int load_cgroup(const char *hook, int err)
{
	const struct bpf_insn allow[] = { MOV_IMM(0, 1), EXIT() };
	const struct bpf_insn bare[] = { MOV_IMM(0, 0), EXIT() };
	const struct bpf_insn deny[] = {
		MOV_IMM(1, -err), CALL(BPF_FUNC_set_retval),
		MOV_IMM(0, 0), EXIT(),
	};

	if (!err)
		return load_prog(hook, BPF_LSM_CGROUP, 0, allow,
				 ARRAY_LEN(allow));
	if (err < 0)
		return load_prog(hook, BPF_LSM_CGROUP, 0, bare,
				 ARRAY_LEN(bare));
	return load_prog(hook, BPF_LSM_CGROUP, 0, deny, ARRAY_LEN(deny));
}

/*
 * A program that adds 1 to element @key of the array map @map and returns
 * @ret, to see that it ran.
 */
static inline int load_counter(const char *hook, enum bpf_attach_type type,
			       int map, int key, int ret)
{
	const struct bpf_insn insn[] = {
		STORE_IMM(BPF_W, 10, -4, key),
		MOV_REG(2, 10), ADD_IMM(2, -4),
		LOAD_MAP(1, map),
		CALL(BPF_FUNC_map_lookup_elem),
		JUMP_IF(BPF_JEQ, 0, 0, 2),
		MOV_IMM(1, 1),
		ATOMIC_ADD(0, 1, 0),
		MOV_IMM(0, ret),
		EXIT(),
	};

	return load_prog(hook, type, 0, insn, ARRAY_LEN(insn));
}

static inline int make_counters(void)
{
	return bpf_map_create(BPF_MAP_TYPE_ARRAY, "count", 4, 8, 8, NULL);
}

static inline __u64 counter(int map, int key)
{
	__u64 value = 0;

	bpf_map_lookup_elem(map, &key, &value);
	return value;
}

static inline __u32 prog_id(int fd)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

/* Wait for a program's end, which comes a grace period after its last use. */
static inline bool prog_goes(__u32 id)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	int i, fd;

	for (i = 0; i < 3000; i++) {
		fd = bpf_prog_get_fd_by_id(id);
		if (fd < 0)
			return true;
		close(fd);
		nanosleep(&pause, NULL);
	}
	return false;
}

/* --- files -------------------------------------------------------------- */

static inline int write_fd(int fd, const char *text, size_t len)
{
	ssize_t ret = pwrite(fd, text, len, 0);

	if (ret < 0)
		return -errno;
	return (size_t)ret == len ? 0 : -EIO;
}

static inline int write_text(const char *dir, const char *file,
			     const char *text)
{
	char path[PATH_MAX];
	int fd, err;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = write_fd(fd, text, strlen(text));
	close(fd);
	return err;
}

#define WRITEF(DIR, FILE, ...)						\
({									\
	char _text[4096];						\
									\
	snprintf(_text, sizeof(_text), __VA_ARGS__);			\
	write_text(DIR, FILE, _text);					\
})

/* The text of a file in a buffer that the next call reuses. */
static inline const char *read_text(const char *dir, const char *file)
{
	static char text[65536];
	char path[PATH_MAX];
	size_t len = 0;
	ssize_t ret;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return "";
	while ((ret = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += ret;
	close(fd);
	text[len] = '\0';
	return text;
}

static inline int attach(const char *dir, int prog)
{
	return WRITEF(dir, "checmate.policy", "attach %d\n", prog);
}

static inline long long policy_generation(const char *dir)
{
	static const char word[] = "generation ";
	const char *text = read_text(dir, "checmate.policy");

	if (strncmp(text, word, strlen(word)))
		return -1;
	return strtoll(text + strlen(word), NULL, 10);
}

/* The attachment id in line @nr, from 0, of a cgroup's policy; 0 if none. */
static inline unsigned long long nth_id(const char *dir, int nr)
{
	const char *line = read_text(dir, "checmate.policy");

	do {
		line = strchr(line, '\n');
		if (!line || !*++line)
			return 0;
	} while (nr--);
	return strtoull(line, NULL, 10);
}

static inline int count_lines(const char *text)
{
	int lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

/* What the line of a hook in securityfs says of @key, or -1. */
static inline int hook_state(const char *hook, const char *key)
{
	char name[64], *line, *value;

	snprintf(name, sizeof(name), "%s ", hook);
	line = (char *)read_text("", HOOKS_FILE);
	while (line && strncmp(line, name, strlen(name))) {
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	if (!line)
		return -1;
	line[strcspn(line, "\n")] = '\0';
	value = strstr(line, key);
	return value ? atoi(value + strlen(key) + 1) : -1;
}

/* --- cgroups ------------------------------------------------------------ */

static inline int enable_controller(const char *dir)
{
	return write_text(dir, "cgroup.subtree_control", "+checmate");
}

/*
 * Each test works below a cgroup of its own: @top, with the controller on, and
 * @child in it, with the controller on as well.
 */
struct tree {
	char top[PATH_MAX / 2];
	char child[PATH_MAX];
};

static inline int make_tree(struct tree *tree, const char *name)
{
	int err = enable_controller(CGROUPFS);

	if (err)
		return err;
	snprintf(tree->top, sizeof(tree->top), CGROUPFS "/%s.%d", name,
		 getpid());
	snprintf(tree->child, sizeof(tree->child), "%s/child", tree->top);
	if (mkdir(tree->top, 0755) || mkdir(tree->child, 0755))
		return -errno;
	return enable_controller(tree->top);
}

/* A cgroup empties when its last task is reaped, hence no waiting. */
static inline void remove_tree(struct tree *tree)
{
	rmdir(tree->child);
	rmdir(tree->top);
}

static inline int join(const char *dir)
{
	return write_text(dir, "cgroup.procs", "0");
}

/*
 * Run @func in a new process of cgroup @dir.  What it returns must be an errno
 * or another small number; a crash reads as 255.
 */
static inline int run_in(const char *dir, int (*func)(void *), void *arg)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return 254;
	if (!pid) {
		if (join(dir))
			_exit(253);
		_exit(func(arg));
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 255;
	return WEXITSTATUS(status);
}

/* Send a descriptor to whoever holds the other end. */
static inline int send_fd(int channel, int fd)
{
	char byte = 0, space[CMSG_SPACE(sizeof(fd))] = {};
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = sizeof(space),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(channel, &msg, 0) == 1 ? 0 : -errno;
}

static inline int receive_fd(int channel)
{
	char byte, space[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = sizeof(space),
	};
	struct cmsghdr *cmsg;
	int fd = -1;

	if (recvmsg(channel, &msg, 0) != 1)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg)
		memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

/* --- deeds to be judged; each returns 0 or an errno ---------------------- */

static inline struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static inline int bind_fd(int fd)
{
	struct sockaddr_in addr = loopback(0);

	return bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ? errno : 0;
}

static inline int do_bind(void *arg)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err;

	(void)arg;
	if (fd < 0)
		return 252;
	err = bind_fd(fd);
	close(fd);
	return err;
}

static inline int do_socket(void *arg)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)arg;
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static inline int do_connect(void *arg)
{
	struct sockaddr_in addr = loopback(9);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = 0;

	(void)arg;
	if (fd < 0)
		return 252;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err = errno;
	close(fd);
	return err;
}

static inline int do_open(void *arg)
{
	int fd = open(arg ?: "/proc/self/status", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

#endif /* _SELFTESTS_CHECMATE_COMMON_H */
