/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libchecmate - Calls of the library that have to succeed; include cmocka.h before it */
#pragma once

#include "checmate.h"
#include "cleanup.h"

#define _cleanup_policy_ _cleanup_(checmate_policy_freep)
#define _cleanup_cgroup_ _cleanup_(checmate_cgroup_freep)
#define _cleanup_binding_ _cleanup_(checmate_binding_freep)
#define _cleanup_status_ _cleanup_(checmate_status_freep)
#define _cleanup_events_ _cleanup_(checmate_events_freep)
#define _cleanup_error_ _cleanup_(checmate_error_freep)

/* Fails the test with the explanation when a call did not come to @expected. */
#define check(expected, call)                                                          \
	do {                                                                           \
		_cleanup_error_ struct checmate_error *error = NULL;                   \
		int _r = (call);                                                       \
		if (_r != (expected))                                                  \
			fail_msg("%s: %d: %s", #call, _r, checmate_error_text(error)); \
	} while (0)

static inline struct checmate_cgroup *open_cgroup(const char *path)
{
	struct checmate_cgroup *cgroup;

	check(0, checmate_cgroup_open(path, &cgroup, &error));
	return cgroup;
}

/* Of a policy that has a parameter "allow". */
static inline struct checmate_policy *open_policy(const char *name, const char *allow)
{
	struct checmate_policy *policy;

	check(0, checmate_policy_open(name, &policy, &error));
	check(0, checmate_policy_set(policy, "allow", allow, &error));
	return policy;
}
