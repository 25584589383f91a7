// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - securityfs
 *
 * What the kernel offers, for those who have to find out:
 *
 * /sys/kernel/security/checmate/version: version of the control files
 * /sys/kernel/security/checmate/hooks: a line for every hook
 * /sys/kernel/security/checmate/retired: memory that waits to be freed
 * /sys/kernel/security/checmate/hook_files: whether cgroups have files of single
 *	hooks; can be written
 */

#include <linux/bpf_lsm.h>
#include <linux/capability.h>
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/security.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "cgroup.h"
#include "common.h"
#include "control.h"
#include "direct.h"
#include "files.h"
#include "hooks.h"
#include "limits.h"
#include "lsm.h"
#include "retire.h"

static int hooks_show(struct seq_file *seq, void *unused)
{
	int hook;

	guard(mutex)(&checmate_mutex);

	for (hook = 0; hook < CHECMATE_NR_HOOKS; hook++)
		seq_printf(seq, "%s sleepable=%d active=%d programs=%u direct=%u\n",
			   checmate_hook_name(hook),
			   bpf_lsm_is_sleepable_hook(checmate_hook_btf_id(hook)),
			   checmate_hook_is_active(hook),
			   checmate_hook_users(hook),
			   checmate_count_callees(hook));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(hooks);

static int version_show(struct seq_file *seq, void *unused)
{
	seq_printf(seq, "%d\n", CHECMATE_ABI_VERSION);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(version);

static int retired_show(struct seq_file *seq, void *unused)
{
	checmate_show_retired(seq);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(retired);

static ssize_t hook_files_read(struct file *file, char __user *buf, size_t size,
			       loff_t *pos)
{
	const char *text = checmate_has_hook_files() ? "1\n" : "0\n";

	return simple_read_from_buffer(buf, size, pos, text, strlen(text));
}

/* As for control files, the opener counts. */
static ssize_t hook_files_write(struct file *file, const char __user *buf,
				size_t size, loff_t *pos)
{
	char text[8] = {};
	bool on;
	int err;

	if (!file_ns_capable(file, &init_user_ns, CAP_MAC_ADMIN))
		return -EPERM;
	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, size))
		return -EFAULT;
	err = checmate_parse_switch(text, size, &on);
	if (!err)
		err = checmate_set_hook_files(on);
	return err ?: size;
}

static const struct file_operations hook_files_fops = {
	.owner = THIS_MODULE,
	.read = hook_files_read,
	.write = hook_files_write,
	.llseek = default_llseek,
};

/* A file less is no reason not to enforce: user space sees it missing. */
static int __init create_files(void)
{
	struct dentry *dir, *version, *hooks, *retired, *hook_files;

	if (!checmate_is_active())
		return 0;
	dir = securityfs_create_dir(CHECMATE_NAME, NULL);
	if (IS_ERR(dir))
		return PTR_ERR(dir);
	version = securityfs_create_file("version", 0444, dir, NULL,
					 &version_fops);
	hooks = securityfs_create_file("hooks", 0444, dir, NULL, &hooks_fops);
	retired = securityfs_create_file("retired", 0444, dir, NULL,
					 &retired_fops);
	hook_files = securityfs_create_file("hook_files", 0644, dir, NULL,
					    &hook_files_fops);
	return PTR_ERR_OR_ZERO(IS_ERR(version) ? version :
			       IS_ERR(hooks)   ? hooks :
			       IS_ERR(retired) ? retired :
						 hook_files);
}
fs_initcall(create_files);
