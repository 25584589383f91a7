#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Policy objects that are refused, by the library or by the kernel: the reason
# reaches the user, and nothing is left behind.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
ctl=checmatectl
objects=$tests/objects
good=/usr/lib/checmate/policies/net-bind.bpf.o
mkdir "$cgroups/a"
$ctl apply /a net-bind >/dev/null
$ctl remove /a >/dev/null

refused() {
	check_match "$1: $2" "$2" $ctl apply /a "$3"
}

refused no-btf 'BTF is required' $objects/no-btf.bpf.o
refused no-description 'does not say which policy' $objects/no-description.bpf.o
refused not-lsm 'section "xdp"' $objects/not-lsm.bpf.o
refused unknown-type 'the type "colour"' $objects/unknown-type.bpf.o

head -c 5000 $good >/tmp/truncated.bpf.o
refused truncated 'truncated' /tmp/truncated.bpf.o
: >/tmp/empty.bpf.o
refused empty 'empty' /tmp/empty.bpf.o
refused "not an object" 'not an ELF' /etc/group

# What anybody could have written.
mkdir /tmp/open
cp $good /tmp/open/file.bpf.o
chmod 0666 /tmp/open/file.bpf.o
refused "written by others" 'not trusted: others can write to "file\.bpf\.o"' /tmp/open/file.bpf.o
chmod 0644 /tmp/open/file.bpf.o
chown 4711 /tmp/open/file.bpf.o
refused "of another" 'not trusted: "file\.bpf\.o" belongs to user 4711' /tmp/open/file.bpf.o
chown 0 /tmp/open/file.bpf.o
chmod 0777 /tmp/open
refused "in a folder of all" 'not trusted: others can write to "open"' /tmp/open/file.bpf.o
ln -s /tmp/open/file.bpf.o /tmp/link.bpf.o
refused "by a link to there" 'not trusted: others can write to "open"' /tmp/link.bpf.o
check_output "nothing of these was attached" "generation 2" cat "$cgroups/a/checmate.policy"
chmod 0755 /tmp/open
check "trusted again" $ctl policy show /tmp/link.bpf.o

refused missing-field 'struct sock___checmate\.checmate_no_such_field' $objects/missing-field.bpf.o
refused missing-field 'a kernel field that this kernel lacks.*; use a policy built for this kernel' \
	$objects/missing-field.bpf.o
refused missing-hook 'for the hook checmate_no_such_hook, which this kernel lacks' $objects/missing-hook.bpf.o
refused unsafe 'the kernel refuses program test_listen: .*invalid mem access' $objects/unsafe.bpf.o
refused "unsafe, the verifier's own words" '^    .*invalid mem access' $objects/unsafe.bpf.o
check_status "a refused policy is a failure" 1 $ctl apply /a $objects/unsafe.bpf.o
check_not "with a good one beside it" $ctl apply /a net-bind $objects/unsafe.bpf.o

check_output "nothing was attached" "generation 2" cat "$cgroups/a/checmate.policy"
check_output "nothing was pinned" "" pinned

check "programs of both kinds in one policy" $ctl apply /a $objects/two-programs.bpf.o
check_output "two programs are attached" 2 attached /a
check_match "of which one is global elsewhere" 'hook=socket_shutdown' cat "$cgroups/a/checmate.policy"
check "a policy without parameters has none" $ctl get /a two-programs
check_match "and tells its version" '^/a +two-programs +2\.0~rc1 +in force' $ctl status
check "it can be removed" $ctl remove /a two-programs

clean_slate
finish
