// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Dispatch tests
 *
 * The programs are C functions behind a struct bpf_prog, so that verdicts can
 * be tried which the verifier would not let a real program return.
 */

#include <kunit/test.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/overflow.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/string.h>

#include "cgroup.h"
#include "chain.h"
#include "cookie.h"
#include "dispatch.h"
#include "frame.h"
#include "hook_table.h"
#include "limits.h"
#include "program.h"

#define HOOK		CHECMATE_HOOK_socket_listen
#define TELLING_HOOK	CHECMATE_HOOK_sk_clone_security

/* What the functions below saw and shall answer, argument by argument. */
static u64 calls;

static unsigned int run_next(const void *ctx, const struct bpf_insn *insns)
{
	const u64 *args = ctx;

	return (u32)args[calls++];
}

/* As a BPF_LSM_CGROUP program that also sets an errno. */
static unsigned int run_setting(const void *ctx, const struct bpf_insn *insns)
{
	struct bpf_cg_run_ctx *run_ctx =
		container_of(current->bpf_ctx, struct bpf_cg_run_ctx, run_ctx);
	const u64 *args = ctx;

	calls++;
	run_ctx->retval = (int)args[1];
	return (u32)args[0];
}

/* What programs found as their cookie. */
static u64 found[CHECMATE_MAX_PROGS];

static unsigned int run_finding(const void *ctx, const struct bpf_insn *insns)
{
	found[calls++] = bpf_checmate_cookie();
	return 0;
}

/* As a BPF_LSM_CGROUP program. */
static unsigned int run_finding_and_setting(const void *ctx,
					    const struct bpf_insn *insns)
{
	struct bpf_cg_run_ctx *run_ctx =
		container_of(current->bpf_ctx, struct bpf_cg_run_ctx, run_ctx);

	found[calls++] = bpf_checmate_cookie();
	run_ctx->retval = -1;
	found[calls++] = bpf_checmate_cookie();
	run_ctx->retval = 5;
	return 1;
}

/* Who evaluates the programs: dispatch.c, or the hook itself. */
enum way {
	SLOW,
	FAST,
	NR_WAYS
};

static void put_chain(void *chain)
{
	checmate_put_chain(chain);
}

static struct checmate_chain *chain_on(struct kunit *test,
				       enum checmate_hook hook, bool is_cgroup,
				       unsigned int nr,
				       unsigned int (*func)(const void *,
							    const struct bpf_insn *))
{
	struct checmate_chain *chain = checmate_create_chain(hook, nr);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, chain);
	for (i = 0; i < nr; i++) {
		struct checmate_program *program =
			kunit_kzalloc(test, sizeof(*program), GFP_KERNEL);
		struct bpf_prog *prog =
			kunit_kzalloc(test, sizeof(*prog), GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, program);
		KUNIT_ASSERT_NOT_NULL(test, prog);
		prog->aux = kunit_kzalloc(test, sizeof(*prog->aux), GFP_KERNEL);
		program->tally = kunit_kzalloc(test, sizeof(*program->tally),
					       GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, prog->aux);
		KUNIT_ASSERT_NOT_NULL(test, program->tally);
		refcount_set(&program->usage, 1);
		prog->bpf_func = func;
		prog->jited = true;
		program->prog = prog;
		program->hook = hook;
		program->func = func;
		program->allow = is_cgroup;
		checmate_add_program(chain, program);
	}
	/* What comes last goes first: the chain looks at its programs then. */
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, put_chain, chain),
			0);
	return chain;
}

static struct checmate_chain *chain_of(struct kunit *test, bool is_cgroup,
				       unsigned int nr,
				       unsigned int (*func)(const void *,
							    const struct bpf_insn *))
{
	return chain_on(test, HOOK, is_cgroup, nr, func);
}

static void set_way(struct checmate_chain *chain, enum way way)
{
	chain->needs_dispatch = way == SLOW;
	chain->step[0].func = chain->needs_dispatch ? checmate_run_none :
					       chain->step[0].program->func;
}

/* As a hook does. */
static int evaluate(const struct checmate_chain *chain,
		    struct checmate_frame *frame)
{
	const bool can_deny = checmate_hook_can_deny(chain->hook);
	const struct checmate_step *step = chain->step;
	struct bpf_run_ctx *outer;
	u32 said;

	if (!can_deny && chain->needs_dispatch)
		return checmate_dispatch(false, frame);
	migrate_disable();
	outer = bpf_set_run_ctx(&frame->run.ctx);
	do {
		frame->run.step = step;
		said = step->func(frame->args, NULL);
		if (can_deny && !checmate_allows(step, frame, said))
			break;
	} while ((++step)->func);
	bpf_reset_run_ctx(outer);
	migrate_enable();
	return can_deny && step->func ?
		       checmate_resume(frame, step, said) : 0;
}

