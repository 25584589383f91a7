// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Tests of the shares of the audit log
 */

#include <kunit/test.h>
#include <linux/jiffies.h>

#include "audit.h"
#include "limits.h"

/* A moment, close to the one at which jiffies begin anew. */
#define NOW	(ULONG_MAX - CHECMATE_AUDIT_WINDOW / 2)

/* What a denial in a cgroup leads to; @suppressed is kept if it is not logged. */
static bool spend(struct checmate_shares *shares, u64 cgroup,
		  unsigned long now, unsigned int *suppressed)
{
	struct checmate_share evicted = {};

	return checmate_spend_share(shares, cgroup, now, suppressed, &evicted);
}

static struct checmate_shares *new_shares(struct kunit *test)
{
	struct checmate_shares *shares =
		kunit_kzalloc(test, sizeof(*shares), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, shares);
	return shares;
}

/* A flood in one cgroup hides nothing of another one. */
static void flood_hides_no_other(struct kunit *test)
{
	struct checmate_shares *shares = new_shares(test);
	unsigned int i, logged = 0, suppressed = 7;

	for (i = 0; i < 1000; i++)
		logged += spend(shares, 1, NOW, &suppressed);
	KUNIT_EXPECT_EQ(test, logged, CHECMATE_AUDIT_RECORDS);
	KUNIT_EXPECT_EQ(test, suppressed, 0);
	KUNIT_EXPECT_TRUE(test, spend(shares, 2, NOW, &suppressed));
	KUNIT_EXPECT_EQ(test, suppressed, 0);
}

/* The first record of the next window says how many are missing, once. */
static void next_record_counts(struct kunit *test)
{
	struct checmate_shares *shares = new_shares(test);
	unsigned long now = NOW;
	unsigned int i, suppressed;

	for (i = 0; i < CHECMATE_AUDIT_RECORDS + 13; i++)
		spend(shares, 1, now, &suppressed);
	now += CHECMATE_AUDIT_WINDOW - 1;
	KUNIT_EXPECT_FALSE(test, spend(shares, 1, now, &suppressed));
	now++;
	KUNIT_EXPECT_TRUE(test, spend(shares, 1, now, &suppressed));
	KUNIT_EXPECT_EQ(test, suppressed, 14);
	KUNIT_EXPECT_TRUE(test, spend(shares, 1, now, &suppressed));
	KUNIT_EXPECT_EQ(test, suppressed, 0);
}

/* A share goes to another cgroup only when its window is over, and is reported. */
static void share_is_taken_over(struct kunit *test)
{
	struct checmate_shares *shares = new_shares(test);
	const unsigned int room = CHECMATE_AUDIT_SETS * CHECMATE_AUDIT_WAYS;
	unsigned int i, suppressed, evicted_suppressed = 0, evictions = 0;
	struct checmate_share evicted;
	u64 cgroup;

	/* The first cgroup suppresses 3; then all shares are taken. */
	for (i = 0; i < CHECMATE_AUDIT_RECORDS + 3; i++)
		spend(shares, 1, NOW, &suppressed);
	for (cgroup = 2; cgroup < 100 * room; cgroup++) {
		evicted = (struct checmate_share){};
		checmate_spend_share(shares, cgroup, NOW, &suppressed, &evicted);
		KUNIT_ASSERT_EQ(test, evicted.cgroup, 0);
	}
	/* Those that found no place have one share together. */
	KUNIT_EXPECT_EQ(test, shares->rest.records, CHECMATE_AUDIT_RECORDS);
	KUNIT_EXPECT_EQ(test, shares->rest.suppressed,
			100 * room - 1 - room - CHECMATE_AUDIT_RECORDS);

	/* All windows are over: the newcomers take all shares over. */
	for (cgroup = 1000 * room; cgroup < 1100 * room; cgroup++) {
		evicted = (struct checmate_share){};
		checmate_spend_share(shares, cgroup, NOW + CHECMATE_AUDIT_WINDOW,
				     &suppressed, &evicted);
		evictions += !!evicted.cgroup;
		evicted_suppressed += evicted.suppressed;
	}
	KUNIT_EXPECT_EQ(test, evictions, room);
	KUNIT_EXPECT_EQ(test, evicted_suppressed, 3);
}

static struct kunit_case audit_tests[] = {
	KUNIT_CASE(flood_hides_no_other),
	KUNIT_CASE(next_record_counts),
	KUNIT_CASE(share_is_taken_over),
	{}
};

static struct kunit_suite audit_suite = {
	.name = "checmate_audit",
	.test_cases = audit_tests,
};

kunit_test_suite(audit_suite);
