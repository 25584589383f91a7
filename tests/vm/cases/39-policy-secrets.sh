#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# secrets: files that only named executables can open, and the ways around.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
mkdir "$cgroups/a" "$cgroups/sibling"
mkdir -p /secrets/data/keys /secrets/open /secrets/bin /secrets/run
echo key >/secrets/data/keys/one
echo key >/secrets/data/file
echo text >/secrets/data-not
echo text >/secrets/open/file
reader=/secrets/bin/reader
cp "$tests/fs-probe" $reader
cp "$tests/fs-probe" /secrets/run/reader

# expect_reader RESULT CALL PATH…: of the reader in /a.
expect_reader() {
	expect_result=$1
	shift
	check_output "reader: $* is $expect_result" "$expect_result" inside /a "$reader" "$@"
}

check "applies" checmatectl apply /a secrets files=/secrets/data readers=$reader \
	deny-errno=EACCES

# Who may and who may not.
for call in read write trunc proc uring-read uring-write; do
	expect_file EACCES /a $call /secrets/data/keys/one
	expect_file ok /sibling $call /secrets/data/keys/one
	expect_reader ok $call /secrets/data/keys/one
done
expect_file EACCES /a read /secrets/data
expect_file EACCES /a read /secrets/data/keys
expect_file EACCES /a create /secrets/data/keys/new
expect_file EACCES /a tmpfile /secrets/data/keys
expect_reader ok read /secrets/data
expect_reader ok create /secrets/data/keys/newer
expect_reader ok rename /secrets/data/keys/newer /secrets/data/keys/newest
for call in read write; do
	expect_file ok /a $call /secrets/open/file
	expect_file ok /a $call /secrets/data-not
done

expect_file ok /a storm /secrets/data/keys/one /secrets/open/file

# Other names of the same file.
ln -s /secrets/data/keys/one /secrets/open/symlink
expect_file EACCES /a read /secrets/open/symlink
expect_file EACCES /a read /secrets/open/../data/./keys/one
expect_file EACCES /a read /proc/self/root/secrets/data/keys/one
expect_file EACCES /a read-in /secrets/data /file
expect_file EACCES /a read-in /secrets/data/keys /one
checmatectl events >/dev/null
expect_file EACCES /a chroot /secrets read /data/file
check_match "the path that is told is the real one" \
	' secrets file_open EACCES .*: /secrets/data/file$' checmatectl events
expect_file EACCES /a handle /secrets/data/file /secrets/open
expect_file EACCES /a detached /secrets/data file
expect_file EACCES /a link /secrets/data/file /secrets/open/link
expect_file EACCES /a uring-link /secrets/data/file /secrets/open/link
expect_file EACCES /a rename /secrets/data/file /secrets/open/moved
expect_file EACCES /a rename /secrets/data/keys /secrets/open/keys
expect_file EACCES /a rename /secrets/data /secrets/open/data
expect_file EACCES /a rename /secrets /secrets2
expect_file EACCES /a uring-rename /secrets/data /secrets/open/data
expect_file EACCES /a exchange /secrets/open /secrets/data
expect_file EACCES /a exchange /secrets/data /secrets/open
expect_file EACCES /a bind /secrets/data /secrets/open
expect_file EACCES /a tree /secrets/data /secrets/open
expect_file EACCES /a tmpfs /secrets/open
expect_file EACCES /a pivot-root /secrets/open /secrets/open
check "nothing has been moved" test -e /secrets/data/keys/one -a ! -e /secrets/open/link
check_output "a descriptor that is handed over is judged" EBADF hand_over /a /secrets/data/file
check_output "another one is not" ok hand_over /a /secrets/open/file

# Other readers.
expect_file EACCES /a exec /secrets/data/file
check_output "the same program elsewhere is none" EACCES \
	inside /a /secrets/run/reader read /secrets/data/file
ln -s $reader /secrets/open/reader
check_output "a link to the reader is the reader" ok \
	inside /a /secrets/open/reader read /secrets/data/file
loader=$(find /lib64/ /lib/ -name 'ld-linux*' -o -name 'ld-*.so*' | head -n 1)
check "there is a loader" test -n "$loader"
check_output "the loader with the reader is none" EACCES \
	inside /a "$loader" $reader read /secrets/data/file
expect_file EACCES /a claim $reader

# The reader cannot be made another program.
for call in write uring-write; do
	expect_file EACCES /a $call $reader
done
expect_file EACCES /a link $reader /secrets/open/reader2
expect_file EACCES /a rename $reader /secrets/open/reader2
expect_file EACCES /a rename /secrets/run/reader $reader
expect_file EACCES /a exchange /secrets/run/reader $reader
expect_file EACCES /a rename /secrets/bin /secrets/bin2
expect_file EACCES /a exchange /secrets/run /secrets/bin
expect_file ok /a unlink $reader
expect_file EACCES /a create $reader
rm $reader
expect_file EACCES /a link /secrets/run/reader $reader
expect_file EACCES /a rename /secrets/run/reader $reader
cp "$tests/fs-probe" $reader
expect_reader ok read /secrets/data/file

# What the environment tells the reader to load.
# shellcheck disable=SC2317 # called by check
preload() {
	LD_PRELOAD=$tests/fs-preload.so STEAL=$2 inside /a "$1" secure
}
check_output "a library can be preloaded" stolen preload "$tests/fs-probe" /secrets/open/file
check_output "but not by a reader" ok preload $reader /secrets/data/file
check_output "another program runs as ever" ENODATA inside /a "$tests/fs-probe" secure
check "without that" checmatectl set /a secrets secure-exec=no
check_output "a library can be preloaded by a reader" stolen preload $reader /secrets/data/file
check_output "and the reader runs as ever" ENODATA inside /a "$reader" secure

# Lists that change, and more than one entry.
check "other lists" checmatectl set /a secrets files=/secrets/open,/secrets/data/keys \
	readers="/secrets/run $tests"
expect_file ok /a read /secrets/open/file
expect_reader EACCES read /secrets/open/file
expect_reader ok read /secrets/data/file
expect_reader EACCES read /secrets/data/keys/one
check "a file as an entry" checmatectl set /a secrets files=/secrets/data/file readers=
expect_file EACCES /a read /secrets/data/file
expect_reader EACCES read /secrets/data/file
expect_reader ok read /secrets/data/keys/one
# By another name, where a file has several.
check "vfat" mount_aliases vfat /secrets/open/vfat
echo text >/secrets/open/vfat/file
check "a file there" checmatectl set /a secrets files=/secrets/open/vfat/file readers="$reader"
for file in file FILE; do
	expect_file EACCES /a read /secrets/open/vfat/$file
	expect_reader ok read /secrets/open/vfat/$file
done
umount /secrets/open/vfat
check "no files" checmatectl set /a secrets files=
expect_file ok /a read /secrets/data/file
expect_file EACCES /a bind /secrets/data /secrets/open
check "mounts" checmatectl set /a secrets mounts=yes
expect_file ok /a bind /secrets/data /secrets/open
umount /secrets/open

check "removed" checmatectl remove /a
rm -rf /secrets
clean_slate
finish
