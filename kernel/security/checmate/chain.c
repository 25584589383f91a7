// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Chains
 *
 * The programs that judge a hook for a cgroup and all that is below it.  Where
 * there are several, a program is made that calls them one after the other, as
 * the kernel makes one of a classic filter: no loop, no indirect call, and no
 * look at anything but what each returns.  At the first that does not plainly
 * allow it ends, and leaves it to dispatch.c to find out what that means.
 */

#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/filter.h>
#include <linux/list.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include "chain.h"
#include "direct.h"
#include "dispatch.h"
#include "frame.h"
#include "limits.h"
#include "program.h"

/* What a hook has that no program judges. */
struct checmate_chain checmate_no_chain = {
	.func = checmate_ask_each,
	.usage = REFCOUNT_INIT(1),
};

/* Denies every hook; see checmate_closed_ruleset. */
struct checmate_chain checmate_closed_chain = {
	.func = checmate_ask_each,
	.usage = REFCOUNT_INIT(1),
};

/* All programs of a hook must be countable in @nr. */
static_assert(CHECMATE_MAX_PROGS <= U16_MAX);

/* From the arguments, which is what a program gets, to the rest of a frame. */
#define FRAME_OFFSET(FIELD)					\
	((s16)(offsetof(struct checmate_frame, FIELD) -		\
	       offsetof(struct checmate_frame, args)))

/* For each program the call and the ways out of it; the same for the frame. */
#define INSNS_PER_PROGRAM	7
#define INSNS_AROUND		6

/* Whether the hook has a verdict: the others have nothing to compare. */
static bool is_asked(const struct checmate_chain *chain)
{
	return checmate_hook_can_deny(chain->hook);
}

/*
 * R6 keeps the arguments.  A program that does not plainly allow, by what it
 * returns or by an errno that it has set, leads to its own way out.
 */
static int emit_call(struct bpf_insn **insn, struct bpf_insn **out,
		     const struct checmate_chain *chain,
		     const struct checmate_program *program)
{
	const s64 offset = (u8 *)program->prog->bpf_func - (u8 *)__bpf_call_base;

	if (!offset || offset != (s32)offset)
		return -ERANGE;
	*(*insn)++ = BPF_MOV64_REG(BPF_REG_1, BPF_REG_6);
	*(*insn)++ = BPF_RAW_INSN(BPF_JMP | BPF_CALL, 0, 0, 0, (s32)offset);
	out[0] = NULL;
	out[1] = NULL;
	if (!is_asked(chain))
		return 0;
	out[0] = (*insn)++;
	*out[0] = BPF_JMP32_IMM(BPF_JNE, BPF_REG_0, program->is_cgroup, 0);
	if (!program->is_cgroup)
		return 0;
	*(*insn)++ = BPF_LDX_MEM(BPF_W, BPF_REG_1, BPF_REG_6,
				 FRAME_OFFSET(run.cgroup.retval));
	out[1] = (*insn)++;
	*out[1] = BPF_JMP32_IMM(BPF_JNE, BPF_REG_1, 0, 0);
	return 0;
}

/* Both jumps of the program at @index lead here, and on to the last lines. */
static struct bpf_insn *emit_out(struct bpf_insn *insn, struct bpf_insn **out,
				 unsigned int index)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (out[i])
			out[i]->off = insn - out[i] - 1;
	*insn++ = BPF_MOV32_IMM(BPF_REG_1, index + 1);
	/* Where to is known when all are there: see below. */
	*insn++ = BPF_JMP_A(0);
	return insn;
}

static int emit(struct bpf_prog *made, const struct checmate_chain *chain)
{
	struct bpf_insn *insn = made->insnsi, *first_out;
	struct bpf_insn *(*outs)[2];
	unsigned int i;
	int err = 0;

	outs = kcalloc(chain->nr, sizeof(*outs), GFP_KERNEL);
	if (!outs)
		return -ENOMEM;
	*insn++ = BPF_MOV64_REG(BPF_REG_6, BPF_REG_1);
	for (i = 0; i < chain->nr && !err; i++)
		err = emit_call(&insn, outs[i], chain, chain->program[i]);
	*insn++ = BPF_MOV32_IMM(BPF_REG_0, 0);
	*insn++ = BPF_EXIT_INSN();
	first_out = insn;
	if (is_asked(chain)) {
		for (i = 0; i < chain->nr; i++)
			insn = emit_out(insn, outs[i], i);
		while (first_out < insn) {
			first_out[1].off = insn - first_out - 2;
			first_out += 2;
		}
		*insn++ = BPF_STX_MEM(BPF_DW, BPF_REG_6, BPF_REG_0,
				      FRAME_OFFSET(verdict));
		*insn++ = BPF_MOV64_REG(BPF_REG_0, BPF_REG_1);
		*insn++ = BPF_EXIT_INSN();
	}
	made->len = insn - made->insnsi;
	kfree(outs);
	return err;
}

