#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# checmated makes cgroups have what their binding files say: it changes no more
# than what differs, puts right what others change, never loosens on the way, and
# after a restart it knows everything without loading anything again.
#
# Takes: 90
#
# Functions are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

# shellcheck source=SCRIPTDIR/../lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=SCRIPTDIR/container.sh
. /usr/libexec/checmate/tests/system/container.sh

PATH=$tests:$PATH
ip link set lo up
top=/checmate-reconcile
cg=$top/web
mkdir -p "$cgroups$cg" "$bindings"

# Prints what came of binding port $2 in cgroup $1.
bind_in() {
	in_cgroup "$1" probe bind 0.0.0.0 "$2" || :
}

bind_gives() {
	[ "$(bind_in "$1" "$2")" = "$3" ]
}

# What checmated lists of cgroup $1, filtered by the jq program $2.
listed() {
	call ListBindings | jq -rc --arg cgroup "$1" ".data[0][] | select(.[0] == \$cgroup) | $2"
}

control() {
	echo "$2" >"$cgroups$1/checmate.policy"
}

# journal MESSAGE_ID CGROUP [FIELD=VALUE…]: what has been written about it.
journal() {
	journal_id=$1
	journal_cgroup=$2
	shift 2
	journalctl -q -o cat MESSAGE_ID="$journal_id" CHECMATE_CGROUP="$journal_cgroup" "$@"
}
drift=b0208a99c1f84c979720bd723f0ac23c
applied=73b5f61c9ea84aaf8b34ac56ca98b1db
late=e7b85362208b4bedb92f4611255e3a7f

# web ALLOW ERRNO MODE: the file for $cg.
web() {
	binding web <<-END
		[Match]
		Cgroup=$cg
		[Policy net-bind]
		Mode=$3
		Allow=$1
		DenyErrno=$2
	END
}

no_containers() {
	[ -z "$(ls /run/checmate/containers)" ]
}

# --- what changed, and nothing else ------------------------------------------

web 0.0.0.0/0:8080 EACCES enforce
binding other <<-END
	[Match]
	Cgroup=$cg
	[Policy net-connect]
END
check "checmated starts" systemctl restart checmated.service
check_output "the cgroup is bound" EACCES bind_in "$cg" 9090
(in_cgroup "$cg" probe insist bind 0.0.0.0 9090) >/tmp/insist &
insist=$!
ids=$(attachments "$cg")

web 0.0.0.0/0:8081 EACCES enforce
check "one parameter is changed" systemctl reload checmated.service
check_output "it has the new value" ok bind_in "$cg" 8081
check_output "and not the old one" EACCES bind_in "$cg" 8080
check_output "in the programs that were there" "$ids" attachments "$cg"

web 0.0.0.0/0:8082 EPERM enforce
check "two parameters are changed" systemctl reload checmated.service
check_output "one is in force" ok bind_in "$cg" 8082
check_output "so is the other" EPERM bind_in "$cg" 9090
check_output "in the programs that were there, too" "$ids" attachments "$cg"
# shellcheck disable=SC2046 # a word for each
kill -TERM $(cat "$cgroups$cg/cgroup.procs")
wait "$insist"
check_match "what both deny was denied throughout" '^[1-9][0-9]* tries, 0 succeeded$' cat /tmp/insist

ids=$(attachments "$cg")
web 0.0.0.0/0:8082 EPERM permissive
check "the mode is changed" systemctl reload checmated.service
check_output "the policy only tells" ok bind_in "$cg" 9090
check_output "and is the one that it was" "$ids" attachments "$cg"
check_output "which is listed" permissive listed "$cg" 'select(.[2] == "net-bind") | .[3]'
web 0.0.0.0/0:8082 EPERM enforce
check "it is changed back" systemctl reload checmated.service
check_output "the policy is enforced again" EPERM bind_in "$cg" 9090
check_output "with the same programs" "$ids" attachments "$cg"
web 0.0.0.0/0:8083 EPERM permissive
check "the mode and a parameter are changed" systemctl reload checmated.service
check_not "in a new instance, which both came with" test "$ids" = "$(attachments "$cg")"
web 0.0.0.0/0:8082 EPERM enforce
check "and back" systemctl reload checmated.service
check_output "what the file gives is allowed" ok bind_in "$cg" 8082
check_output "and no more" EPERM bind_in "$cg" 8083

