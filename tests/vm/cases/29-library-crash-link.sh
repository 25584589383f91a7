#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs on stock kernels too.
#
# The backend bpf-link has no transactions but those that the library makes of
# steps: a process can die between any two of them.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

CHECMATE_BACKEND=bpf-link
export CHECMATE_BACKEND
ctl=checmatectl
ip link set lo up
clean_slate
mkdir "$cgroups/k"
$ctl apply /k net-bind allow=127.0.0.1:80 >/dev/null

# Killed before each step in turn, until it gets through: what was in force stays,
# what comes in comes in whole.
killed() {
	what=$1
	lock=$2
	shift 2
	step=1
	wrong=
	while "$tests/die-at" "$step@$lock" "$@" >/dev/null 2>&1; do
		state_is_right >/dev/null 2>&1 || wrong="$wrong $step"
		step=$((step + 1))
		[ $step -lt 200 ] || break
	done
	check_output "killed at each of $step steps of $what" "" echo "$wrong"
	check "there was more than one step of $what" test $step -gt 5
}
state_is_right() {
	[ "$(probe /k bind udp4 127.0.0.1:81)" = EPERM ] || return 1
	$ctl get /k net-bind || return 1
	[ "$(probe /k bind udp4 127.0.0.1:81)" = EPERM ] || return 1
	$ctl status /k --json >/tmp/status || return 1
	case $(grep -o net_sendmsg /tmp/status | wc -l) in
	0) ! $ctl get /k net-connect ;;
	# Attached here and enforced here.
	2) $ctl get /k net-connect ;;
	*) return 1 ;;
	esac
}
# The first two locks are those of the policies that are loaded.
killed replacing 3 $ctl apply --replace /k net-bind allow=127.0.0.1:82 net-connect
expect EPERM /k bind udp4 127.0.0.1:80
expect ok /k bind udp4 127.0.0.1:82
check_output "each policy is pinned once" "net-bind
net-connect" ls "$pins/$(cgroup_id /k)"

# It is removed, or it is not.
state_is_right() {
	$ctl status /k --json >/tmp/status || return 1
	case $($ctl status --json | grep -o '"policy":"net-[a-z]*"' | sort | tr '\n' ' ') in
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
