// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Programs
 *
 * From a file descriptor to a checked, referenced program of a known hook.
 */

#include <linux/atomic.h>
#include <linux/bpf.h>
#include <linux/bpf-cgroup.h>
#include <linux/cleanup.h>
#include <linux/container_of.h>
#include <linux/err.h>
#include <linux/filter.h>
#include <linux/slab.h>

#include "program.h"
#include "rewrite.h"

/* Ids start at 1, so that 0 is free to mean "none". */
static atomic64_t last_id;

DEFINE_FREE(bpf_prog, struct bpf_prog *, if (!IS_ERR_OR_NULL(_T)) bpf_prog_put(_T))

/*
 * Legacy cgroup storage is found through the array item of mainline's
 * attachment, which does not exist here.
 */
static bool uses_cgroup_storage(const struct bpf_prog *prog)
{
	enum bpf_cgroup_storage_type stype;

	for_each_cgroup_storage_type(stype)
		if (prog->aux->cgroup_storage[stype])
			return true;
	return false;
}

/*
 * A tail call may lead to any program of the same attach type whose hook has the
 * same prototype: what that one calls is not known here.
 */
static bool needs_dispatch(const struct bpf_prog *prog, enum checmate_hook hook)
{
	const struct bpf_insn *insn;

	if (prog->sleepable || !prog->jited)
		return true;
	for (insn = prog->insnsi; insn < prog->insnsi + prog->len; insn++)
		if (insn->code == (BPF_JMP | BPF_TAIL_CALL) ||
		    (checmate_can_rewrite(hook) && checmate_sets_address(insn)))
			return true;
	return false;
}

static void free_program(struct checmate_callee *callee)
{
	struct checmate_program *program =
		container_of(callee, struct checmate_program, callee);

	bpf_prog_put(program->prog);
	if (refcount_dec_and_test(&program->tally->usage))
		kfree(program->tally);
	kfree(program);
}

/* The hook may call the program directly, if not much else is to be done. */
static void init_callee(struct checmate_program *program)
{
	program->callee = (struct checmate_callee){
		.hook = program->hook,
		.prog = program->prog,
		.free = free_program,
	};
	INIT_LIST_HEAD(&program->callee.node);
	if (!program->needs_dispatch)
		checmate_settle_callee(&program->callee);
}

/**
 * checmate_create_program - Make the attachment of a program
 * @fd: file descriptor of a BPF LSM program in the current task
 * @cgroup_id: the cgroup it is going to be attached to
 * @permissive: whether its denials are only told
 * @cookie: the cookie of the attachment; 0 for none
 *
 * Context: Process context, may sleep.
 * Return: The program with one reference; -EBADF if @fd is not open, -EINVAL
 * if it is not a BPF LSM program or one for a hook that is not covered,
 * -EOPNOTSUPP if the program uses cgroup storage, or -ENOMEM.
 */
struct checmate_program *checmate_create_program(int fd, u64 cgroup_id,
						 bool permissive, u64 cookie)
{
	struct bpf_prog *prog __free(bpf_prog) = NULL;
	struct checmate_program *program;
	int hook;

	prog = bpf_prog_get_type(fd, BPF_PROG_TYPE_LSM);
	if (IS_ERR(prog))
		return ERR_CAST(prog);

	if (prog->expected_attach_type != BPF_LSM_MAC &&
	    prog->expected_attach_type != BPF_LSM_CGROUP)
		return ERR_PTR(-EINVAL);
	hook = checmate_find_hook(prog->aux->attach_btf_id);
	if (hook < 0)
		return ERR_PTR(hook);
	if (uses_cgroup_storage(prog))
		return ERR_PTR(-EOPNOTSUPP);

	program = kzalloc(sizeof(*program), GFP_KERNEL_ACCOUNT);
	if (!program)
		return ERR_PTR(-ENOMEM);
	program->tally = kzalloc(sizeof(*program->tally), GFP_KERNEL_ACCOUNT);
	if (!program->tally) {
		kfree(program);
		return ERR_PTR(-ENOMEM);
	}
	refcount_set(&program->usage, 1);
	refcount_set(&program->tally->usage, 1);
	program->hook = hook;
	program->allow = prog->expected_attach_type == BPF_LSM_CGROUP;
	program->is_sleepable = prog->sleepable;
	program->needs_dispatch = needs_dispatch(prog, hook);
	program->func = prog->bpf_func;
	program->permissive = permissive;
	program->id = atomic64_inc_return(&last_id);
	program->cgroup_id = cgroup_id;
	program->cookie = cookie;
	program->prog = no_free_ptr(prog);
	init_callee(program);
	return program;
}

/**
 * checmate_clone_program - The same attachment with another mode or cookie
 * @program: the program to stand in for
 * @permissive: the mode
 * @cookie: the cookie
 *
 * Rulesets that have @program keep it.  A new ruleset brings the new modes and
 * cookies of all its programs at once.
 *
 * Context: Process context, may sleep.
 * Return: The program with one reference, or -ENOMEM.
 */
struct checmate_program *
checmate_clone_program(const struct checmate_program *program, bool permissive,
		       u64 cookie)
{
	struct checmate_program *clone;

	clone = kmemdup(program, sizeof(*program), GFP_KERNEL_ACCOUNT);
	if (!clone)
		return ERR_PTR(-ENOMEM);
	refcount_set(&clone->usage, 1);
	clone->permissive = permissive;
	clone->cookie = cookie;
	refcount_inc(&clone->tally->usage);
	bpf_prog_inc(clone->prog);
	init_callee(clone);
	return clone;
}

/**
 * checmate_prog_id - The BPF id of a program
 * @program: the program
 *
 * Context: Any context.
 * Return: The id, as bpftool shows it.
 */
u32 checmate_prog_id(const struct checmate_program *program)
{
	return program->prog->aux->id;
}

/**
 * checmate_mode_name - The mode of a program as control text has it
 * @program: the program
 *
 * Context: Any context.
 * Return: "enforce" or "permissive".
 */
const char *checmate_mode_name(const struct checmate_program *program)
{
	return program->permissive ? "permissive" : "enforce";
}

/**
 * checmate_put_program - Drop a reference
 * @program: the program, or NULL
 *
 * Context: Process context.  Whoever drops the last reference knows that no
 * hook can still be running the program.
 */
void checmate_put_program(struct checmate_program *program)
{
	if (program && refcount_dec_and_test(&program->usage))
		checmate_free_callee(&program->callee);
}
