// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - The table of hooks
 *
 * The names, the BTF ids and what programs can do, from the list that
 * gen-hooks.awk makes.
 */

#include <linux/btf_ids.h>
#include <linux/errno.h>

#include "hook_table.h"

static const char *const hook_name[] = {
#define CHECMATE_HOOK(RET, DEFAULT, NAME, ...) #NAME,
#include "hook_list.h"
#undef CHECMATE_HOOK
};

static const bool hook_can_deny[] = {
#define CHECMATE_CAN_DENY_int true
#define CHECMATE_CAN_DENY_void false
#define CHECMATE_HOOK(RET, DEFAULT, NAME, ...) CHECMATE_CAN_DENY_##RET,
#include "hook_list.h"
#undef CHECMATE_HOOK
};

BTF_ID_LIST(hook_btf_id)
#define CHECMATE_HOOK(RET, DEFAULT, NAME, ...) BTF_ID(func, bpf_lsm_##NAME)
#include "hook_list.h"
#undef CHECMATE_HOOK

/**
 * checmate_find_hook - Find the hook that a program was loaded for
 * @btf_id: the BTF id of the program's attach function
 *
 * Context: Any context.
 * Return: The hook, or -EINVAL if there is none where a program could deny.
 */
int checmate_find_hook(u32 btf_id)
{
	int hook;

	for (hook = 0; hook < CHECMATE_NR_HOOKS; hook++)
		if (hook_btf_id[hook] == btf_id)
			return hook;
	return -EINVAL;
}

/**
 * checmate_hook_btf_id - The BTF id of a hook's attach function
 * @hook: the hook
 *
 * Context: Any context.
 * Return: The id.
 */
u32 checmate_hook_btf_id(enum checmate_hook hook)
{
	return hook_btf_id[hook];
}

/**
 * checmate_hook_name - The name of a hook
 * @hook: the hook
 *
 * Context: Any context.
 * Return: The name as in include/linux/lsm_hook_defs.h.
 */
const char *checmate_hook_name(enum checmate_hook hook)
{
	return hook_name[hook];
}

/**
 * checmate_hook_can_deny - Whether a hook has a verdict
 * @hook: the hook
 *
 * Context: Any context.
 * Return: false if it only tells, and what programs return means nothing.
 */
bool checmate_hook_can_deny(enum checmate_hook hook)
{
	return hook_can_deny[hook];
}
