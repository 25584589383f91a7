#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# fs-protect: what cannot be changed or not even be read, and the ways around.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
mkdir "$cgroups/a" "$cgroups/sibling"
mkdir -p /fs/top/ro/dir /fs/top/ro/empty /fs/top/no/dir /fs/free/dir

# There are more hooks than the bpf-link backend can use.
if ! backend_is checmate; then
	check_match "refused, with the reason" '10|hooks' \
		checmatectl apply /a fs-protect read-only=/fs/top/ro
	expect_file ok /a write /proc/self/comm
	rm -rf /fs
	clean_slate
	finish
fi

for file in /fs/top/ro/file /fs/top/ro/dir/file /fs/top/no/file /fs/top/ro-not /fs/free/file; do
	echo text >$file
	chmod 755 $file
done
check "applies" checmatectl apply /a fs-protect read-only=/fs/top/ro unreadable=/fs/top/no

for call in read uring-read proc; do
	expect_file ok /a $call /fs/top/ro/file
	expect_file EPERM /a $call /fs/top/no/file
	expect_file ok /sibling $call /fs/top/no/file
done
expect_file ok /a read /fs/top/ro/dir
expect_file EPERM /a read /fs/top/no
expect_file EPERM /a read /fs/top/no/dir
expect_file EPERM /a exec /fs/top/no/file

# Every change, below both, and none elsewhere.
for top in /fs/top/ro /fs/top/no; do
	for call in write uring-write trunc truncate chmod chown unlink uring-unlink; do
		expect_file EPERM /a $call $top/file
	done
	for call in mkdir uring-mkdir mknod symlink socket create; do
		expect_file EPERM /a $call $top/new
	done
	expect_file EPERM /a tmpfile $top
	expect_file EPERM /a rmdir $top/dir
	expect_file EPERM /a rmdir $top
	expect_file EPERM /a chmod $top
	for call in link rename uring-rename uring-link; do
		expect_file EPERM /a $call $top/file /fs/free/new
		expect_file EPERM /a $call /fs/free/file $top/new
	done
	expect_file EPERM /a exchange $top/file /fs/free/file
	expect_file EPERM /a exchange /fs/free/file $top/file
	expect_file EPERM /a rename $top /fs/free/top
	expect_file EPERM /a exchange /fs/free $top
done
check "nothing has changed" test -s /fs/top/ro/file -a -s /fs/top/no/file -a ! -e /fs/top/ro/new \
	-a ! -e /fs/top/no/new -a ! -e /fs/free/new
expect_file EPERM /a rename /fs/top /fs/top2
expect_file EPERM /a rename /fs /fs2
expect_file EPERM /a exchange /fs/free /fs/top
for call in write uring-write trunc truncate chmod chown; do
	expect_file ok /a $call /fs/free/file
	expect_file ok /a $call /fs/top/ro-not
done
expect_file ok /a mkdir /fs/free/new
expect_file ok /a rename /fs/free/new /fs/free/newer
expect_file ok /a rmdir /fs/free/newer
expect_file ok /a symlink /fs/free/new
expect_file ok /a unlink /fs/free/new
expect_file ok /a link /fs/free/file /fs/free/new
expect_file ok /a uring-rename /fs/free/new /fs/free/newer
expect_file ok /a uring-unlink /fs/free/newer
expect_file ok /a mknod /fs/top/new

expect_file ok /a storm /fs/top/no/file /fs/top/ro/file

# Other ways to the same files.
ln -s /fs/top /fs/free/symlink
expect_file EPERM /a write /fs/free/symlink/ro/file
expect_file EPERM /a write /fs/free/../top/./ro//file
expect_file EPERM /a write /proc/self/root/fs/top/ro/file
expect_file EPERM /a read /proc/self/root/fs/top/no/file
expect_file EPERM /a chroot /fs/top write /ro/file
expect_file EPERM /a chroot /fs/top/ro write /file
expect_file EPERM /a chroot /fs/top/ro unlink /file
expect_file EPERM /a chroot /fs/top/ro mkdir /new
expect_file EPERM /a chroot /fs/top/no read /file
expect_file EPERM /a read-in /fs/top/no /file
expect_file EPERM /a handle /fs/top/no/file /fs/free
expect_file EPERM /a detached /fs/top/no file
check_output "a descriptor that is handed over is judged" EBADF hand_over /a /fs/top/no/file
check_output "one to read with can be" ok hand_over /a /fs/top/ro/file
# shellcheck disable=SC2317 # called by check
in_cwd() (
	cd "$1" && shift && inside /a "$tests/fs-probe" "$@"
)
check_output "the working directory is no way" EPERM in_cwd /fs/top/ro write file
check_output "nor is it below" EPERM in_cwd /fs/top/no/dir read ../file
expect_file EPERM /a unshare write /fs/top/ro/file
expect_file EPERM /a unshare read /fs/top/no/file
expect_file EPERM /a unshare bind /fs/top/no /fs/free/dir
expect_file ok /a unshare write /fs/free/file
# shellcheck disable=SC2317 # called by check
by_pid() {
	inside /a "$tests/fs-probe" read "/proc/$other_pid/root/fs/top/no/file"
}
unshare -m sleep 1000 &
other_pid=$!
wait_until 30 sh -c "! cmp -s /proc/self/mountinfo /proc/$other_pid/mountinfo"
check_output "nor that of another process" EPERM by_pid
kill "$other_pid"

