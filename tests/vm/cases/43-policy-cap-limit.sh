#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# cap-limit: which capabilities have an effect.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
ip link set lo up
mkdir "$cgroups/a" "$cgroups/a/b" "$cgroups/sibling"
touch /tmp/file
cp "$tests/proc-probe" /tmp/setuid-probe
chmod 4755 /tmp/setuid-probe

everything() {
	expect_proc "$1" "$2" hostname
	expect_proc "$1" "$2" chroot
	expect_proc "$1" "$2" setuid
	expect_proc "$1" "$2" chown /tmp/file
	expect_proc "$1" "$2" fsopen
	chown 0:0 /tmp/file
}

everything ok /a
expect ok /a bind tcp4 127.0.0.1:80
check "an empty list applies" checmatectl apply /a cap-limit
everything EPERM /a
everything EPERM /a/b
everything ok /sibling
expect EACCES /a bind tcp4 127.0.0.1:80
expect ok /a bind tcp4 127.0.0.1:8080
check_not "nor is there a raw socket" probe /a bind raw4 127.0.0.1:0
expect_proc EPERM /a reboot

# A user namespace of one's own, with all capabilities there, is no way around,
# and neither is a setuid program.
expect_proc EPERM /a user-hostname
# as_nobody_in CGROUP CALL: what comes of it for a user without capabilities,
# who was one before coming there.
# shellcheck disable=SC2317 # called by check_output
as_nobody_in() {
	"$tests/proc-probe" "nobody-$2" </tmp/go >/tmp/said &
	exec 9>/tmp/go
	wait_until 60 grep -q ready /tmp/said
	echo $! >"$cgroups$1/cgroup.procs"
	echo >&9
	exec 9>&-
	wait $!
	tail -n 1 /tmp/said
}
mkfifo /tmp/go
check_output "nobody's own user namespace helps elsewhere" ok as_nobody_in /sibling user-hostname
check_output "but not here" EPERM as_nobody_in /a user-hostname
check_output "nobody has a setuid program" EPERM sh -c \
	"echo 0 >$cgroups/a/cgroup.procs; exec /tmp/setuid-probe hostname"

# One at a time.
check "a list applies" checmatectl set /a cap-limit allow=CAP_SYS_CHROOT
expect_proc ok /a chroot
expect_proc EPERM /a hostname
expect_proc EPERM /a setuid
expect_proc EPERM /a chown /tmp/file
check "another list applies" checmatectl set /a cap-limit allow=CAP_SYS_ADMIN,CAP_CHOWN
expect_proc EPERM /a chroot
expect_proc ok /a hostname
expect_proc EPERM /a setuid
expect_proc ok /a chown /tmp/file
check "a service's" checmatectl set /a cap-limit allow=CAP_NET_BIND_SERVICE
expect ok /a bind tcp4 127.0.0.1:80
expect_proc EPERM /a hostname

# The list gives nothing to who has nothing.
check "everything listed" checmatectl set /a cap-limit \
	allow=CAP_SYS_ADMIN,CAP_SYS_CHROOT,CAP_CHOWN,CAP_SETUID,CAP_SETGID
check_output "nobody still cannot" EPERM as_nobody_in /a hostname
everything ok /a

# Two levels: both must allow.
check "the child's own" checmatectl apply /a/b cap-limit allow=CAP_SYS_CHROOT,CAP_SYS_BOOT
expect_proc ok /a/b chroot
expect_proc EPERM /a/b hostname
expect_proc EPERM /a/b reboot
check "removed from the child" checmatectl remove /a/b

check "removed" checmatectl remove /a
everything ok /a
rm /tmp/file /tmp/setuid-probe /tmp/go /tmp/said

clean_slate
finish
