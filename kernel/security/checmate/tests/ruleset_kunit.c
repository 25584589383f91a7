// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Policy and ruleset tests
 *
 * Programs are told apart by their address only, so none has to be loaded; none
 * is machine code, so none is ever called.
 */

#include <kunit/test.h>
#include <linux/bitops.h>
#include <linux/bpf.h>
#include <linux/err.h>

#include "chain.h"
#include "limits.h"
#include "attachments.h"
#include "retire.h"
#include "ruleset.h"

#define BIND	CHECMATE_HOOK_socket_bind
#define CONNECT	CHECMATE_HOOK_socket_connect
#define FIRST	((enum checmate_hook)0)
#define LAST	((enum checmate_hook)(CHECMATE_NR_HOOKS - 1))

/* A program that is never freed by the code under test. */
static struct checmate_program *make(struct kunit *test,
				     enum checmate_hook hook, u64 id)
{
	struct checmate_program *program =
		kunit_kzalloc(test, sizeof(*program), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, program);
	refcount_set(&program->usage, 1);
	program->hook = hook;
	program->id = id;
	program->prog = kunit_kzalloc(test, sizeof(*program->prog), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, program->prog);
	return program;
}

static struct checmate_attachments *edit(const struct checmate_attachments *old,
					 enum checmate_op_type type, u64 id,
				    struct checmate_program *program,
				    enum checmate_hook scope)
{
	struct checmate_op op = { .type = type, .id = id };
	const struct checmate_edit edit = {
		.nr = 1, .op = &op, .program = &program, .scope = scope,
	};

	return checmate_edit_attachments(old, &edit, false);
}

/* An attachment set of the programs given; owned by the caller. */
static struct checmate_attachments *set_of(struct kunit *test,
					   struct checmate_program **program,
					 unsigned int nr)
{
	struct checmate_attachments *set;
	struct checmate_op *op = kunit_kcalloc(test, nr, sizeof(*op),
					       GFP_KERNEL);
	const struct checmate_edit edit = {
		.nr = nr, .op = op, .program = program,
		.scope = CHECMATE_ALL_HOOKS,
	};
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, op);
	for (i = 0; i < nr; i++)
		op[i].type = CHECMATE_OP_ATTACH;
	set = checmate_edit_attachments(NULL, &edit, false);
	KUNIT_ASSERT_FALSE(test, IS_ERR(set));
	KUNIT_ASSERT_EQ(test, set->nr, nr);
	return set;
}

static void expect_programs(struct kunit *test,
			    const struct checmate_ruleset *ruleset,
			    enum checmate_hook hook,
			    struct checmate_program *const *want,
			    unsigned int nr)
{
	const struct checmate_chain *chain = checmate_find_chain(ruleset, hook);
	unsigned int i;

	KUNIT_ASSERT_EQ(test, chain->nr, nr);
	if (nr) {
		KUNIT_EXPECT_EQ(test, chain->hook, hook);
		KUNIT_EXPECT_TRUE(test, test_bit(checmate_filter_bit(hook),
						 &ruleset->filter));
	}
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_PTR_EQ(test, chain->step[i].program, want[i]);
}

