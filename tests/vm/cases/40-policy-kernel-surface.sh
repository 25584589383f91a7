#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# kernel-surface: what it keeps out of reach, by every call that gets there.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
mkdir "$cgroups/a" "$cgroups/a/b" "$cgroups/sibling"
mkdir /tmp/m

# What came of the call in a cgroup without the policy is in $free.
set_free() {
	free=$(proc /sibling "$@")
}

# denied CALL ARGUMENT…: it is, in the cgroup only. A kernel that was built
# without the call says so to everybody.
denied() {
	set_free "$@"
	if [ "$free" = ENOSYS ]; then
		expect_proc ENOSYS /a "$@"
		return
	fi
	expect_proc EPERM /a "$@"
	check "$* is not denied elsewhere: $free" [ "$free" != EPERM ]
}

# allowed CALL ARGUMENT…: the same comes of it as elsewhere.
allowed() {
	set_free "$@"
	expect_proc "$free" /a "$@"
	check "and that is no denial" [ "$free" != EPERM ]
}

# There are as many mounts as can go.
mounts() {
	while [ "$(grep -c ' /tmp/m ' /proc/mounts)" -lt 6 ]; do
		mount -t tmpfs none /tmp/m
	done
	"$1" mount /tmp/m
	"$1" remount /tmp/m
	"$1" fspick /tmp/m
	"$1" mount-setattr /tmp/m
	"$1" open-tree /tmp/m
	"$1" open-tree-x32 /tmp/m
	"$1" umount-i386 /tmp/m
	"$1" oldumount-i386 /tmp/m
	"$1" umount /tmp/m
	"$1" pivot-root
	"$1" move-mount
	"$1" fsopen
	"$1" fsmount
	while umount /tmp/m 2>/dev/null; do
		:
	done
}

check "the policy applies" checmatectl apply /a kernel-surface
denied bpf
denied perf
denied io-uring
denied userfaultfd
denied unshare-user
denied clone-user
denied user-hostname
denied add-key
denied request-key
denied join-session
denied init-module
denied finit-module
denied delete-module
denied kexec
denied kexec-file
denied reboot
mounts denied

# Neither a child cgroup nor another user is outside.
expect_proc EPERM /a/b bpf
expect_proc EPERM /a/b unshare-user
check_output "nobody makes no user namespace" EPERM inside /a \
	start-stop-daemon -S -c 65534:65534 -x "$tests/proc-probe" -- unshare-user
check_output "nobody makes no keyring" EPERM inside /a \
	start-stop-daemon -S -c 65534:65534 -x "$tests/proc-probe" -- join-session

# The same capability for something else is not judged.
expect_proc ok /a hostname
expect_proc ok /a chroot

# Every part by itself.
# part PARAMETER CALL…: allowing it allows these calls, and no other part.
part() {
	part_name=$1
	shift
	check "$part_name" checmatectl set /a kernel-surface "$part_name=yes"
	for part_call in "$@"; do
		allowed "$part_call"
	done
	for part_call in bpf perf io-uring userfaultfd add-key unshare-user reboot fsopen; do
		case " $* " in
		*" $part_call "*) ;;
		*) expect_proc EPERM /a "$part_call" ;;
		esac
	done
	check "$part_name no more" checmatectl set /a kernel-surface "$part_name=no"
	for part_call in "$@"; do
		[ "$(proc /sibling "$part_call")" = ENOSYS ] || expect_proc EPERM /a "$part_call"
	done
}
part allow-bpf bpf
part allow-perf perf
part allow-io-uring io-uring
part allow-userfaultfd userfaultfd
part allow-keys add-key request-key join-session
part allow-userns unshare-user clone-user user-hostname
part allow-boot reboot kexec kexec-file
part allow-modules init-module finit-module delete-module
part allow-mount fsopen fsmount move-mount pivot-root
check "mounting is allowed" checmatectl set /a kernel-surface allow-mount=yes
mounts allowed

# The errno. Capabilities know one only.
check "another errno" checmatectl set /a kernel-surface deny-errno=EACCES allow-mount=no
expect_proc EACCES /a bpf
expect_proc EACCES /a perf
expect_proc EACCES /a io-uring
expect_proc EACCES /a unshare-user
expect_proc EPERM /a fsopen
expect_proc EPERM /a reboot
check "keys are allowed" checmatectl set /a kernel-surface allow-keys=yes
mkfifo /tmp/go
proc /a held-key </tmp/go >/tmp/held &
exec 9>/tmp/go
check "a key is made" wait_until 20 grep -q ready /tmp/held
check "keys are not allowed any more" checmatectl set /a kernel-surface allow-keys=no
echo >&9
exec 9>&-
wait
# With EACCES the kernel would look whether the reader possesses the key; it
# does not come that far.
check_output "the key cannot be read by possession" ENOKEY tail -n 1 /tmp/held

check "removed" checmatectl remove /a
expect_proc ok /a bpf
expect_proc ok /a unshare-user
expect_proc ok /a fsopen
rm -r /tmp/m /tmp/go /tmp/held

clean_slate
finish
