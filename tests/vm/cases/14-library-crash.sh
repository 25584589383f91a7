#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A process that applies, replaces or removes a policy can die between any two
# steps, others can change the same cgroup meanwhile, and the next one to look
# finds a consistent state.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh
# shellcheck source=tests/lib/crash.sh
. /usr/libexec/checmate/tests/lib/crash.sh

clean_slate
ctl=checmatectl
mkdir "$cgroups/a"
$ctl apply /a net-bind allow=127.0.0.1:80 >/dev/null
here=$pins/$(cgroup_id /a)

# Died after the transaction, before the pins took their place.
mv "$here/net-bind" "$here/net-bind+new"
check_match "new and attached: status names the policy" ' net-bind +net_bind ' $ctl status /a
check_match "new and attached: it is the binding" '127.0.0.1:80' $ctl get /a net-bind
check_output "and its pins are moved" net-bind ls "$here"
mv "$here/net-bind" "$here/net-bind+new"
check_match "without a cgroup named status names it too" '^/a +net-bind +1 +in force ' $ctl status
check_output "and its pins are moved then" net-bind ls "$here"

# The same while an older instance was there.
$ctl apply / net-bind >/dev/null
old=$pins/$(cgroup_id /)
mv "$here/net-bind" "$here/net-bind+new"
mv "$old/net-bind" "$here/net-bind"
rmdir "$old"
check_match "replaced: the attached one is the binding" '127.0.0.1:80' $ctl get /a net-bind
check_output "and the older one's pins are gone" net-bind ls "$here"
echo clear >"$cgroups/checmate.policy"

# Died before the transaction.
$ctl apply / net-connect >/dev/null
mv "$old/net-connect" "$here/net-connect+new"
rmdir "$old"
echo clear >"$cgroups/checmate.policy"
check_status "new and not attached: no binding" 1 $ctl get /a net-connect
check_output "and no pins" net-bind ls "$here"

# Somebody detached the programs by the control file.
echo clear >"$cgroups/a/checmate.policy"
check_match "detached: status says so" ' net-bind +1 +detached ' $ctl status
check "detached: it can be applied again" $ctl apply /a net-bind allow=127.0.0.1:81
check_output "once" 5 attached /a
echo clear >"$cgroups/a/checmate.policy"
check "detached: it can be removed" $ctl remove /a net-bind
check_output "detached: nothing is left" "" pinned

# Somebody removed the record, and the programs stayed.
$ctl apply /a net-bind allow=127.0.0.1:80 >/dev/null
rm "$here/net-bind"
check "without its record: it can be applied again" $ctl apply /a net-bind allow=127.0.0.1:82
check_output "without its record: once" 5 attached /a
check_output "without its record: what is new counts" ok probe /a bind udp4 127.0.0.1:82
check_output "without its record: and nothing else" EPERM probe /a bind udp4 127.0.0.1:80
check "without its record: it can be removed" $ctl remove /a net-bind
check_output "without its record: nothing is left" "" pinned

# The controller was turned off below: its programs went with it.
$ctl apply /a net-bind >/dev/null
echo -checmate >"$cgroups/cgroup.subtree"_control
check_match "without the controller: detached" ' net-bind +1 +detached ' $ctl status
check "without the controller: it can be removed" $ctl remove /a
check_output "without the controller: nothing is left" "" pinned
check "and applied again" $ctl apply /a net-bind
check "and removed" $ctl remove /a

mkdir "$cgroups/k"

# What was in force stays, what comes in comes in whole: 5 programs or all 9.
state_is_right() {
	$ctl get /k net-bind || return 1
	[ "$(probe /k bind udp4 127.0.0.1:80)" = EPERM ] || return 1
	case $(attached /k) in
	5) ! $ctl get /k net-connect ;;
	9) $ctl get /k net-connect ;;
	*) return 1 ;;
	esac
}
$ctl apply /k net-bind >/dev/null
killed replacing 1 $ctl apply --replace /k net-bind net-connect
check_output "after replacing each program is attached once" 9 attached /k
check_output "after replacing each policy is pinned once" "net-bind
net-connect" ls "$pins/$(cgroup_id /k)"

# Attached or not, what is listed can be removed in the end.
state_is_right() {
	case $(attached /k) in
	0 | 9) ;;
	*) return 1 ;;
	esac
	$ctl status /k && $ctl status
}
killed removing 1 $ctl remove /k
check_output "after removing nothing is attached" 0 attached /k
$ctl remove /k >/dev/null 2>&1
check_output "after removing nothing is pinned" "" pinned

# Many at once on the same cgroup: each succeeds wholly or fails wholly.
mkdir "$cgroups/b"
$ctl apply /b net-bind >/dev/null
for i in 1 2 3 4; do
	(
		for j in 1 2 3 4 5; do
			$ctl apply --replace /b net-bind allow=127.0.0.1:$i$j net-connect ||
				echo "replace $i $j"
		done >/tmp/many.$i 2>&1
	) &
done
(
	# Somebody whose transactions are in the way.
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		$ctl apply --replace /b $tests/objects/two-programs.bpf.o
	done >/tmp/many.5 2>&1
) &
wait
check_output "many at once: all succeed" "" \
	sh -c 'cat /tmp/many.* | grep -v "is in force$" || :'
check_output "many at once: each program is attached once" 11 attached /b
check_output "many at once: each policy is pinned once" "net-bind
net-connect
two-programs" ls "$pins/$(cgroup_id /b)"
check_match "many at once: the last one is in force" ' net-bind +1 +in force +allow=127.0.0.1:[1-4]5 ' \
	$ctl status
check "many at once: all can be removed" $ctl remove /b
check_output "many at once: nothing is left" "" pinned

# A cgroup that goes while policies are applied to it.
mkdir "$cgroups/c"
(
	wait_until 30 grep -q hook= "$cgroups/c/checmate.policy"
	rmdir "$cgroups/c"
) &
for _ in 1 2 3 4 5 6; do
	$ctl apply --replace /c net-bind >/dev/null 2>&1 || break
done
wait
check_not "a cgroup that goes: it is gone" test -e "$cgroups/c"
check "a cgroup that goes: what is left can be dropped" $ctl gc
check_output "and is" "" pinned

clean_slate
finish