static void edit_in_order(struct kunit *test)
{
	struct checmate_program *p[] = {
		make(test, BIND, 1), make(test, CONNECT, 2), make(test, BIND, 3),
	};
	struct checmate_attachments *one, *two, *three;

	one = set_of(test, p, 3);
	two = edit(one, CHECMATE_OP_DETACH, 2, NULL, CHECMATE_ALL_HOOKS);
	KUNIT_ASSERT_FALSE(test, IS_ERR(two));
	KUNIT_ASSERT_EQ(test, two->nr, 2);
	KUNIT_EXPECT_PTR_EQ(test, two->program[0], p[0]);
	KUNIT_EXPECT_PTR_EQ(test, two->program[1], p[2]);
	/* The old attachment set is as it was. */
	KUNIT_EXPECT_EQ(test, one->nr, 3);
	KUNIT_EXPECT_PTR_EQ(test, one->program[1], p[1]);

	three = edit(two, CHECMATE_OP_ATTACH, 0, p[1], CHECMATE_ALL_HOOKS);
	KUNIT_ASSERT_FALSE(test, IS_ERR(three));
	KUNIT_ASSERT_EQ(test, three->nr, 3);
	KUNIT_EXPECT_PTR_EQ(test, three->program[2], p[1]);

	checmate_free_attachments(one);
	checmate_free_attachments(two);
	checmate_free_attachments(three);
	KUNIT_EXPECT_EQ(test, refcount_read(&p[0]->usage), 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&p[1]->usage), 1);
}

