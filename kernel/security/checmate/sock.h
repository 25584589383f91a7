/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Sockets
 */
#ifndef _SECURITY_CHECMATE_SOCK_H
#define _SECURITY_CHECMATE_SOCK_H

#include <linux/types.h>

struct cgroup;
struct checmate_cgroup;
struct sock;
struct socket;

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

struct checmate_cgroup *checmate_sock_cgroup(const struct sock *sk);
struct checmate_cgroup *checmate_dying_sock_cgroup(const struct sock *sk);
struct checmate_cgroup *checmate_socket_cgroup(const struct socket *sock);

void checmate_add_sock_pins(void);
void checmate_add_sock_unpin(void);
void checmate_start_sock_pins(void);

#endif /* _SECURITY_CHECMATE_SOCK_H */
