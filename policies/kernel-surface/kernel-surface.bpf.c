// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checmate policies - kernel-surface: parts of the kernel that are out of reach
 *
 * Where a part has a hook of its own, the hook is used. Modules, booting and
 * mounting are judged by the capability that they need: it is asked for by
 * every call of theirs, and some of the calls have no other hook.
 */
#include "checmate.bpf.h"
#include "kernel-surface/syscalls.h"

struct checmate_params {
	CHECMATE_PARAM_BOOL(allow_autoload, "allow-autoload", "no",
			    "Have the kernel load missing modules");
	CHECMATE_PARAM_BOOL(allow_boot, "allow-boot", "no",
			    "Load another kernel, reboot, power off");
	CHECMATE_PARAM_BOOL(allow_bpf, "allow-bpf", "no", "Use bpf(2)");
	CHECMATE_PARAM_BOOL(allow_io_uring, "allow-io-uring", "no", "Set up io_uring instances");
	CHECMATE_PARAM_BOOL(allow_keys, "allow-keys", "no", "Make and use keys and keyrings");
	CHECMATE_PARAM_BOOL(allow_modules, "allow-modules", "no", "Load and unload kernel modules");
	CHECMATE_PARAM_BOOL(allow_mount, "allow-mount", "no",
			    "Mount, unmount, change and clone mounts");
	CHECMATE_PARAM_BOOL(allow_perf, "allow-perf", "no", "Use perf_event_open(2)");
	CHECMATE_PARAM_BOOL(allow_userfaultfd, "allow-userfaultfd", "no", "Use userfaultfd(2)");
	CHECMATE_PARAM_BOOL(allow_userns, "allow-userns", "no", "Make user namespaces");
	CHECMATE_PARAM_ERRNO(deny_errno, "deny-errno", "EPERM",
			     "Error that a denied call returns, where it has a choice");
};

CHECMATE_POLICY("kernel-surface", "1", "Keep parts of the kernel out of reach");

#define CAP_SYS_MODULE 16
#define CAP_SYS_ADMIN 21
#define CAP_SYS_BOOT 22

/*
 * Is the caller in a call of mount(2)'s family? The registers are those of its
 * call into the kernel.
 */
static __always_inline bool mounting(void)
{
	struct pt_regs *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	unsigned long nr;

	/* Cannot be read: it may be any of them, denied. */
	if (bpf_core_read(&nr, sizeof(nr), &regs->orig_ax))
		return true;
	return surface_mounts(nr);
}

CHECMATE_PROGRAM(capable, surface_capable, const struct cred *cred, struct user_namespace *ns,
		 int cap, unsigned int opts)
{
	if (cap == CAP_SYS_MODULE && !self->param->allow_modules)
		return checmate_deny_text(self, "capable", EPERM, "modules");
	if (cap == CAP_SYS_BOOT && !self->param->allow_boot)
		return checmate_deny_text(self, "capable", EPERM, "boot");
	if (cap == CAP_SYS_ADMIN && !self->param->allow_mount && mounting())
		return checmate_deny_text(self, "capable", EPERM, "mount");
	return checmate_allow();
}

CHECMATE_PROGRAM(kernel_module_request, surface_autoload, char *name)
{
	if (self->param->allow_autoload)
		return checmate_allow();
	return checmate_deny_text(self, "kernel_module_request", self->param->deny_errno,
				  "autoload");
}

CHECMATE_PROGRAM(bpf, surface_bpf, int cmd, union bpf_attr *attr, unsigned int size)
{
	if (self->param->allow_bpf)
		return checmate_allow();
	return checmate_deny_text(self, "bpf", self->param->deny_errno, "bpf");
}

/* Its arguments are not the same in all kernels; none is needed. */
CHECMATE_PROGRAM(perf_event_open, surface_perf)
{
	if (self->param->allow_perf)
		return checmate_allow();
	return checmate_deny_text(self, "perf_event_open", self->param->deny_errno, "perf");
}

CHECMATE_PROGRAM(userns_create, surface_userns, const struct cred *cred)
{
	if (self->param->allow_userns)
		return checmate_allow();
	return checmate_deny_text(self, "userns_create", self->param->deny_errno, "userns");
}

/* Files with an inode of their own but without a path, known by their name. */
CHECMATE_PROGRAM(inode_init_security_anon, surface_anon, struct inode *inode,
		 const struct qstr *qstr, const struct inode *context_inode)
{
	static const char hook[] = "inode_init_security_anon";
	const unsigned char *text;
	char name[16] = {};

	/* An unreadable name may be any: denied unless all of them are allowed. */
	text = BPF_CORE_READ(qstr, name);
	if (bpf_probe_read_kernel_str(name, sizeof(name), text) < 0)
		name[0] = '\0';
	if (!self->param->allow_io_uring &&
	    (!name[0] || !bpf_strncmp(name, sizeof(name), "[io_uring]")))
		return checmate_deny_text(self, hook, self->param->deny_errno, "io_uring");
	if (!self->param->allow_userfaultfd &&
	    (!name[0] || !bpf_strncmp(name, sizeof(name), "[userfaultfd]")))
		return checmate_deny_text(self, hook, self->param->deny_errno, "userfaultfd");
	return checmate_allow();
}

CHECMATE_PROGRAM(key_alloc, surface_key_new, struct key *key, const struct cred *cred,
		 unsigned long flags)
{
	if (self->param->allow_keys)
		return checmate_allow();
	return checmate_deny_text(self, "key_alloc", self->param->deny_errno, "keys");
}

CHECMATE_PROGRAM(key_permission, surface_key_use)
{
	if (self->param->allow_keys)
		return checmate_allow();
	return checmate_deny_text(self, "key_permission", self->param->deny_errno, "keys");
}
