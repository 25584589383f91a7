// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Staged transactions
 *
 * A runtime prepares a container from within its cgroup; what it does there the
 * container's attachment set could not allow.  A staged transaction is activated
 * when the container proper begins: at an exec, as soon as the file to be
 * executed is opened.  The programs evaluate that opening already, and all that comes
 * after; the search for the file came before.  There, at most the file's
 * directory is locked, the call may sleep, and an error makes the exec fail:
 * what cannot be activated is denied.
 *
 * An exec that finds no file, or one that may not be executed, does not come
 * this far; whatever goes wrong later finds the transaction activated.  Files
 * opened in the course of an exec, as interpreters are, and the lower files of
 * an overlay are part of that exec.
 *
 * The hooks of its programs are turned on when a transaction is staged: activating
 * it patches no kernel text.
 */

#include <linux/cgroup.h>
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/lockdep.h>
#include <linux/lsm_hooks.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/workqueue.h>
#include <asm/barrier.h>

#include "cgroup.h"
#include "common.h"
#include "hooks.h"
#include "key.h"
#include "lsm.h"
#include "program.h"
#include "request.h"
#include "retire.h"
#include "staged.h"
#include "transaction.h"

/* Changed under checmate_mutex, looked through under RCU. */
static LIST_HEAD(staged_requests);

/* On while a request is staged; while one is that waits for a process. */
static struct checmate_key exec_key;
static struct checmate_key death_key;

static void use_programs(const struct checmate_edit *edit)
{
	unsigned int i;

	for (i = 0; i < edit->nr; i++)
		if (edit->program[i])
			checmate_use_hook(edit->program[i]->hook);
}

static void unuse_programs(const struct checmate_edit *edit)
{
	unsigned int i;

	for (i = 0; i < edit->nr; i++)
		if (edit->program[i])
			checmate_unuse_hook(edit->program[i]->hook);
}

static void free_request(struct checmate_retired *retired)
{
	checmate_free_request(container_of(retired, struct checmate_request,
					   retired));
}

static void add(struct checmate_request *request)
{
	lockdep_assert_held(&checmate_mutex);

	use_programs(&request->edit);
	checmate_use_key(&exec_key);
	if (request->pid)
		checmate_use_key(&death_key);
	request->retired.free = free_request;
	request->retired.bytes = sizeof(*request) +
				 struct_size(request->txn, op, request->edit.nr);
	list_add_tail_rcu(&request->staged, &staged_requests);
	request->cgroup->extra->staged = request;
}

/* Those who look through the list may be at it still. */
static void remove(struct checmate_request *request)
{
	struct checmate_extra *extra = request->cgroup->extra;

	lockdep_assert_held(&checmate_mutex);

	/*
	 * A task that no longer finds the request finds the programs that it
	 * has activated, or the request that took its place.  Pairs with the
	 * barriers in activate_at_exec() and checmate_is_staged_for().
	 */
	smp_wmb();
	list_del_rcu(&request->staged);
	if (extra->staged == request)
		extra->staged = NULL;
	if (request->pid)
		checmate_unuse_key(&death_key);
	checmate_unuse_key(&exec_key);
	unuse_programs(&request->edit);
	checmate_retire(&request->retired);
}

/**
 * checmate_drop_staged - Drop a staged transaction
 * @cgroup: the cgroup, which need not have one; to count that as a change of
 *	what is shown is up to the caller
 *
 * Context: Process context; under checmate_mutex.
 */
void checmate_drop_staged(struct checmate_cgroup *cgroup)
{
	const struct checmate_extra *extra = checmate_cgroup_extra(cgroup);

	lockdep_assert_held(&checmate_mutex);

	if (extra->staged)
		remove(extra->staged);
}

/**
 * checmate_staged_request - What is staged for a cgroup
 * @cgroup: the cgroup
 *
 * Context: Process context; under checmate_mutex.
 * Return: The request, which may still be activated, or NULL.
 */
const struct checmate_request *
checmate_staged_request(struct checmate_cgroup *cgroup)
{
	struct checmate_extra *extra = checmate_cgroup_extra(cgroup);

	lockdep_assert_held(&checmate_mutex);

	if (extra->staged && extra->staged->pid &&
	    checmate_is_gone(extra->staged->pid)) {
		checmate_drop_staged(cgroup);
		extra->generation++;
	}
	return extra->staged;
}

/**
 * checmate_check_request - Whether a request comes in time
 * @request: the request
 *
 * Context: Process context; under checmate_mutex.
 * Return: 0, or -ESTALE if the attachment set of the cgroup is not what the
 * writer saw.
 */
int checmate_check_request(const struct checmate_request *request)
{
	const struct checmate_transaction *txn = request->txn;

	lockdep_assert_held(&checmate_mutex);

	/* Drops a request whose process is gone, which is a change. */
	checmate_staged_request(request->cgroup);
	if (txn->has_generation &&
	    txn->generation != request->cgroup->extra->generation)
		return -ESTALE;
	return 0;
}

/**
 * checmate_stage_request - Hold a request until an exec begins
 * @request: the request; taken over if 0 is returned
 *
 * It takes the place of another that is staged for the cgroup; one that does
 * nothing withdraws that.
 *
 * Context: Process context, may sleep; under cgroup_mutex.
 * Return: 0; -EROFS if the cgroup is sealed and has one staged, -ESRCH if there
 * is no such process, or what checmate_check_request() or
 * checmate_try_request() return.  Nothing has changed on failure.
 */
