// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Control files
 *
 * What is read from and written to the files of a cgroup.  The core shows the
 * files of a new css last, when the tasks that are in the cgroup have been
 * moved to it: what a write has enforced reaches all of them.
 */

#include <linux/bpf.h>
#include <linux/cgroup.h>
#include <linux/cleanup.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/kernfs.h>
#include <linux/limits.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/nsproxy.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "cgroup.h"
#include "chain.h"
#include "common.h"
#include "control.h"
#include "event.h"
#include "files.h"
#include "hooks.h"
#include "lsm.h"
#include "attachments.h"
#include "program.h"
#include "request.h"
#include "retire.h"
#include "ruleset.h"
#include "seal.h"
#include "staged.h"
#include "transaction.h"

/*
 * It is who opened the file that counts, not whom the descriptor was handed
 * to.  Where the LSM is not in use nothing would be enforced.  A writer waits
 * here, before it takes any lock, while too much retired memory waits for readers.
 */
static int begin_write(const struct kernfs_open_file *of)
{
	if (!file_ns_capable(of->file, &init_user_ns, CAP_MAC_ADMIN))
		return -EPERM;
	if (!checmate_is_active())
		return -EOPNOTSUPP;
	return checmate_wait_for_retired();
}

/*
 * Keep tasks and controllers where they are.  While this waits for cgroup_mutex,
 * the file and its css may go.
 */
static int begin_change(struct kernfs_open_file *of)
{
	struct cgroup_subsys_state *css = of_css(of);

	css_get(css);
	kernfs_break_active_protection(of->kn);
	cgroup_lock();
	return css_is_dying(css) ? -ENODEV : 0;
}

static void end_change(struct kernfs_open_file *of,
		       struct checmate_cgroup *cgroup)
{
	cgroup_unlock();
	kernfs_unbreak_active_protection(of->kn);
	css_put(&cgroup->css);
}

/* Whether nothing is left of what there was, be it attached or staged. */
static bool clears_all(const struct checmate_edit *edit)
{
	unsigned int i;

	for (i = 0; i < edit->nr; i++)
		if (edit->op[i].type == CHECMATE_OP_CLEAR &&
		    edit->scope == CHECMATE_ALL_HOOKS)
			return true;
	return false;
}

/* Carry out what was written, without what is staged standing against it. */
static int commit(const struct checmate_request *request)
{
	bool clears = clears_all(&request->edit);
	struct checmate_cgroup *cgroup = request->cgroup;
	int err;

	lockdep_assert_held(&cgroup_mutex);

	guard(mutex)(&checmate_mutex);

	err = checmate_check_request(request);
	if (err)
		return err;
	err = checmate_apply_request(request, clears ? NULL : cgroup->extra->staged);
	if (!err && clears)
		checmate_drop_staged(cgroup);
	return err;
}

/* Carry out @txn, which is taken over. */
static int change(struct kernfs_open_file *of, struct checmate_transaction *txn,
		  enum checmate_hook scope)
{
	struct checmate_cgroup *cgroup = css_checmate(of_css(of));
	struct checmate_request *request;
	bool at_exec = txn->at_exec;
	int err;

	request = checmate_create_request(cgroup, txn, scope);
	if (IS_ERR(request))
		return PTR_ERR(request);
	err = begin_change(of);
	if (!err)
		err = at_exec ? checmate_stage_request(request) :
				commit(request);
	end_change(of, cgroup);
	if (err || !at_exec)
		checmate_free_request(request);
	return err;
}

static ssize_t policy_write(struct kernfs_open_file *of, char *buf,
			    size_t nbytes, loff_t off)
{
	struct checmate_transaction *txn;
	int err = begin_write(of);

	if (err)
		return err;
	txn = checmate_parse_policy(buf, nbytes);
	if (IS_ERR(txn))
		return PTR_ERR(txn);
	err = change(of, txn, CHECMATE_ALL_HOOKS);
	return err ?: nbytes;
}

static ssize_t hook_write(struct kernfs_open_file *of, char *buf,
			  size_t nbytes, loff_t off)
{
	struct checmate_transaction *txn __free(kfree) = NULL;
	int err = begin_write(of);

	if (err)
		return err;
	txn = kzalloc(struct_size(txn, op, 1), GFP_KERNEL_ACCOUNT);
	if (!txn)
		return -ENOMEM;
	txn->nr = 1;
	err = checmate_parse_hook(buf, nbytes, &txn->op[0]);
	if (err)
		return err;
	err = change(of, no_free_ptr(txn), of_cft(of)->private);
	return err ?: nbytes;
}

