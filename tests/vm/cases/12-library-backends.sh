#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs on stock kernels too.
#
# What either backend does, by a program of its own (libchecmate/test-backends.c)
# and by the command line.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

ctl=checmatectl
ip link set lo up
clean_slate
backends=bpf-link
# shellcheck disable=SC2154 # set by backend_is
if backend_is checmate; then
	backends='checmate bpf-link'
fi
for backend in $backends; do
	clean_slate
	CHECMATE_BACKEND=$backend CMOCKA_MESSAGE_OUTPUT=TAP "$tests/test-backends" \
		>/tmp/backends 2>&1
	status=$?
	sed 's/^/# /' /tmp/backends
	check_status "$backend: the program's tests pass" 0 test "$status" -eq 0
	check "$backend: all of them ran" grep -q '^ok 12 - ' /tmp/backends
done

CHECMATE_BACKEND=bpf-link
backend=$CHECMATE_BACKEND
export CHECMATE_BACKEND
clean_slate

# A process that died in the test of enforcement.
mkdir "$cgroups/checmate-selftest.1" "$cgroups/k"
check "a policy applies" $ctl apply /k net-bind allow=127.0.0.1:80
check_not "the cgroup of a test that died is gone" test -e "$cgroups/checmate-selftest.1"
check_output "and so is that of this one" "" \
	find "$cgroups" -maxdepth 1 -name 'checmate-selftest*'

# Somebody took the links away.
rm "$pins/$(cgroup_id /k)/net-bind/link_net_bind"
# shellcheck disable=SC2317 # called by wait_until
is_out_of_force() {
	[ "$(probe /k bind udp4 127.0.0.1:80)" = ok ]
}
check "without its link it goes out of force" wait_until 30 is_out_of_force
check_match "which status says" ' net-bind +1 +detached ' $ctl status

clean_slate
mkdir -p "$cgroups/k"
$ctl apply /k net-bind net-connect >/dev/null
rmdir "$cgroups/k"
check_match "a cgroup that is gone: gc drops it" '^2 dropped$' $ctl gc
check_output "and all of its pins" "" pinned

# The kernel has room for ten hooks.
mkdir "$cgroups/k"
check_match "too many hooks are refused with the reason" 'room for 10; remove other policies' \
	$ctl apply /k net-bind net-connect net-family signal-scope fs-protect fs-types \
	exec-allow kernel-surface ptrace-scope
check_match "and nothing is attached" "^Attached here: nothing" $ctl status /k
check_output "nor pinned" "" pinned
check_match "staging is refused with the reason" 'cannot stage for an exec' \
	$ctl apply --when-exec /k net-bind
check_match "a backend that there is not" 'there is no such backend' \
	env CHECMATE_BACKEND=bpf $ctl apply /k net-bind

clean_slate
finish
