#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The backend bpf-link has no transactions but those that the library makes of
# steps: a process can die between any two of them.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh
# shellcheck source=tests/lib/crash.sh
. /usr/libexec/checmate/tests/lib/crash.sh

CHECMATE_BACKEND=bpf-link
export CHECMATE_BACKEND
ctl=checmatectl
ip link set lo up
clean_slate
mkdir "$cgroups/k"
$ctl apply /k net-bind allow=127.0.0.1:80 >/dev/null

# Denied before anybody has looked, and after.
state_is_right() {
	[ "$(probe /k bind udp4 127.0.0.1:81)" = EPERM ] || return 1
	$ctl status --json >/tmp/status || return 1
	[ "$(probe /k bind udp4 127.0.0.1:81)" = EPERM ] || return 1
	grep -q '"policy":"net-bind"' /tmp/status || return 1
	if grep -q '"policy":"net-connect"' /tmp/status; then
		[ "$(probe /k connect udp4 127.0.0.1:81)" = EPERM ]
	else
		[ "$(probe /k connect udp4 127.0.0.1:81)" = ok ]
	fi
}
killed replacing 1 $ctl apply --replace /k net-bind allow=127.0.0.1:82 net-connect
expect EPERM /k bind udp4 127.0.0.1:80
expect ok /k bind udp4 127.0.0.1:82
check_output "each policy is pinned once" "net-bind
net-connect" ls "$pins/$(cgroup_id /k)"

# All is in force, or nothing is.
state_is_right() {
	$ctl status --json >/tmp/status || return 1
	case $(grep -o '"policy":"net-[a-z]*"' /tmp/status | sort | tr '\n' ' ') in
	'"policy":"net-bind" "policy":"net-connect" ')
		[ "$(probe /k bind udp4 127.0.0.1:81)" = EPERM ]
		;;
	'') [ "$(probe /k bind udp4 127.0.0.1:81)" = ok ] ;;
	*) return 1 ;;
	esac
}
killed removing 1 $ctl remove /k
$ctl remove /k >/dev/null 2>&1
expect ok /k bind udp4 127.0.0.1:81
check_output "nothing is pinned" "" pinned
clean_slate
finish