static void edit_errors(struct kunit *test)
{
	struct checmate_program *p[] = { make(test, BIND, 1) };
	struct checmate_program *other = make(test, CONNECT, 2);
	struct checmate_attachments *one = set_of(test, p, 1);

	KUNIT_EXPECT_EQ(test, PTR_ERR(edit(one, CHECMATE_OP_ATTACH, 0, p[0],
					   CHECMATE_ALL_HOOKS)), -EEXIST);
	KUNIT_EXPECT_EQ(test, PTR_ERR(edit(one, CHECMATE_OP_DETACH, 2, NULL,
					   CHECMATE_ALL_HOOKS)), -ENOENT);
	KUNIT_EXPECT_EQ(test, PTR_ERR(edit(NULL, CHECMATE_OP_DETACH, 1, NULL,
					   CHECMATE_ALL_HOOKS)), -ENOENT);
	KUNIT_EXPECT_EQ(test, PTR_ERR(edit(one, CHECMATE_OP_ATTACH, 0, other,
					   BIND)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(edit(one, CHECMATE_OP_DETACH_FD, 0, other,
					   BIND)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(edit(one, CHECMATE_OP_DETACH_FD, 0, other,
					   CONNECT)), -ENOENT);
	KUNIT_EXPECT_EQ(test, refcount_read(&p[0]->usage), 2);
	KUNIT_EXPECT_EQ(test, refcount_read(&other->usage), 1);
	checmate_free_attachments(one);
}

static struct checmate_attachments *
edit_sealed(const struct checmate_attachments *old, const struct checmate_op *op,
	    struct checmate_program *program)
{
	const struct checmate_edit edit = {
		.nr = 1, .op = op, .program = &program,
		.scope = CHECMATE_ALL_HOOKS,
	};

	return checmate_edit_attachments(old, &edit, true);
}

/* What is sealed stays as it is; what joins it is asked first. */
static void edit_when_sealed(struct kunit *test)
{
	static const struct checmate_op forbidden[] = {
		{ .type = CHECMATE_OP_DETACH, .id = 1 },
		{ .type = CHECMATE_OP_DETACH, .id = 1000 },
		{ .type = CHECMATE_OP_DETACH_FD },
		{ .type = CHECMATE_OP_CLEAR },
		{ .type = CHECMATE_OP_MODE, .id = 1, .permissive = true },
		{ .type = CHECMATE_OP_COOKIE, .id = 1, .cookie = 7 },
		{ .type = CHECMATE_OP_COOKIE, .id = 2, .cookie = 0 },
	};
	static const struct checmate_op same[] = {
		{ .type = CHECMATE_OP_COOKIE, .id = 1, .cookie = 0 },
		{ .type = CHECMATE_OP_COOKIE, .id = 2, .cookie = 7 },
		{ .type = CHECMATE_OP_MODE, .id = 1, .permissive = false },
		{ .type = CHECMATE_OP_MODE, .id = 2, .permissive = true },
	};
	static const struct checmate_op attach = { .type = CHECMATE_OP_ATTACH };
	struct checmate_program *p[] = { make(test, BIND, 1), make(test, BIND, 2) };
	struct checmate_program *third = make(test, BIND, 3);
	struct checmate_attachments *one, *two;
	unsigned int i;

	p[1]->permissive = true;
	p[1]->cookie = 7;
	one = set_of(test, p, 2);
	for (i = 0; i < ARRAY_SIZE(forbidden); i++)
		KUNIT_EXPECT_EQ(test, PTR_ERR(edit_sealed(one, &forbidden[i],
							  p[0])), -EROFS);
	for (i = 0; i < ARRAY_SIZE(same); i++) {
		two = edit_sealed(one, &same[i], NULL);
		KUNIT_ASSERT_FALSE(test, IS_ERR(two));
		KUNIT_EXPECT_EQ(test, two->nr, 2);
		KUNIT_EXPECT_PTR_EQ(test, two->program[0], p[0]);
		KUNIT_EXPECT_PTR_EQ(test, two->program[1], p[1]);
		checmate_free_attachments(two);
	}
	two = edit_sealed(one, &attach, third);
	KUNIT_ASSERT_FALSE(test, IS_ERR(two));
	KUNIT_ASSERT_EQ(test, two->nr, 3);
	KUNIT_EXPECT_PTR_EQ(test, two->program[0], third);
	KUNIT_EXPECT_PTR_EQ(test, two->program[1], p[0]);
	KUNIT_EXPECT_PTR_EQ(test, two->program[2], p[1]);

	checmate_free_attachments(one);
	checmate_free_attachments(two);
	KUNIT_EXPECT_EQ(test, refcount_read(&p[0]->usage), 1);
}

/* An attachment keeps its cookie in another mode, and its mode with another cookie. */
static void edit_cookie(struct kunit *test)
{
	static const struct checmate_op ops[] = {
		{ .type = CHECMATE_OP_COOKIE, .id = 2, .cookie = U64_MAX },
		{ .type = CHECMATE_OP_MODE, .id = 2, .permissive = true },
		{ .type = CHECMATE_OP_COOKIE, .id = 2, .cookie = 5 },
	};
	static const struct checmate_op missing[] = {
		{ .type = CHECMATE_OP_COOKIE, .id = 2, .cookie = 6 },
		{ .type = CHECMATE_OP_COOKIE, .id = 3, .cookie = 6 },
	};
	struct checmate_program *none[ARRAY_SIZE(ops)] = {};
	struct checmate_edit edit = {
		.op = ops, .program = none, .scope = CHECMATE_ALL_HOOKS,
	};
	struct checmate_program *p[] = { make(test, BIND, 1), make(test, BIND, 2) };
	struct checmate_attachments *one, *two;
	struct checmate_program *changed;

	/* A real program, of which clones are made. */
	p[1]->prog->aux = kunit_kzalloc(test, sizeof(*p[1]->prog->aux),
					GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p[1]->prog->aux);
	atomic64_set(&p[1]->prog->aux->refcnt, 1000);
	p[1]->tally = kunit_kzalloc(test, sizeof(*p[1]->tally), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p[1]->tally);
	refcount_set(&p[1]->tally->usage, 1);
	/* No direct calls for what cannot be called. */
	p[1]->needs_dispatch = true;
	p[1]->cookie = 4;
	one = set_of(test, p, 2);

	for (edit.nr = 1; edit.nr <= ARRAY_SIZE(ops); edit.nr++) {
		two = checmate_edit_attachments(one, &edit, false);
		KUNIT_ASSERT_FALSE(test, IS_ERR(two));
		KUNIT_ASSERT_EQ(test, two->nr, 2);
		KUNIT_EXPECT_PTR_EQ(test, two->program[0], p[0]);
		changed = two->program[1];
		KUNIT_EXPECT_PTR_NE(test, changed, p[1]);
		KUNIT_EXPECT_EQ(test, changed->id, 2);
		KUNIT_EXPECT_PTR_EQ(test, changed->tally, p[1]->tally);
		KUNIT_EXPECT_EQ(test, changed->cookie,
				edit.nr == 3 ? 5 : U64_MAX);
		KUNIT_EXPECT_EQ(test, changed->permissive, edit.nr > 1);
		checmate_free_attachments(two);
		/* The old attachment set is as it was. */
		KUNIT_EXPECT_PTR_EQ(test, one->program[1], p[1]);
		KUNIT_EXPECT_EQ(test, p[1]->cookie, 4);
	}

	edit.op = missing;
	edit.nr = ARRAY_SIZE(missing);
	KUNIT_EXPECT_EQ(test, PTR_ERR(checmate_edit_attachments(one, &edit,
								false)),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, p[1]->cookie, 4);
	KUNIT_EXPECT_EQ(test, refcount_read(&p[1]->usage), 2);
	KUNIT_EXPECT_EQ(test, refcount_read(&p[1]->tally->usage), 1);
	KUNIT_EXPECT_EQ(test, atomic64_read(&p[1]->prog->aux->refcnt), 1000);
	checmate_free_attachments(one);
}

/* Clearing one hook leaves the programs of the others. */
static void clear_in_scope(struct kunit *test)
{
	struct checmate_program *p[] = {
		make(test, BIND, 1), make(test, CONNECT, 2), make(test, BIND, 3),
	};
	struct checmate_attachments *one = set_of(test, p, 3), *two;

	two = edit(one, CHECMATE_OP_CLEAR, 0, NULL, BIND);
	KUNIT_ASSERT_FALSE(test, IS_ERR(two));
	KUNIT_ASSERT_EQ(test, two->nr, 1);
	KUNIT_EXPECT_PTR_EQ(test, two->program[0], p[1]);
	checmate_free_attachments(two);

	two = edit(one, CHECMATE_OP_CLEAR, 0, NULL, CHECMATE_ALL_HOOKS);
	KUNIT_ASSERT_FALSE(test, IS_ERR(two));
	KUNIT_EXPECT_EQ(test, two->nr, 0);
	checmate_free_attachments(two);
	checmate_free_attachments(one);
}

static void nothing_local_is_shared(struct kunit *test)
{
	struct checmate_attachments empty = {};

	KUNIT_EXPECT_PTR_EQ(test,
			    checmate_build_ruleset(NULL, &checmate_empty_ruleset),
			    &checmate_empty_ruleset);
	KUNIT_EXPECT_PTR_EQ(test,
			    checmate_build_ruleset(&empty,
						   &checmate_empty_ruleset),
			    &checmate_empty_ruleset);
	KUNIT_EXPECT_EQ(test, checmate_empty_ruleset.nr, 0);
	KUNIT_EXPECT_EQ(test, checmate_empty_ruleset.filter, 0);
	checmate_put_ruleset(&checmate_empty_ruleset);
	checmate_put_ruleset(&checmate_empty_ruleset);
}

/* Leaf before root, attach order within; first and last hook as any other. */
static void leaf_to_root(struct kunit *test)
{
	struct checmate_program *root[] = {
		make(test, BIND, 1), make(test, LAST, 2), make(test, BIND, 3),
	};
	struct checmate_program *leaf[] = {
		make(test, CONNECT, 4), make(test, BIND, 5),
		make(test, FIRST, 6), make(test, BIND, 7),
	};
	struct checmate_attachments *root_set = set_of(test, root, 3);
	struct checmate_attachments *leaf_set = set_of(test, leaf, 4);
	struct checmate_ruleset *upper, *lower;

	upper = checmate_build_ruleset(root_set, &checmate_empty_ruleset);
	KUNIT_ASSERT_FALSE(test, IS_ERR(upper));
	lower = checmate_build_ruleset(leaf_set, upper);
	KUNIT_ASSERT_FALSE(test, IS_ERR(lower));

	expect_programs(test, upper, BIND,
			(struct checmate_program *[]){ root[0], root[2] }, 2);
	expect_programs(test, upper, CONNECT, NULL, 0);
	expect_programs(test, upper, LAST, &root[1], 1);

	expect_programs(test, lower, BIND,
			(struct checmate_program *[]){ leaf[1], leaf[3],
						       root[0], root[2] }, 4);
	expect_programs(test, lower, CONNECT, &leaf[0], 1);
	expect_programs(test, lower, FIRST, &leaf[2], 1);
	expect_programs(test, lower, LAST, &root[1], 1);
	KUNIT_EXPECT_EQ(test, upper->nr, 2);
	KUNIT_EXPECT_EQ(test, lower->nr, 4);
	/* What is added to is made anew, the rest is shared. */
	KUNIT_EXPECT_PTR_NE(test, checmate_find_chain(lower, BIND),
			    checmate_find_chain(upper, BIND));
	KUNIT_EXPECT_PTR_EQ(test, checmate_find_chain(lower, LAST),
			    checmate_find_chain(upper, LAST));
	KUNIT_EXPECT_EQ(test, refcount_read(&checmate_find_chain(lower, LAST)->usage),
			2);
	KUNIT_EXPECT_EQ(test, hweight_long(upper->filter), 2);

	/* The filter has what is there and what is inherited, no more. */
	KUNIT_EXPECT_EQ(test, checmate_empty_ruleset.filter, 0);
	KUNIT_EXPECT_EQ(test, upper->filter,
			BIT(checmate_filter_bit(BIND)) |
			BIT(checmate_filter_bit(LAST)));
	KUNIT_EXPECT_EQ(test, lower->filter,
			upper->filter | BIT(checmate_filter_bit(CONNECT)) |
			BIT(checmate_filter_bit(FIRST)));

	checmate_put_ruleset(lower);
	checmate_put_ruleset(upper);
	checmate_free_attachments(root_set);
	checmate_free_attachments(leaf_set);
	/* The programs are on the test's memory: wait for the last put. */
	checmate_flush_rulesets();
	KUNIT_EXPECT_EQ(test, refcount_read(&root[0]->usage), 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&leaf[0]->usage), 1);
}

/* The limit is per hook, and counts the whole path. */
static void too_many(struct kunit *test)
{
	struct checmate_program *p[CHECMATE_MAX_PROGS];
	struct checmate_program *more[] = { make(test, BIND, 1000) };
	struct checmate_program *other[] = { make(test, CONNECT, 1001) };
	struct checmate_attachments *full, *one, *another;
	struct checmate_ruleset *upper, *lower;
	unsigned int i;

	for (i = 0; i < CHECMATE_MAX_PROGS; i++)
		p[i] = make(test, BIND, i);
	full = set_of(test, p, CHECMATE_MAX_PROGS);
	one = set_of(test, more, 1);
	another = set_of(test, other, 1);

	upper = checmate_build_ruleset(full, &checmate_empty_ruleset);
	KUNIT_ASSERT_FALSE(test, IS_ERR(upper));
	lower = checmate_build_ruleset(one, upper);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(lower), -ENOSPC);
	lower = checmate_build_ruleset(another, upper);
	KUNIT_ASSERT_FALSE(test, IS_ERR(lower));
	expect_programs(test, lower, BIND, p, CHECMATE_MAX_PROGS);

	checmate_put_ruleset(lower);
	checmate_put_ruleset(upper);
	checmate_free_attachments(full);
	checmate_free_attachments(one);
	checmate_free_attachments(another);
	checmate_flush_rulesets();
}

