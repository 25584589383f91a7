// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Sockets
 *
 * A socket acts for the cgroup of its creator, whoever uses it later; one
 * that comes out of accept(2) for the cgroup of the listening socket.  The sock
 * itself keeps that cgroup, its owner: sk_cgrp_data is set up after and torn
 * down before hooks that need it, is not always the listener's, and a cgroup
 * that was removed no longer leads to its css.
 *
 * The controller may be enabled for a cgroup after its sockets were made.
 * Their owners then lead to an ancestor, which knows nothing of the attachment
 * set that the cgroup gets.  Each transaction begins an epoch, and a sock seen
 * in a new epoch has its owner moved down to its own cgroup, if that has a css
 * by now.  An owner never moves up.  Nobody has to look at the epoch before the
 * controller is enabled in that way for the first time, which is what
 * checmate_late_key says: sockets of a cgroup that got its css when it was made
 * have their owner there.
 *
 * The epoch is always read before what is looked up, and an owner is stored before
 * its epoch: a sock may thus be looked at once too often, but is never taken
 * for current when it is not.
 *
 * Owners are taken and dropped under RCU, with no lock: a reader may still use
 * the css that cmpxchg() has just replaced, until rcu_read_unlock().  They are
 * kept as distances from the root's css: 0 is the root, for which nothing has to
 * be done.  An owner keeps its cgroup: where that is the sock's own, as it mostly
 * is, no other reference is needed.
 */

#include <linux/cgroup.h>
#include <linux/cleanup.h>
#include <linux/lockdep.h>
#include <linux/lsm_hooks.h>
#include <linux/net.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <net/sock.h>

#include "cgroup.h"
#include "common.h"
#include "lsm.h"
#include "sock.h"

/*
 * Steps with every transaction, after it is published: the cgroup of each sock is
 * then looked for again.  A css that has not seen a transaction gives
 * the same answers as its parent, and one that has is found by then: its files
 * are made after cgroup->subsys[] leads to it.
 */
unsigned int checmate_epoch = 1;

DEFINE_STATIC_KEY_FALSE(checmate_late_key);

/**
 * checmate_step_epoch - Have the cgroup of each sock looked for again
 *
 * Context: Process context; under checmate_mutex, after rulesets are published.
 */
void checmate_step_epoch(void)
{
	lockdep_assert_held(&checmate_mutex);

	/* Pairs with the acquire in refresh_owner() and own_by_creator(). */
	smp_store_release(&checmate_epoch, checmate_epoch + 1);
}

static unsigned long to_owner(const struct checmate_cgroup *cgroup)
{
	return (unsigned long)cgroup - (unsigned long)checmate_root;
}

/*
 * The css of @home or of its nearest ancestor that has one.  One on its way out
 * counts where it goes with the cgroup, but not where the controller has been
 * turned off and the cgroup stays: it is then the parent's already.
 */
static struct checmate_cgroup *find_cgroup(struct cgroup *home)
{
	struct cgroup_subsys_state *css =
		cgroup_e_css(home, &checmate_cgrp_subsys);

	if (READ_ONCE(home->self.flags) & CSS_ONLINE)
		while (css_is_dying(css))
			css = css->parent;
	return css_checmate(css);
}

/* Move the owner of a sock down to its own cgroup, for the epoch we are in. */
static void refresh_owner(struct checmate_sock *own, struct cgroup *home)
{
	struct checmate_cgroup *owner, *found;
	unsigned int epoch;

	/* Pairs with the release in checmate_step_epoch(). */
	epoch = smp_load_acquire(&checmate_epoch);

	for (;;) {
		owner = checmate_owner_cgroup(own);
		found = find_cgroup(home);
		if (found == owner ||
		    !cgroup_is_descendant(found->css.cgroup,
					  owner->css.cgroup))
			break;
		/*
		 * The last reference may just have gone with the cgroup; the
		 * next look finds what is left.
		 */
		if (!css_tryget(&found->css))
			return;
		if (cmpxchg(&own->owner, to_owner(owner), to_owner(found)) ==
		    to_owner(owner)) {
			css_put(&owner->css);
			break;
		}
		/* Somebody else was faster, perhaps with an older look. */
		css_put(&found->css);
	}
	/* Pairs with the acquire in checmate_owner_is_old() and own_by_parent(). */
	smp_store_release(&own->epoch, epoch);
}

/* What a sock belongs to; NULL if that is in sk_cgrp_data. */
static struct cgroup *owner_home(const struct checmate_sock *own)
{
	if (READ_ONCE(own->at_home))
		return checmate_owner_cgroup(own)->css.cgroup;
	return READ_ONCE(own->home);
}

/* The cgroup that owns a sock that is alive. */
static struct cgroup *find_home(const struct sock *sk)
{
	return owner_home(checmate_of_sock(sk)) ?:
	       READ_ONCE(sk->sk_cgrp_data.cgroup);
}

/**
 * checmate_refresh_sock - Move the owner of a sock to where it belongs by now
 * @sk: the sock, alive
 *
 * Context: Any context, within rcu_read_lock().
 */
