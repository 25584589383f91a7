// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Requests
 *
 * Numbers of file descriptors and processes are the writing task's.  They are
 * resolved here, before any lock is taken; from then on a transaction means the
 * same in any task.
 */

#include <linux/cgroup.h>
#include <linux/cleanup.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "cgroup.h"
#include "common.h"
#include "program.h"
#include "request.h"

static int resolve_programs(struct checmate_request *request)
{
	u64 id = cgroup_id(request->cgroup->css.cgroup);
	struct checmate_edit *edit = &request->edit;
	struct checmate_program *program;
	unsigned int i;

	for (i = 0; i < edit->nr; i++) {
		if (edit->op[i].type != CHECMATE_OP_ATTACH &&
		    edit->op[i].type != CHECMATE_OP_DETACH_FD)
			continue;
		program = checmate_create_program(edit->op[i].fd, id,
						  edit->op[i].permissive,
						  edit->op[i].cookie);
		if (IS_ERR(program))
			return PTR_ERR(program);
		edit->program[i] = program;
	}
	return 0;
}

/**
 * checmate_is_gone - Whether there is no such process
 * @pid: its id; that of a thread other than the first is none
 *
 * A process that is gone does not come back, and its id may be another's.
 *
 * Context: Any context.
 * Return: true if it has been reaped.
 */
bool checmate_is_gone(struct pid *pid)
{
	guard(rcu)();

	return !pid_task(pid, PIDTYPE_TGID);
}

static int resolve_exec(struct checmate_request *request)
{
	const struct checmate_transaction *txn = request->txn;

	if (txn->pid) {
		request->pid = find_get_pid(txn->pid);
		if (!request->pid || checmate_is_gone(request->pid))
			return -ESRCH;
	}
	if (txn->except >= 0) {
		request->except = fget_raw(txn->except);
		if (!request->except)
			return -EBADF;
	}
	return 0;
}

/**
 * checmate_create_request - Resolve what a transaction names
 * @cgroup: the cgroup it is for
 * @txn: the transaction; taken over, also on failure
 * @scope: the only hook whose programs may be touched, or CHECMATE_ALL_HOOKS
 *
 * Context: Process context, may sleep; in the task that wrote the text.
 * Return: The request, to be freed with checmate_free_request(); what
 * checmate_create_program() returns, -EBADF if another file descriptor is not
 * open, -ESRCH if there is no such process, or -ENOMEM.
 */
struct checmate_request *
checmate_create_request(struct checmate_cgroup *cgroup,
			struct checmate_transaction *txn,
			enum checmate_hook scope)
{
	struct checmate_request *request __free(checmate_request) = NULL;
	int err;

	err = checmate_add_extra(cgroup);
	if (err) {
		kfree(txn);
		return ERR_PTR(err);
	}
	request = kzalloc(sizeof(*request), GFP_KERNEL_ACCOUNT);
	if (!request) {
		kfree(txn);
		return ERR_PTR(-ENOMEM);
	}
	request->cgroup = cgroup;
	request->txn = txn;
	request->edit.op = txn->op;
	request->edit.scope = scope;
	request->edit.program = kcalloc(txn->nr,
					sizeof(*request->edit.program),
					GFP_KERNEL_ACCOUNT);
	if (!request->edit.program)
		return ERR_PTR(-ENOMEM);
	request->edit.nr = txn->nr;

	err = resolve_programs(request);
	if (!err && txn->at_exec)
		err = resolve_exec(request);
	if (err)
		return ERR_PTR(err);
	return_ptr(request);
}

/**
 * checmate_free_request - Free a request and drop its references
 * @request: the request, or NULL
 *
 * Context: Process context, may sleep.
 */
void checmate_free_request(struct checmate_request *request)
{
	unsigned int i;

	if (!request)
		return;
	for (i = 0; i < request->edit.nr; i++)
		checmate_put_program(request->edit.program[i]);
	kfree(request->edit.program);
	if (request->except)
		fput(request->except);
	put_pid(request->pid);
	kfree(request->txn);
	kfree(request);
}
