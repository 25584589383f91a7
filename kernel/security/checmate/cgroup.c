// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - The controller
 *
 * Each cgroup has a policy, which is what is attached to it, and a ruleset,
 * which is what is enforced for it: its own policy and that of every ancestor.
 * A write to a control file is a transaction.  It takes effect for the cgroup
 * and all its descendants before write(2) returns, or not at all.
 *
 * Lock rules:
 *
 * checmate_mutex covers every policy, every change of a ruleset pointer and
 * the accounting of hooks.  It nests inside cgroup_mutex (css callbacks) and
 * inside the active reference of a control file; static keys are flipped while
 * it is held, so cpu_hotplug_lock and jump_label_mutex nest inside it.  Nothing
 * under it, and nothing that runs with the active reference of a control file,
 * takes cgroup_mutex.  No hook takes checmate_mutex.
 *
 * A css is online for as long as one of its control files can be written:
 * kernfs drains the writers before the css goes offline.
 *
 * Hooks read ruleset pointers under RCU alone.  A transaction builds all new
 * rulesets first, which may fail, and then publishes them, which may not; on
 * failure nothing has changed.
 */

#include <linux/bpf.h>
#include <linux/cleanup.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/kernfs.h>
#include <linux/limits.h>
#include <linux/lockdep.h>
#include <linux/nsproxy.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "cgroup.h"
#include "common.h"
#include "control.h"
#include "hooks.h"
#include "policy.h"
#include "program.h"
#include "ruleset.h"
#include "setup.h"
#include "sock.h"

/* Protects what the lock rules above say. */
DEFINE_MUTEX(checmate_mutex);

/*
 * Steps with every transaction, after it is published: sock.c then looks for
 * the cgroup of each sock again.  A css that has not seen a transaction gives
 * the same answers as its parent, and one that has is found by then: its files
 * are made after cgroup->subsys[] leads to it.
 */
unsigned int checmate_epoch = 1;

static struct checmate_cgroup *root_cgroup __ro_after_init;

/* The css comes with every cgroup: debugging aside, it stays small. */
static_assert(IS_ENABLED(CONFIG_LOCKDEP) ||
	      IS_ENABLED(CONFIG_DEBUG_OBJECTS) ||
	      sizeof(struct checmate_cgroup) <= 384);

static struct checmate_ruleset *
effective_ruleset(const struct checmate_cgroup *cgroup)
{
	return rcu_dereference_protected(cgroup->effective,
					 lockdep_is_held(&checmate_mutex));
}

/**
 * checmate_root_cgroup - The cgroup above all
 *
 * Context: Any context.
 * Return: The root cgroup, which never goes.
 */
struct checmate_cgroup *checmate_root_cgroup(void)
{
	return root_cgroup;
}

/* What @cgroup would inherit if the staged rulesets from @top on held. */
static struct checmate_ruleset *
inherited_ruleset(struct checmate_cgroup *cgroup, struct checmate_cgroup *top)
{
	lockdep_assert_held(&checmate_mutex);

	while (cgroup != top) {
		cgroup = checmate_cgroup_parent(cgroup);
		if (cgroup->staged)
			return cgroup->staged;
	}
	cgroup = checmate_cgroup_parent(top);
	return cgroup ? effective_ruleset(cgroup) : &checmate_empty_ruleset;
}

/* Drop what a failed transaction has staged. */
static void unstage(struct checmate_cgroup *top)
{
	struct cgroup_subsys_state *css;

	lockdep_assert_held(&checmate_mutex);

	rcu_read_lock();
	css_for_each_descendant_pre(css, &top->css) {
		struct checmate_cgroup *cgroup = css_checmate(css);

		checmate_put_ruleset(cgroup->staged);
		cgroup->staged = NULL;
	}
	rcu_read_unlock();
}

/*
 * Stage new rulesets for @top, which is to have @policy, and for all of its
 * descendants that have a policy of their own.
 */
static int stage(struct checmate_cgroup *top,
		 const struct checmate_policy *policy)
{
	struct checmate_ruleset *ruleset = NULL;
	struct cgroup_subsys_state *css;

	lockdep_assert_held(&checmate_mutex);

	rcu_read_lock();
	css_for_each_descendant_pre(css, &top->css) {
		struct checmate_cgroup *cgroup = css_checmate(css);
		const struct checmate_policy *own =
			cgroup == top ? policy : cgroup->policy;

		/* Without a reference left nobody asks for its ruleset. */
		if (!own || !own->nr || !css_tryget(css))
			continue;
		rcu_read_unlock();
		ruleset = checmate_build_ruleset(own,
						 inherited_ruleset(cgroup, top));
		if (!IS_ERR(ruleset))
			cgroup->staged = ruleset;
		rcu_read_lock();
		css_put(css);
		if (IS_ERR(ruleset))
			break;
	}
	rcu_read_unlock();

	if (!IS_ERR(ruleset))
		return 0;
	unstage(top);
	return PTR_ERR(ruleset);
}

