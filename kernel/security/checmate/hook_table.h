/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - The table of hooks
 */
#ifndef _SECURITY_CHECMATE_HOOK_TABLE_H
#define _SECURITY_CHECMATE_HOOK_TABLE_H

#include <linux/bits.h>
#include <linux/types.h>

/**
 * enum checmate_hook - Every hook that programs can be attached to
 * @CHECMATE_NR_HOOKS: how many there are
 *
 * The members are called ``CHECMATE_HOOK_`` and the name of the hook in lower
 * case, as in include/linux/lsm_hook_defs.h.
 */
enum checmate_hook {
/* private: expanded from the generated list */
#define CHECMATE_HOOK(RET, DEFAULT, NAME, ...) CHECMATE_HOOK_##NAME,
#include "hook_list.h"
#undef CHECMATE_HOOK
/* public: */
	CHECMATE_NR_HOOKS
};

/**
 * checmate_filter_bit - The bit of a hook in a filter
 * @hook: the hook
 *
 * Context: Any context.
 * Return: The bit's number, which some hooks share.
 */
static inline unsigned int checmate_filter_bit(enum checmate_hook hook)
{
	return hook % BITS_PER_LONG;
}

/**
 * checmate_can_rewrite - Whether programs of a hook may change an address
 * @hook: the hook
 *
 * Context: Any context.
 * Return: true if so.
 */
static inline bool checmate_can_rewrite(enum checmate_hook hook)
{
	return hook == CHECMATE_HOOK_socket_bind ||
	       hook == CHECMATE_HOOK_socket_connect ||
	       hook == CHECMATE_HOOK_socket_sendmsg;
}

int checmate_find_hook(u32 btf_id);
u32 checmate_hook_btf_id(enum checmate_hook hook);
const char *checmate_hook_name(enum checmate_hook hook);
bool checmate_hook_can_deny(enum checmate_hook hook);

#endif /* _SECURITY_CHECMATE_HOOK_TABLE_H */
