#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A policy's life by the command line: applied, looked at, changed, replaced,
# removed, and what is left of it after each.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
mkdir -p "$cgroups/a/b/c"
ctl=checmatectl

check "this machine can enforce" $ctl features
check_match "features names the backend" '^Policies are enforced by the backend checmate' $ctl features
check_match "features as JSON" '"backend":"checmate"' $ctl features --json
check_match "the policies are listed" '^net-connect +1 ' $ctl policy list
check_match "a policy shows its parameters" '^  deny-errno=EPERM$' $ctl policy show net-bind
check_match "nothing is bound yet" '^No policy is in force$' $ctl status

check_match "status says that the controller is not enabled" 'controller is not enabled here' \
	$ctl status /a/b
check_match "set needs a binding" 'net-bind is not in force here' $ctl set /a/b net-bind allow=
check_status "remove needs a binding" 1 $ctl remove /a/b net-bind

$ctl apply /a/b net-bind allow=127.0.0.1:80 deny-errno=EACCES net-connect >/tmp/apply 2>&1
check_status "apply succeeds" 0 test $? -eq 0
check_match "it says where the controller was turned on" '^/: controller checmate turned on' \
	cat /tmp/apply
check_match "and further down" '^/a: controller checmate turned on' cat /tmp/apply
check_match "and what is in force" '^/a/b: net-bind is in force$' cat /tmp/apply
check_output "all programs are attached" 9 attached /a/b
check_output "by one transaction" "generation 1" head -n 1 "$cgroups/a/b/checmate.policy"
check_match "status names the policy" ' socket_sendmsg +net-connect +net_sendmsg ' $ctl status /a/b
check_match "status lists all bindings" \
	'^/a/b +net-bind +1 +in force +allow=127.0.0.1:80 deny-errno=EACCES ephemeral=udp$' $ctl status
check_match "status of a process" '^/a/b \(id ' inside /a/b sh -c 'checmatectl status $$'
check_match "a child without the controller is under it too" ' net-bind +net_bind .* /a/b$' \
	$ctl status /a/b/c

expect ok /a/b bind tcp4 127.0.0.1:80
expect EACCES /a/b bind tcp4 127.0.0.1:81
expect EACCES /a/b/c bind tcp4 127.0.0.1:81
expect ok /a bind tcp4 127.0.0.1:81

check_match "the values in force are read back" '"allow":"127.0.0.1:80"' $ctl get /a/b net-bind --json
check_match "one of them" '^deny-errno EACCES' $ctl get /a/b net-bind deny-errno
check_status "a parameter it has not" 1 $ctl get /a/b net-bind colour

check "parameters change live" $ctl set /a/b net-bind 'allow=0.0.0.0/0:81 [::]/0:81' deny-errno=EPERM
expect ok /a/b bind tcp4 127.0.0.1:81
expect EPERM /a/b bind tcp4 127.0.0.1:80
check_output "without another transaction" "generation 1" head -n 1 "$cgroups/a/b/checmate.policy"
check_not "a bad value with a good one changes nothing" \
	$ctl set /a/b net-bind deny-errno=EUSERS allow=nonsense
check_match "not even the good one" '^deny-errno EPERM$' $ctl get /a/b net-bind deny-errno

# Somebody changed the mode by the control file.
echo "mode $(sed -n 's/ hook=socket_bind .*//p' "$cgroups/a/b/checmate.policy") permissive" \
	>"$cgroups/a/b/checmate.policy"
expect ok /a/b bind tcp4 127.0.0.1:80
check_match "status does not say of a permissive policy that it is in force" \
	'^/a/b +net-bind +1 +permissive ' $ctl status
check_match "the others are not concerned" '^/a/b +net-connect +1 +in force ' $ctl status
echo "mode $(sed -n 's/ hook=socket_bind .*//p' "$cgroups/a/b/checmate.policy") enforce" \
	>"$cgroups/a/b/checmate.policy"
expect EPERM /a/b bind tcp4 127.0.0.1:80
check_match "and says so again when it is" '^/a/b +net-bind +1 +in force ' $ctl status

check_match "twice is an error" 'is in force here already' $ctl apply /a/b net-bind
check_output "which changes nothing" 9 attached /a/b
before=$(ls "$pins/$(cgroup_id /a/b)")
check "unless it replaces" $ctl apply --replace /a/b net-bind allow=127.0.0.1:82
check_output "there are as many programs as before" 9 attached /a/b
check_output "replaced by one transaction" "generation 4" head -n 1 "$cgroups/a/b/checmate.policy"
check_output "and as many pins" "$before" ls "$pins/$(cgroup_id /a/b)"
expect ok /a/b bind tcp4 127.0.0.1:82
expect EPERM /a/b bind tcp4 127.0.0.1:81

check "one is removed" $ctl remove /a/b net-bind
check_output "the other one stays" 4 attached /a/b
expect ok /a/b bind tcp4 127.0.0.1:81
expect EPERM /a/b connect tcp4 127.0.0.1:81
check "all are removed, by the full path" $ctl remove "$cgroups/a/b"
check_output "nothing is attached" 0 attached /a/b
check_output "nothing is pinned" "" pinned
expect ECONNREFUSED /a/b connect tcp4 127.0.0.1:81

# A process may have been started without any of its standard descriptors.
# shellcheck disable=SC2317 # called by check
without_descriptors() {
	$ctl "$@" <&- 2>&-
}
check "without descriptors: applied" without_descriptors apply /a/b net-bind allow=127.0.0.1:80
check "without descriptors: replaced" without_descriptors apply --replace /a/b net-bind
check "without descriptors: set" without_descriptors set /a/b net-bind allow=127.0.0.1:81
expect ok /a/b bind tcp4 127.0.0.1:81
expect EPERM /a/b bind tcp4 127.0.0.1:80
check "without descriptors: removed" without_descriptors remove /a/b
check_output "and nothing is left" "" pinned

check "the root can have one" $ctl apply / net-bind allow=127.0.0.1:90
expect EPERM /a/b bind tcp4 127.0.0.1:91
expect ok /a/b bind tcp4 127.0.0.1:90
check "and be rid of it" $ctl remove /

check "ids stand for cgroups" $ctl apply "id:$(cgroup_id /a/b)" net-bind
check_match "in JSON too" '"policy":"net-bind"' $ctl status --json
rmdir "$cgroups/a/b/c" "$cgroups/a/b"
check_match "a cgroup that is gone shows" '^id:[0-9]+ .* gone' $ctl status
check_match "gc drops what is left" '^1 dropped$' $ctl gc
check_output "which is everything" "" pinned
check_match "and then nothing" '^0 dropped$' $ctl gc
mkdir "$cgroups/a/d"
$ctl apply /a/d net-bind net-connect >/dev/null
gone=$(cgroup_id /a/d)
rmdir "$cgroups/a/d"
check "a cgroup that is gone can be removed by its id" $ctl remove "id:$gone"
check_output "and is then" "" pinned
check_status "and cannot again" 1 $ctl remove "id:$gone"

clean_slate
finish
