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
#include <linux/rcupdate.h>

#include "cgroup.h"
#include "dispatch.h"
#include "program.h"
#include "ruleset.h"

#define HOOK	CHECMATE_HOOK_socket_listen

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

static struct checmate_ruleset *rules(struct kunit *test, bool is_cgroup,
				      unsigned int nr,
				      unsigned int (*func)(const void *,
							   const struct bpf_insn *))
{
	struct checmate_ruleset *ruleset =
		kunit_kzalloc(test, struct_size(ruleset, program, nr),
			      GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, ruleset);
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
		prog->bpf_func = func;
		program->prog = prog;
		program->hook = HOOK;
		program->is_cgroup = is_cgroup;
		ruleset->program[i] = program;
	}
	__set_bit(HOOK, ruleset->hooks);
	for (i = HOOK + 1; i <= CHECMATE_NR_HOOKS; i++)
		ruleset->first[i] = nr;
	return ruleset;
}

static int dispatch(const struct checmate_ruleset *ruleset, bool can_deny,
		    const u64 *args)
{
	int err;

	calls = 0;
	rcu_read_lock();
	err = checmate_dispatch(checmate_root_cgroup(), ruleset, HOOK,
				can_deny, args);
	rcu_read_unlock();
	return err;
}

static void mac_verdicts(struct kunit *test)
{
	struct checmate_ruleset *ruleset = rules(test, false, 1, run_next);
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

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 args[] = { (u32)cases[i].verdict };

		KUNIT_EXPECT_EQ_MSG(test, dispatch(ruleset, true, args),
				    cases[i].err,
				    "verdict %d", cases[i].verdict);
	}
}

static void cgroup_verdicts(struct kunit *test)
{
	struct checmate_ruleset *ruleset = rules(test, true, 1, run_setting);
	static const struct {
		u32 verdict;
		int retval;
		int err;
	} cases[] = {
		{ 1, 0, 0 },
		{ 0, 0, -EPERM },
		{ 0, -EUSERS, -EUSERS },
		{ 1, -EUSERS, -EUSERS },
		{ 0, 5, -EPERM },
		{ 1, 5, 0 },
		{ 0, -MAX_ERRNO - 1, -EPERM },
		{ 2, 0, -EPERM },
		{ 2, -EUSERS, -EUSERS },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 args[] = { cases[i].verdict, (u64)(s64)cases[i].retval };

		KUNIT_EXPECT_EQ_MSG(test, dispatch(ruleset, true, args),
				    cases[i].err,
				    "verdict %u, retval %d", cases[i].verdict,
				    cases[i].retval);
	}
	KUNIT_EXPECT_NULL(test, current->bpf_ctx);
}

/* All run while nobody denies; the first denial is the last word. */
static void first_denial_ends(struct kunit *test)
{
	struct checmate_ruleset *ruleset = rules(test, false, 4, run_next);
	u64 allow[] = { 0, 0, 0, 0 };
	u64 deny[] = { 0, (u32)-EACCES, (u32)-EUSERS, 0 };

	KUNIT_EXPECT_EQ(test, dispatch(ruleset, true, allow), 0);
	KUNIT_EXPECT_EQ(test, calls, 4);
	KUNIT_EXPECT_EQ(test, dispatch(ruleset, true, deny), -EACCES);
	KUNIT_EXPECT_EQ(test, calls, 2);
}

/* A permissive program runs and is counted; whoever comes after it decides. */
static void permissive_goes_on(struct kunit *test)
{
	struct checmate_ruleset *ruleset = rules(test, false, 3, run_next);
	struct checmate_events *events = &ruleset->program[1]->tally->events;
	u64 only[] = { 0, (u32)-EACCES, 0 };
	u64 two[] = { 0, (u32)-EACCES, (u32)-EUSERS };

	ruleset->program[1]->permissive = true;
	KUNIT_EXPECT_EQ(test, dispatch(ruleset, true, only), 0);
	KUNIT_EXPECT_EQ(test, calls, 3);
	KUNIT_EXPECT_EQ(test, dispatch(ruleset, true, two), -EUSERS);
	KUNIT_EXPECT_EQ(test, calls, 3);
	KUNIT_EXPECT_EQ(test, atomic64_read(&events->permissive), 2);
	KUNIT_EXPECT_EQ(test, atomic64_read(&events->denied), 0);
	events = &ruleset->program[2]->tally->events;
	KUNIT_EXPECT_EQ(test, atomic64_read(&events->denied), 1);
	events = &ruleset->program[0]->tally->events;
	KUNIT_EXPECT_EQ(test, atomic64_read(&events->denied), 0);
}

/* Without a verdict, nothing that is returned ends the walk. */
static void no_verdict(struct kunit *test)
{
	struct checmate_ruleset *ruleset = rules(test, false, 4, run_next);
	u64 deny[] = { 0, (u32)-EACCES, 1, 0 };

	KUNIT_EXPECT_EQ(test, dispatch(ruleset, false, deny), 0);
	KUNIT_EXPECT_EQ(test, calls, 4);
}

static struct kunit_case dispatch_tests[] = {
	KUNIT_CASE(mac_verdicts),
	KUNIT_CASE(cgroup_verdicts),
	KUNIT_CASE(first_denial_ends),
	KUNIT_CASE(permissive_goes_on),
	KUNIT_CASE(no_verdict),
	{}
};

static struct kunit_suite dispatch_suite = {
	.name = "checmate_dispatch",
	.test_cases = dispatch_tests,
};

kunit_test_suite(dispatch_suite);
