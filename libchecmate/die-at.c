// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libchecmate - Run a command and kill it at a chosen step
 *
 *	die-at N[@LOCK] COMMAND [ARGUMENT…]
 *
 * Kills the command when it is about to make its Nth system call that changes
 * what others see, counted from its first flock(2), or from the one of that
 * number: by one libchecmate begins to change bpffs and the kernel's policy, and
 * a policy that is loaded before takes one of its own. Counted are mkdir, symlink, link,
 * rename, rmdir, unlink, write, and of bpf what changes a map, a pin or an attachment. The
 * call that it dies at is not made.
 *
 * Exit status: 0 killed, 1 it ended before that, 2 wrong usage or no ptrace and seccomp.
 */
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The calls to stop at. The others run at full speed. */
static int trace_calls(void)
{
#define TRACE(number)                                        \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE)
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		TRACE(SYS_flock),
		TRACE(SYS_bpf),
		TRACE(SYS_mkdirat),
		TRACE(SYS_linkat),
		TRACE(SYS_renameat2),
		TRACE(SYS_symlinkat),
		TRACE(SYS_unlinkat),
		TRACE(SYS_write),
#ifdef SYS_mkdir
		TRACE(SYS_mkdir),
		TRACE(SYS_rename),
		TRACE(SYS_rmdir),
		TRACE(SYS_symlink),
		TRACE(SYS_unlink),
#endif
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = filter,
	};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* Whether a command of bpf(2) changes what others see. */
static bool is_change(__u64 command)
{
	switch (command) {
	case BPF_MAP_UPDATE_ELEM:
	case BPF_MAP_DELETE_ELEM:
	case BPF_MAP_LOOKUP_AND_DELETE_ELEM:
	case BPF_MAP_UPDATE_BATCH:
	case BPF_OBJ_PIN:
	case BPF_PROG_ATTACH:
	case BPF_PROG_DETACH:
	case BPF_LINK_CREATE:
	case BPF_LINK_UPDATE:
	case BPF_LINK_DETACH:
		return true;
	default:
		return false;
	}
}

/* Whether @child is about to make a call that is counted. */
static bool is_counted(pid_t child, long *locks)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info) < 0 ||
	    info.op != PTRACE_SYSCALL_INFO_SECCOMP)
		return false;
	if (info.seccomp.nr == SYS_flock) {
		--*locks;
		return false;
	}
	if (info.seccomp.nr == SYS_bpf && !is_change(info.seccomp.args[0]))
		return false;
	return *locks <= 0;
}

static int follow(pid_t child, long left, long locks)
{
	int status;

	/* Stopped by itself, waiting for this. */
	if (waitpid(child, &status, 0) < 0 || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL) < 0)
		return 2;
	for (;;) {
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8) &&
		    is_counted(child, &locks) && --left == 0)
			break;
		if (ptrace(PTRACE_CONT, child, 0, 0) < 0 || waitpid(child, &status, 0) < 0)
			return 2;
		if (!WIFSTOPPED(status))
			return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? 2 : 1;
	}

	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return 0;
}

int main(int argc, char **argv)
{
	char *end = NULL;
	long n = argc > 2 ? strtol(argv[1], &end, 10) : 0;
	long locks = end && *end == '@' ? strtol(end + 1, NULL, 10) : 1;
	pid_t child;

	if (n < 1 || locks < 1)
		return 2;
	child = fork();
	if (child < 0)
		return 2;
	if (!child) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0 || raise(SIGSTOP) || trace_calls() < 0)
			_exit(127);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	return follow(child, n, locks);
}
