// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Checmate policies - Make one call that reaches beyond the process
 *
 *	proc-probe CALL [ARGUMENT...]
 *
 * The calls are in the table at the end. Calls on the kernel are made so that
 * they fail late or change nothing: the errno tells how far they came. A child
 * that a call needs is made by the probe itself and gone when it ends.
 *
 * Prints "ok" or the name of the errno. Exit status 0 either way, 2 for wrong
 * usage, 1 when the probe could not get as far as the call.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

/* Calls in the way of 32-bit programs; text is put where they can name it. */
static long call_i386(long nr, long a, long b, long c)
{
#ifdef __x86_64__
	long r;

	asm volatile("int $0x80"
		     : "=a"(r)
		     : "a"(nr), "b"(a), "c"(b), "d"(c)
		     : "memory", "r8", "r9", "r10", "r11");
	if (r >= 0)
		return r;
	errno = -r;
#else
	errno = ENOSYS;
#endif
	return -1;
}

static void *low_copy(const void *data, size_t size)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT,
		       -1, 0);

	need(p != MAP_FAILED, "mmap");
	return memcpy(p, data, size);
}

/* --- the kernel ------------------------------------------------------------ */

static long do_bpf(char **args)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = 8,
		.max_entries = 1,
	};

	return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

static long do_perf(char **args)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_TASK_CLOCK,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static long do_io_uring(char **args)
{
	struct io_uring_params params = {};

	return syscall(SYS_io_uring_setup, 1, &params);
}

static long do_userfaultfd(char **args)
{
	return syscall(SYS_userfaultfd, O_CLOEXEC);
}

static long do_unshare_user(char **args)
{
	return unshare(CLONE_NEWUSER);
}

static long do_unshare_all(char **args)
{
	return unshare(CLONE_NEWUSER | CLONE_NEWUTS) ?: sethostname("probe", 5);
}

static long do_clone_user(char **args)
{
	struct {
		__u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	} clone3_args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &clone3_args, sizeof(clone3_args));

	if (!pid)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return pid;
}

static long do_add_key(char **args)
{
	return syscall(SYS_add_key, "user", "checmate:probe", "x", 1, KEY_SPEC_PROCESS_KEYRING);
}

static long do_request_key(char **args)
{
	return syscall(SYS_request_key, "user", "checmate:no-such-key", "", 0);
}

static long do_join_session(char **args)
{
	return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
}

/* Makes a key, which a policy may then keep from its maker. */
static long do_held_key(char **args)
{
	char text[8], line[8];
	long key;

	key = syscall(SYS_add_key, "user", "checmate:held", "x", 1, KEY_SPEC_PROCESS_KEYRING);
	need(key >= 0, "add_key");
	/* By possession alone. */
	need(!syscall(SYS_keyctl, KEYCTL_SETPERM, key, 0x3f000000), "keyctl");
	puts("ready");
	fflush(stdout);
	need(fgets(line, sizeof(line), stdin), "standard input");
	return syscall(SYS_keyctl, KEYCTL_READ, key, text, sizeof(text));
}

static long do_init_module(char **args)
{
	return syscall(SYS_init_module, "", 0, "");
}

static long do_finit_module(char **args)
{
	return syscall(SYS_finit_module, -1, "", 0);
}

static long do_delete_module(char **args)
{
	return syscall(SYS_delete_module, "no_such_module", O_NONBLOCK);
}

static long do_kexec(char **args)
{
	return syscall(SYS_kexec_load, 0, 0, NULL, 0xffffUL);
}

static long do_kexec_file(char **args)
{
	return syscall(SYS_kexec_file_load, -1, -1, 0, NULL, 0UL);
}

static long do_reboot(char **args)
{
	return syscall(SYS_reboot, 0, 0, 0, NULL);
}

static long do_mount(char **args)
{
	return mount("none", args[0], "tmpfs", 0, NULL);
}

static long do_remount(char **args)
{
	return mount("none", args[0], NULL, MS_REMOUNT | MS_BIND, NULL);
}

static long do_umount(char **args)
{
	return umount2(args[0], MNT_DETACH);
}

static long do_umount_i386(char **args)
{
	return call_i386(52, (long)low_copy(args[0], strlen(args[0]) + 1), 0, 0);
}

static long do_oldumount_i386(char **args)
{
	return call_i386(22, (long)low_copy(args[0], strlen(args[0]) + 1), 0, 0);
}

static long do_pivot_root(char **args)
{
	return syscall(SYS_pivot_root, "/nowhere", "/nowhere");
}

