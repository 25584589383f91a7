#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# exec-allow: what can be executed, and the ways to execute something else.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
mkdir "$cgroups/a" "$cgroups/sibling"
mkdir -p /exec/bin /exec/other /exec/lib /exec/bin/dir /tmp/exec
libraries=$(realpath /lib),$(realpath /lib64)
for folder in /exec/bin /exec/other /tmp/exec; do
	cp /usr/bin/busybox $folder/busybox
	printf '#!/exec/bin/busybox sh\n' >$folder/script
	printf '#!/exec/other/busybox sh\n' >$folder/script-other
	cp "$tests/fs-probe" $folder/probe
	chmod 755 $folder/*
done

# Before the policy: only then is it known to it how an overlay's module works.
mkdir -p /tmp/exec/lower/change /tmp/exec/upper /tmp/exec/work /exec/image
cp /usr/bin/busybox /tmp/exec/lower/busybox
cp /usr/bin/busybox /tmp/exec/lower/change/busybox
overlay=lowerdir=/tmp/exec/lower,upperdir=/tmp/exec/upper,workdir=/tmp/exec/work
check "an overlay can be mounted" mount -t overlay -o "$overlay" overlay /exec/image
cp /usr/bin/busybox /exec/image/added

check "applies" checmatectl apply /a exec-allow allow="/exec/bin,$tests,$libraries" \
	deny-errno=EACCES
for call in exec exec-fd exec-proc map map-later; do
	expect_file ok /a $call /exec/bin/busybox
	expect_file EACCES /a $call /exec/other/busybox
	expect_file EACCES /a $call /tmp/exec/busybox
	expect_file ok /sibling $call /tmp/exec/busybox
done
check_output "a whole program with its libraries" ok inside /a /exec/bin/probe read /exec/bin/script
check_status "and one elsewhere" 126 inside /a /exec/other/probe read /exec/bin/script

# No file at all, or one that is gone.
for call in exec-memfd exec-memfd-proc map-memfd; do
	expect_file EACCES /a $call /exec/bin/busybox
	expect_file ok /sibling $call /exec/bin/busybox
done
expect_file EACCES /a exec-deleted /exec/bin/busybox /exec/other/gone
expect_file ok /sibling exec-deleted /exec/bin/busybox /exec/other/gone
expect_file EACCES /a map-shm /exec/bin/busybox
expect_file ok /sibling map-shm /exec/bin/busybox

# Interpreters: the script and what it names are both judged.
expect_file ok /a exec /exec/bin/script
expect_file EACCES /a exec /exec/other/script
expect_file EACCES /a exec /exec/bin/script-other
expect_file EACCES /a exec-fd /tmp/exec/script
loader=$(find /lib64/ /lib/ -name 'ld-linux*' -o -name 'ld-*.so*' | head -n 1)
check "there is a loader" test -n "$loader"
check_output "the loader loads what is listed" ok \
	inside /a "$loader" /exec/bin/probe read /exec/bin/script
check_status "and nothing else" 127 inside /a "$loader" /tmp/exec/probe read /exec/bin/script
# shellcheck disable=SC2317 # called by check
preload() {
	LD_PRELOAD=$1 STEAL=/exec/bin/script inside /a /exec/bin/probe map /exec/bin/busybox
}
cp "$tests/fs-preload.so" /exec/lib/
check_output "a listed library can be preloaded" stolen preload "$tests/fs-preload.so"
# The loader says that it goes on without.
check_match "one elsewhere cannot" '^ok$' preload /exec/lib/fs-preload.so

# Other names.
ln -s /exec/other/busybox /exec/bin/symlink
expect_file EACCES /a exec /exec/bin/symlink
ln -s /exec/bin/busybox /tmp/exec/symlink
expect_file ok /a exec /tmp/exec/symlink
expect_file EACCES /a exec /exec/bin/../other/busybox
mkdir -p /tmp/exec/root/exec/bin
cp /usr/bin/busybox /tmp/exec/root/exec/bin/
expect_file EACCES /a chroot /tmp/exec/root exec /exec/bin/busybox
expect_file EACCES /a chroot /tmp/exec/root map /exec/bin/busybox
expect_file ok /sibling chroot /tmp/exec/root exec /exec/bin/busybox
expect_file ok /a chroot /exec/bin exec /busybox

# Nothing else gets a listed path.
for call in write uring-write trunc; do
	expect_file EACCES /a $call /exec/bin/script
	expect_file ok /a $call /exec/other/script
done
for call in link rename uring-rename uring-link; do
	expect_file EACCES /a $call /exec/other/busybox /exec/bin/new
	expect_file EACCES /a $call /exec/bin/busybox /exec/other/new
done
expect_file EACCES /a exchange /exec/other/busybox /exec/bin/busybox
expect_file EACCES /a exchange /exec/bin/busybox /exec/other/busybox
expect_file EACCES /a exchange /exec/other /exec/bin
expect_file EACCES /a rename /exec/other /exec/bin/dir/new
expect_file EACCES /a rename /exec/bin /exec/bin2
expect_file EACCES /a rename /exec /exec2
expect_file EACCES /a create /exec/bin/new
expect_file EACCES /a tmpfile /exec/bin
expect_file EACCES /a bind /exec/other /exec/bin
expect_file EACCES /a bind /exec/other/busybox /exec/bin/busybox
expect_file EACCES /a tree /exec/other /exec/bin
expect_file EACCES /a tmpfs /exec/bin
expect_file EACCES /a pivot-root /exec/other /exec/other
expect_file ok /a create /exec/other/new
expect_file ok /a rename /exec/other/new /exec/other/newer
rm -f /exec/bin/new

# What the parameters turn off.
check "without protection" checmatectl set /a exec-allow protect=no
expect_file ok /a rename /exec/other/newer /exec/bin/newer
expect_file EACCES /a bind /exec/other /exec/bin/dir
check "with mounts" checmatectl set /a exec-allow mounts=yes
expect_file ok /a bind /exec/other /exec/bin/dir
expect_file ok /a exec /exec/bin/dir/busybox
umount /exec/bin/dir
check "without libraries" checmatectl set /a exec-allow libraries=no allow="/exec/bin,$tests"
expect_file EACCES /a exec /exec/other/busybox
expect_file ok /a map /exec/other/busybox
expect_file ok /a map-memfd /exec/bin/busybox
check "a single file" checmatectl set /a exec-allow allow="/exec/bin/busybox,$tests/fs-probe"
expect_file ok /a exec /exec/bin/busybox
expect_file EACCES /a exec /exec/bin/script
expect_file EACCES /a exec /exec/other/busybox

# Only root's files.
check "files of root" checmatectl set /a exec-allow allow=/ drift=root-owned libraries=yes
expect_file ok /a exec /exec/other/busybox
expect_file ok /a map /exec/other/busybox
chmod 775 /exec/other/busybox
expect_file EACCES /a exec /exec/other/busybox
chmod 757 /exec/other/busybox
expect_file EACCES /a exec /exec/other/busybox
chmod 755 /exec/other/busybox
chown 1 /exec/other/busybox
expect_file EACCES /a exec /exec/other/busybox
expect_file EACCES /a map /exec/other/busybox
chown 0 /exec/other/busybox
expect_file ok /a exec /exec/other/busybox
expect_file EACCES /a exec-memfd /exec/other/busybox

# Only files of the image: of an overlay's lower layers.
check "a directory of the overlay" checmatectl set /a exec-allow \
	allow="/exec/image/change,$tests,$libraries" drift=off
for call in exec map map-later; do
	expect_file ok /a $call /exec/image/change/busybox
	expect_file EACCES /a $call /exec/image/busybox
done
check "of anywhere" checmatectl set /a exec-allow allow=/
check "only the image" checmatectl set /a exec-allow drift=image
check_status "a file of the image" 0 inside /a /exec/image/busybox true
check_status "another one, not changed yet" 0 inside /a /exec/image/change/busybox true
check_status "a file that was added" 126 inside /a /exec/image/added true
chmod 755 /exec/image/change/busybox
check_status "a file that was changed" 126 inside /a /exec/image/change/busybox true
check_status "the same file, not by the overlay" 126 inside /a /tmp/exec/lower/busybox true
check_status "a file of another filesystem" 126 inside /a "$tests/fs-probe" secure
mv /exec/image/busybox /exec/image/moved
check_status "a file that was moved" 126 inside /a /exec/image/moved true

# Where a file has other names, only an entry that covers all of it is certain.
check "vfat" mount_aliases vfat /exec/vfat
mkdir /exec/vfat/bin
cp /usr/bin/busybox /exec/vfat/bin/busybox
check "a directory there" checmatectl set /a exec-allow drift=off \
	allow="/exec/vfat/bin,$tests,$libraries"
expect_file EACCES /a exec /exec/vfat/bin/busybox
check "all of it" checmatectl set /a exec-allow allow="/exec/vfat,$tests,$libraries"
expect_file ok /a exec /exec/vfat/bin/busybox
expect_file ok /a exec /exec/vfat/BIN/BUSYBOX
umount /exec/vfat

check "an empty list" checmatectl set /a exec-allow drift=off allow=
check_status "allows nothing" 126 inside /a "$tests/fs-probe" secure

# A list in which links stand allows less than its author thought, and that is said.
ln -s exec/bin /exec-link
links=allow="/exec-link,/exec/other/none,$tests"
link='exec-allow: allow: /exec-link is a symbolic link to exec/bin; list /exec/bin'
check_match "a listed link is told" "^checmatectl: warning: $link\$" \
	checmatectl set /a exec-allow "$links"
check_match "and what does not exist" '^checmatectl: warning: .*: /exec/other/none does not exist;' \
	checmatectl apply --replace /a exec-allow "$links"
check_output "and nothing else" 2 sh -c \
	"checmatectl apply --replace /a exec-allow '$links' 2>&1 >/dev/null | wc -l"
check_match "run tells it before the program runs" "^checmatectl: warning: $link\$" \
	checmatectl run --policy exec-allow "$links" -- "$tests/fs-probe" secure
check_match "of a denied path explain shows what it is" \
	'^/exec-link/busybox is /exec/bin/busybox: /exec-link is a symbolic link$' \
	checmatectl explain /a /exec-link/busybox
for path in /exec-link/busybox /exec/bin/busybox; do
	check_match "and the nearest entry" \
		'^      /exec/bin/busybox: not listed; nearest is /exec-link$' \
		checmatectl explain /a bprm_check_security $path
done
check_match "with what is wrong with it" '^      /exec-link is a symbolic link .*list /exec/bin$' \
	checmatectl explain /a /exec/bin/busybox
check_match "of an allowed one the entry" "^      $tests/fs-probe: listed, by $tests\$" \
	checmatectl explain /a "$tests/fs-probe"
check_match "of others none" '^      /dev/null: not listed, nor anything near$' \
	checmatectl explain /a /dev/null
rm /exec-link

check "removed" checmatectl remove /a
expect_file ok /a exec /tmp/exec/busybox
umount /exec/image
rm -rf /exec /tmp/exec
clean_slate
finish
