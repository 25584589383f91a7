// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Control text tests
 */

#include <kunit/test.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "control.h"

struct policy_case {
	const char *text;
	int err;
	unsigned int nr;
	struct checmate_op op[3];
	bool has_generation;
	u64 generation;
	bool at_exec;
	pid_t pid;
	int except;
};

#define AT_EXEC(PID, EXCEPT)						\
	.at_exec = true, .pid = (PID), .except = (EXCEPT)
#define ATTACH(FD) { .type = CHECMATE_OP_ATTACH, .fd = (FD) }
#define DETACH(ID) { .type = CHECMATE_OP_DETACH, .id = (ID) }
#define DETACH_FD(FD) { .type = CHECMATE_OP_DETACH_FD, .fd = (FD) }
#define ATTACH_PERMISSIVE(FD)						\
	{ .type = CHECMATE_OP_ATTACH, .fd = (FD), .permissive = true }
#define MODE(ID, PERMISSIVE)						\
	{ .type = CHECMATE_OP_MODE, .id = (ID), .permissive = (PERMISSIVE) }
#define ATTACH_COOKIE(FD, COOKIE, PERMISSIVE)				\
	{ .type = CHECMATE_OP_ATTACH, .fd = (FD), .cookie = (COOKIE),	\
	  .permissive = (PERMISSIVE) }
#define COOKIE(ID, COOKIE)						\
	{ .type = CHECMATE_OP_COOKIE, .id = (ID), .cookie = (COOKIE) }
#define CLEAR { .type = CHECMATE_OP_CLEAR }

