// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checmate policies - unix-scope: Unix sockets reach only peers inside
 *
 * Every connect(2) of a Unix socket and every datagram to one is denied unless
 * the peer was made inside the cgroup that the policy is bound to, or below.
 * It is the peer's socket that is looked at, so path names, abstract names and
 * file descriptors make no difference.
 */
#include "checmate-cgroup.bpf.h"

struct checmate_params {
	CHECMATE_PARAM_ERRNO(deny_errno, "deny-errno", "EPERM",
			     "Error that a denied connect or send returns");
};

CHECMATE_POLICY("unix-scope", "1", "Unix sockets connect and send only inside the cgroup");

/* The name that @peer is bound to, with "@" for a leading NUL; empty if it has none. */
static __always_inline void read_name(struct sock *peer, struct sockaddr_un *name)
{
	struct unix_address *address = BPF_CORE_READ((struct unix_sock *)peer, addr);
	const char *from;
	__u32 length;

	if (!address)
		return;
	length = BPF_CORE_READ(address, len);
	/* What follows is not part of it. One byte is left for the end. */
	if (length >= sizeof(*name))
		length = sizeof(*name) - 1;
	from = (const char *)address + bpf_core_field_offset(struct unix_address, name);
	/* What cannot be read is an empty name. */
	if (bpf_probe_read_kernel(name, length, from))
		return;
	if (length > __builtin_offsetof(struct sockaddr_un, sun_path) && !name->sun_path[0])
		name->sun_path[0] = '@';
}

/* The verdict: denied, and the peer's name is told. */
static __always_inline int deny(const struct checmate_self *self, const char *hook,
				struct sock *peer)
{
	struct sockaddr_un name = {};

	read_name(peer, &name);
	return checmate_deny_text(self, hook, self->param->deny_errno, name.sun_path);
}

CHECMATE_PROGRAM(unix_stream_connect, unix_connect, struct sock *sock, struct sock *other,
		 struct sock *newsk)
{
	if (checmate_sock_inside(self, other))
		return checmate_allow();
	/* Deny: the listening socket is somebody else's. */
	return deny(self, "unix_stream_connect", other);
}

CHECMATE_PROGRAM(unix_may_send, unix_send, struct socket *sock, struct socket *other)
{
	struct sock *peer = other->sk;

	/* Deny: a socket without its inner half cannot be told apart. */
	if (!peer)
		return checmate_deny(self, "unix_may_send", self->param->deny_errno);
	if (checmate_sock_inside(self, peer))
		return checmate_allow();
	/* Deny: the receiving socket is somebody else's. */
	return deny(self, "unix_may_send", peer);
}
