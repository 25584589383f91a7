#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# On a kernel that was booted without bpf among its security modules a program
# attaches, and is never asked. That must be told, and nothing may be left.
# ./check stock/6.12/no-bpf-in-lsm boots one; no other tier runs this.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

ip link set lo up
mkdir "$cgroups/a"

# All but the maps that every policy shares, which stay for the next.
# shellcheck disable=SC2317 # called by check
left_behind() {
	find /sys/fs/bpf -mindepth 1 ! -path "$pins" ! -path "$pins/events" ! -path "$pins/events/*" \
		! -path "$pins/instances" ! -path "$pins/instances/*"
}

check_not "bpf is not among the security modules" grep -qw bpf /sys/kernel/security/lsm
check_status "features says that policies cannot be enforced" 1 checmatectl features
check_match "and why: bpf is missing in lsm=" 'bpf.* lsm=' checmatectl features
check_status "a policy is refused" 1 checmatectl apply /a net-bind
check_match "with the reason" 'bpf is in /sys/kernel/security/lsm' checmatectl apply /a net-bind
check_output "nothing is left in bpffs" "" left_behind
check_match "nothing is said to be in force" '^No policy is in force' checmatectl status
expect ok /a bind tcp4 127.0.0.1:80
check_status "nor by the backend for such kernels" 1 \
	env CHECMATE_BACKEND=bpf-link checmatectl apply /a net-bind
check_output "and nothing is left of that" "" left_behind
expect ok /a bind tcp4 127.0.0.1:80
finish
