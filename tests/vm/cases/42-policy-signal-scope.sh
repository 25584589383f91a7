#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# signal-scope: whom a process can send a signal, by every call that sends one
# or has one sent.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
mkdir "$cgroups/a" "$cgroups/a/b" "$cgroups/sibling"
sleeper /a
in=$sleeper
sleeper /a/b
below=$sleeper
sleeper /sibling
out=$sleeper

# every_way RESULT CGROUP PID SIGNAL
every_way() {
	for call in kill tkill tgkill sigqueue sigqueue-async pidfd-kill child-kill; do
		expect_proc "$1" "$2" $call "$3" "$4"
	done
}

# SIGCONT does nothing to a process that was not stopped.
cont=18
every_way ok /a "$out" $cont
check "the policy applies" checmatectl apply /a signal-scope
every_way EPERM /a "$out" $cont
every_way EPERM /a "$out" 9
every_way EPERM /a "$out" 0
every_way EPERM /a $$ $cont
every_way EPERM /a/b "$out" $cont
expect_proc EPERM /a kill "$out" 64
expect_proc EPERM /a kill 1 $cont
every_way ok /a "$in" $cont
every_way ok /a "$in" 0
every_way ok /a "$below" $cont
every_way ok /a/b "$in" $cont

# It limits who sends, not who receives.
every_way ok /sibling "$in" $cont

# A process counts as where it is now.
echo "$in" >"$cgroups/sibling/cgroup.procs"
expect_proc EPERM /a kill "$in" $cont
echo "$in" >"$cgroups/a/cgroup.procs"
expect_proc ok /a kill "$in" $cont

# Files that send signals: what is named is asked, not what happens later.
expect_proc ok /sibling setown "$out"
for call in setown setown-ex setown-ioctl setown-group-ioctl setown-i386 setown-ioctl-i386; do
	expect_proc EPERM /a $call "$out"
	expect_proc EPERM /a $call "-$out"
	expect_proc EPERM /a $call "$in"
done
expect_proc EPERM /a setown-group
expect_proc ok /a setown-self
expect_proc ok /a setown 0
check "any owner" checmatectl set /a signal-scope file-owner=any
for call in setown setown-ex setown-ioctl setown-i386 setown-ioctl-i386; do
	expect_proc ok /a $call "$out"
done
expect_proc ok /a setown-group
expect_proc EPERM /a kill "$out" 9

# Ways to end a process that send it no signal: limits, RLIMIT_CPU being 0 and
# RLIMIT_FSIZE 1, and tracing.
limit_ways() {
	for resource in 0 1 7 15; do
		expect_proc "$1" "$2" limit "$3" $resource
	done
}
limit_ways EPERM /a "$out"
limit_ways EPERM /a/b "$out"
limit_ways ok /a "$in"
limit_ways ok /a "$below"
limit_ways ok /a 0
limit_ways ok /sibling "$in"
expect_proc ok /a see-limit "$out" 0
for call in seize seize-exitkill attach vm-write mem getfd; do
	expect_proc "$([ $call = mem ] && echo EACCES || echo EPERM)" /a $call "$out"
done
check "whoever was not traced lives on" kill -0 "$out"
expect_proc ok /a seize "$in"
expect_proc ok /a seize "$below"
expect_proc EFAULT /a vm-write "$in"
expect_proc ok /a environ "$out"
sleeper /sibling
traced=$sleeper
expect_proc EPERM /a seize-exitkill "$traced"
expect_proc ok /sibling seize-exitkill "$traced"
wait "$traced"
check_output "whoever is traced so by one outside ends with it" 137 echo $?

# Signals for everybody.
check "some signals" checmatectl set /a signal-scope allow=CONT,URG file-owner=self
expect_proc ok /a kill "$out" $cont
expect_proc ok /a kill "$out" 23
expect_proc EPERM /a kill "$out" 17
expect_proc EPERM /a kill "$out" 19
expect_proc EPERM /a kill "$out" 9
expect_proc EPERM /a kill "$out" 0
check "the last signal" checmatectl set /a signal-scope allow=RTMAX
expect_proc EPERM /a kill "$out" $cont
expect_proc EPERM /a kill "$out" 63
expect_proc EPERM /a kill "$out" 0
check "probing" checmatectl set /a signal-scope allow= allow-probe=yes
expect_proc ok /a kill "$out" 0
expect_proc EPERM /a kill "$out" $cont

# The errno. ESRCH would have kill(2) try again for ever.
check "another errno" checmatectl set /a signal-scope deny-errno=EACCES allow-probe=no
expect_proc EACCES /a kill "$out" 0
expect_proc EACCES /a kill "$out" 9
expect_proc EACCES /a setown "$out"
expect_proc EACCES /a limit "$out" 0
expect_proc EPERM /a seize "$out"
check "no such process" checmatectl set /a signal-scope deny-errno=ESRCH
every_way EPERM /a "$out" 9
expect_proc ESRCH /a setown "$out"

# Two levels: both must allow. What is in the middle cannot have processes.
mkdir "$cgroups/a/c"
echo "$in" >"$cgroups/a/c/cgroup.procs"
check "the child's own" checmatectl apply /a/b signal-scope
expect_proc EPERM /a/b kill "$in" $cont
expect_proc ok /a/b kill "$below" $cont
expect_proc ok /a/c kill "$below" $cont
expect_proc ESRCH /a/c setown "$out"
check "removed from the child" checmatectl remove /a/b
expect_proc ok /a/b kill "$in" $cont

# All at once: those inside get it, and nobody else.
check "the first errno" checmatectl set /a signal-scope deny-errno=EPERM
expect_proc ok /a/c kill-everybody 9
# shellcheck disable=SC2317 # called by check
gone() {
	! kill -0 "$1"
}
wait "$in" "$below"
check "whoever is inside is gone" gone "$in"
check "below, too" gone "$below"
check "whoever is outside is not" kill -0 "$out"

# What the kernel sends is not judged: a child's end is told to its parent.
check_output "a parent outside sees its child end" seen sh -c \
	"trap 'echo seen' CHLD; sh -c 'echo \$\$ >$cgroups/a/b/cgroup.procs' & wait; exit 0"

check "removed" checmatectl remove /a
expect_proc ok /a/c kill "$out" $cont

end_sleepers
clean_slate
finish