/* What a writer's memory cgroup pays: 40 bytes for a chain, 24 per program. */
static void memory_of_chains(struct kunit *test)
{
	struct checmate_program *p[] = {
		make(test, BIND, 1), make(test, BIND, 2), make(test, CONNECT, 3),
	};
	struct checmate_attachments *set = set_of(test, p, 3);
	struct checmate_ruleset *ruleset;

	ruleset = checmate_build_ruleset(set, &checmate_empty_ruleset);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ruleset));
	KUNIT_EXPECT_EQ(test, ruleset->retired.bytes,
			sizeof(*ruleset) + 3 * sizeof(ruleset->chain[0]) +
			(40 + 2 * 24) + (40 + 24));
	checmate_put_ruleset(ruleset);
	checmate_free_attachments(set);
	checmate_flush_rulesets();
	KUNIT_EXPECT_EQ(test, refcount_read(&p[0]->usage), 1);
}

/* A ruleset of programs for one hook, made from scratch. */
static struct checmate_ruleset *ruleset_of(struct kunit *test,
					   struct checmate_program **program,
					   unsigned int nr,
					   struct checmate_ruleset *inherited)
{
	struct checmate_attachments *set = set_of(test, program, nr);
	struct checmate_ruleset *ruleset =
		checmate_build_ruleset(set, inherited);

