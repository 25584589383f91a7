#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# samples/launch: programs staged for an exec by who writes their descriptors, as
# docs/orchestrator.md has it.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
ip link set lo up
samples=/usr/libexec/checmate/samples
launch=$samples/launch
object=$samples/remap_bind.bpf.o
echo +checmate >"$cgroups/cgroup.subtree_control"

check "the program is held by its policy" \
	"$launch" "$object" "$cgroups/launched" "$tests/test-remap-bind" remapped
check_not "the cgroup is gone" test -e "$cgroups/launched"
check_match "it is in force, not staged any more" \
	'^[0-9]+ hook=socket_bind name=remap_bind .* mode=enforce$' \
	"$launch" "$object" "$cgroups/launched" cat "$cgroups/launched/checmate.policy"
check_output "it has all programs of an object" 4 \
	"$launch" "$samples/limit_connections.bpf.o" "$cgroups/launched" \
	grep -c mode=enforce "$cgroups/launched/checmate.policy"
check_status "its status is the program's" 7 "$launch" "$object" "$cgroups/launched" sh -c 'exit 7'
check_output "it is sealed, if that is asked for" 1 \
	"$launch" -s "$object" "$cgroups/launched" cat "$cgroups/launched/checmate.seal"
check_match "so that nothing can be taken away" 'Read-only file system' \
	"$launch" -s "$object" "$cgroups/launched" \
	sh -c "echo clear >$cgroups/launched/checmate.policy"
check_output "it is not, if that is not" 0 \
	"$launch" "$object" "$cgroups/launched" cat "$cgroups/launched/checmate.seal"

# Whatever fails, the program does not run, and no cgroup is left.
# shellcheck disable=SC2317 # called by check_status
not_run() {
	rm -f /tmp/ran
	"$launch" "$@" touch /tmp/ran
	not_run_status=$?
	[ ! -e /tmp/ran ] && [ ! -e "$2" ] && return "$not_run_status"
}
check_status "an object that is none" 125 not_run /etc/passwd "$cgroups/launched"
check_status "one that is not there" 125 not_run /nonexistent "$cgroups/launched"
mkdir "$cgroups/bare"
check_status "a cgroup without the controller" 125 not_run "$object" "$cgroups/bare/launched"
check_match "it says what is missing" 'checmate.policy of .*/launched: No such file' \
	"$launch" "$object" "$cgroups/bare/launched" true
rmdir "$cgroups/bare"
check_status "a program that is not there" 127 "$launch" "$object" "$cgroups/launched" /nonexistent
check_not "leaves no cgroup" test -e "$cgroups/launched"

clean_slate
finish