static long do_open_tree(char **args)
{
	return syscall(SYS_open_tree, AT_FDCWD, args[0], OPEN_TREE_CLONE);
}

static long do_open_tree_x32(char **args)
{
	return syscall(SYS_open_tree | 0x40000000, AT_FDCWD, args[0], OPEN_TREE_CLONE);
}

static long do_move_mount(char **args)
{
	return syscall(SYS_move_mount, -1, "", -1, "", 0x44 /* both are descriptors */);
}

static long do_fsopen(char **args)
{
	return syscall(SYS_fsopen, "tmpfs", 0);
}

static long do_fsmount(char **args)
{
	return syscall(SYS_fsmount, -1, 0, 0);
}

static long do_fspick(char **args)
{
	return syscall(SYS_fspick, AT_FDCWD, args[0], 0);
}

static long do_mount_setattr(char **args)
{
	__u64 attr[4] = {};

	return syscall(SYS_mount_setattr, AT_FDCWD, args[0], 0, attr, sizeof(attr));
}

/* --- capabilities ---------------------------------------------------------- */

static long do_hostname(char **args)
{
	return sethostname("probe", 5);
}

/* Nobody from here on, and somewhere else before going on. */
static void become_nobody(void)
{
	char line[8];

	need(!setgid(65534), "setgid");
	need(!setuid(65534), "setuid");
	puts("ready");
	fflush(stdout);
	need(fgets(line, sizeof(line), stdin), "standard input");
}

static long do_nobody_hostname(char **args)
{
	become_nobody();
	return do_hostname(args);
}

static long do_nobody_user_hostname(char **args)
{
	become_nobody();
	return do_unshare_all(args);
}

static long do_chroot(char **args)
{
	return chroot("/");
}

static long do_setuid(char **args)
{
	return setuid(65534);
}

static long do_chown(char **args)
{
	return chown(args[0], 65534, 65534);
}

/* --- tracing --------------------------------------------------------------- */

static long do_attach(char **args)
{
	return ptrace(PTRACE_ATTACH, atoi(args[0]), NULL, NULL);
}

static long do_seize(char **args)
{
	return ptrace(PTRACE_SEIZE, atoi(args[0]), NULL, NULL);
}

/* Whoever is traced so ends with the probe. */
static long do_seize_exitkill(char **args)
{
	return ptrace(PTRACE_SEIZE, atoi(args[0]), NULL, (void *)PTRACE_O_EXITKILL);
}

/* Sets a limit to what it is, or only looks at it. */
static long do_limit(char **args)
{
	struct rlimit limit;

	need(!prlimit(atoi(args[0]), atoi(args[1]), NULL, &limit), "prlimit");
	return prlimit(atoi(args[0]), atoi(args[1]), &limit, NULL);
}

static long do_see_limit(char **args)
{
	struct rlimit limit;

	return prlimit(atoi(args[0]), atoi(args[1]), NULL, &limit);
}

static long do_traceme(char **args)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

/* What came of a call in a child, which tells by its exit status. */
static long in_child(long (*call)(char **), char **args)
{
	int status;
	pid_t pid = fork();

	need(pid >= 0, "fork");
	if (!pid)
		_exit(call(args) < 0 ? errno : 0);
	/* A traced child stops before it ends. */
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status))
		ptrace(PTRACE_CONT, pid, NULL, NULL);
	need(WIFEXITED(status), "child");
	errno = WEXITSTATUS(status);
	return errno ? -1 : 0;
}

static long do_child_traceme(char **args)
{
	return in_child(do_traceme, args);
}

/*
 * A process that waits until it is killed: a child, a child's child, or one
 * whose parent has ended.
 */
enum kin {
	CHILD,
	GRANDCHILD,
	ORPHAN
};

static pid_t waiting(enum kin kin, pid_t *ret_child)
{
	int pipes[2];
	pid_t pid, child;

	need(!pipe(pipes), "pipe");
	child = fork();
	need(child >= 0, "fork");
	if (!child) {
		pid_t parent = getpid();

		pid = kin == CHILD ? 0 : fork();
		if (pid && kin == ORPHAN)
			_exit(0);
		while (!pid && kin == ORPHAN && getppid() == parent)
			sched_yield();
		if (!pid) {
			pid = getpid();
			if (write(pipes[1], &pid, sizeof(pid)) != sizeof(pid))
				_exit(1);
		}
		for (;;)
			pause();
	}
	need(read(pipes[0], &pid, sizeof(pid)) == sizeof(pid), "pipe");
	*ret_child = child;
	return pid;
}

