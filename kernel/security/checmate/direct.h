/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Direct calls
 */
#ifndef _SECURITY_CHECMATE_DIRECT_H
#define _SECURITY_CHECMATE_DIRECT_H

#include <linux/bpf.h>
#include <linux/static_call.h>
#include <linux/types.h>

struct bpf_insn;
struct checmate_chain;

/*
 * The call by which a hook runs a program: indirect at first, then through code
 * that direct.c makes.  Without static calls it remains indirect.
 */
#ifdef CONFIG_HAVE_STATIC_CALL
#define CHECMATE_DEFINE_CALL(NAME)					\
	DEFINE_STATIC_CALL(checmate_call_##NAME, bpf_dispatcher_nop_func)
#define CHECMATE_CALL(NAME, FUNC, ARGS)					\
	static_call(checmate_call_##NAME)(ARGS, NULL, FUNC)
#define CHECMATE_CALL_INIT(NAME)					\
	{ &STATIC_CALL_KEY(checmate_call_##NAME),			\
	  STATIC_CALL_TRAMP_ADDR(checmate_call_##NAME) }

/**
 * struct checmate_call - The call of a hook, as it is patched
 * @key: its key
 * @tramp: its trampoline
 */
struct checmate_call {
	struct static_call_key *key;
	void *tramp;
};

extern const struct checmate_call checmate_hook_call[];
#else
#define CHECMATE_DEFINE_CALL(NAME)
#define CHECMATE_CALL(NAME, FUNC, ARGS)	(FUNC)(ARGS, NULL)
#endif

void checmate_settle_later(struct checmate_chain *chain);
bool checmate_unsettle(struct checmate_chain *chain);
void checmate_flush_chains(void);

#endif /* _SECURITY_CHECMATE_DIRECT_H */