static ssize_t seal_write(struct kernfs_open_file *of, char *buf,
			  size_t nbytes, loff_t off)
{
	struct checmate_cgroup *cgroup = css_checmate(of_css(of));
	int err = begin_write(of);
	bool on;

	if (err)
		return err;
	err = checmate_parse_switch(buf, nbytes, &on);
	if (err)
		return err;
	err = begin_change(of);
	if (!err)
		err = checmate_seal_cgroup(cgroup, on);
	end_change(of, cgroup);
	return err ?: nbytes;
}

static int seal_show(struct seq_file *seq, void *unused)
{
	struct checmate_cgroup *cgroup = css_checmate(seq_css(seq));

	guard(mutex)(&checmate_mutex);

	seq_printf(seq, "%d\n", checmate_cgroup_extra(cgroup)->sealed);
	return 0;
}

static int hook_show(struct seq_file *seq, void *unused)
{
	struct checmate_cgroup *cgroup = css_checmate(seq_css(seq));
	const struct checmate_attachments *set;
	unsigned int i, count = 0;

	guard(mutex)(&checmate_mutex);

	set = checmate_cgroup_extra(cgroup)->set;
	for (i = 0; set && i < set->nr; i++)
		count += set->program[i]->hook == seq_cft(seq)->private;
	seq_printf(seq, "%u\n", count);
	return 0;
}

static void show_program(struct seq_file *seq,
			 const struct checmate_program *program)
{
	seq_printf(seq, "%llu hook=%s name=%s tag=%*phN prog=%u mode=%s",
		   program->id, checmate_hook_name(program->hook),
		   program->prog->aux->name, (int)sizeof(program->prog->tag),
		   program->prog->tag, checmate_prog_id(program),
		   checmate_mode_name(program));
	if (program->cookie)
		seq_printf(seq, " cookie=%llu", program->cookie);
}

static int policy_show(struct seq_file *seq, void *unused)
{
	struct checmate_cgroup *cgroup = css_checmate(seq_css(seq));
	const struct checmate_request *staged;
	const struct checmate_attachments *set;
	unsigned int i;

	guard(mutex)(&checmate_mutex);

	/* First, since that may find one that is none anymore. */
	staged = checmate_staged_request(cgroup);
	seq_printf(seq, "generation %llu\n",
		   checmate_cgroup_extra(cgroup)->generation);
	set = checmate_cgroup_extra(cgroup)->set;
	for (i = 0; set && i < set->nr; i++) {
		show_program(seq, set->program[i]);
		seq_putc(seq, '\n');
	}
	for (i = 0; staged && i < staged->edit.nr; i++) {
		if (!staged->edit.program[i])
			continue;
		show_program(seq, staged->edit.program[i]);
		seq_puts(seq, " staged\n");
	}
	return 0;
}

/*
 * The owner of a program in a ruleset is the cgroup itself or an ancestor.  The
 * path, built in @path of PATH_MAX bytes, is as the reader's namespace sees it.
 */
static void show_owner(struct seq_file *seq, struct checmate_cgroup *cgroup,
		       u64 id, char *path)
{
	struct kernfs_node *top =
		current->nsproxy->cgroup_ns->root_cset->dfl_cgrp->kn;

	while (cgroup && cgroup_id(cgroup->css.cgroup) != id)
		cgroup = checmate_cgroup_parent(cgroup);
	seq_printf(seq, " cgroup=%llu path=", id);
	/* Not cgroup_path_ns(), which takes cgroup_mutex. */
	if (cgroup && kernfs_path_from_node(cgroup->css.cgroup->kn, top, path,
					    PATH_MAX) > 0)
		seq_escape(seq, path, " \t\n\\");
	seq_putc(seq, '\n');
}

static int effective_show(struct seq_file *seq, void *unused)
{
	struct checmate_cgroup *cgroup = css_checmate(seq_css(seq));
	struct checmate_ruleset *ruleset;
	char *path __free(kfree) = NULL;
	unsigned int i, j;

	path = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!path)
		return -ENOMEM;

	/* A ruleset does not change: nobody has to wait for the printing. */
	scoped_guard(mutex, &checmate_mutex)
		ruleset = checmate_get_ruleset(checmate_effective_ruleset(cgroup));
	for (i = 1; i <= ruleset->nr; i++) {
		const struct checmate_chain *chain = ruleset->chain[i];

		for (j = 0; j < chain->nr; j++) {
			show_program(seq, chain->step[j].program);
			show_owner(seq, cgroup, chain->step[j].program->cgroup_id,
				   path);
		}
	}
	checmate_put_ruleset(ruleset);
	return 0;
}

