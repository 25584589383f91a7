// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checmate policies - signal-scope: signals stay inside the cgroup
 *
 * Signals that processes send are judged when they are sent. Signals that the
 * kernel sends for a file whose owner a process named (SIGIO, SIGURG and
 * whatever F_SETSIG chose) come when something happens to the file, while any
 * task may be running. They are therefore judged when the owner is named.
 *
 * The kernel also sends signals without task_kill to a process that reaches
 * one of its limits (SIGXCPU, SIGXFSZ, SIGKILL), and to a process that is
 * traced: any signal that the tracer chooses, and SIGKILL when the tracer ends
 * (PTRACE_O_EXITKILL). The programs therefore evaluate who sets the limits of
 * another process and who attaches to it.
 */
#include "checmate-cgroup.bpf.h"

struct checmate_params {
	CHECMATE_PARAM_SIGNALS(allow, "allow", "", "Signals that may be sent to everybody");
	CHECMATE_PARAM_BOOL(allow_probe, "allow-probe", "no",
			    "Ask with signal 0 whether a process exists");
	CHECMATE_PARAM_CHOICE(owner, "file-owner", "self", "self|any",
			      "Whom a file may be made to send signals to");
	CHECMATE_PARAM_ERRNO(deny_errno, "deny-errno", "EPERM", "Error that a denied call returns");
};

CHECMATE_POLICY("signal-scope", "1", "Send signals only to processes of the cgroup");

/* As the choices number them. */
enum owner {
	OWNER_SELF,
	OWNER_ANY,
};

#define F_SETOWN 8
#define F_SETOWN_EX 15
#define FIOSETOWN 0x8901
#define SIOCSPGRP 0x8902

/* Of enum ptrace_mode bits in include/linux/ptrace.h. */
#define PTRACE_MODE_ATTACH 0x02
#define PTRACE_MODE_NOAUDIT 0x04

CHECMATE_PROGRAM(task_kill, signal_kill, struct task_struct *target, struct kernel_siginfo *info,
		 int sig, const struct cred *cred)
{
	__s32 error = self->param->deny_errno;
	__u64 sender;

	/*
	 * With credentials it is a USB request that completes, and whoever runs
	 * now did not send it. The verifier takes it that no argument is NULL,
	 * hence the copy. Without one it is judged as everything else.
	 */
	if (!bpf_probe_read_kernel(&sender, sizeof(sender), &ctx[3]) && sender)
		return checmate_allow();
	if (sig == 0 && self->param->allow_probe)
		return checmate_allow();
	if (sig >= 1 && sig <= 64 && self->param->allow & 1ULL << (sig - 1))
		return checmate_allow();
	if (checmate_task_inside(self, target))
		return checmate_allow();
	/* With ESRCH, kill(2) takes it that the target just ended, and tries again for ever. */
	return checmate_deny_task(self, "task_kill", error == ESRCH ? EPERM : error, target, sig);
}

/* The caller's process id as it sees it itself; 0 if that cannot be read. */
static __always_inline int own_pid(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pid *pid = BPF_CORE_READ(task, group_leader, thread_pid);
	unsigned long offset = bpf_core_field_offset(struct pid, numbers);
	unsigned int level;
	int nr;

	if (!pid || bpf_core_read(&level, sizeof(level), &pid->level))
		return 0;
	offset += level * bpf_core_type_size(struct upid);
	if (bpf_core_read(&nr, sizeof(nr), &((struct upid *)((void *)pid + offset))->nr))
		return 0;
	return nr;
}

CHECMATE_PROGRAM(file_fcntl, signal_fcntl, struct file *file, unsigned int cmd, unsigned long arg)
{
	int pid = arg;

	if ((cmd != F_SETOWN && cmd != F_SETOWN_EX) || self->param->owner == OWNER_ANY)
		return checmate_allow();
	/* 0 is nobody. */
	if (cmd == F_SETOWN && (!pid || pid == own_pid()))
		return checmate_allow();
	/*
	 * F_SETOWN_EX names the owner in memory, which may be another one when
	 * the kernel reads it after this. Denied, as is everybody else.
	 */
	return checmate_deny_text(self, "file_fcntl", self->param->deny_errno, "file owner");
}

/* What these name is in memory, too. */
static __always_inline int judge_ioctl(const struct checmate_self *self, const char *hook,
				       unsigned int cmd)
{
	if ((cmd != FIOSETOWN && cmd != SIOCSPGRP) || self->param->owner == OWNER_ANY)
		return checmate_allow();
	return checmate_deny_text(self, hook, self->param->deny_errno, "file owner");
}

CHECMATE_PROGRAM(file_ioctl, signal_ioctl, struct file *file, unsigned int cmd, unsigned long arg)
{
	return judge_ioctl(self, "file_ioctl", cmd);
}

CHECMATE_PROGRAM(file_ioctl_compat, signal_ioctl32, struct file *file, unsigned int cmd,
		 unsigned long arg)
{
	return judge_ioctl(self, "file_ioctl_compat", cmd);
}

/* Setting a limit; reading one is allowed. A process may always limit itself. */
CHECMATE_PROGRAM(task_setrlimit, signal_limit, struct task_struct *target, unsigned int resource)
{
	if (BPF_CORE_READ(target, tgid) == (int)(bpf_get_current_pid_tgid() >> 32) ||
	    checmate_task_inside(self, target))
		return checmate_allow();
	return checmate_deny_task(self, "task_setrlimit", self->param->deny_errno, target, 0);
}

/* Tracing, and reaching into memory, by which a process can be ended as well. */
CHECMATE_PROGRAM(ptrace_access_check, signal_trace, struct task_struct *child, unsigned int mode)
{
	if (!(mode & PTRACE_MODE_ATTACH) || checmate_task_inside(self, child))
		return checmate_allow();
	/* The callers turn every errno into their own. A mere question is no event. */
	if (mode & PTRACE_MODE_NOAUDIT)
		return checmate_verdict(self, NULL, EPERM);
	return checmate_deny_task(self, "ptrace_access_check", EPERM, child, 0);
}
