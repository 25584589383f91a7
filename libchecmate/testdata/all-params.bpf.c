// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Test object: a parameter of every type */
#include "checmate.bpf.h"

struct checmate_params {
	CHECMATE_PARAM_ERRNO(an_errno, "errno", "EACCES", "An errno");
	CHECMATE_PARAM_BOOL(a_bool, "bool", "yes", "A bool");
	CHECMATE_PARAM_NUMBER(a_number, "number", "5000000000", 1, 18446744073709551615, "A number");
	CHECMATE_PARAM_CHOICE(a_choice, "choice", "middle", "low|middle|high", "A choice");
	CHECMATE_PARAM_CAPABILITIES(some_caps, "capabilities", "CAP_NET_ADMIN,CAP_BPF",
				    "Capabilities");
	CHECMATE_PARAM_FAMILIES(some_families, "families", "AF_UNIX,AF_VSOCK", "Families");
	CHECMATE_PARAM_SOCKET_TYPES(some_types, "socket-types", "SOCK_STREAM", "Socket types");
	CHECMATE_PARAM_SIGNALS(some_signals, "signals", "TERM,RTMIN+30", "Signals");
	CHECMATE_PARAM_ENDPOINTS(endpoints, "endpoints", "10.0.0.0/8:80/tcp [::1]:53", "Endpoints");
	CHECMATE_PARAM_PORTS(ports, "ports", "80,8000-8100/tcp", "Ports");
	CHECMATE_PARAM_UIDS(uids, "uids", "0,1000-1999", "Users");
	CHECMATE_PARAM_GIDS(gids, "gids", "", "Groups");
	CHECMATE_PARAM_PATHS(paths, "paths", "/usr/,/with\\ blank", "Paths");
	CHECMATE_PARAM_FSTYPES(fstypes, "fstypes", "tmpfs proc", "Filesystems");
};

CHECMATE_POLICY("all-params", "1", "A parameter of every type");

CHECMATE_PROGRAM(socket_listen, test_listen, struct socket *sock, int backlog)
{
	return checmate_allow();
}