void checmate_refresh_sock(const struct sock *sk)
{
	struct checmate_sock *own = checmate_of_sock(sk);
	struct cgroup *home = find_home(sk);

	if (home)
		refresh_owner(own, home);
}

/**
 * checmate_dying_sock_cgroup - The owner of a sock that is being freed
 * @sk: the sock, whose sk_cgrp_data must not be looked at anymore
 *
 * Context: Any context, within rcu_read_lock().
 * Return: The cgroup, valid until rcu_read_unlock().
 */
struct checmate_cgroup *checmate_dying_sock_cgroup(const struct sock *sk)
{
	struct checmate_sock *own = checmate_of_sock(sk);
	struct cgroup *home;

	if (unlikely(checmate_owner_is_old(own))) {
		home = owner_home(own);
		if (home)
			refresh_owner(own, home);
	}
	return checmate_owner_cgroup(own);
}

/**
 * checmate_socket_cgroup - The owner of a socket
 * @sock: the socket; NULL, or without a sock, it is the current task that acts
 *
 * Context: Any context, within rcu_read_lock().
 * Return: The cgroup, valid until rcu_read_unlock().
 */
struct checmate_cgroup *checmate_socket_cgroup(const struct socket *sock)
{
	const struct sock *sk = sock ? READ_ONCE(sock->sk) : NULL;

	return sk ? checmate_sock_cgroup(sk) : checmate_current_cgroup();
}

static void drop_owner(struct checmate_sock *own)
{
	rcu_read_lock();
	css_put(&checmate_owner_cgroup(own)->css);
	rcu_read_unlock();
	WRITE_ONCE(own->owner, to_owner(checmate_root_cgroup()));
	if (own->home)
		cgroup_put(own->home);
	own->home = NULL;
	own->at_home = false;
}

/*
 * A new sock is its creator's; one made in interrupt is the root's.  Where a
 * task is right now is not the last word on its css: tasks are moved to a new
 * css after that can be given an attachment set.
 */
static int own_by_creator(struct sock *sk, int family, gfp_t priority)
{
	struct task_struct *task = in_task() ? current : &init_task;
	struct checmate_sock *own = checmate_of_sock(sk);
	struct checmate_cgroup *cgroup;
	struct cgroup *home;

	rcu_read_lock();
	/* Pairs with the release in checmate_step_epoch(). */
	own->epoch = smp_load_acquire(&checmate_epoch);
	/* Mostly the cgroup has a css, which keeps it. */
	cgroup = css_checmate(task_css(task, checmate_cgrp_id));
	if (likely(cgroup->css.cgroup == task_dfl_cgroup(task) &&
		   !css_is_dying(&cgroup->css) && css_tryget(&cgroup->css))) {
		rcu_read_unlock();
		own->at_home = true;
		WRITE_ONCE(own->owner, to_owner(cgroup));
		return 0;
	}
	do {
		home = task_dfl_cgroup(task);
	} while (!cgroup_tryget(home));
	do {
		cgroup = find_cgroup(home);
	} while (!css_tryget(&cgroup->css));
	rcu_read_unlock();
	own->home = home;
	WRITE_ONCE(own->owner, to_owner(cgroup));
	return 0;
}

/* Where the owner of a sock is by now, with a reference, and since which epoch. */
static struct checmate_cgroup *get_owner(const struct sock *sk,
					 unsigned int *ret_epoch)
{
	struct checmate_sock *own = checmate_of_sock(sk);
	struct checmate_cgroup *cgroup;

	guard(rcu)();

	/* The sock may be known to be out of date by now. */
	checmate_sock_cgroup(sk);
	/* Pairs with the release in refresh_owner(). */
	*ret_epoch = smp_load_acquire(&own->epoch);
	do {
		cgroup = checmate_owner_cgroup(own);
	} while (!css_tryget(&cgroup->css));
	return cgroup;
}

/* A sock made for another one, as by accept(2), is that one's. */
static void own_by_parent(const struct sock *sk, struct sock *newsk)
{
	struct checmate_sock *from = checmate_of_sock(sk);
	struct checmate_sock *to = checmate_of_sock(newsk);
	struct checmate_cgroup *cgroup;
	struct cgroup *home;
	unsigned int epoch;

	cgroup = get_owner(sk, &epoch);
	home = from->at_home ? NULL : find_home(sk);

	/* The parent lives, and with it its home; nobody knows newsk yet. */
	if (home)
		cgroup_get(home);
	drop_owner(to);
	to->home = home;
	to->at_home = from->at_home;
	WRITE_ONCE(to->owner, to_owner(cgroup));
	to->epoch = epoch;
}

/*
 * An accepted socket is the listening one's.  Families that clone the listening
 * sock have seen to that.  The others make the sock in a kernel thread, in an
 * interrupt, or in the task that connects or accepts; here it is given to the
 * owner cgroup of the listening socket before anybody has a descriptor for it.
 *
 * The sock is known to the network, though, and its owner may be read and
 * refreshed meanwhile.  A reader that still has the old home moves the owner at
 * most further down: more programs apply then, and none less.
 */
