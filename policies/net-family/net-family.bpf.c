// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checmate policies - net-family: which kinds of sockets may be made
 *
 * Every socket(2) and socketpair(2), also those of io_uring, is denied unless
 * both the family and the type are ones that may be used. Sockets that the
 * kernel makes for itself are not judged.
 */
#include "checmate.bpf.h"

/* The order of the words of "mode". */
enum mode {
	MODE_ALLOW,
	MODE_DENY,
};

#define ALL_TYPES "SOCK_STREAM,SOCK_DGRAM,SOCK_RAW,SOCK_RDM,SOCK_SEQPACKET,SOCK_DCCP,SOCK_PACKET"

struct checmate_params {
	CHECMATE_PARAM_FAMILIES(families, "families", "", "Socket families that mode is about");
	CHECMATE_PARAM_CHOICE(mode, "mode", "allow", "allow|deny",
			      "Whether just these families may be used, or all but these");
	CHECMATE_PARAM_SOCKET_TYPES(socket_types, "socket-types", ALL_TYPES,
				    "Socket types that may be used");
	CHECMATE_PARAM_ERRNO(deny_errno, "deny-errno", "EAFNOSUPPORT",
			     "Error that a denied socket returns");
};

CHECMATE_POLICY("net-family", "1", "Which socket families and types may be made");

/* As in linux/in.h. */
#define IPPROTO_SMC 256

/* False for what no set can name. */
static __always_inline bool contains(__u64 set, int number)
{
	return number >= 0 && number < 64 && set >> number & 1;
}

static __always_inline bool may_use_family(const struct checmate_self *self, int family)
{
	__u64 set = self->param->families;

	switch (self->param->mode) {
	case MODE_ALLOW:
		return contains(set, family);
	case MODE_DENY:
		/* Deny: what cannot be in the list could not be denied either. */
		return family >= 0 && family < 64 && !contains(set, family);
	default:
		/* Deny: there is no such mode. */
		return false;
	}
}

/* SMC can be asked for as a protocol of IP, which makes the same socket. */
static __always_inline int family_of(int family, int protocol)
{
	if ((family == AF_INET || family == AF_INET6) && protocol == IPPROTO_SMC)
		return AF_SMC;
	return family;
}

CHECMATE_PROGRAM(socket_create, net_family, int family, int type, int protocol, int kern)
{
	char text[64] = {};

	/*
	 * The kernel's own, as for a new network namespace: no descriptor of
	 * it is handed out, and its maker could not go on without.
	 */
	if (kern)
		return checmate_allow();
	if (may_use_family(self, family_of(family, protocol)) &&
	    contains(self->param->socket_types, type))
		return checmate_allow();

	/* Deny, though the text may be lacking. */
	BPF_SNPRINTF(text, sizeof(text), "family %d type %d protocol %d", family, type, protocol);
	return checmate_deny_text(self, "socket_create", self->param->deny_errno, text);
}