/* Arguments for the tests: as many as there may be programs. */
#define ROOM	CHECMATE_MAX_PROGS

static int dispatch(struct kunit *test, const struct checmate_chain *chain,
		    const u64 *args)
{
	struct checmate_frame *frame;
	int err;

	frame = kunit_kzalloc(test, struct_size(frame, args, ROOM), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, frame);
	checmate_init_run(&frame->run);
	frame->subject = checmate_root_cgroup();
	frame->chain = chain;
	memcpy(frame->args, args, ROOM * sizeof(*args));
	calls = 0;
	rcu_read_lock();
	err = evaluate(chain, frame);
	rcu_read_unlock();
	return err;
}

/* Each verdict is tried in both ways. */
static void mac_verdicts(struct kunit *test)
{
	struct checmate_chain *chain = chain_of(test, false, 1, run_next);
	static const struct {
		int verdict;
		int err;
	} cases[] = {
		{ 0, 0 },
		{ -EACCES, -EACCES },
		{ -MAX_ERRNO, -MAX_ERRNO },
		{ -MAX_ERRNO - 1, -EPERM },
		{ INT_MIN, -EPERM },
		{ 1, -EPERM },
		{ INT_MAX, -EPERM },
	};
	unsigned int i;
	enum way way;

	for (way = SLOW; way < NR_WAYS; way++) {
		set_way(chain, way);
		for (i = 0; i < ARRAY_SIZE(cases); i++) {
			u64 args[ROOM] = { (u32)cases[i].verdict };

			KUNIT_EXPECT_EQ_MSG(test, dispatch(test, chain, args),
					    cases[i].err, "way %d, verdict %d",
					    way, cases[i].verdict);
		}
	}
}

static const struct {
	u32 verdict;
	int retval;
	int err;
} cgroup_cases[] = {
	{ 1, 0, 0 },
	{ 0, 0, -EPERM },
	{ 0, -EUSERS, -EUSERS },
	{ 1, -EUSERS, -EUSERS },
	{ 0, 5, -EPERM },
	{ 1, 5, 0 },
	{ 0, -MAX_ERRNO - 1, -EPERM },
	{ 1, INT_MIN, 0 },
	{ 2, 0, -EPERM },
	{ 2, -EUSERS, -EUSERS },
};

static void cgroup_verdicts(struct kunit *test)
{
	struct checmate_chain *chain = chain_of(test, true, 1, run_setting);
	unsigned int i;
	enum way way;

	for (way = SLOW; way < NR_WAYS; way++) {
		set_way(chain, way);
		for (i = 0; i < ARRAY_SIZE(cgroup_cases); i++) {
			u64 args[ROOM] = {
				cgroup_cases[i].verdict,
				(u64)(s64)cgroup_cases[i].retval,
			};

			KUNIT_EXPECT_EQ_MSG(test, dispatch(test, chain, args),
					    cgroup_cases[i].err,
					    "way %d, verdict %u, retval %d", way,
					    cgroup_cases[i].verdict,
					    cgroup_cases[i].retval);
		}
	}
	KUNIT_EXPECT_NULL(test, current->bpf_ctx);
}

/*
 * Of several that say the same, each is asked if that is no denial: what one
 * has set is gone before the next.
 */
static void cgroup_chain_verdicts(struct kunit *test)
{
	struct checmate_chain *chain = chain_of(test, true, 3, run_setting);
	unsigned int i;
	enum way way;

	for (way = SLOW; way < NR_WAYS; way++) {
		set_way(chain, way);
		for (i = 0; i < ARRAY_SIZE(cgroup_cases); i++) {
			u64 args[ROOM] = {
				cgroup_cases[i].verdict,
				(u64)(s64)cgroup_cases[i].retval,
			};

			KUNIT_EXPECT_EQ_MSG(test, dispatch(test, chain, args),
					    cgroup_cases[i].err,
					    "way %d, verdict %u, retval %d", way,
					    cgroup_cases[i].verdict,
					    cgroup_cases[i].retval);
			KUNIT_EXPECT_EQ(test, calls,
					cgroup_cases[i].err ? 1 : 3);
		}
	}
	KUNIT_EXPECT_NULL(test, current->bpf_ctx);
}

