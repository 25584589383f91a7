/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Sockets
 */
#ifndef _SECURITY_CHECMATE_SOCK_H
#define _SECURITY_CHECMATE_SOCK_H

#include <linux/checmate.h>
#include <linux/jump_label.h>
#include <linux/net.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/types.h>
#include <net/sock.h>

#include "cgroup.h"

extern unsigned int checmate_epoch;

/* On once an owner may have to move, that is, once @epoch of a sock matters. */
DECLARE_STATIC_KEY_FALSE(checmate_late_key);

/**
 * checmate_of_sock - What is kept of a sock
 * @sk: the sock
 *
 * Context: Any context.
 * Return: Checmate's part of the sock.
 */
static inline struct checmate_sock *checmate_of_sock(const struct sock *sk)
{
	return (struct checmate_sock *)&sk->sk_checmate;
}

/**
 * checmate_owner_cgroup - Where the owner of a sock is
 * @own: what is kept of the sock
 *
 * Context: Any context, within rcu_read_lock() or with preemption disabled.
 * Return: The cgroup, valid for as long.
 */
static __always_inline struct checmate_cgroup *
checmate_owner_cgroup(const struct checmate_sock *own)
{
	RCU_LOCKDEP_WARN(!rcu_read_lock_any_held(),
			 "checmate: an owner is looked at outside of RCU");

	return (struct checmate_cgroup *)((unsigned long)checmate_root +
					  READ_ONCE(own->owner));
}

/**
 * checmate_owner_is_old - Whether a sock must be looked at again
 * @own: what is kept of the sock
 *
 * Context: Any context.
 * Return: true if its owner may have to move; false means that it need not, and
 * is the one that is read next.
 */
static __always_inline bool
checmate_owner_is_old(const struct checmate_sock *own)
{
	if (!static_branch_unlikely(&checmate_late_key))
		return false;
	/* Pairs with the release in refresh_owner(): the owner is of the epoch. */
	return smp_load_acquire(&own->epoch) != READ_ONCE(checmate_epoch);
}

/**
 * checmate_sock_concerned - Whether programs of a hook may judge a sock
 * @sk: the sock, alive or being freed; not NULL
 * @hook: the hook
 * @subject: set to where the owner of @sk is, old or not; as for
 *	checmate_current_concerned()
 *
 * Context: Any context.
 * Return: As checmate_cgroup_concerned().
 */
static __always_inline bool
checmate_sock_concerned(const struct sock *sk, enum checmate_hook hook,
			struct checmate_cgroup **subject)
{
	const struct checmate_sock *own = checmate_of_sock(sk);
	bool concerned;

	preempt_disable();
	concerned = checmate_owner_is_old(own);
	*subject = checmate_owner_cgroup(own);
	concerned = concerned || checmate_cgroup_concerned(*subject, hook);
	checmate_end_question();
	return concerned;
}

/**
 * checmate_socket_concerned - Whether programs of a hook may judge a socket
 * @sock: the socket, or NULL
 * @hook: the hook
 * @subject: set as by the one or the other
 *
 * Where it is sure that there is a socket and that it has a sock, to ask
 * checmate_sock_concerned() for that sock is enough, and cheaper.
 *
 * Context: Any context.
 * Return: As checmate_cgroup_concerned().
 */
static __always_inline bool
checmate_socket_concerned(const struct socket *sock, enum checmate_hook hook,
			  struct checmate_cgroup **subject)
{
	const struct sock *sk = sock ? READ_ONCE(sock->sk) : NULL;

	return sk ? checmate_sock_concerned(sk, hook, subject) :
		    checmate_current_concerned(hook, subject);
}

void checmate_refresh_sock(const struct sock *sk);

/**
 * checmate_sock_cgroup - The owner of a sock
 * @sk: the sock, alive
 *
 * Context: Any context, within rcu_read_lock().
 * Return: The cgroup, valid until rcu_read_unlock().
 */
static __always_inline struct checmate_cgroup *
checmate_sock_cgroup(const struct sock *sk)
{
	const struct checmate_sock *own = checmate_of_sock(sk);

	if (unlikely(checmate_owner_is_old(own)))
		checmate_refresh_sock(sk);
	return checmate_owner_cgroup(own);
}

struct checmate_cgroup *checmate_dying_sock_cgroup(const struct sock *sk);
struct checmate_cgroup *checmate_socket_cgroup(const struct socket *sock);

void checmate_add_sock_owners(void);
void checmate_add_sock_release(void);
void checmate_start_sock_owners(void);
void checmate_expect_late_owners(void);
void checmate_step_epoch(void);

#endif /* _SECURITY_CHECMATE_SOCK_H */
