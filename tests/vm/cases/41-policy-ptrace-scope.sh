#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# ptrace-scope: whom it lets a process trace and look into, and by which calls.

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

# A kernel may have been built without kcmp(2).
kcmp_denied=EPERM
[ "$(proc /sibling kcmp "$out")" != ENOSYS ] || kcmp_denied=ENOSYS

attach_denied() {
	for call in seize attach vm-read vm-write getfd; do
		expect_proc EPERM "$1" $call "$2"
	done
	expect_proc EACCES "$1" mem "$2"
}

attach_allowed() {
	expect_proc ok "$1" seize "$2"
	# The address is nobody's; that is seen after the judgement.
	expect_proc EFAULT "$1" vm-read "$2"
	expect_proc EFAULT "$1" vm-write "$2"
	expect_proc ok "$1" getfd "$2"
	expect_proc ok "$1" mem "$2"
}

inspect_denied() {
	for call in environ maps root; do
		expect_proc EACCES "$1" $call "$2"
	done
	expect_proc EPERM "$1" robust-list "$2"
	expect_proc $kcmp_denied "$1" kcmp "$2"
}

inspect_allowed() {
	for call in environ maps root robust-list; do
		expect_proc ok "$1" $call "$2"
	done
}

attach_allowed /a "$out"
check "the policy applies" checmatectl apply /a ptrace-scope
attach_denied /a "$out"
inspect_denied /a "$out"
attach_denied /a 1
attach_denied /a/b "$out"
attach_allowed /a "$in"
inspect_allowed /a "$in"
attach_allowed /a "$below"
attach_allowed /a/b "$in"
expect_proc ok /a seize-child
expect_proc ok /a seize-orphan
expect_proc ok /a child-traceme
# Its parent is this script.
expect_proc EPERM /a traceme

# It limits who traces, not who is traced.
attach_allowed /sibling "$in"
expect_proc ok /sibling traceme

# A process counts as where it is now.
echo "$in" >"$cgroups/sibling/cgroup.procs"
attach_denied /a "$in"
inspect_denied /a "$in"
echo "$in" >"$cgroups/a/cgroup.procs"
attach_allowed /a "$in"

# Descendants only.
check "descendants" checmatectl set /a ptrace-scope attach=descendants
expect_proc ok /a seize-child
expect_proc ok /a seize-grandchild
expect_proc ok /a child-traceme
expect_proc EPERM /a seize-orphan
expect_proc EPERM /a traceme
attach_denied /a "$in"
attach_denied /a "$out"
inspect_allowed /a "$in"

# Nobody.
check "nobody" checmatectl set /a ptrace-scope attach=none
expect_proc EPERM /a seize-child
expect_proc EPERM /a child-traceme
expect_proc EPERM /a traceme
attach_denied /a "$in"
attach_denied /a "$out"
inspect_allowed /a "$in"

# What may be seen is a matter of its own.
check "everybody may be seen" checmatectl set /a ptrace-scope inspect=any
inspect_allowed /a "$out"
attach_denied /a "$out"
check "nobody may be seen" checmatectl set /a ptrace-scope inspect=none attach=subtree
inspect_denied /a "$in"
attach_allowed /a "$in"
check_output "but oneself" ok inside /a sh -c 'cat /proc/self/environ /proc/self/maps >/dev/null && echo ok'
check_not "not all may be traced" checmatectl set /a ptrace-scope attach=any

# Two levels: both must allow. What is in the middle cannot have processes.
check "the parent's" checmatectl set /a ptrace-scope inspect=subtree attach=subtree
mkdir "$cgroups/a/c"
echo "$in" >"$cgroups/a/c/cgroup.procs"
check "the child's own" checmatectl apply /a/b ptrace-scope
attach_denied /a/b "$in"
attach_allowed /a/b "$below"
attach_allowed /a/c "$below"
attach_denied /a/c "$out"

check "removed from the child" checmatectl remove /a/b
attach_allowed /a/b "$in"
check "removed" checmatectl remove /a
attach_allowed /a/c "$out"

end_sleepers
clean_slate
finish
