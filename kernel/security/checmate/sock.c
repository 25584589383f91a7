// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Sockets
 *
 * A socket is judged by the cgroup of its creator, whoever uses it later.  The
 * cgroup is pinned in the sock's blob when the sock is allocated: sk_cgrp_data
 * is set up after and torn down before the hooks that need the cgroup, and a
 * cgroup that was removed no longer leads to its css.
 *
 * The controller may be enabled for a cgroup after its sockets were made.
 * Their pins then lead to an ancestor, which knows nothing of the policy that
 * the cgroup gets.  Each time a css comes online an epoch starts, and a sock
 * seen in a new epoch has its pin moved down to its own cgroup, if that has a
 * css by now.  A pin never moves up.
 *
 * Pins are taken and dropped under RCU, with no lock: a reader may still use
 * the cgroup that cmpxchg() has just replaced, until rcu_read_unlock().
 */

#include <linux/cgroup.h>
#include <linux/lsm_hooks.h>
#include <linux/net.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <net/sock.h>

#include "cgroup.h"
#include "common.h"
#include "setup.h"
#include "sock.h"

static struct checmate_sock *sock_blob(const struct sock *sk)
{
	return sk->sk_security + checmate_blob_sizes.lbs_sock;
}

static void put_cgroup(struct checmate_cgroup *cgroup)
{
	if (cgroup)
		css_put(&cgroup->css);
}

/* Move the pin of a live sock down to the cgroup that its creator was in. */
static void refresh_pin(const struct sock *sk)
{
	struct checmate_sock *blob = sock_blob(sk);
	struct cgroup *home = READ_ONCE(sk->sk_cgrp_data.cgroup);
	struct checmate_cgroup *pinned, *found;
	unsigned int epoch;

	/*
	 * Pairs with the release in checmate_css_online(): a css of this epoch
	 * is found below.
	 */
	epoch = smp_load_acquire(&checmate_epoch);

	/* Early hooks of a new sock: its creator's pin is as good as it gets. */
	if (!home)
		return;

	pinned = rcu_dereference(blob->cgroup);
	found = css_checmate(cgroup_e_css(home, &checmate_cgrp_subsys));
	if (found != pinned &&
	    (!pinned || cgroup_is_descendant(found->css.cgroup,
					     pinned->css.cgroup))) {
		/*
		 * The last reference may just have gone with the cgroup; the
		 * next look finds what is left.
		 */
		if (!css_tryget(&found->css))
			return;
		if (unrcu_pointer(cmpxchg(&blob->cgroup,
					  RCU_INITIALIZER(pinned),
					  RCU_INITIALIZER(found))) == pinned)
			put_cgroup(pinned);
		else
			put_cgroup(found);
	}
	/* Pairs with the acquire in checmate_sock_ruleset(). */
	smp_store_release(&blob->epoch, epoch);
}

static const struct checmate_ruleset *pinned_ruleset(struct checmate_sock *blob)
{
	struct checmate_cgroup *cgroup = rcu_dereference(blob->cgroup);

	return cgroup ? checmate_cgroup_ruleset(cgroup) :
			checmate_root_ruleset();
}

/**
 * checmate_sock_ruleset - The ruleset that judges a sock
 * @sk: the sock, alive
 *
 * Context: Any context, within rcu_read_lock().
 * Return: The ruleset, valid until rcu_read_unlock().
 */
const struct checmate_ruleset *checmate_sock_ruleset(const struct sock *sk)
{
	struct checmate_sock *blob = sock_blob(sk);
	unsigned int epoch;

	/* Pairs with the release in refresh_pin(): the pin is of the epoch. */
	epoch = smp_load_acquire(&blob->epoch);
	if (unlikely(epoch != READ_ONCE(checmate_epoch)))
		refresh_pin(sk);
	return pinned_ruleset(blob);
}

/**
 * checmate_dying_sock_ruleset - The ruleset that judges a sock being freed
 * @sk: the sock, whose sk_cgrp_data must not be looked at anymore
 *
 * Context: Any context, within rcu_read_lock().
 * Return: The ruleset, valid until rcu_read_unlock().
 */
