#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the command line is told wrongly: it says what, why and what to do, with
# the right exit status, and nothing changes.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
ctl=checmatectl
mkdir "$cgroups/a"

check_status "no command" 2 $ctl
check_status "an unknown command" 2 $ctl frobnicate
check_status "an unknown option" 2 $ctl --frobnicate status
check_status "too few arguments" 2 $ctl apply /a
check_status "too many arguments" 2 $ctl features now
check_status "policy without what" 2 $ctl policy frobnicate
check_status "a parameter before its policy" 2 $ctl apply /a allow= net-bind
check_status "a process id too large" 2 $ctl status 99999999999
check_status "help is no failure" 0 $ctl --help
check_status "version is no failure" 0 $ctl --version
check_status "output that goes nowhere is a failure" 1 sh -c "$ctl policy list >/dev/full"

check_match "an unknown policy" 'no-such.*policy list' $ctl apply /a no-such
check_match "an unknown parameter" 'no parameter "alow"; it has allow, deny-errno' \
	$ctl apply /a net-bind alow=x
check_match "a bad value" 'parameter allow: "x": .*; give ADDRESS' $ctl apply /a net-bind allow=x
check_match "an unknown cgroup" '/nowhere: No such file' $ctl apply /nowhere net-bind
check_match "a path that goes up" '"\.\." in a path' $ctl apply /a/../b net-bind
check_match "another file system" 'cgroup /etc: ' $ctl apply /etc net-bind
check_match "a file of a cgroup" 'Not a directory' $ctl apply /a/cgroup.procs net-bind
check_match "a process that is not there" 'process 2147483647: there is none' $ctl status 2147483647
check_match "an id that is not there" 'it is gone' $ctl apply id:18446744073709551615 net-bind
check_status "each of them is a failure" 1 $ctl apply /nowhere net-bind
check_not "and the controller is still off" grep checmate "$cgroups/cgroup.subtree_control"

check_match "the same policy twice" 'given twice' $ctl apply /a net-bind net-bind
check "a policy applies" $ctl apply /a net-connect
check_not "one bad of two" $ctl apply /a net-bind net-connect
check_output "and the good one is not applied" 4 attached /a
check_output "nor pinned" net-connect ls "$pins/$(cgroup_id /a)"

# A transaction has room for about 450 programs, a hook on a path for 64.
i=0
mkdir "$cgroups/a/deep"
echo +checmate >"$cgroups/a/cgroup.subtree"_control
path=/a/deep
while [ $i -lt 64 ] && [ -d $cgroups$path ]; do
	$ctl apply $path net-family >/dev/null || break
	i=$((i + 1))
	path=$path/d
	mkdir $cgroups$path
done
check_match "the 65th program for a hook on a path" 'more than 64 programs' $ctl apply $path net-family
check_output "is not attached" 0 attached "$path"
check_not "nor pinned" test -e "$pins/$(cgroup_id $path)"

# Somebody who is not root.
check_output "nobody has no rights" 65534 as_nobody id -u
check_match "loading needs rights" 'loading is not permitted; run as root' \
	as_nobody $ctl apply /a net-bind
check_match "so does replacing" 'run as root' as_nobody $ctl apply --replace /a net-connect
check_match "and changing" 'run as root' as_nobody $ctl set /a net-connect allow=
check_match "and removing" 'run as root' as_nobody $ctl remove /a
check_output "nothing came of it" 4 attached /a
check_status "reading what there is needs none" 0 as_nobody $ctl policy list

# A folder in bpffs that somebody else made.
mv "$pins" "$pins-kept"
mkdir "$pins"
chown 65534 "$pins"
check_match "pins are not made in a stranger's folder" 'belongs to.*somebody else' \
	$ctl apply /a net-bind
check_output "and nothing is attached" 4 attached /a
chown 0 "$pins"
chmod 0777 "$pins"
check_match "nor where others can write" 'belongs to.*somebody else' $ctl apply /a net-bind
rmdir "$pins"
mv "$pins-kept" "$pins"
check "all goes well when it is right again" $ctl apply /a net-bind

clean_slate
finish