static const struct policy_case policy_cases[] = {
	{ "attach 7\n", .nr = 1, .op = { ATTACH(7) } },
	{ "attach 7", .nr = 1, .op = { ATTACH(7) } },
	{ "attach 0\n", .nr = 1, .op = { ATTACH(0) } },
	{ "attach 2147483647\n", .nr = 1, .op = { ATTACH(INT_MAX) } },
	{ "detach 18446744073709551615\n", .nr = 1, .op = { DETACH(U64_MAX) } },
	{ "clear\n", .nr = 1, .op = { CLEAR } },
	{ "clear\nattach 3\ndetach 4\n", .nr = 3,
	  .op = { CLEAR, ATTACH(3), DETACH(4) } },
	{ "generation 5\nattach 3\n", .nr = 1, .op = { ATTACH(3) },
	  .has_generation = true, .generation = 5 },
	{ "generation 5\n", .nr = 0, .has_generation = true, .generation = 5 },
	{ "attach 7 mode=enforce\n", .nr = 1, .op = { ATTACH(7) } },
	{ "attach 7 mode=permissive\n", .nr = 1,
	  .op = { ATTACH_PERMISSIVE(7) } },
	{ "mode 9 permissive\nmode 8 enforce\n", .nr = 2,
	  .op = { MODE(9, true), MODE(8, false) } },
	{ "attach 7 cookie=0\n", .nr = 1, .op = { ATTACH(7) } },
	{ "attach 7 cookie=5", .nr = 1, .op = { ATTACH_COOKIE(7, 5, false) } },
	{ "attach 7 cookie=18446744073709551615\n", .nr = 1,
	  .op = { ATTACH_COOKIE(7, U64_MAX, false) } },
	{ "attach 7 mode=permissive cookie=5\n", .nr = 1,
	  .op = { ATTACH_COOKIE(7, 5, true) } },
	{ "attach 7 cookie=5 mode=permissive\n", .nr = 1,
	  .op = { ATTACH_COOKIE(7, 5, true) } },
	{ "attach 7 cookie=5\nattach 8\n", .nr = 2,
	  .op = { ATTACH_COOKIE(7, 5, false), ATTACH(8) } },
	{ "cookie 9 5\n", .nr = 1, .op = { COOKIE(9, 5) } },
	{ "cookie 18446744073709551615 18446744073709551615", .nr = 1,
	  .op = { COOKIE(U64_MAX, U64_MAX) } },
	{ "cookie 9 0\nmode 9 permissive\ndetach 8\n", .nr = 3,
	  .op = { COOKIE(9, 0), MODE(9, true), DETACH(8) } },
	{ "when=exec\nattach 7 cookie=5\ncookie 9 6\n", .nr = 2,
	  .op = { ATTACH_COOKIE(7, 5, false), COOKIE(9, 6) },
	  AT_EXEC(0, -1) },
	{ "when=exec\nattach 7\n", .nr = 1, .op = { ATTACH(7) },
	  AT_EXEC(0, -1) },
	{ "when=exec pid=12\nattach 7\n", .nr = 1, .op = { ATTACH(7) },
	  AT_EXEC(12, -1) },
	{ "when=exec except=0 pid=12\nclear\nattach 7\n", .nr = 2,
	  .op = { CLEAR, ATTACH(7) }, AT_EXEC(12, 0) },
	{ "generation 5\nwhen=exec except=3\ndetach 4\n", .nr = 1,
	  .op = { DETACH(4) }, .has_generation = true, .generation = 5,
	  AT_EXEC(0, 3) },
	{ "when=exec", .nr = 0, AT_EXEC(0, -1) },
	{ "generation 5\nwhen=exec\n", .nr = 0, .has_generation = true,
	  .generation = 5, AT_EXEC(0, -1) },
	{ "when=\nattach 7\n", -EINVAL },
	{ "when=boot\nattach 7\n", -EINVAL },
	{ "when=exec \nattach 7\n", -EINVAL },
	{ "when=exec  pid=12\nattach 7\n", -EINVAL },
	{ "when=exec pid=\nattach 7\n", -EINVAL },
	{ "when=exec pid=0\nattach 7\n", -EINVAL },
	{ "when=exec pid=-1\nattach 7\n", -EINVAL },
	{ "when=exec pid=2147483648\nattach 7\n", -EINVAL },
	{ "when=exec pid=12 pid=12\nattach 7\n", -EINVAL },
	{ "when=exec pid=12 \nattach 7\n", -EINVAL },
	{ "when=exec except=\nattach 7\n", -EINVAL },
	{ "when=exec except=-1\nattach 7\n", -EINVAL },
	{ "when=exec except=3 except=3\nattach 7\n", -EINVAL },
	{ "when=exec 12\nattach 7\n", -EINVAL },
	{ "when=exec skip=1\nattach 7\n", -EINVAL },
	{ "when=exec\nwhen=exec\nattach 7\n", -EINVAL },
	{ "when=exec\ngeneration 5\nattach 7\n", -EINVAL },
	{ "attach 7\nwhen=exec\n", -EINVAL },
	{ "when exec\nattach 7\n", -EINVAL },
	{ "", -EINVAL },
	{ "\n", -EINVAL },
	{ "\n\n", -EINVAL },
	{ "attach 7\n\n", -EINVAL },
	{ "\nattach 7\n", -EINVAL },
	{ "attach\n", -EINVAL },
	{ "attach \n", -EINVAL },
	{ "attach  7\n", -EINVAL },
	{ "attach 7 \n", -EINVAL },
	{ " attach 7\n", -EINVAL },
	{ "attach 7 8\n", -EINVAL },
	{ "attach 7 mode=loose\n", -EINVAL },
	{ "attach 7 mode=\n", -EINVAL },
	{ "attach 7 mode\n", -EINVAL },
	{ "attach 7 mode=permissive \n", -EINVAL },
	{ "attach 7 mode=permissive mode=enforce\n", -EINVAL },
	{ "attach 7 permissive\n", -EINVAL },
	{ "mode 9\n", -EINVAL },
	{ "mode permissive\n", -EINVAL },
	{ "mode 9 mode=permissive\n", -EINVAL },
	{ "mode 9 Permissive\n", -EINVAL },
	{ "mode 9 permissive 1\n", -EINVAL },
	{ "mode -9 permissive\n", -EINVAL },
	{ "attach 7 cookie=\n", -EINVAL },
	{ "attach 7 cookie\n", -EINVAL },
	{ "attach 7 cookie 5\n", -EINVAL },
	{ "attach 7 cookie=five\n", -EINVAL },
	{ "attach 7 cookie=-1\n", -EINVAL },
	{ "attach 7 cookie=+1\n", -EINVAL },
	{ "attach 7 cookie=0x5\n", -EINVAL },
	{ "attach 7 cookie=18446744073709551616\n", -EINVAL },
	{ "attach 7 cookie=5 \n", -EINVAL },
	{ "attach 7  cookie=5\n", -EINVAL },
	{ "attach 7 cookie=5 cookie=5\n", -EINVAL },
	{ "attach 7 cookie=0 cookie=5\n", -EINVAL },
	{ "attach 7 cookie=5 mode=enforce cookie=5\n", -EINVAL },
	{ "attach 7 mode=enforce cookie=5 mode=enforce\n", -EINVAL },
	{ "attach 7 cookie=5 mode=\n", -EINVAL },
	{ "attach cookie=5 7\n", -EINVAL },
	{ "attach cookie=5\n", -EINVAL },
	{ "cookie\n", -EINVAL },
	{ "cookie \n", -EINVAL },
	{ "cookie 9\n", -EINVAL },
	{ "cookie 9 \n", -EINVAL },
	{ "cookie  9 5\n", -EINVAL },
	{ "cookie 9 5 \n", -EINVAL },
	{ "cookie 9 5 6\n", -EINVAL },
	{ "cookie 9 cookie=5\n", -EINVAL },
	{ "cookie 9 -5\n", -EINVAL },
	{ "cookie 9 +5\n", -EINVAL },
	{ "cookie -9 5\n", -EINVAL },
	{ "cookie 9 18446744073709551616\n", -EINVAL },
	{ "cookie 18446744073709551616 5\n", -EINVAL },
	{ "Cookie 9 5\n", -EINVAL },
	{ "detach 4 cookie=5\n", -EINVAL },
	{ "mode 9 permissive cookie=5\n", -EINVAL },
	{ "attach -1\n", -EINVAL },
	{ "attach +1\n", -EINVAL },
	{ "attach 0x7\n", -EINVAL },
	{ "attach 2147483648\n", -EINVAL },
	{ "attach seven\n", -EINVAL },
	{ "attach 7\r\n", -EINVAL },
	{ "attach 7\ndetach\n", -EINVAL },
	{ "detach -1\n", -EINVAL },
	{ "detach 18446744073709551616\n", -EINVAL },
	{ "clear 1\n", -EINVAL },
	{ "clear \n", -EINVAL },
	{ "Clear\n", -EINVAL },
	{ "attach 7\ngeneration 5\n", -EINVAL },
	{ "generation 5\ngeneration 5\n", -EINVAL },
	{ "generation x\n", -EINVAL },
	{ "7\n", -EINVAL },
};

