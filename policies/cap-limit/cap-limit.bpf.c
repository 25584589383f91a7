// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checmate policies - cap-limit: which capabilities have an effect
 *
 * Every check for a capability that is not listed fails, whoever has it and in
 * whatever user namespace.
 */
#include "checmate.bpf.h"

struct checmate_params {
	CHECMATE_PARAM_CAPABILITIES(allow, "allow", "",
				    "Capabilities that may be used; empty allows none");
};

CHECMATE_POLICY("cap-limit", "1", "Allow list for capabilities");

/* Of include/linux/security.h: only a question, whose answer is not told. */
#define CAP_OPT_NOAUDIT 0x02

CHECMATE_PROGRAM(capable, cap_limit, const struct cred *cred, struct user_namespace *ns, int cap,
		 unsigned int opts)
{
	/* A number that no set has a bit for is not in the list. */
	if (cap >= 0 && cap <= 63 && self->param->allow & 1ULL << cap)
		return checmate_allow();
	if (opts & CAP_OPT_NOAUDIT)
		return checmate_verdict(self, NULL, EPERM);
	return checmate_deny_number(self, "capable", EPERM, cap);
}
