// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * remap_bind - who asks for one port gets another
 *
 * bind() of an AF_INET address with port 6789 binds port 12345. The address
 * is changed before the protocol sees it, so getsockname() tells the port that
 * the socket really has, and that is where clients find it.
 *
 *   socket_bind   changes the port
 *
 * When the port cannot be changed, the bind is denied: the caller must not get
 * the port that it was to be kept from. That is so for AF_UNSPEC, which the
 * kernel takes for AF_INET here and which is not written to.
 */
#include "../sample.bpf.h"

#define PORT_ASKED 6789
#define PORT_GIVEN 12345

SEC("lsm_cgroup/socket_bind")
int BPF_PROG(remap_bind, struct socket *sock, struct sockaddr *address, int addrlen)
{
	struct sockaddr_in in = {};

	/* The kernel refuses an address that is too short by itself. */
	if (addrlen < (int)sizeof(in))
		return sample_allow();
	/* Deny: this may be the port. */
	if (bpf_probe_read_kernel(&in, sizeof(in), address))
		return sample_deny(EFAULT);
	if (in.sin_family != AF_INET && in.sin_family != AF_UNSPEC)
		return sample_allow();
	if (in.sin_port != bpf_htons(PORT_ASKED))
		return sample_allow();

	/* Deny: this is the port. */
	if (bpf_checmate_set_port(address, bpf_htons(PORT_GIVEN)))
		return sample_deny(EACCES);
	return sample_allow();
}