/* Point @top and its descendants at what stage() has prepared. */
static void publish(struct checmate_cgroup *top)
{
	struct cgroup_subsys_state *css;

	lockdep_assert_held(&checmate_mutex);

	rcu_read_lock();
	css_for_each_descendant_pre(css, &top->css) {
		struct checmate_cgroup *cgroup = css_checmate(css);
		struct checmate_ruleset *old = effective_ruleset(cgroup);
		struct checmate_ruleset *new = cgroup->staged;

		/* Not online yet: it will inherit then. */
		if (!old)
			continue;
		/* Parents come before their children in this walk. */
		if (!new)
			new = checmate_get_ruleset(inherited_ruleset(cgroup,
								     cgroup));
		cgroup->staged = NULL;
		rcu_assign_pointer(cgroup->effective, new);
		checmate_put_ruleset(old);
	}
	rcu_read_unlock();
}

static void begin_epoch(void)
{
	lockdep_assert_held(&checmate_mutex);

	/* Pairs with the acquire in refresh_pin() and pin_creator(). */
	smp_store_release(&checmate_epoch, checmate_epoch + 1);
}

static void use_hooks(const struct checmate_policy *policy)
{
	unsigned int i;

	for (i = 0; policy && i < policy->nr; i++)
		checmate_use_hook(policy->program[i]->hook);
}

static void unuse_hooks(const struct checmate_policy *policy)
{
	unsigned int i;

	for (i = 0; policy && i < policy->nr; i++)
		checmate_unuse_hook(policy->program[i]->hook);
}

/*
 * Apply a transaction.  The rulesets are out before the hooks that lead to
 * them go on, and the hooks go off, later, after the rulesets are out.
 */
static int commit(struct checmate_cgroup *cgroup,
		  const struct checmate_transaction *txn,
		  struct checmate_program *const *program,
		  enum checmate_hook scope)
{
	struct checmate_policy *policy __free(checmate_policy) = NULL;
	int err;

	guard(mutex)(&checmate_mutex);

	if (txn->has_generation && txn->generation != cgroup->generation)
		return -ESTALE;
	policy = checmate_edit_policy(cgroup->policy, txn->op, program,
				      txn->nr, scope);
	if (IS_ERR(policy))
		return PTR_ERR(policy);
	err = stage(cgroup, policy);
	if (err)
		return err;

	publish(cgroup);
	begin_epoch();
	use_hooks(policy);
	unuse_hooks(cgroup->policy);
	if (txn->nr)
		cgroup->generation++;
	/* The old policy is freed in place of the new one. */
	swap(cgroup->policy, policy);
	return 0;
}

/* File descriptors are the writer's; they are resolved before any lock. */
static int apply(struct checmate_cgroup *cgroup,
		 const struct checmate_transaction *txn,
		 enum checmate_hook scope)
{
	u64 id = cgroup_id(cgroup->css.cgroup);
	struct checmate_program **program;
	unsigned int i;
	int err = 0;

	program = kcalloc(txn->nr, sizeof(*program), GFP_KERNEL);
	if (!program)
		return -ENOMEM;
	for (i = 0; i < txn->nr && !err; i++) {
		if (txn->op[i].type != CHECMATE_OP_ATTACH &&
		    txn->op[i].type != CHECMATE_OP_DETACH_FD)
			continue;
		program[i] = checmate_create_program(txn->op[i].fd, id,
						     txn->op[i].permissive);
		if (IS_ERR(program[i])) {
			err = PTR_ERR(program[i]);
			program[i] = NULL;
		}
	}
	if (!err)
		err = commit(cgroup, txn, program, scope);
	for (i = 0; i < txn->nr; i++)
		checmate_put_program(program[i]);
	kfree(program);
	return err;
}

/*
 * It is who opened the file that counts, not whom the descriptor was handed
 * to.  Where the LSM is not in use nothing would be enforced.
 */
static int may_write(const struct kernfs_open_file *of)
{
	if (!file_ns_capable(of->file, &init_user_ns, CAP_MAC_ADMIN))
		return -EPERM;
	if (!checmate_is_active())
		return -EOPNOTSUPP;
	return 0;
}

static ssize_t policy_write(struct kernfs_open_file *of, char *buf,
			    size_t nbytes, loff_t off)
{
	struct checmate_transaction *txn __free(kfree) = NULL;
	int err = may_write(of);

	if (err)
		return err;
	txn = checmate_parse_policy(buf, nbytes);
	if (IS_ERR(txn))
		return PTR_ERR(no_free_ptr(txn));
	err = apply(css_checmate(of_css(of)), txn, CHECMATE_ALL_HOOKS);
	return err ?: nbytes;
}

static ssize_t hook_write(struct kernfs_open_file *of, char *buf,
			  size_t nbytes, loff_t off)
{
	struct checmate_transaction *txn __free(kfree) = NULL;
	int err = may_write(of);

	if (err)
		return err;
	txn = kzalloc(struct_size(txn, op, 1), GFP_KERNEL);
	if (!txn)
		return -ENOMEM;
	txn->nr = 1;
	err = checmate_parse_hook(buf, nbytes, &txn->op[0]);
	if (err)
		return err;
	err = apply(css_checmate(of_css(of)), txn, of_cft(of)->private);
	return err ?: nbytes;
}

