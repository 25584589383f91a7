// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Actual bindings: what the kernel says
 */

#include <stddef.h>

#include "actual.h"

/* Whether no program of a binding is attached or staged: only its pins are left. */
bool actual_is_dead(const struct checmate_binding *binding)
{
	for (size_t i = 0; i < checmate_binding_count_programs(binding); i++) {
		const struct checmate_program *p = checmate_binding_get_program(binding, i);

		if (p->attached || p->staged)
			return false;
	}
	return true;
}

/* The mode of a binding: "enforce", "permissive", "staged" or "detached". */
const char *actual_mode(const struct checmate_binding *binding)
{
	if (checmate_binding_staged(binding))
		return "staged";
	for (size_t i = 0; i < checmate_binding_count_programs(binding); i++)
		if (!checmate_binding_get_program(binding, i)->attached)
			return "detached";
	return checmate_binding_permissive(binding) ? "permissive" : "enforce";
}
