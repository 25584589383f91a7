// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - securityfs
 *
 * What the kernel offers, for those who have to find out:
 *
 * /sys/kernel/security/checmate/version: version of the control files
 * /sys/kernel/security/checmate/hooks: a line for every hook
 * /sys/kernel/security/checmate/retired: memory that waits to be freed
 */

#include <linux/bpf_lsm.h>
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/security.h>
#include <linux/seq_file.h>

#include "cgroup.h"
#include "common.h"
#include "hooks.h"
#include "limits.h"
#include "retire.h"
#include "setup.h"

static int hooks_show(struct seq_file *seq, void *unused)
{
	int hook;

	guard(mutex)(&checmate_mutex);

	for (hook = 0; hook < CHECMATE_NR_HOOKS; hook++)
		seq_printf(seq, "%s sleepable=%d active=%d programs=%u\n",
			   checmate_hook_name(hook),
			   bpf_lsm_is_sleepable_hook(checmate_hook_btf_id(hook)),
			   checmate_hook_is_active(hook),
			   checmate_hook_users(hook));
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

/* A file less is no reason not to enforce: user space sees it missing. */
static int __init create_files(void)
{
	struct dentry *dir, *version, *hooks, *retired;

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
	return PTR_ERR_OR_ZERO(IS_ERR(version) ? version :
			       IS_ERR(hooks)   ? hooks :
						 retired);
}
fs_initcall(create_files);
