#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Slices, scopes, sockets and mounts with a section [X-Checmate]: what they hold is judged
# from its first act on, and nothing ever waits in a circle.
#
# Guest: system system-trixie
# Takes: 50
#
# Functions are called by name, which shellcheck cannot see; commands are several words.
# shellcheck disable=SC2086,SC2317

# shellcheck source=SCRIPTDIR/../lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=SCRIPTDIR/units.sh
. /usr/libexec/checmate/tests/system/units.sh

run='systemd-run --quiet --pipe --wait --collect'

# --- slices ------------------------------------------------------------------

{
	echo '[Slice]'
	policy
} | unit outer.slice
printf '%s\n' '[X-Checmate net-bind]' 'DenyErrno=ENETDOWN' | drop_in outer-inner.slice 50.conf
printf '%s\n' '[X-Checmate]' 'Policy=kernel-surface' | drop_in strict-.slice 50.conf
service strict.service <<-END
	Type=oneshot
	Slice=strict-one.slice
	ExecStart=-$bad
END
reload
check_output "the first service of a slice is judged" EACCES \
	sh -c "$run --slice=outer.slice $bad || :"
check_output "of a slice in it, by the nearest first" ENETDOWN \
	sh -c "$run --slice=outer-inner.slice $bad || :"
check_output "and by the slice above" EACCES \
	sh -c "$run --slice=outer-other.slice $bad || :"
check_output "what the slice allows is allowed" ok $run --slice=outer.slice $good
check_output "a scope in it is judged as well" EACCES \
	sh -c "systemd-run --quiet --scope --slice=outer.slice $bad || :"
ids=$(attached outer.slice)
check "its helper may run again" systemctl start checmate-unit@outer.slice.service
check_output "and leaves what is right alone" "$ids" attached outer.slice
sed -i 's/8080/8081/' "$units/outer.slice"
check "or put a changed section in force" systemctl start checmate-unit@outer.slice.service
check_output "at once" EACCES sh -c "$run --slice=outer.slice $good || :"
systemctl stop outer.slice
sed -i 's/8081/8080/' "$units/outer.slice"
check_output "one that was stopped has its policy when it starts" EACCES \
	sh -c "$run --slice=outer.slice $bad || :"
check_output "a service has its policy where the slice forbids what that takes" EACCES \
	acts strict.service
check_output "and the slice's" EPERM $run --slice=strict-one.slice "$tests/proc-probe" bpf

printf '%s\n' '[Slice]' '[X-Checmate]' 'Policy=no-such' | unit broken.slice
reload
check_output "nothing starts in a slice whose section is wrong" "" \
	sh -c "$run --slice=broken.slice $good || :"
check_match "the slice's journal says why" "$units/broken.slice:3: .*no-such" \
	journalctl -q -o cat -u broken.slice
policy | drop_in -.slice 50.conf
reload
check_match "the root slice can have none" '-.slice: it is there before any policy' \
	journalctl -q -o cat -k -t checmate-generator
rm -r "$units/-.slice.d"

# --- scopes ------------------------------------------------------------------

policy | drop_in named.scope 50.conf
reload
check_output "a scope is judged from the moment its processes are in it" EACCES \
	sh -c "systemd-run --quiet --scope --unit=named $bad || :"
check_output "another one is not" ok systemd-run --quiet --scope --unit=other $bad

# --- sockets, mounts ---------------------------------------------------------

for port in 9090 8080; do
	{
		printf '%s\n' '[Socket]' "ListenStream=127.0.0.1:$port" "Service=sock.service"
		policy
	} | unit sock-$port.socket
done
printf '%s\n' '[Service]' 'ExecStart=/bin/true' | unit sock.service
where=$out/mount
mount_unit=$(systemd-escape --path --suffix=mount "$where")
printf '%s\n' '[Mount]' 'What=none' "Where=$where" 'Type=tmpfs' '[X-Checmate]' \
	'Policy=kernel-surface' | unit "$mount_unit"
reload
check "a socket that its policy allows is made" systemctl start sock-8080.socket
check_match "its policy is in force" "net-bind .*in force" sh -c \
	"checmatectl status | grep sock-8080.socket"
check_not "one that its policy forbids is not" systemctl start sock-9090.socket
check_not "a mount that its policy forbids is not made" systemctl start "$mount_unit"
sed -i '/^\[X-C/,$d' "$units/$mount_unit"
reload
check "without the policy it is" systemctl start "$mount_unit"

# --- circles -----------------------------------------------------------------

# Every slice, scope and mount of the machine, at every start.
for type in slice scope mount socket; do
	policy | drop_in $type 50.conf
done
reload
# verify LOG: what systemd would meet in the start of everything.
verify() {
	systemd-analyze verify --generators=yes --man=no default.target sysinit.target \
		outer-inner.slice user.slice systemd-journald.socket dbus.socket \
		"$mount_unit" >"$out/verify" 2>&1
	! grep -i 'cycle' "$out/verify"
}
check "no start of any unit would wait in a circle" verify
requires() {
	systemctl show --property=Requires --value -- "$1" | xargs -n 1 | grep -c '^checmate-unit@' || :
}
check_output "while a slice waits for its policy" 1 requires user.slice
check_output "but not those that systemd is in" "0 0" \
	sh -c "echo $(requires -.slice) $(requires system.slice)"
for type in slice scope mount socket; do
	rm -r "$units/$type.d"
done
reload
check "systemd has met no ordering cycle" no_cycle
finish
