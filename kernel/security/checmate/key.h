/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Keys of hooks
 */
#ifndef _SECURITY_CHECMATE_KEY_H
#define _SECURITY_CHECMATE_KEY_H

#include <linux/types.h>

struct static_key_false;

/**
 * struct checmate_key - What turns the callback of an LSM hook on and off
 * @key: the static key, as handed out by the framework; NULL if the LSM is not
 *	in use
 * @users: how many ask for it to be on
 * @idle_since: when @users became 0, in jiffies
 * @idle: in the list of keys that are on for nobody
 *
 * All zeroes at first.  Used under checmate_mutex.
 */
struct checmate_key {
	struct static_key_false *key;
	unsigned int users;
	unsigned long idle_since;
	struct list_head idle;
};

bool checmate_key_is_on(const struct checmate_key *key);
void checmate_use_key(struct checmate_key *key);
void checmate_unuse_key(struct checmate_key *key);

#endif /* _SECURITY_CHECMATE_KEY_H */
