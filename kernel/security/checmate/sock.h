/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Sockets
 */
#ifndef _SECURITY_CHECMATE_SOCK_H
#define _SECURITY_CHECMATE_SOCK_H

#include <linux/net.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/types.h>
#include <net/sock.h>

#include "cgroup.h"
#include "setup.h"

struct cgroup;

/**
 * struct checmate_sock - Whose a sock is
 * @home: the cgroup it belongs to, with a reference; NULL where the sock was
 *	made before pinning began, which stands for what sk_cgrp_data has
 * @cgroup: the controller's state of @home, or of the nearest ancestor that had
 *	one when it was looked for, with a reference; NULL stands for the root
 * @epoch: the state of all policies that @cgroup was looked for in
 *
 * Kept in the sock's LSM blob.  @home is set before others know of the sock.
 */
struct checmate_sock {
	struct cgroup *home;
	struct checmate_cgroup __rcu *cgroup;
	unsigned int epoch;
};

extern unsigned int checmate_epoch;

/**
 * checmate_sock_blob - What is kept of a sock
 * @sk: the sock
 *
 * Context: Any context.
 * Return: Checmate's part of the sock's LSM blob.
 */
static inline struct checmate_sock *checmate_sock_blob(const struct sock *sk)
{
	return sk->sk_security + checmate_blob_sizes.lbs_sock;
}

/**
 * checmate_sock_concerned - Whether programs of a hook may judge a sock
 * @sk: the sock, alive or being freed; not NULL
 * @hook: the hook
 *
 * Context: Any context.
 * Return: As checmate_cgroup_concerned().
 */
static __always_inline bool checmate_sock_concerned(const struct sock *sk,
						    enum checmate_hook hook)
{
	const struct checmate_sock *blob = checmate_sock_blob(sk);
	const struct checmate_cgroup *cgroup;
	bool concerned;

	preempt_disable();
	/* Pairs with the release in refresh_pin(): the pin is of the epoch. */
	concerned = smp_load_acquire(&blob->epoch) !=
		    READ_ONCE(checmate_epoch);
	if (!concerned) {
		cgroup = rcu_dereference_sched(blob->cgroup);
		concerned = checmate_cgroup_concerned(cgroup ?: checmate_root_cgroup(),
						      hook);
	}
	preempt_enable();
	return concerned;
}

/**
 * checmate_socket_concerned - Whether programs of a hook may judge a socket
 * @sock: the socket, or NULL
 * @hook: the hook
 *
 * Where it is sure that there is a socket and that it has a sock, to ask
 * checmate_sock_concerned() for that sock is enough, and cheaper.
 *
 * Context: Any context.
 * Return: As checmate_cgroup_concerned().
 */
static __always_inline bool
checmate_socket_concerned(const struct socket *sock, enum checmate_hook hook)
{
	const struct sock *sk = sock ? READ_ONCE(sock->sk) : NULL;

	return sk ? checmate_sock_concerned(sk, hook) :
		    checmate_current_concerned(hook);
}

struct checmate_cgroup *checmate_sock_cgroup(const struct sock *sk);
struct checmate_cgroup *checmate_dying_sock_cgroup(const struct sock *sk);
struct checmate_cgroup *checmate_socket_cgroup(const struct socket *sock);

void checmate_add_sock_pins(void);
void checmate_add_sock_unpin(void);
void checmate_start_sock_pins(void);

#endif /* _SECURITY_CHECMATE_SOCK_H */