/**
 * checmate_is_jited - Whether all programs of a chain are machine code
 * @chain: the chain
 *
 * Context: Any context.
 * Return: true if each can be called directly.
 */
bool checmate_is_jited(const struct checmate_chain *chain)
{
	unsigned int i;

	for (i = 0; i < chain->nr; i++)
		if (!chain->program[i]->prog->jited)
			return false;
	return true;
}

/**
 * checmate_make_chain - Make the program that calls those of a chain
 * @chain: a chain of several programs, none of which has to be run alone; used
 *	by hooks already
 *
 * Context: Process context, may sleep; nobody else makes or frees it.
 * Return: 0, or a negative errno if there cannot be such a program: the chain
 * is then as it was, and does as well.
 */
int checmate_make_chain(struct checmate_chain *chain)
{
	struct bpf_prog *made;
	unsigned int nr;
	int err;

	if (!checmate_is_jited(chain))
		return -EOPNOTSUPP;
	nr = chain->nr * INSNS_PER_PROGRAM + INSNS_AROUND;
	made = bpf_prog_alloc_no_stats(bpf_prog_size(nr), 0);
	if (!made)
		return -ENOMEM;
	/* Not of a type that is taken for a classic filter. */
	made->type = BPF_PROG_TYPE_LSM;
	strscpy(made->aux->name, "checmate_chain", sizeof(made->aux->name));
	err = emit(made, chain);
	if (!err)
		made = bpf_prog_select_runtime(made, &err);
	if (!err && !made->jited)
		err = -EOPNOTSUPP;
	if (err) {
		bpf_prog_free(made);
		return err;
	}
	bpf_prog_kallsyms_add(made);
	chain->made = made;
	/* Whoever sees it may call it. */
	smp_store_release(&chain->func, made->bpf_func);
	return 0;
}

/**
 * checmate_create_chain - Begin a chain
 * @hook: the hook
 * @room: how many programs it is going to have
 *
 * Context: Process context, may sleep.
 * Return: A chain without programs and with one reference, of a ruleset that
 * is live, for checmate_add_program() and then checmate_finish_chain(), or NULL
 * if there is no memory.
 */
struct checmate_chain *checmate_create_chain(enum checmate_hook hook,
					     unsigned int room)
{
	struct checmate_chain *chain =
		kzalloc(struct_size(chain, program, room), GFP_KERNEL_ACCOUNT);

	if (!chain)
		return NULL;
	refcount_set(&chain->usage, 1);
	atomic_set(&chain->live, 1);
	chain->func = checmate_ask_each;
	chain->hook = hook;
	INIT_LIST_HEAD(&chain->node);
	return chain;
}

/**
 * checmate_add_program - Add a program behind those of a chain
 * @chain: a chain that nobody else knows of, with room
 * @program: the program, of which a reference is taken
 *
 * Context: Process context.
 */
void checmate_add_program(struct checmate_chain *chain,
			  struct checmate_program *program)
{
	chain->program[chain->nr++] = checmate_get_program(program);
	chain->is_sleepable |= program->is_sleepable;
	chain->is_alone |= program->is_alone;
}

/**
 * checmate_finish_chain - Make a chain ready for hooks
 * @chain: a chain that has all its programs
 *
 * Context: Process context.
 */
void checmate_finish_chain(struct checmate_chain *chain)
{
	if (chain->is_alone)
		return;
	if (chain->nr == 1 && checmate_is_jited(chain)) {
		chain->allow = chain->program[0]->is_cgroup;
		chain->func = chain->program[0]->prog->bpf_func;
	}
	checmate_settle_later(chain);
}

/**
 * checmate_hide_chain - Take the program made for a chain out of the symbols
 * @chain: the chain
 *
 * Who looks up symbols does it under RCU: if there is such a program, a grace
 * period has to pass before the chain is freed.
 *
 * Context: Process context.
 */
void checmate_hide_chain(struct checmate_chain *chain)
{
	if (chain->made)
		bpf_prog_kallsyms_del(chain->made);
}

/**
 * checmate_free_chain - Free a chain
 * @chain: the chain, hidden, which no hook can be using and direct.c does not
 *	know
 *
 * Context: Process context.
 */
void checmate_free_chain(struct checmate_chain *chain)
{
	unsigned int i;

	if (chain->made)
		bpf_prog_free(chain->made);
	for (i = 0; i < chain->nr; i++)
		checmate_put_program(chain->program[i]);
	kfree(chain);
}

/**
 * checmate_put_chain - Drop a reference
 * @chain: the chain
 *
 * Context: Process context.  Whoever drops the last reference knows that no
 * hook can still be using the chain.
 */
void checmate_put_chain(struct checmate_chain *chain)
{
	if (refcount_dec_and_test(&chain->usage) && !checmate_unsettle(chain))
		checmate_free_chain(chain);
}