static long seize_and_end(enum kin kin)
{
	pid_t child, pid = waiting(kin, &child);
	long r = ptrace(PTRACE_SEIZE, pid, NULL, NULL);
	int error = errno;

	kill(pid, SIGKILL);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	errno = error;
	return r;
}

static long do_seize_child(char **args)
{
	return seize_and_end(CHILD);
}

static long do_seize_grandchild(char **args)
{
	return seize_and_end(GRANDCHILD);
}

static long do_seize_orphan(char **args)
{
	return seize_and_end(ORPHAN);
}

/* The address is nobody's: EFAULT says that the rest was in order. */
static long do_vm_read(char **args)
{
	char byte;
	struct iovec local = { .iov_base = &byte, .iov_len = 1 };
	struct iovec remote = { .iov_base = (void *)8, .iov_len = 1 };

	return process_vm_readv(atoi(args[0]), &local, 1, &remote, 1, 0);
}

static long do_vm_write(char **args)
{
	char byte = 0;
	struct iovec local = { .iov_base = &byte, .iov_len = 1 };
	struct iovec remote = { .iov_base = (void *)8, .iov_len = 1 };

	return process_vm_writev(atoi(args[0]), &local, 1, &remote, 1, 0);
}

static long open_proc(const char *pid, const char *file, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, file);
	return open(path, flags | O_CLOEXEC);
}

static long do_mem(char **args)
{
	return open_proc(args[0], "mem", O_RDWR);
}

static long do_environ(char **args)
{
	return open_proc(args[0], "environ", O_RDONLY);
}

static long do_maps(char **args)
{
	return open_proc(args[0], "maps", O_RDONLY);
}

static long do_root(char **args)
{
	return open_proc(args[0], "root", O_PATH);
}

static long do_getfd(char **args)
{
	int pidfd = syscall(SYS_pidfd_open, atoi(args[0]), 0);

	need(pidfd >= 0, "pidfd_open");
	return syscall(SYS_pidfd_getfd, pidfd, 0, 0);
}

static long do_kcmp(char **args)
{
	return syscall(SYS_kcmp, getpid(), atoi(args[0]), 0, 0, 0);
}

static long do_robust_list(char **args)
{
	void *head;
	size_t size;

	return syscall(SYS_get_robust_list, atoi(args[0]), &head, &size);
}

/* --- signals --------------------------------------------------------------- */

static long do_kill(char **args)
{
	return kill(atoi(args[0]), atoi(args[1]));
}

static long do_tkill(char **args)
{
	return syscall(SYS_tkill, atoi(args[0]), atoi(args[1]));
}

static long do_tgkill(char **args)
{
	return syscall(SYS_tgkill, atoi(args[0]), atoi(args[0]), atoi(args[1]));
}

static long do_sigqueue(char **args)
{
	return sigqueue(atoi(args[0]), atoi(args[1]), (union sigval){ .sival_int = 1 });
}

/* As if a USB request had completed. */
static long do_sigqueue_async(char **args)
{
	siginfo_t info = { .si_signo = atoi(args[1]), .si_code = SI_ASYNCIO };

	return syscall(SYS_rt_sigqueueinfo, atoi(args[0]), atoi(args[1]), &info);
}

static long do_pidfd_kill(char **args)
{
	int pidfd = syscall(SYS_pidfd_open, atoi(args[0]), 0);

	need(pidfd >= 0, "pidfd_open");
	return syscall(SYS_pidfd_send_signal, pidfd, atoi(args[1]), NULL, 0);
}

static long do_child_kill(char **args)
{
	return in_child(do_kill, args);
}

static long do_kill_everybody(char **args)
{
	return kill(-1, atoi(args[0]));
}

static int owned(void)
{
	int pair[2];

	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	return pair[0];
}

static long do_setown(char **args)
{
	return fcntl(owned(), F_SETOWN, atoi(args[0]));
}

static long do_setown_self(char **args)
{
	return fcntl(owned(), F_SETOWN, getpid());
}

static long do_setown_group(char **args)
{
	need(!setpgid(0, 0), "setpgid");
	return fcntl(owned(), F_SETOWN, -getpgrp());
}

static long do_setown_ex(char **args)
{
	struct f_owner_ex owner = { .type = F_OWNER_PID, .pid = atoi(args[0]) };

	return fcntl(owned(), F_SETOWN_EX, &owner);
}

static long do_setown_ioctl(char **args)
{
	int pid = atoi(args[0]);

	return ioctl(owned(), FIOSETOWN, &pid);
}