const struct checmate_ruleset *
checmate_dying_sock_ruleset(const struct sock *sk)
{
	return pinned_ruleset(sock_blob(sk));
}

/**
 * checmate_socket_ruleset - The ruleset that judges a socket
 * @sock: the socket; NULL, or without a sock, it is the current task that acts
 *
 * Context: Any context, within rcu_read_lock().
 * Return: The ruleset, valid until rcu_read_unlock().
 */
const struct checmate_ruleset *
checmate_socket_ruleset(const struct socket *sock)
{
	const struct sock *sk = sock ? READ_ONCE(sock->sk) : NULL;

	return sk ? checmate_sock_ruleset(sk) : checmate_current_ruleset();
}

/* A new sock is its creator's; one made in interrupt is the root's. */
static int pin_creator(struct sock *sk, int family, gfp_t priority)
{
	struct checmate_sock *blob = sock_blob(sk);
	struct checmate_cgroup *cgroup;

	rcu_read_lock();
	do {
		cgroup = checmate_current_cgroup();
	} while (!css_tryget(&cgroup->css));
	rcu_read_unlock();
	RCU_INIT_POINTER(blob->cgroup, cgroup);
	blob->epoch = READ_ONCE(checmate_epoch);
	return 0;
}

/* A cloned sock, as of an accepted connection, is its parent's. */
static void pin_parent(const struct sock *sk, struct sock *newsk)
{
	struct checmate_sock *from = sock_blob(sk);
	struct checmate_sock *to = sock_blob(newsk);
	struct checmate_cgroup *cgroup;

	rcu_read_lock();
	do {
		cgroup = rcu_dereference(from->cgroup);
	} while (cgroup && !css_tryget(&cgroup->css));
	/* Nobody else knows newsk yet. */
	put_cgroup(unrcu_pointer(to->cgroup));
	RCU_INIT_POINTER(to->cgroup, cgroup);
	to->epoch = READ_ONCE(from->epoch);
	rcu_read_unlock();
}

static void unpin(struct sock *sk)
{
	struct checmate_sock *blob = sock_blob(sk);

	put_cgroup(unrcu_pointer(blob->cgroup));
	RCU_INIT_POINTER(blob->cgroup, NULL);
}

static struct static_key_false *alloc_key __ro_after_init;
static struct static_key_false *clone_key __ro_after_init;
static struct static_key_false *free_key __ro_after_init;

static struct security_hook_list pin_hooks[] __ro_after_init = {
	LSM_HOOK_INIT_LAZY(sk_alloc_security, pin_creator, &alloc_key),
	LSM_HOOK_INIT_LAZY(sk_clone_security, pin_parent, &clone_key),
};

static struct security_hook_list unpin_hooks[] __ro_after_init = {
	LSM_HOOK_INIT_LAZY(sk_free_security, unpin, &free_key),
};

/**
 * checmate_add_sock_pins - Register the hooks that pin
 *
 * To be called before programs' hooks are registered: a program judging a new
 * sock finds it pinned.
 *
 * Context: Boot, once.
 */
void __init checmate_add_sock_pins(void)
{
	security_add_hooks(pin_hooks, ARRAY_SIZE(pin_hooks), &checmate_lsmid);
}

/**
 * checmate_add_sock_unpin - Register the hook that drops the pin
 *
 * To be called after programs' hooks are registered: a program judging the
 * end of a sock still finds it pinned.
 *
 * Context: Boot, once.
 */
void __init checmate_add_sock_unpin(void)
{
	security_add_hooks(unpin_hooks, ARRAY_SIZE(unpin_hooks),
			   &checmate_lsmid);
}

/**
 * checmate_start_sock_pins - Pin from now on
 *
 * Called when the first cgroup below the root gets the controller.  Pinning
 * never stops again, since every pin taken must be dropped.
 *
 * Context: Process context, may sleep; under checmate_mutex.
 */
void checmate_start_sock_pins(void)
{
	lockdep_assert_held(&checmate_mutex);

	if (!checmate_is_active() || static_key_enabled(&alloc_key->key))
		return;
	static_branch_enable(free_key);
	static_branch_enable(clone_key);
	static_branch_enable(alloc_key);
}