static int events_show(struct seq_file *seq, void *unused)
{
	const struct checmate_cgroup *cgroup = css_checmate(seq_css(seq));
	const struct checmate_extra *extra = checmate_cgroup_extra(cgroup);

	checmate_show_events(seq, &cgroup->local,
			     extra == &checmate_no_extra ? NULL : &extra->below);
	return 0;
}

static int local_show(struct seq_file *seq, void *unused)
{
	checmate_show_events(seq, &css_checmate(seq_css(seq))->local, NULL);
	return 0;
}

/* Of each hook that is used here, what the programs attached here denied. */
static int stat_show(struct seq_file *seq, void *unused)
{
	struct checmate_cgroup *cgroup = css_checmate(seq_css(seq));
	const struct checmate_attachments *set;
	enum checmate_hook hook;
	unsigned int i;

	guard(mutex)(&checmate_mutex);

	set = checmate_cgroup_extra(cgroup)->set;
	for (hook = 0; set && hook < CHECMATE_NR_HOOKS; hook++) {
		s64 denied = 0, permissive = 0;
		bool used = false;

		for (i = 0; i < set->nr; i++) {
			const struct checmate_events *events =
				&set->program[i]->tally->events;

			if (set->program[i]->hook != hook)
				continue;
			used = true;
			denied += atomic64_read(&events->denied);
			permissive += atomic64_read(&events->permissive);
		}
		if (used)
			seq_printf(seq, "%s denied=%lld permissive=%lld\n",
				   checmate_hook_name(hook), denied,
				   permissive);
	}
	return 0;
}

#define HOOK_FILE(NAME)						\
	{							\
		.name = #NAME,					\
		.flags = CFTYPE_NOT_ON_ROOT,			\
		.private = CHECMATE_HOOK_##NAME,		\
		.seq_show = hook_show,				\
		.write = hook_write,				\
	}

struct cftype checmate_files[] = {
	{
		.name = "policy",
		.seq_show = policy_show,
		.write = policy_write,
	},
	{
		.name = "effective",
		.seq_show = effective_show,
	},
	{
		.name = "events",
		.seq_show = events_show,
	},
	{
		.name = "events.local",
		.seq_show = local_show,
	},
	{
		.name = "stat",
		.seq_show = stat_show,
	},
	{
		.name = "seal",
		.flags = CFTYPE_NOT_ON_ROOT,
		.seq_show = seal_show,
		.write = seal_write,
	},
	{ }	/* terminate */
};

/* The files of single hooks. */
static struct cftype hook_files[] = {
	HOOK_FILE(unix_stream_connect),
	HOOK_FILE(unix_may_send),
	HOOK_FILE(socket_create),
	HOOK_FILE(socket_bind),
	HOOK_FILE(socket_connect),
	HOOK_FILE(socket_listen),
	HOOK_FILE(socket_accept),
	HOOK_FILE(socket_sendmsg),
	HOOK_FILE(socket_recvmsg),
	HOOK_FILE(socket_shutdown),
	HOOK_FILE(socket_sock_rcv_skb),
	HOOK_FILE(sk_free_security),
	{ }	/* terminate */
};

/* Protects @has_hook_files; cgroup_mutex nests inside. */
static DEFINE_MUTEX(hook_files_mutex);

static bool has_hook_files;

/* Two thirds of the files of a cgroup; they take time and memory. */
static bool hook_files_at_boot = true;
module_param_named(hook_files, hook_files_at_boot, bool, 0);
MODULE_PARM_DESC(hook_files, "whether cgroups have files of single hooks");

/**
 * checmate_has_hook_files - Whether cgroups have files of single hooks
 *
 * Context: Process context, may sleep.
 * Return: true if they have.
 */
bool checmate_has_hook_files(void)
{
	guard(mutex)(&hook_files_mutex);

	return has_hook_files;
}

/**
 * checmate_set_hook_files - Give all cgroups files of single hooks, or none
 * @on: whether they are to have them
 *
 * What is attached stays so.
 *
 * Context: Process context, may sleep; takes cgroup_mutex.
 * Return: 0 or a negative errno; on failure nothing has changed.
 */
int checmate_set_hook_files(bool on)
{
	int err;

	guard(mutex)(&hook_files_mutex);

	if (on == has_hook_files)
		return 0;
	err = on ? cgroup_add_dfl_cftypes(&checmate_cgrp_subsys, hook_files) :
		   cgroup_rm_cftypes(hook_files);
	if (!err)
		has_hook_files = on;
	return err;
}

static int __init add_hook_files(void)
{
	return checmate_set_hook_files(hook_files_at_boot);
}
fs_initcall(add_hook_files);