static void own_by_listener(struct socket *sock, struct socket *newsock)
{
	struct checmate_sock *from, *to;
	struct checmate_cgroup *cgroup;
	struct cgroup *home, *old_home;
	unsigned long old_owner;
	unsigned int epoch;

	if (!sock->sk || !newsock->sk)
		return;
	scoped_guard(rcu)
		if (likely(find_home(sock->sk) == find_home(newsock->sk)))
			return;
	from = checmate_of_sock(sock->sk);
	to = checmate_of_sock(newsock->sk);

	cgroup = get_owner(sock->sk, &epoch);
	home = READ_ONCE(from->at_home) ? NULL : find_home(sock->sk);
	if (home)
		cgroup_get(home);
	old_home = to->home;

	WRITE_ONCE(to->home, home);
	WRITE_ONCE(to->at_home, !home);
	old_owner = xchg(&to->owner, to_owner(cgroup));
	/* Pairs with the acquire in checmate_owner_is_old(). */
	smp_store_release(&to->epoch, epoch);
	/* Others may have read the old home for an epoch that is newer. */
	scoped_guard(rcu)
		checmate_refresh_sock(newsock->sk);

	/* Readers keep both until their rcu_read_unlock(). */
	css_put(&((struct checmate_cgroup *)((unsigned long)checmate_root +
					     old_owner))->css);
	if (old_home)
		cgroup_put(old_home);
}

/* The server's end of a connection is made by the client. */
static int own_by_unix_listener(struct sock *sk, struct sock *other, struct sock *newsk)
{
	own_by_parent(other, newsk);
	return 0;
}

static void own_by_association(struct sctp_association *asoc, struct sock *sk,
			       struct sock *newsk)
{
	own_by_parent(sk, newsk);
}

static int own_by_connection(struct sock *sk, struct sock *ssk)
{
	own_by_parent(sk, ssk);
	return 0;
}

static void release(struct sock *sk)
{
	drop_owner(checmate_of_sock(sk));
}

static struct static_key_false *owner_key[6] __ro_after_init;
static struct static_key_false *release_key __ro_after_init;

static struct security_hook_list owner_hooks[] __ro_after_init = {
	LSM_HOOK_INIT_LAZY(sk_alloc_security, own_by_creator, &owner_key[0]),
	LSM_HOOK_INIT_LAZY(sk_clone_security, own_by_parent, &owner_key[1]),
	LSM_HOOK_INIT_LAZY(unix_stream_connect, own_by_unix_listener, &owner_key[2]),
	LSM_HOOK_INIT_LAZY(sctp_sk_clone, own_by_association, &owner_key[3]),
	LSM_HOOK_INIT_LAZY(mptcp_add_subflow, own_by_connection, &owner_key[4]),
	LSM_HOOK_INIT_LAZY(socket_post_accept, own_by_listener, &owner_key[5]),
};

static_assert(ARRAY_SIZE(owner_hooks) == ARRAY_SIZE(owner_key));

static struct security_hook_list release_hooks[] __ro_after_init = {
	LSM_HOOK_INIT_LAZY(sk_free_security, release, &release_key),
};

/**
 * checmate_add_sock_owners - Register the hooks that owner
 *
 * To be called before programs' hooks are registered: a program judging a new
 * sock finds it owner.
 *
 * Context: Boot, once.
 */
void __init checmate_add_sock_owners(void)
{
	security_add_hooks(owner_hooks, ARRAY_SIZE(owner_hooks), &checmate_lsmid);
}

/**
 * checmate_add_sock_release - Register the hook that drops the owner
 *
 * To be called after programs' hooks are registered: a program judging the
 * end of a sock still finds it owner.
 *
 * Context: Boot, once.
 */
void __init checmate_add_sock_release(void)
{
	security_add_hooks(release_hooks, ARRAY_SIZE(release_hooks),
			   &checmate_lsmid);
}

/**
 * checmate_start_sock_owners - Pin from now on
 *
 * Called when the first cgroup below the root gets the controller.  Pinning
 * never stops again, since every owner taken must be dropped.
 *
 * Context: Process context, may sleep; under checmate_mutex.
 */
void checmate_start_sock_owners(void)
{
	unsigned int i;

	lockdep_assert_held(&checmate_mutex);

	if (!checmate_is_active() || static_key_enabled(&owner_key[0]->key))
		return;
	static_branch_enable(release_key);
	for (i = ARRAY_SIZE(owner_key); i--; )
		static_branch_enable(owner_key[i]);
}

/**
 * checmate_expect_late_owners - Have socks looked at again from now on
 *
 * Called when a cgroup gets the controller that may have sockets already, and
 * before that has an attachment set of its own.
 *
 * Context: Process context, may sleep; under checmate_mutex.
 */
void checmate_expect_late_owners(void)
{
	lockdep_assert_held(&checmate_mutex);

	if (checmate_is_active())
		static_branch_enable(&checmate_late_key);
}
