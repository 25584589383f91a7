// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Parameters that are sets: capabilities, families, types, signals */
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "param.h"
#include "parse.h"

/* --- capabilities --------------------------------------------------------- */

/* libcap also takes numbers, and stops where a name ends. */
static int find_capability(const char *name)
{
	const char *letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	cap_value_t value;

	if (strncasecmp(name, "cap_", 4) || name[strspn(name, letters)] ||
	    cap_from_name(name, &value) || value < 0 || value > 63)
		return -EINVAL;
	return value;
}

static int name_capability(unsigned int bit, char text[PARAM_MEMBER_MAX])
{
	char *name = cap_to_name(bit);
	size_t n = name ? strlen(name) : 0;
	/* Without a name, libcap gives the number. */
	bool good = name && startswith(name, "cap_") && n < PARAM_MEMBER_MAX;

	for (size_t i = 0; good && i <= n; i++)
		text[i] = toupper((unsigned char)name[i]);
	cap_free(name);
	return good ? 0 : -EINVAL;
}

const struct param_set param_capabilities = {
	.find = find_capability,
	.name = name_capability,
	.unknown = "not a capability",
};

/* --- names of numbers below 64 -------------------------------------------- */

struct name {
	const char *text;
	unsigned int bit;
};

/* The first name of a number is the one that is written. */
static int find_name(const struct name *names, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (streq(names[i].text, text))
			return names[i].bit;
	return -EINVAL;
}

static int write_name(const struct name *names, size_t n, unsigned int bit,
		      char text[PARAM_MEMBER_MAX])
{
	for (size_t i = 0; i < n; i++) {
		if (names[i].bit != bit)
			continue;
		strcpy(text, names[i].text);
		return 0;
	}
	return -EINVAL;
}

#define NAME(constant)              \
	{                           \
#constant, constant \
	}

/* --- families ------------------------------------------------------------- */

static const struct name families[] = {
	NAME(AF_UNSPEC),  NAME(AF_UNIX),      NAME(AF_LOCAL),	   NAME(AF_INET),
	NAME(AF_AX25),	  NAME(AF_IPX),	      NAME(AF_APPLETALK),  NAME(AF_NETROM),
	NAME(AF_BRIDGE),  NAME(AF_ATMPVC),    NAME(AF_X25),	   NAME(AF_INET6),
	NAME(AF_ROSE),	  NAME(AF_DECnet),    NAME(AF_NETBEUI),	   NAME(AF_SECURITY),
	NAME(AF_KEY),	  NAME(AF_NETLINK),   NAME(AF_ROUTE),	   NAME(AF_PACKET),
	NAME(AF_ASH),	  NAME(AF_ECONET),    NAME(AF_ATMSVC),	   NAME(AF_RDS),
	NAME(AF_SNA),	  NAME(AF_IRDA),      NAME(AF_PPPOX),	   NAME(AF_WANPIPE),
	NAME(AF_LLC),	  NAME(AF_IB),	      NAME(AF_MPLS),	   NAME(AF_CAN),
	NAME(AF_TIPC),	  NAME(AF_BLUETOOTH), NAME(AF_IUCV),	   NAME(AF_RXRPC),
	NAME(AF_ISDN),	  NAME(AF_PHONET),    NAME(AF_IEEE802154), NAME(AF_CAIF),
	NAME(AF_ALG),	  NAME(AF_NFC),	      NAME(AF_VSOCK),	   NAME(AF_KCM),
	NAME(AF_QIPCRTR), NAME(AF_SMC),	      NAME(AF_XDP),	   NAME(AF_MCTP),
};

static int find_family(const char *name)
{
	return find_name(families, ARRAY_SIZE(families), name);
}

static int name_family(unsigned int bit, char text[PARAM_MEMBER_MAX])
{
	return write_name(families, ARRAY_SIZE(families), bit, text);
}

const struct param_set param_families = {
	.find = find_family,
	.name = name_family,
	.unknown = "not a socket family",
};

/* --- socket types --------------------------------------------------------- */

static const struct name socket_types[] = {
	NAME(SOCK_STREAM),    NAME(SOCK_DGRAM), NAME(SOCK_RAW),	   NAME(SOCK_RDM),
	NAME(SOCK_SEQPACKET), NAME(SOCK_DCCP),	NAME(SOCK_PACKET),
};

static int find_socket_type(const char *name)
{
	return find_name(socket_types, ARRAY_SIZE(socket_types), name);
}

static int name_socket_type(unsigned int bit, char text[PARAM_MEMBER_MAX])
{
	return write_name(socket_types, ARRAY_SIZE(socket_types), bit, text);
}

const struct param_set param_socket_types = {
	.find = find_socket_type,
	.name = name_socket_type,
	.unknown = "not a socket type",
};

/* --- signals -------------------------------------------------------------- */

#define SIGNAL_MAX 64

/* Second names, which sigabbrev_np() does not return. */
static const struct name signal_aliases[] = {
	{ "IO", SIGIO },
	{ "IOT", SIGIOT },
	{ "CLD", SIGCLD },
};

/* RTMIN and RTMAX are those of the C library, as every other tool has them. */
static int find_realtime(const char *name)
{
	const char *offset;
	uint64_t n = 0;

	offset = startswith(name, "RTMIN");
	if (offset) {
		if (*offset && (*offset != '+' || parse_u64(offset + 1, SIGNAL_MAX - SIGRTMIN, &n)))
			return -EINVAL;
		return SIGRTMIN + n;
	}
	offset = startswith(name, "RTMAX");
	if (!offset ||
	    (*offset && (*offset != '-' || parse_u64(offset + 1, SIGRTMAX - SIGRTMIN, &n))))
		return -EINVAL;
	return SIGRTMAX - n;
}

/* Bit N - 1 stands for signal N. */
static int find_signal(const char *text)
{
	const char *name = startswith(text, "SIG") ?: text;
	uint64_t number;
	int r;

	if (!parse_u64(text, SIGNAL_MAX, &number))
		return (int)number - 1 >= 0 ? (int)number - 1 : -EINVAL;
	for (int i = 1; i <= SIGNAL_MAX; i++) {
		const char *known = sigabbrev_np(i);

		if (known && streq(known, name))
			return i - 1;
	}
	r = find_name(signal_aliases, ARRAY_SIZE(signal_aliases), name);
	if (r < 0)
		r = find_realtime(name);
	return r < 0 ? r : r - 1;
}

/* The C library keeps the first realtime signals for itself: they have no name. */
static int name_signal(unsigned int bit, char text[PARAM_MEMBER_MAX])
{
	int number = bit + 1;
	const char *name = sigabbrev_np(number);

	if (name)
		snprintf(text, PARAM_MEMBER_MAX, "%s", name);
	else if (number == SIGRTMIN)
		strcpy(text, "RTMIN");
	else if (number > SIGRTMIN)
		snprintf(text, PARAM_MEMBER_MAX, "RTMIN+%d", number - SIGRTMIN);
	else
		snprintf(text, PARAM_MEMBER_MAX, "%d", number);
	return 0;
}

const struct param_set param_signals = {
	.find = find_signal,
	.name = name_signal,
	.unknown = "not a signal",
};