static long do_setown_group_ioctl(char **args)
{
	int pid = atoi(args[0]);

	return ioctl(owned(), SIOCSPGRP, &pid);
}

static long do_setown_i386(char **args)
{
	return call_i386(55, owned(), F_SETOWN, atoi(args[0]));
}

static long do_setown_ioctl_i386(char **args)
{
	int pid = atoi(args[0]);

	return call_i386(54, owned(), FIOSETOWN, (long)low_copy(&pid, sizeof(pid)));
}

static const struct {
	const char *name;
	int args;
	long (*call)(char **args);
} calls[] = {
	{ "bpf", 0, do_bpf },
	{ "perf", 0, do_perf },
	{ "io-uring", 0, do_io_uring },
	{ "userfaultfd", 0, do_userfaultfd },
	{ "unshare-user", 0, do_unshare_user },
	{ "clone-user", 0, do_clone_user },
	{ "user-hostname", 0, do_unshare_all },
	{ "add-key", 0, do_add_key },
	{ "request-key", 0, do_request_key },
	{ "join-session", 0, do_join_session },
	{ "held-key", 0, do_held_key },
	{ "init-module", 0, do_init_module },
	{ "finit-module", 0, do_finit_module },
	{ "delete-module", 0, do_delete_module },
	{ "kexec", 0, do_kexec },
	{ "kexec-file", 0, do_kexec_file },
	{ "reboot", 0, do_reboot },
	{ "mount", 1, do_mount },
	{ "remount", 1, do_remount },
	{ "umount", 1, do_umount },
	{ "umount-i386", 1, do_umount_i386 },
	{ "oldumount-i386", 1, do_oldumount_i386 },
	{ "pivot-root", 0, do_pivot_root },
	{ "open-tree", 1, do_open_tree },
	{ "open-tree-x32", 1, do_open_tree_x32 },
	{ "move-mount", 0, do_move_mount },
	{ "fsopen", 0, do_fsopen },
	{ "fsmount", 0, do_fsmount },
	{ "fspick", 1, do_fspick },
	{ "mount-setattr", 1, do_mount_setattr },
	{ "hostname", 0, do_hostname },
	{ "nobody-hostname", 0, do_nobody_hostname },
	{ "nobody-user-hostname", 0, do_nobody_user_hostname },
	{ "chroot", 0, do_chroot },
	{ "setuid", 0, do_setuid },
	{ "chown", 1, do_chown },
	{ "attach", 1, do_attach },
	{ "seize", 1, do_seize },
	{ "seize-exitkill", 1, do_seize_exitkill },
	{ "limit", 2, do_limit },
	{ "see-limit", 2, do_see_limit },
	{ "traceme", 0, do_traceme },
	{ "child-traceme", 0, do_child_traceme },
	{ "seize-child", 0, do_seize_child },
	{ "seize-grandchild", 0, do_seize_grandchild },
	{ "seize-orphan", 0, do_seize_orphan },
	{ "vm-read", 1, do_vm_read },
	{ "vm-write", 1, do_vm_write },
	{ "mem", 1, do_mem },
	{ "environ", 1, do_environ },
	{ "maps", 1, do_maps },
	{ "root", 1, do_root },
	{ "getfd", 1, do_getfd },
	{ "kcmp", 1, do_kcmp },
	{ "robust-list", 1, do_robust_list },
	{ "kill", 2, do_kill },
	{ "tkill", 2, do_tkill },
	{ "tgkill", 2, do_tgkill },
	{ "sigqueue", 2, do_sigqueue },
	{ "sigqueue-async", 2, do_sigqueue_async },
	{ "pidfd-kill", 2, do_pidfd_kill },
	{ "child-kill", 2, do_child_kill },
	{ "kill-everybody", 1, do_kill_everybody },
	{ "setown", 1, do_setown },
	{ "setown-self", 0, do_setown_self },
	{ "setown-group", 0, do_setown_group },
	{ "setown-ex", 1, do_setown_ex },
	{ "setown-ioctl", 1, do_setown_ioctl },
	{ "setown-group-ioctl", 1, do_setown_group_ioctl },
	{ "setown-i386", 1, do_setown_i386 },
	{ "setown-ioctl-i386", 1, do_setown_ioctl_i386 },
};

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		long r;

		if (strcmp(calls[i].name, argv[1]))
			continue;
		if (argc != calls[i].args + 2)
			return 2;
		r = calls[i].call(argv + 2);
		puts(r < 0 ? strerrorname_np(errno) : "ok");
		return 0;
	}
	return 2;
}