/* All run while nobody denies; the first denial is the last word. */
static void first_denial_ends(struct kunit *test)
{
	struct checmate_chain *chain = chain_of(test, false, 4, run_next);
	static const u64 allow[ROOM] = { 0, 0, 0, 0 };
	static const u64 deny[ROOM] = { 0, (u32)-EACCES, (u32)-EUSERS, 0 };
	enum way way;

	for (way = SLOW; way < NR_WAYS; way++) {
		set_way(chain, way);
		KUNIT_EXPECT_EQ(test, dispatch(test, chain, allow), 0);
		KUNIT_EXPECT_EQ(test, calls, 4);
		KUNIT_EXPECT_EQ(test, dispatch(test, chain, deny), -EACCES);
		KUNIT_EXPECT_EQ(test, calls, 2);
	}
}

/* The longest chain there may be, and a denial at each place in it. */
static void denial_anywhere(struct kunit *test)
{
	static const unsigned int lengths[] = { 2, 48, CHECMATE_MAX_PROGS };
	u64 args[ROOM] = {};
	struct checmate_chain *chain;
	bool is_cgroup = false;
	unsigned int i, j, nr;

	do {
		for (i = 0; i < ARRAY_SIZE(lengths); i++) {
			nr = lengths[i];
			chain = chain_of(test, is_cgroup, nr, run_next);
			for (j = 0; j < nr; j++)
				args[j] = is_cgroup;
			KUNIT_EXPECT_EQ(test, dispatch(test, chain, args), 0);
			KUNIT_EXPECT_EQ(test, calls, nr);
			for (j = 0; j < nr; j++) {
				args[j] = is_cgroup ? 0 : (u32)-EPERM;
				KUNIT_EXPECT_EQ(test,
						dispatch(test, chain, args),
						-EPERM);
				KUNIT_EXPECT_EQ(test, calls, j + 1);
				args[j] = is_cgroup;
			}
		}
		is_cgroup = !is_cgroup;
	} while (is_cgroup);
}

/* Either kind of program has its own word for "allow". */
static void mixed_kinds(struct kunit *test)
{
	struct checmate_chain *chain = chain_of(test, false, 4, run_next);
	static const u64 allow[ROOM] = { 0, 1, 1, 0 };
	static const u64 deny[ROOM] = { 0, 1, 0, 0 };
	static const u64 error[ROOM] = { 0, 1, 1, 1 };
	unsigned int i;
	enum way way;

	for (i = 1; i < 3; i++) {
		chain->step[i].program->allow = 1;
		chain->step[i].allow = 1;
	}
	for (way = SLOW; way < NR_WAYS; way++) {
		set_way(chain, way);
		KUNIT_EXPECT_EQ(test, dispatch(test, chain, allow), 0);
		KUNIT_EXPECT_EQ(test, calls, 4);
		KUNIT_EXPECT_EQ(test, dispatch(test, chain, deny), -EPERM);
		KUNIT_EXPECT_EQ(test, calls, 3);
		KUNIT_EXPECT_EQ(test, dispatch(test, chain, error), -EPERM);
		KUNIT_EXPECT_EQ(test, calls, 4);
	}
}

/* A permissive program runs and is counted; whoever comes after it decides. */
static void permissive_goes_on(struct kunit *test)
{
	static const u64 only[ROOM] = { 0, (u32)-EACCES, 0 };
	static const u64 two[ROOM] = { 0, (u32)-EACCES, (u32)-EUSERS };
	enum way way;

	for (way = SLOW; way < NR_WAYS; way++) {
		struct checmate_chain *chain =
			chain_of(test, false, 3, run_next);
		struct checmate_events *events =
			&chain->step[1].program->tally->events;

		chain->step[1].program->permissive = true;
		set_way(chain, way);
		KUNIT_EXPECT_EQ(test, dispatch(test, chain, only), 0);
		KUNIT_EXPECT_EQ(test, calls, 3);
		KUNIT_EXPECT_EQ(test, dispatch(test, chain, two), -EUSERS);
		KUNIT_EXPECT_EQ(test, calls, 3);
		KUNIT_EXPECT_EQ(test, atomic64_read(&events->permissive), 2);
		KUNIT_EXPECT_EQ(test, atomic64_read(&events->denied), 0);
		events = &chain->step[2].program->tally->events;
		KUNIT_EXPECT_EQ(test, atomic64_read(&events->denied), 1);
		events = &chain->step[0].program->tally->events;
		KUNIT_EXPECT_EQ(test, atomic64_read(&events->denied), 0);
	}
}

/* Without a verdict, nothing that is returned ends the walk. */
static void no_verdict(struct kunit *test)
{
	struct checmate_chain *chain =
		chain_on(test, TELLING_HOOK, false, 4, run_next);
	static const u64 deny[ROOM] = { 0, (u32)-EACCES, 1, 0 };
	enum way way;

	KUNIT_ASSERT_FALSE(test, checmate_hook_can_deny(TELLING_HOOK));
	KUNIT_ASSERT_TRUE(test, checmate_hook_can_deny(HOOK));
	for (way = SLOW; way < NR_WAYS; way++) {
		set_way(chain, way);
		KUNIT_EXPECT_EQ(test, dispatch(test, chain, deny), 0);
		KUNIT_EXPECT_EQ(test, calls, 4);
	}
}