	KUNIT_ASSERT_FALSE(test, IS_ERR(ruleset));
	checmate_free_attachments(set);
	return ruleset;
}

/* What one ruleset enforces the other has to, by the same program. */
static void as_strict(struct kunit *test)
{
	struct checmate_program *a = make(test, BIND, 1);
	struct checmate_program *b = make(test, BIND, 2);
	struct checmate_program *c = make(test, CONNECT, 3);
	struct checmate_program *mild = make(test, BIND, 4);
	struct checmate_program *again = make(test, BIND, 5);
	struct checmate_program *told = make(test, BIND, 6);
	struct checmate_ruleset *just_a, *a_and_b, *b_and_c, *only_mild,
				*a_again, *a_told, *both, *below;

	mild->prog = a->prog;
	mild->permissive = true;
	again->prog = a->prog;
	told->prog = a->prog;
	told->cookie = 7;
	just_a = ruleset_of(test, &a, 1, &checmate_empty_ruleset);
	a_and_b = ruleset_of(test, (struct checmate_program *[]){ b, a }, 2,
			     &checmate_empty_ruleset);
	b_and_c = ruleset_of(test, (struct checmate_program *[]){ c, b }, 2,
			     &checmate_empty_ruleset);
	only_mild = ruleset_of(test, &mild, 1, &checmate_empty_ruleset);
	a_again = ruleset_of(test, &again, 1, &checmate_empty_ruleset);
	a_told = ruleset_of(test, &told, 1, &checmate_empty_ruleset);
	both = ruleset_of(test, &again, 1, a_told);
	below = ruleset_of(test, &c, 1, just_a);

	KUNIT_EXPECT_TRUE(test, checmate_is_as_strict(just_a, just_a));
	KUNIT_EXPECT_TRUE(test, checmate_is_as_strict(just_a,
						      &checmate_empty_ruleset));
	KUNIT_EXPECT_FALSE(test, checmate_is_as_strict(&checmate_empty_ruleset,
						       just_a));
	KUNIT_EXPECT_TRUE(test, checmate_is_as_strict(a_and_b, just_a));
	KUNIT_EXPECT_FALSE(test, checmate_is_as_strict(just_a, a_and_b));
	KUNIT_EXPECT_FALSE(test, checmate_is_as_strict(a_and_b, b_and_c));
	KUNIT_EXPECT_FALSE(test, checmate_is_as_strict(b_and_c, a_and_b));
	/* Another attachment of the same program does, if it is enforced. */
	KUNIT_EXPECT_TRUE(test, checmate_is_as_strict(a_again, just_a));
	KUNIT_EXPECT_FALSE(test, checmate_is_as_strict(only_mild, just_a));
	KUNIT_EXPECT_TRUE(test, checmate_is_as_strict(&checmate_empty_ruleset,
						      only_mild));
	/* With another cookie it is another program. */
	KUNIT_EXPECT_FALSE(test, checmate_is_as_strict(a_told, just_a));
	KUNIT_EXPECT_FALSE(test, checmate_is_as_strict(just_a, a_told));
	KUNIT_EXPECT_TRUE(test, checmate_is_as_strict(both, just_a));
	KUNIT_EXPECT_TRUE(test, checmate_is_as_strict(both, a_told));
	KUNIT_EXPECT_FALSE(test, checmate_is_as_strict(a_told, both));
	KUNIT_EXPECT_TRUE(test, checmate_is_as_strict(a_told, only_mild));
	/* A chain that is shared is not looked through. */
	KUNIT_EXPECT_TRUE(test, checmate_is_as_strict(below, just_a));
	KUNIT_EXPECT_FALSE(test, checmate_is_as_strict(just_a, below));

	checmate_put_ruleset(below);
	checmate_put_ruleset(both);
	checmate_put_ruleset(a_told);
	checmate_put_ruleset(a_again);
	checmate_put_ruleset(only_mild);
	checmate_put_ruleset(b_and_c);
	checmate_put_ruleset(a_and_b);
	checmate_put_ruleset(just_a);
	checmate_flush_rulesets();
	KUNIT_EXPECT_EQ(test, refcount_read(&a->usage), 1);
}

