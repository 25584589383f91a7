/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Sockets
 */
#ifndef _SECURITY_CHECMATE_SOCK_H
#define _SECURITY_CHECMATE_SOCK_H

#include <linux/types.h>

struct checmate_cgroup;
struct checmate_ruleset;
struct sock;
struct socket;

/**
 * struct checmate_sock - The cgroup that judges a socket
 * @cgroup: the cgroup, with a reference; NULL where none was pinned, which
 *	stands for the root
 * @epoch: the state of the hierarchy that @cgroup was looked up in
 *
 * Kept in the sock's LSM blob: the pin outlives the removal of the cgroup, so
 * a socket that outlives its cgroup stays under that cgroup's policy.
 */
struct checmate_sock {
	struct checmate_cgroup __rcu *cgroup;
	unsigned int epoch;
};

const struct checmate_ruleset *checmate_sock_ruleset(const struct sock *sk);
const struct checmate_ruleset *checmate_dying_sock_ruleset(const struct sock *sk);
const struct checmate_ruleset *checmate_socket_ruleset(const struct socket *sock);

void checmate_add_sock_pins(void);
void checmate_add_sock_unpin(void);
void checmate_start_sock_pins(void);

#endif /* _SECURITY_CHECMATE_SOCK_H */