# Mounts.
expect_file EPERM /a bind /fs/top/no /fs/free/dir
expect_file EPERM /a tree /fs/top/no /fs/free/dir
expect_file EPERM /a tmpfs /fs/top/ro
expect_file EPERM /a tmpfs /fs/free/dir
expect_file EPERM /a pivot-root /fs/free /fs/free
mount -t tmpfs tmpfs /fs/free/dir
expect_file EPERM /a move /fs/free/dir /fs/top/ro/dir
expect_file EPERM /a umount /fs/free/dir
check "mounts allowed" checmatectl set /a fs-protect mounts=yes
expect_file EPERM /a tmpfs /fs/top/ro/dir
expect_file EPERM /a tmpfs /fs/top/no
expect_file EPERM /a tmpfs /fs/top
expect_file EPERM /a bind /fs/free /fs/top/ro/dir
expect_file EPERM /a tree /fs/free /fs/top/ro/dir
expect_file EPERM /a move /fs/free/dir /fs/top/ro/dir
expect_file ok /a umount /fs/free/dir
expect_file ok /a tmpfs /fs/free/dir
umount /fs/free/dir
mount --bind /fs/top/no /fs/free/dir
expect_file ok /a read /fs/free/dir/file
umount /fs/free/dir
mount -t tmpfs tmpfs /fs/top/ro/dir
expect_file EPERM /a create /fs/top/ro/dir/new
expect_file EPERM /a umount /fs/top/ro/dir
umount /fs/top/ro/dir

# Filesystems where a file has other names than the listed one: what is listed there
# concerns all of it, from where names are not certain on; what is not listed, nothing.
check "vfat" mount_aliases vfat /fs/vfat
check "ext4 with case folding" mount_aliases casefold /fs/fold
for file in vfat/secret-of-mine.txt vfat/other fold/dir/secret fold/other; do
	echo text >/fs/$file
done
check "files there" checmatectl set /a fs-protect mounts=no \
	unreadable=/fs/vfat/secret-of-mine.txt,/fs/fold/dir/secret
for file in vfat/secret-of-mine.txt vfat/SECRET-OF-MINE.TXT vfat/SECRET~1.TXT vfat/secret~1.txt \
	vfat/other fold/dir/secret fold/dir/SECRET; do
	check_output "/fs/$file is there" ok "$tests/fs-probe" read /fs/$file
	expect_file EPERM /a read /fs/$file
	expect_file EPERM /a write /fs/$file
done
expect_file EPERM /a rename /fs/fold /fs/free/fold
expect_file ok /a write /fs/fold/other
expect_file ok /a write /fs/free/file
check "all of them" checmatectl set /a fs-protect read-only=/fs/vfat unreadable=/fs/fold
expect_file ok /a read /fs/vfat/OTHER
expect_file EPERM /a write /fs/vfat/OTHER
expect_file EPERM /a read /fs/fold/dir/SECRET
check "others" checmatectl set /a fs-protect read-only=/fs/top/ro unreadable=/fs/top/no
expect_file ok /a write /fs/vfat/OTHER
expect_file ok /a write /fs/fold/dir/SECRET
umount /fs/vfat /fs/fold

# Names of any length, and lists that change.
long=$(printf '%0240d' 7)
check "a long list" checmatectl set /a fs-protect mounts=no unreadable= \
	read-only="/fs/1,/fs/2,/fs/free/$long,/fs/free/dir,/fs/top/ro/file"
expect_file EPERM /a create "/fs/free/dir/$long"
expect_file EPERM /a create "/fs/free/$long"
expect_file ok /a create "/fs/free/${long}0"
expect_file EPERM /a write /fs/top/ro/file
expect_file EPERM /a rename /fs/top/ro/file /fs/top/file
expect_file ok /a write /fs/top/ro/dir/file
expect_file ok /a read /fs/top/no/file
# shellcheck disable=SC2317 # called by check
deep() (
	cd /fs/deep || exit 1
	deep_count=0
	while [ "$deep_count" -lt 20 ]; do
		mkdir "$long" && cd -P "$long" || exit 1
		deep_count=$((deep_count + 1))
	done
	inside /a "$tests/fs-probe" create new
)
mkdir /fs/deep
mount -t tmpfs tmpfs /fs/deep
check_output "a path that is too long to judge is denied" EPERM deep
umount /fs/deep
check "everything" checmatectl set /a fs-protect read-only=/
expect_file EPERM /a write /fs/free/file
expect_file EPERM /a create /tmp/new
expect_file ok /a read /fs/free/file
check "empty lists" checmatectl set /a fs-protect read-only=
expect_file ok /a write /fs/top/ro/file

check "removed" checmatectl remove /a
rm -rf /fs
clean_slate
finish