struct hook_case {
	const char *text;
	int err;
	struct checmate_op op;
};

static const struct hook_case hook_cases[] = {
	{ "7\n", .op = ATTACH(7) },
	{ "7", .op = ATTACH(7) },
	{ "-7\n", .op = DETACH_FD(7) },
	{ "0\n", .op = CLEAR },
	{ "00", .op = CLEAR },
	{ "", -EINVAL },
	{ "\n", -EINVAL },
	{ "-\n", -EINVAL },
	{ "-0\n", -EINVAL },
	{ "--7\n", -EINVAL },
	{ "+7\n", -EINVAL },
	{ " 7\n", -EINVAL },
	{ "7 \n", -EINVAL },
	{ "7\n8\n", -EINVAL },
	{ "2147483648\n", -EINVAL },
	{ "99999999999999999999\n", -EINVAL },
	{ "seven\n", -EINVAL },
};

static void describe_policy(const struct policy_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%*pE", (int)strlen(c->text),
		 c->text);
}

KUNIT_ARRAY_PARAM(policy, policy_cases, describe_policy);

static void expect_op(struct kunit *test, const struct checmate_op *got,
		      const struct checmate_op *want)
{
	KUNIT_EXPECT_EQ(test, (int)got->type, (int)want->type);
	KUNIT_EXPECT_EQ(test, got->id, want->id);
	KUNIT_EXPECT_EQ(test, got->fd, want->fd);
	KUNIT_EXPECT_EQ(test, got->cookie, want->cookie);
	KUNIT_EXPECT_EQ(test, got->permissive, want->permissive);
}

