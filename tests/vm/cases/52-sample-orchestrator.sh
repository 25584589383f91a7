#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# samples/orchestrator.c: a cgroup, a policy staged for an exec, an event, a live
# change, and everything removed, by the library's public functions.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
ip link set lo up
sample=/usr/libexec/checmate/samples/orchestrator

# Tries until it may: the sample allows what it was told of.
# shellcheck disable=SC2016 # for the inner shell
try='until [ "$("$0" bind tcp4 127.0.0.1:81)" = ok ]; do :; done
	echo "first $("$0" bind tcp4 127.0.0.1:80), other $("$0" bind tcp4 127.0.0.1:82)"
	sed "s/^0::/in /" /proc/self/cgroup; exit 7'
"$sample" orchestrated 80 sh -c "$try" "$tests/net-probe" >/tmp/said 2>&1
check_status "its status is the program's" 7 sh -c "exit $?"
check_match "a denial was told" '^net-probe: tcp 127\.0\.0\.1:81 is denied$' cat /tmp/said
check_match "what it was started with is allowed, what was not tried before is not" \
	'^first ok, other EPERM$' cat /tmp/said
check_match "the program was in the cgroup" '^in /orchestrated$' cat /tmp/said
check_not "the cgroup is gone" test -e "$cgroups/orchestrated"
check_output "the pins, too" "" pinned
check_output "nobody reads the events any more" "" checmatectl events --policy no-such

# Whatever fails, the program does not run.
# shellcheck disable=SC2317 # called by check_status
not_run() {
	rm -f /tmp/ran
	"$sample" "$@" touch /tmp/ran
	not_run_status=$?
	[ ! -e /tmp/ran ] && return "$not_run_status"
}
check_status "a bad port" 125 not_run bad 80x
check "leaves a cgroup that can be removed" wait_until 20 rmdir "$cgroups/bad"
check_match "it is explained" 'parameter allow: .*80x' not_run bad 80x
wait_until 20 rmdir "$cgroups/bad"
check_status "a cgroup that is there" 125 sh -c "mkdir $cgroups/there && $sample there 80 true"
rmdir "$cgroups/there"
check_status "a program that is not there" 127 "$sample" gone 80 /nonexistent
check_not "leaves no cgroup" test -e "$cgroups/gone"
check_output "and no pins" "" pinned

clean_slate
finish