/* Below a cgroup that is closed nothing is built: it is closed as well. */
static void closed_is_inherited(struct kunit *test)
{
	struct checmate_program *p[] = { make(test, BIND, 1) };
	struct checmate_ruleset *ruleset =
		ruleset_of(test, p, 1, &checmate_closed_ruleset);

	KUNIT_EXPECT_PTR_EQ(test, ruleset, &checmate_closed_ruleset);
	KUNIT_EXPECT_EQ(test, ruleset->filter, ~0UL);
	KUNIT_EXPECT_PTR_EQ(test, checmate_find_chain(ruleset, LAST),
			    &checmate_closed_chain);
	checmate_put_ruleset(ruleset);
}

/* An object that notes how many of its kind have been freed. */
struct retired_object {
	struct checmate_retired retired;
	atomic_t *freed;
};

static void note_freed(struct checmate_retired *retired)
{
	atomic_inc(container_of(retired, struct retired_object,
				retired)->freed);
}

/* All are freed, whatever they wait for; one work item does for many. */
static void retired_are_freed(struct kunit *test)
{
	enum { NR = 1000 };
	struct retired_object *object =
		kunit_kcalloc(test, NR, sizeof(*object), GFP_KERNEL);
	atomic_t freed = ATOMIC_INIT(0);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, object);
	for (i = 0; i < NR; i++) {
		object[i].freed = &freed;
		object[i].retired.free = note_freed;
		object[i].retired.bytes = 1;
		object[i].retired.readers_sleep = i % 2;
		checmate_retire(&object[i].retired);
	}
	checmate_flush_retired();
	KUNIT_EXPECT_EQ(test, atomic_read(&freed), NR);
}

static struct kunit_case ruleset_tests[] = {
	KUNIT_CASE(edit_in_order),
	KUNIT_CASE(edit_errors),
	KUNIT_CASE(edit_when_sealed),
	KUNIT_CASE(edit_cookie),
	KUNIT_CASE(clear_in_scope),
	KUNIT_CASE(nothing_local_is_shared),
	KUNIT_CASE(leaf_to_root),
	KUNIT_CASE(too_many),
	KUNIT_CASE(memory_of_chains),
	KUNIT_CASE(as_strict),
	KUNIT_CASE(closed_is_inherited),
	KUNIT_CASE(retired_are_freed),
	{}
};

static struct kunit_suite ruleset_suite = {
	.name = "checmate_ruleset",
	.test_cases = ruleset_tests,
};

kunit_test_suite(ruleset_suite);