int checmate_stage_request(struct checmate_request *request)
{
	struct checmate_cgroup *cgroup = request->cgroup;
	struct checmate_extra *extra = cgroup->extra;
	struct checmate_request *old;
	int err;

	lockdep_assert_held(&cgroup_mutex);

	guard(mutex)(&checmate_mutex);

	err = checmate_check_request(request);
	if (err)
		return err;
	old = extra->staged;
	if (old && extra->sealed)
		return -EROFS;
	if (request->pid && checmate_is_gone(request->pid))
		return -ESRCH;
	err = checmate_try_request(request);
	if (err)
		return err;

	if (old || request->edit.nr)
		extra->generation++;
	/* At no moment is there none of the two. */
	if (request->edit.nr)
		add(request);
	else
		checmate_free_request(request);
	if (old)
		remove(old);
	/* The death of the process may have gone unnoticed until now. */
	checmate_staged_request(cgroup);
	return 0;
}

static bool is_due(const struct checmate_request *request,
		   const struct file *file)
{
	if (request->pid ? request->pid != task_tgid(current) :
	    !task_under_cgroup_hierarchy(current, request->cgroup->css.cgroup))
		return false;
	return !request->except ||
	       file_inode(request->except) != file_inode(file);
}

/* Whether a request does more than loosen what is enforced. */
static bool tightens(const struct checmate_request *request)
{
	unsigned int i;

	for (i = 0; i < request->edit.nr; i++) {
		switch (request->edit.op[i].type) {
		case CHECMATE_OP_ATTACH:
		case CHECMATE_OP_MODE:
			if (!request->edit.op[i].permissive)
				return true;
			break;
		case CHECMATE_OP_COOKIE:
			/* The program may deny more with another cookie. */
			return true;
		default:
			break;
		}
	}
	return false;
}

/**
 * checmate_is_staged_for - Whether a move takes a task away from what is staged
 * @task: the task, which would be confined by its next exec
 * @from: the cgroup that the task is in
 * @to: the cgroup that it is going to be in
 *
 * Context: Any context.  If this returns false for a request that has just been
 * activated, whoever looks next at the ruleset of @from finds its programs.
 * Return: true if an exec by @task in @from would activate enforcing programs
 * that do not reach @to.
 */
bool checmate_is_staged_for(struct task_struct *task, struct cgroup *from,
			    struct cgroup *to)
{
	const struct checmate_request *request;
	struct cgroup *cgroup;

	guard(rcu)();

	list_for_each_entry_rcu(request, &staged_requests, staged) {
		cgroup = request->cgroup->css.cgroup;
		if (cgroup_is_descendant(from, cgroup) &&
		    !cgroup_is_descendant(to, cgroup) &&
		    (!request->pid || request->pid == task_tgid(task)) &&
		    tightens(request))
			return true;
	}
	/* Pairs with the barrier in remove(). */
	smp_rmb();
	return false;
}

/*
 * A request that the exec of @file by current activates.  To look into it takes
 * checmate_mutex.
 */
static struct checmate_request *find_due(const struct file *file)
{
	struct checmate_request *request;

	guard(rcu)();

	list_for_each_entry_rcu(request, &staged_requests, staged)
		if (is_due(request, file))
			return request;
	return NULL;
}

/* The staged programs are enforced when this returns 0. */
static int activate(const struct file *file)
{
	struct checmate_request *request;
	int err;

	guard(mutex)(&checmate_mutex);

	while ((request = find_due(file))) {
		err = checmate_apply_request(request, NULL);
		if (err)
			return err;
		remove(request);
	}
	return 0;
}

/* Most opens are none of this, and most execs activate nothing. */
static int activate_at_exec(struct file *file)
{
	if (likely(!(file->f_flags & __FMODE_EXEC)) || current->in_execve ||
	    file->f_mode & FMODE_BACKING)
		return 0;
	if (find_due(file))
		return activate(file);
	/* Pairs with the barrier in remove(). */
	smp_rmb();
	return 0;
}

static void drop_orphans(struct work_struct *work)
{
	struct checmate_request *request, *next;

	guard(mutex)(&checmate_mutex);

	/* Drops those, and only those, it is asked about. */
	list_for_each_entry_safe(request, next, &staged_requests, staged)
		checmate_staged_request(request->cgroup);
}

static DECLARE_WORK(orphans_work, drop_orphans);

/* A process is gone when its leader is, whichever thread that was last. */
static void notice_death(struct task_struct *task)
{
	if (task->pid == task->tgid)
		schedule_work(&orphans_work);
}

static struct security_hook_list staging_hooks[] __ro_after_init = {
	LSM_HOOK_INIT_LAZY(file_open, activate_at_exec, &exec_key.key),
	LSM_HOOK_INIT_LAZY(task_free, notice_death, &death_key.key),
};

/**
 * checmate_add_staging - Register the hooks that activate and drop
 *
 * To be called before programs' hooks are registered: the exec that
 * activates a transaction is evaluated by its programs.
 *
 * Context: Boot, once.
 */
void __init checmate_add_staging(void)
{
	security_add_hooks(staging_hooks, ARRAY_SIZE(staging_hooks),
			   &checmate_lsmid);
}