static void parse_policy(struct kunit *test)
{
	const struct policy_case *c = test->param_value;
	struct checmate_transaction *txn;
	char *text = kunit_kstrdup(test, c->text, GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, text);
	txn = checmate_parse_policy(text, strlen(text));
	if (c->err) {
		KUNIT_ASSERT_TRUE(test, IS_ERR(txn));
		KUNIT_EXPECT_EQ(test, PTR_ERR(txn), c->err);
		return;
	}
	KUNIT_ASSERT_FALSE(test, IS_ERR(txn));
	KUNIT_EXPECT_EQ(test, txn->has_generation, c->has_generation);
	KUNIT_EXPECT_EQ(test, txn->generation, c->generation);
	KUNIT_EXPECT_EQ(test, txn->at_exec, c->at_exec);
	if (txn->at_exec) {
		KUNIT_EXPECT_EQ(test, txn->pid, c->pid);
		KUNIT_EXPECT_EQ(test, txn->except, c->except);
	}
	KUNIT_EXPECT_EQ(test, txn->nr, c->nr);
	for (i = 0; i < min(txn->nr, c->nr); i++)
		expect_op(test, &txn->op[i], &c->op[i]);
	kfree(txn);
}

static void parse_hook(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hook_cases); i++) {
		const struct hook_case *c = &hook_cases[i];
		char *text = kunit_kstrdup(test, c->text, GFP_KERNEL);
		struct checmate_op op = {};

		KUNIT_ASSERT_NOT_NULL(test, text);
		KUNIT_EXPECT_EQ_MSG(test,
				    checmate_parse_hook(text, strlen(text), &op),
				    c->err, "text: '%s'", c->text);
		if (!c->err)
			expect_op(test, &op, &c->op);
	}
}

static void parse_switch(struct kunit *test)
{
	static const struct {
		const char *text;
		int err;
		bool on;
	} cases[] = {
		{ "1\n", .on = true },
		{ "1", .on = true },
		{ "0\n", .on = false },
		{ "", -EINVAL },
		{ "\n", -EINVAL },
		{ "2\n", -EINVAL },
		{ "-1\n", -EINVAL },
		{ "01\n", -EINVAL },
		{ "1 \n", -EINVAL },
		{ "1\n\n", -EINVAL },
		{ "yes\n", -EINVAL },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = kunit_kstrdup(test, cases[i].text, GFP_KERNEL);
		bool on = !cases[i].on;

		KUNIT_ASSERT_NOT_NULL(test, text);
		KUNIT_EXPECT_EQ_MSG(test,
				    checmate_parse_switch(text, strlen(text), &on),
				    cases[i].err, "text: '%s'", cases[i].text);
		if (!cases[i].err)
			KUNIT_EXPECT_EQ(test, on, cases[i].on);
	}
}

/* What stands behind a NUL must not be dropped silently. */
static void refuse_nul(struct kunit *test)
{
	struct checmate_op op;
	char policy[] = "attach 7\n\0attach 8\n";
	char end[] = "attach 7\0";
	char hook[] = "7\0\n";
	char seal[] = "1\0";
	bool on;

	KUNIT_EXPECT_EQ(test, PTR_ERR(checmate_parse_policy(policy,
							    sizeof(policy) - 1)),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(checmate_parse_policy(end,
							    sizeof(end) - 1)),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, checmate_parse_hook(hook, sizeof(hook) - 1, &op),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, checmate_parse_switch(seal, sizeof(seal) - 1, &on),
			-EINVAL);
}

/* As many lines as fit a page. */
static void fill_page(struct kunit *test)
{
	const unsigned int lines = PAGE_SIZE / strlen("clear\n");
	struct checmate_transaction *txn;
	char *text = kunit_kzalloc(test, PAGE_SIZE + 1, GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, text);
	for (i = 0; i < lines; i++)
		strcat(text, "clear\n");
	txn = checmate_parse_policy(text, strlen(text));
	KUNIT_ASSERT_FALSE(test, IS_ERR(txn));
	KUNIT_EXPECT_EQ(test, txn->nr, lines);
	kfree(txn);
}

static struct kunit_case control_tests[] = {
	KUNIT_CASE_PARAM(parse_policy, policy_gen_params),
	KUNIT_CASE(parse_hook),
	KUNIT_CASE(parse_switch),
	KUNIT_CASE(refuse_nul),
	KUNIT_CASE(fill_page),
	{}
};

static struct kunit_suite control_suite = {
	.name = "checmate_control",
	.test_cases = control_tests,
};

kunit_test_suite(control_suite);
