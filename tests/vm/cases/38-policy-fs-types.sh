#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# fs-types: files of which filesystem types can be opened and executed.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
mkdir "$cgroups/a" "$cgroups/sibling"
mkdir -p /tmp/types/lower /tmp/types/upper /tmp/types/work /tmp/types/merged /types
cp /usr/bin/busybox /tmp/types/
cp /usr/bin/busybox /types/
echo x >/tmp/types/file
echo x >/types/file
echo x >/tmp/types/lower/file

# The root of the guest is of the type "rootfs", /tmp of "tmpfs".
check "an allow list applies" checmatectl apply /a fs-types types=rootfs deny-errno=EACCES
for call in exec exec-fd exec-proc proc read write uring-read uring-write trunc; do
	expect_file EACCES /a "$call" /tmp/types/busybox
	expect_file ok /sibling "$call" /tmp/types/busybox
done
for call in read write uring-read trunc; do
	expect_file ok /a "$call" /types/file
done
for call in exec exec-fd; do
	expect_file ok /a "$call" /types/busybox
done
expect_file EACCES /a create /tmp/types/new
expect_file EACCES /a tmpfile /tmp/types
expect_file EACCES /a exec-memfd /types/busybox
expect_file ok /sibling exec-memfd /types/busybox
expect_file EACCES /a read /proc/version
expect_file EACCES /a read /sys/kernel/notes
expect_file EACCES /a read-in /tmp/types /file

# A link and a bind mount change nothing; an overlay is a type of its own.
ln -s /tmp/types/file /types/link
expect_file EACCES /a read /types/link
: >/types/bound
mount --bind /tmp/types/file /types/bound
expect_file EACCES /a read /types/bound
umount /types/bound
overlay=lowerdir=/tmp/types/lower,upperdir=/tmp/types/upper,workdir=/tmp/types/work
check "an overlay can be mounted" mount -t overlay -o "$overlay" overlay /tmp/types/merged
expect_file EACCES /a read /tmp/types/merged/file
check "overlays allowed" checmatectl set /a fs-types types='rootfs overlay proc'
expect_file ok /a read /tmp/types/merged/file
expect_file ok /a write /tmp/types/merged/file
expect_file ok /a read /tmp/types/merged/file
expect_file ok /a create /tmp/types/merged/new
expect_file EACCES /a read /tmp/types/lower/file
expect_file EACCES /a read /tmp/types/upper/new
umount /tmp/types/merged
expect_file ok /a read /proc/version

# Pipes opened by a name, and descriptors that come from outside.
# shellcheck disable=SC2317 # called by check
pipe() {
	: | inside "$1" "$tests/fs-probe" proc /proc/self/fd/0
}
check_output "a pipe is of another type" EACCES pipe /a
check_output "a file that is handed over is judged" EBADF hand_over /a /tmp/types/file
check_output "one of an allowed type can be" ok hand_over /a /types/file
check "pipes allowed" checmatectl set /a fs-types types=rootfs,proc,pipefs
check_output "a pipe is allowed" ok pipe /a

check "a deny list" checmatectl set /a fs-types types=tmpfs rule=deny deny-errno=EPERM
expect_file EPERM /a read /tmp/types/file
expect_file EPERM /a exec /tmp/types/busybox
expect_file ok /a read /types/file
expect_file ok /a read /proc/version
check_output "a file that is handed over is judged" EBADF hand_over /a /tmp/types/file
check "a type that begins alike" checmatectl set /a fs-types types=tmp,tmpfs2
expect_file ok /a read /tmp/types/file
check "an empty deny list" checmatectl set /a fs-types types=
expect_file ok /a read /tmp/types/file
check "an empty allow list" checmatectl set /a fs-types rule=allow
check_status "nothing can be opened" 126 inside /a "$tests/fs-probe" read /types/file

check "removed" checmatectl remove /a
expect_file ok /a read /tmp/types/file

rm -rf /tmp/types /types
clean_slate
finish