binding zz-last <<-END
	[Match]
	Cgroup=$cg
	[Policy net-bind]
	DenyErrno=EROFS
END
check "another file gives the same policy" systemctl reload checmated.service
check_output "the last by name counts" EROFS bind_in "$cg" 8082
check_output "and is listed" "file $bindings/zz-last.conf" \
	listed "$cg" 'select(.[2] == "net-bind") | .[4]'
rm "$bindings/zz-last.conf"
check "it goes" systemctl reload checmated.service
check_output "the other counts again" ok bind_in "$cg" 8082

# --- changed behind the daemon's back ----------------------------------------

ids=$(attachments "$cg")
control "$cg" clear
check "policies that somebody detached come back" wait_until 60 bind_gives "$cg" 9090 EPERM
check "all of them" wait_until 60 has_policy "$cg" net-connect
check_match "the journal has it" 'net-bind is not as .*web.conf says' journal "$drift" "$cg"
for attachment in $(attachments "$cg"); do
	control "$cg" "mode $attachment permissive"
done
check "a mode that somebody changed is changed back" wait_until 60 bind_gives "$cg" 9090 EPERM
checmatectl --direct remove "$cg" net-bind
check "a policy that somebody removed comes back" wait_until 60 bind_gives "$cg" 9090 EPERM
checmatectl --direct replace "$cg" net-bind allow=0.0.0.0/0:1-65535
check "so does one that somebody replaced" wait_until 60 bind_gives "$cg" 9090 EPERM
check_output "as it was" ok bind_in "$cg" 8082
check_output "and it is the file's" "file $bindings/web.conf" \
	listed "$cg" 'select(.[2] == "net-bind") | .[4]'
checmatectl --direct set "$cg" net-bind allow=0.0.0.0/0:1-65535
check_output "a parameter is no file of the cgroup's" ok bind_in "$cg" 9090
check "a reload finds it" systemctl reload checmated.service
check_output "and gives it its value" EPERM bind_in "$cg" 9090
id=$(stat -c %i "$cgroups$cg")
rm -r "${pins:?}/$id/net-bind"
check "pins that somebody removed are found missing" systemctl reload checmated.service
check_output "the policy is known again" enforce listed "$cg" 'select(.[2] == "net-bind") | .[3]'
check_output "and enforced" EPERM bind_in "$cg" 9090

# Somebody who does not give up is not outrun, and nothing is kept busy by him.
for _ in $(seq 20); do
	control "$cg" clear
done
check "who goes on is waited for, and then put right" wait_until 120 bind_gives "$cg" 9090 EPERM

# --- what is not the daemon's to change --------------------------------------