/* Each program finds the cookie of its own attachment, in both ways. */
static void cookies(struct kunit *test)
{
	static const u64 want[] = { 7, 0, U64_MAX, 1 };
	static const u64 args[ROOM] = {};
	struct checmate_chain *chain;
	unsigned int i;
	enum way way;

	for (way = SLOW; way < NR_WAYS; way++) {
		chain = chain_of(test, false, ARRAY_SIZE(want), run_finding);
		for (i = 0; i < ARRAY_SIZE(want); i++)
			chain->step[i].program->cookie = want[i];
		set_way(chain, way);
		memset(found, 0xff, sizeof(found));
		KUNIT_EXPECT_EQ(test, dispatch(test, chain, args), 0);
		KUNIT_EXPECT_EQ(test, calls, ARRAY_SIZE(want));
		for (i = 0; i < ARRAY_SIZE(want); i++)
			KUNIT_EXPECT_EQ_MSG(test, found[i], want[i],
					    "way %d, program %u", way, i);

		/* The same with a return value beside the mark. */
		chain = chain_of(test, true, 3, run_finding_and_setting);
		for (i = 0; i < 3; i++)
			chain->step[i].program->cookie = want[i];
		set_way(chain, way);
		KUNIT_EXPECT_EQ(test, dispatch(test, chain, args), 0);
		KUNIT_EXPECT_EQ(test, calls, 6);
		for (i = 0; i < 6; i++)
			KUNIT_EXPECT_EQ_MSG(test, found[i], want[i / 2],
					    "way %d, call %u", way, i);
	}
	KUNIT_EXPECT_NULL(test, current->bpf_ctx);
}

static u64 cookie_with(struct bpf_run_ctx *ctx)
{
	struct bpf_run_ctx *outer;
	u64 cookie;

	migrate_disable();
	outer = bpf_set_run_ctx(ctx);
	cookie = bpf_checmate_cookie();
	bpf_reset_run_ctx(outer);
	migrate_enable();
	return cookie;
}

/* A program that something else runs finds 0, whatever lies behind its context. */
static void no_cookie(struct kunit *test)
{
	struct checmate_program program = { .cookie = 7 };
	struct checmate_step step = { .program = &program };
	struct bpf_prog_array_item item = {};
	struct checmate_run run;

	KUNIT_EXPECT_EQ(test, cookie_with(NULL), 0);

	checmate_init_run(&run);
	run.step = &step;
	KUNIT_EXPECT_EQ(test, cookie_with(&run.ctx), 7);

	/* A cgroup's list of programs: what lies behind retval is not written. */
	run.cgroup.prog_item = &item;
	KUNIT_EXPECT_EQ(test, run.mark, CHECMATE_RUN_MARK);
	KUNIT_EXPECT_EQ(test, cookie_with(&run.ctx), 0);
	run.cgroup.retval = -EPERM;
	KUNIT_EXPECT_EQ(test, cookie_with(&run.ctx), 0);

	/* A BPF trampoline's, the first in its task or within another. */
	run.tramp.bpf_cookie = 0;
	run.tramp.saved_run_ctx = NULL;
	KUNIT_EXPECT_EQ(test, cookie_with(&run.ctx), 0);
	run.tramp.saved_run_ctx = &run.ctx;
	KUNIT_EXPECT_EQ(test, cookie_with(&run.ctx), 0);
	run.tramp.bpf_cookie = 9;
	KUNIT_EXPECT_EQ(test, cookie_with(&run.ctx), 0);
	run.tramp.saved_run_ctx = NULL;
	KUNIT_EXPECT_EQ(test, cookie_with(&run.ctx), 0);
}

static struct kunit_case dispatch_tests[] = {
	KUNIT_CASE(mac_verdicts),
	KUNIT_CASE(cgroup_verdicts),
	KUNIT_CASE(cgroup_chain_verdicts),
	KUNIT_CASE(first_denial_ends),
	KUNIT_CASE(denial_anywhere),
	KUNIT_CASE(mixed_kinds),
	KUNIT_CASE(permissive_goes_on),
	KUNIT_CASE(no_verdict),
	KUNIT_CASE(cookies),
	KUNIT_CASE(no_cookie),
	{}
};

static struct kunit_suite dispatch_suite = {
	.name = "checmate_dispatch",
	.test_cases = dispatch_tests,
};

kunit_test_suite(dispatch_suite);
