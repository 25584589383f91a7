// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Keys of hooks
 *
 * A callback is called only while its static key is on, which is while it has
 * users, and a little longer: turning keys patches kernel text.
 */

#include <linux/jiffies.h>
#include <linux/jump_label.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/workqueue.h>

#include "cgroup.h"
#include "common.h"
#include "key.h"
#include "limits.h"

static void turn_off_idle(struct work_struct *work);
static DECLARE_DELAYED_WORK(idle_work, turn_off_idle);

/* The keys without users that are still on; under checmate_mutex. */
static LIST_HEAD(idle_keys);

/* Turn off every key that has been idle for long enough. */
static void turn_off_idle(struct work_struct *work)
{
	struct checmate_key *key, *next;

	guard(mutex)(&checmate_mutex);

	list_for_each_entry_safe(key, next, &idle_keys, idle) {
		if (time_before(jiffies,
				key->idle_since + CHECMATE_HOOK_LINGER))
			continue;
		list_del_init(&key->idle);
		static_branch_disable(key->key);
	}
	if (!list_empty(&idle_keys))
		schedule_delayed_work(&idle_work, CHECMATE_HOOK_LINGER);
}

/**
 * checmate_key_is_on - Whether a callback is being called
 * @key: its key
 *
 * Context: Any context.
 * Return: true if it is on.
 */
bool checmate_key_is_on(const struct checmate_key *key)
{
	return key->key && static_key_enabled(&key->key->key);
}

/**
 * checmate_use_key - Ask for a callback to be called
 * @key: its key, of an LSM in use; on when this returns
 *
 * Context: Process context, may sleep; under checmate_mutex.
 */
void checmate_use_key(struct checmate_key *key)
{
	lockdep_assert_held(&checmate_mutex);

	if (key->users++)
		return;
	if (checmate_key_is_on(key))
		list_del_init(&key->idle);
	else
		static_branch_enable(key->key);
}

/**
 * checmate_unuse_key - Take back what checmate_use_key() asked for
 * @key: the key; stays on for CHECMATE_HOOK_LINGER after the last user
 *
 * Context: Process context; under checmate_mutex.
 */
void checmate_unuse_key(struct checmate_key *key)
{
	lockdep_assert_held(&checmate_mutex);

	if (--key->users)
		return;
	key->idle_since = jiffies;
	list_add_tail(&key->idle, &idle_keys);
	schedule_delayed_work(&idle_work, CHECMATE_HOOK_LINGER);
}