own=/checmate-selftest.1
mkdir "$cgroups$top/hand" "$cgroups$own" "$cgroups$top$own"
checmatectl --direct apply "$top/hand" net-bind deny-errno=EROFS
binding all <<-END
	[Match]
	Cgroup=$top/* $own
	[Policy net-bind]
	DenyErrno=EACCES
END
check "a file gives what is there by hand" systemctl reload checmated.service
check_output "it is left alone" EROFS bind_in "$top/hand" 9090
check_output "and told apart" manual listed "$top/hand" '.[4]'
check_output "the library's own cgroup is not bound" "" listed "$own" '.'
check_output "its name elsewhere is no way out" EACCES bind_in "$top$own" 9090
rmdir "$cgroups$own" "$cgroups$top$own"
checmatectl --direct remove "$top/hand" net-bind
check "when it goes the file counts" systemctl reload checmated.service
check_output "from then on" EACCES bind_in "$top/hand" 9090
rm "$bindings/all.conf"
systemctl reload checmated.service

mkdir "$cgroups$top/sealed"
binding sealed <<-END
	[Match]
	Cgroup=$top/sealed
	[Policy net-bind]
	DenyErrno=EACCES
END
systemctl reload checmated.service
echo 1 >"$cgroups$top/sealed/checmate.seal"
rm "$bindings/sealed.conf"
check "what a sealed cgroup has stays, which is no failure" systemctl reload checmated.service
check_match "it is told" 'net-bind stays as it is' sh -c \
	"journalctl -q -o cat -p notice CHECMATE_CGROUP=$top/sealed"
check_output "the policy holds" EACCES bind_in "$top/sealed" 9090
binding sealed <<-END
	[Match]
	Cgroup=$top/sealed
	[Policy net-bind]
	Allow=0.0.0.0/0:9090
	DenyErrno=EACCES
END
check "nor is it one that a file says otherwise" systemctl reload checmated.service
check_output "no parameter is changed" EACCES bind_in "$top/sealed" 9090
rmdir "$cgroups$top/sealed"
binding sealed <<-END
	[Match]
	Cgroup=$top/seal*
	[Binding]
	Seal=yes
	[Policy net-bind]
	DenyErrno=EACCES
END
systemctl reload checmated.service
mkdir "$cgroups$top/seal"
check "a file that says so has a cgroup sealed" \
	wait_until 20 grep -qx 1 "$cgroups$top/seal/checmate.seal"
check_output "with its policy" EACCES bind_in "$top/seal" 9090
check_match "which is told" 'sealed until' sh -c \
	"journalctl -q -o cat CHECMATE_CGROUP=$top/seal"
rmdir "$cgroups$top/seal"
rm "$bindings/sealed.conf"
systemctl reload checmated.service

# --- one that fails, and the others ------------------------------------------

policies=/usr/lib/checmate/policies
binding both <<-END
	[Match]
	Cgroup=$top/both
	[Policy net-bind]
	DenyErrno=EACCES
	[Policy net-connect]
	DenyErrno=EPERM
END
systemctl reload checmated.service
mv "$policies/net-connect.bpf.o" /tmp/net-connect.bpf.o
mkdir "$cgroups$top/both"
check "a policy is in force though another one fails" \
	wait_until 60 bind_gives "$top/both" 9090 EACCES
check "the other is told of" wait_until 60 sh -c \
	"journalctl -q -o cat -p err CHECMATE_CGROUP=$top/both | grep -q net-connect"
check_match "systemd is told how many are not in order" 'in 1 not all' \
	systemctl show --property=StatusText checmated.service
mv /tmp/net-connect.bpf.o "$policies/net-connect.bpf.o"
check "and is tried again by itself" wait_until 120 has_policy "$top/both" net-connect
check "and when there are none any more" wait_until 60 sh -c \
	"! systemctl show --property=StatusText checmated.service | grep -q 'not all'"
rm "$bindings/both.conf"
systemctl reload checmated.service
rmdir "$cgroups$top/both"

# --- containers --------------------------------------------------------------

# role ALLOW ERRNO: the file for containers of that role.
role() {
	binding role <<-END
		[Match]
		Annotation=org.checmate.role=web
		[Policy net-bind]
		Allow=$1
		DenyErrno=$2
	END
}
role 0.0.0.0/0:8080 EACCES
systemctl reload checmated.service
bundle web "$top/container" '{ "org.checmate.role": "web" }' probe pause
check "a container starts" start web
check_output "it has its policy" EACCES bind_in "$top/container" 9090
ids=$(attachments "$top/container")
before=$(call ListBindings)
check "checmated is started again" systemctl restart checmated.service
check_output "it knows what the container has" "$before" call ListBindings
check_output "and has loaded nothing" "$ids" attachments "$top/container"
check_output "not for the cgroup either" "" journal "$applied" "$cg" \
	_PID="$(systemctl show --property=MainPID --value checmated.service)"
role 0.0.0.0/0:8081 EACCES
check "the container's file is changed" systemctl reload checmated.service
check_output "the container follows it" ok bind_in "$top/container" 8081
check_output "in place" "$ids" attachments "$top/container"
check_output "whose it is, is listed" "container $bindings/role.conf web" \
	listed "$top/container" '.[4]'
control "$top/container" clear
check "a container's policy comes back, too" \
	wait_until 60 bind_gives "$top/container" 9090 EACCES
systemctl stop checmated.service
control "$top/container" clear
check_output "while checmated is stopped it is gone" ok bind_in "$top/container" 9090
check "with checmated it comes back" systemctl start checmated.service
check_output "before checmated is ready" EACCES bind_in "$top/container" 9090
rm "$bindings/role.conf"
check "the file goes" systemctl reload checmated.service
check_output "the policy goes" ok bind_in "$top/container" 9090
check "a record of the container is kept" test -e \
	"/run/checmate/containers/$(stat -c %i "$cgroups$top/container")"
crun delete -f web
check "while there is one" wait_until 60 no_containers

# What looks like one, and of which no hook has told.
binding late <<-'END'
	[Match]
	Runtime=podman
	[Policy net-bind]
	DenyErrno=EACCES
END
systemctl reload checmated.service
scope=$top/libpod-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope
monitor=$top/libpod-conmon-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope
mkdir "$cgroups$scope" "$cgroups$monitor"
check_output "such a container has the time to be told of" ok bind_in "$scope" 9090
check "then it gets what its file says" wait_until 120 bind_gives "$scope" 9090 EACCES
check_match "which is told to be late" 'policies came late' journal "$late" "$scope"
check "checmated is started anew" systemctl restart checmated.service
check_output "and does not take it for the time being" EACCES bind_in "$scope" 9090
check_output "its monitor is no container" ok bind_in "$monitor" 9090
rmdir "$cgroups$scope" "$cgroups$monitor"

# One with a root of its own: a runtime changes the root after its createRuntime hooks,
# and a restored container has no hooks.
scope=$top/libpod-00000000000000000123456789abcdef0123456789abcdef0123456789abcdef.scope
mkdir -p /tmp/root "$cgroups$scope"
cp "$(command -v busybox)" /tmp/root/busybox
in_cgroup "$scope" chroot /tmp/root /busybox sleep 600 &
started=$!
check "one that has started gets it" wait_until 60 bind_gives "$scope" 9090 EACCES
check_match "and is not waited for" 'has started, or was restored, without checmate-oci-hook' \
	journal "$late" "$scope"
echo 1 >"$cgroups$scope/cgroup.kill"
wait "$started" 2>/dev/null
rmdir "$cgroups$scope"

# at_once PREFIX: one of this engine, whose hook is not expected.
at_once() {
	scope=$top/$1-fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210.scope
	mkdir "$cgroups$scope"
	check "$1: a container has its policy when its cgroup appears" wait_until 60 \
		bind_gives "$scope" 9090 EACCES
	check_output "$1: which is not told to be late" '' journal "$late" "$scope"
	rmdir "$cgroups$scope"
}
sed -i 's/podman/podman docker/' "$bindings/late.conf"
printf '[Containers]\nHookEngine=\n' >"$settings"
check_match "settings that are wrong are refused" "$settings:2: unknown key HookEngine=" \
	checmatectl config verify
check_not "by a reload, too" systemctl reload checmated.service
rm "$settings"
check "without settings" systemctl reload checmated.service
at_once docker
printf '[Containers]\nHookEngines=\n' >"$settings"
check "with settings that expect no hook" systemctl reload checmated.service
at_once libpod
rm "$bindings/late.conf" "$settings"

# --- the end -----------------------------------------------------------------

rm "$bindings/web.conf" "$bindings/other.conf"
check "no file is left" systemctl reload checmated.service
check_output "and no binding" "" listed "$cg" '.'
rmdir "$cgroups$cg" "$cgroups$top/hand" "$cgroups$top"
check "nor any pin" wait_until 60 no_pins
check "nor any record" wait_until 60 no_records
check_match "checmated has lived through it" 'NRestarts=0' \
	systemctl show --property=NRestarts checmated.service
check "and ends when it is told to" systemctl stop checmated.service
check_match "without a failure" 'Result=success' \
	systemctl show --property=Result checmated.service
finish