static int hook_show(struct seq_file *seq, void *unused)
{
	struct checmate_cgroup *cgroup = css_checmate(seq_css(seq));
	unsigned int i, count = 0;

	guard(mutex)(&checmate_mutex);

	for (i = 0; cgroup->policy && i < cgroup->policy->nr; i++)
		count += cgroup->policy->program[i]->hook ==
			 seq_cft(seq)->private;
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
}

static int policy_show(struct seq_file *seq, void *unused)
{
	struct checmate_cgroup *cgroup = css_checmate(seq_css(seq));
	unsigned int i;

	guard(mutex)(&checmate_mutex);

	seq_printf(seq, "generation %llu\n", cgroup->generation);
	for (i = 0; cgroup->policy && i < cgroup->policy->nr; i++) {
		show_program(seq, cgroup->policy->program[i]);
		seq_putc(seq, '\n');
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
	unsigned int i;

	path = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!path)
		return -ENOMEM;

	/* A ruleset does not change: nobody has to wait for the printing. */
	scoped_guard(mutex, &checmate_mutex)
		ruleset = checmate_get_ruleset(effective_ruleset(cgroup));
	for (i = 0; i < ruleset->first[CHECMATE_NR_HOOKS]; i++) {
		show_program(seq, ruleset->program[i]);
		show_owner(seq, cgroup, ruleset->program[i]->cgroup_id,
			   path);
	}
	checmate_put_ruleset(ruleset);
	return 0;
}

static int events_show(struct seq_file *seq, void *unused)
{
	checmate_show_events(seq, &css_checmate(seq_css(seq))->events);
	return 0;
}

static int local_show(struct seq_file *seq, void *unused)
{
	checmate_show_events(seq, &css_checmate(seq_css(seq))->local);
	return 0;
}

/* Of each hook that is used here, what the programs attached here denied. */
static int stat_show(struct seq_file *seq, void *unused)
{
	struct checmate_cgroup *cgroup = css_checmate(seq_css(seq));
	const struct checmate_policy *policy;
	enum checmate_hook hook;
	unsigned int i;

	guard(mutex)(&checmate_mutex);

	policy = cgroup->policy;
	for (hook = 0; policy && hook < CHECMATE_NR_HOOKS; hook++) {
		s64 denied = 0, permissive = 0;
		bool used = false;

		for (i = 0; i < policy->nr; i++) {
			const struct checmate_events *events =
				&policy->program[i]->tally->events;

			if (policy->program[i]->hook != hook)
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

static struct cftype checmate_files[] = {
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
		.file_offset = offsetof(struct checmate_cgroup, events_file),
		.seq_show = events_show,
	},
	{
		.name = "events.local",
		.file_offset = offsetof(struct checmate_cgroup, local_file),
		.seq_show = local_show,
	},
	{
		.name = "stat",
		.seq_show = stat_show,
	},
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

static struct cgroup_subsys_state *
checmate_css_alloc(struct cgroup_subsys_state *parent)
{
	struct checmate_cgroup *cgroup;

	cgroup = kzalloc(sizeof(*cgroup), GFP_KERNEL);
	if (!cgroup)
		return ERR_PTR(-ENOMEM);
	if (!parent)
		root_cgroup = cgroup;
	return &cgroup->css;
}

/*
 * From here on the cgroup is found by publish().  No task and no socket is in
 * it yet, hence none ever sees it without a ruleset.
 */
static int checmate_css_online(struct cgroup_subsys_state *css)
{
	struct checmate_cgroup *cgroup = css_checmate(css);
	struct checmate_ruleset *ruleset;

	guard(mutex)(&checmate_mutex);

	if (cgroup != root_cgroup)
		checmate_start_sock_pins();
	ruleset = checmate_get_ruleset(inherited_ruleset(cgroup, cgroup));
	rcu_assign_pointer(cgroup->effective, ruleset);
	return 0;
}

/*
 * Going offline changes nothing: sockets may outlive the cgroup, under its
 * policy, and changes made to ancestors still reach it.  The last reference
 * gone, there is nobody left to judge.
 */
static void checmate_css_free(struct cgroup_subsys_state *css)
{
	struct checmate_cgroup *cgroup = css_checmate(css);

	scoped_guard(mutex, &checmate_mutex) {
		unuse_hooks(cgroup->policy);
		checmate_put_ruleset(effective_ruleset(cgroup));
		/* Of a transaction that lost sight of us half way. */
		checmate_put_ruleset(cgroup->staged);
	}
	checmate_free_policy(cgroup->policy);
	kfree(cgroup);
}

/*
 * The core makes the files of the root at boot, but shows those of the last
 * controller only with the next file that is made there.
 */
static int __init show_root_files(void)
{
	kernfs_activate(root_cgroup->css.cgroup->kn);
	return 0;
}
fs_initcall(show_root_files);

struct cgroup_subsys checmate_cgrp_subsys = {
	.css_alloc	= checmate_css_alloc,
	.css_online	= checmate_css_online,
	.css_free	= checmate_css_free,
	.dfl_cftypes	= checmate_files,
	.threaded	= true,
};
