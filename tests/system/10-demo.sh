#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What Checmate is for, from end to end: a container whose annotation makes
# checmated apply two policies, judged where it matters and nowhere else.
# ./demo shows this to a person, ./check system counts it; on a kernel without the
# controller it is ./demo --stock and ./check stock/6.12/10-demo.
#
# Functions are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

# shellcheck source=SCRIPTDIR/../lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=SCRIPTDIR/container.sh
. /usr/libexec/checmate/tests/system/container.sh

PATH=$tests:$PATH
step_count=0

# step TITLE
step() {
	step_count=$((step_count + 1))
	echo "#"
	echo "# == $step_count. $1"
}

# show COMMAND…: runs a command that prepares something; its failure is a point.
show() {
	echo "# \$ $*"
	if "$@" >"$tap_log" 2>&1 </dev/null; then
		sed 's/^/#     /' "$tap_log"
	else
		tap_point "not ok" "$* succeeds"
	fi
}

# expect NAME RESULT COMMAND…: the command prints RESULT.
expect() {
	expect_name=$1
	expect_want=$2
	shift 2
	"$@" >"$tap_log" 2>&1 </dev/null
	expect_result=$(cat "$tap_log")
	echo "# \$ $*"
	sed 's/^/#     /' "$tap_log"
	if [ "$expect_result" = "$expect_want" ]; then
		tap_point ok "$expect_name"
	else
		tap_point "not ok" "$expect_name" "'$expect_want' was expected"
	fi
}

# expect_failure NAME PATTERN COMMAND…: the command fails before long, saying so.
expect_failure() {
	expect_name=$1
	expect_want=$2
	shift 2
	wait_until 20 fails "$@"
	"$@" >"$tap_log" 2>&1 </dev/null
	expect_status=$?
	echo "# \$ $*"
	sed 's/^/#     /' "$tap_log"
	if [ "$expect_status" -ne 0 ] && grep -q "$expect_want" "$tap_log"; then
		tap_point ok "$expect_name"
	else
		tap_point "not ok" "$expect_name" "'$expect_want' was expected"
	fi
}

fails() {
	! "$@"
}

# attached CGROUP: the programs there, as the kernel tells them.
attached() {
	checmatectl status --json "$1" | jq -c '.local[] | [.hook, .prog, .id]'
}

same_programs() {
	[ "$(lsm_programs)" -eq "$programs_before" ]
}

parent=/checmate-demo
web=$parent/web
plain=$parent/plain

# --- preparations ------------------------------------------------------------

ip link set lo up
mkdir -p "$cgroups$parent"
probe listen 127.0.0.1 9001 >/dev/null &
listeners=$!
probe listen 127.0.0.1 9002 >/dev/null &
listeners="$listeners $!"
demo_end() {
	# shellcheck disable=SC2086
	kill $listeners 2>/dev/null
	case_end
	rmdir "$cgroups$parent" 2>/dev/null
}
trap demo_end EXIT
wait_until 10 probe connect 127.0.0.1 9001
wait_until 10 probe connect 127.0.0.1 9002

# shellcheck disable=SC2016
first_words='exec >/tmp/words
echo "bind 8080: $(probe bind 0.0.0.0 8080)"
echo "bind 9090: $(probe bind 0.0.0.0 9090)"
echo "connect 9001: $(probe connect 127.0.0.1 9001)"
echo "connect 9002: $(probe connect 127.0.0.1 9002)"
exec probe pause'
bundle before "$parent/before" '{}' sh -c "$first_words"
bundle plain "$plain" '{}' sh -c "$first_words"
bundle web "$web" '{ "org.checmate.demo": "web" }' sh -c "$first_words"
programs_before=$(lsm_programs)

# What the first process of container $1 said.
words() {
	wait_until 20 grep -q "connect 9002" "$bundles/$1/rootfs/tmp/words"
	echo "$bundles/$1/rootfs/tmp/words"
}

# --- the story ---------------------------------------------------------------

if backend_is checmate; then
	step "This kernel enforces policies of Checmate"
	expect "the controller is there" 1 grep -cw checmate "$cgroups/cgroup.controllers"
else
	step "This kernel knows nothing of Checmate, but has BPF programs judge"
	expect "bpf is among its security modules" 1 grep -cw bpf /sys/kernel/security/lsm
	expect "the controller is not there" 0 grep -cw checmate "$cgroups/cgroup.controllers"
fi
show checmatectl features
show uname -r

step "The administrator says what containers with an annotation may do"
binding demo <<-'END'
	[Match]
	Annotation=org.checmate.demo=web

	[Policy net-bind]
	Allow=0.0.0.0/0:8080
	DenyErrno=EACCES

	[Policy net-connect]
	Allow=127.0.0.1:9001
	DenyErrno=EPERM
END
show cat "$bindings/demo.conf"
show checmated --check-config
show systemctl restart checmated.service
expect "checmated runs" active systemctl is-active checmated.service

step "A container without the annotation binds and connects as ever"
show crun run --detach --bundle "$bundles/before" before
expect "its first process binds and connects" "bind 8080: ok
bind 9090: ok
connect 9001: ok
connect 9002: ok" cat "$(words before)"
show crun delete -f before

step "The container with the annotation gets its policies before it starts"
show crun run --detach --bundle "$bundles/plain" plain
show jq -c .annotations "$bundles/web/config.json"
show jq -c .hooks "$bundles/web/config.json"
show crun run --detach --bundle "$bundles/web" web
show checmatectl status "$web"
expect "both policies are in force" "net-bind
net-connect" ls "$pins/$(stat -c %i "$cgroups$web")"
expect "its first process is held by them" "bind 8080: ok
bind 9090: EACCES
connect 9001: ok
connect 9002: EPERM" cat "$(words web)"
ids=$(program_ids "$web")
attached=$(attached "$web")

step "A process that joins by crun exec is held by them too"
expect "allowed bind" ok crun exec web probe bind 0.0.0.0 8080
expect "forbidden bind" EACCES crun exec web probe bind 0.0.0.0 9090
expect "forbidden bind, IPv6" EACCES crun exec web probe bind :: 9090
expect "allowed connect" ok crun exec web probe connect 127.0.0.1 9001
expect "forbidden connect" EPERM crun exec web probe connect 127.0.0.1 9002
expect "forbidden datagram" EPERM crun exec web probe send 127.0.0.1 9002

step "And so is one that the container puts into a cgroup of its own"
expect "it is in a child cgroup" "0::/child" crun exec web in-child cat /proc/self/cgroup
expect "allowed bind" ok crun exec web in-child probe bind 0.0.0.0 8080
expect "forbidden bind" EACCES crun exec web in-child probe bind 0.0.0.0 9090
expect "forbidden connect" EPERM crun exec web in-child probe connect 127.0.0.1 9002

step "The container beside it and the host are not concerned"
expect "bind in the sibling" ok crun exec plain probe bind 0.0.0.0 9090
expect "connect in the sibling" ok crun exec plain probe connect 127.0.0.1 9002
expect "bind on the host" ok probe bind 0.0.0.0 9090
expect "connect on the host" ok probe connect 127.0.0.1 9002

step "A parameter changed live opens exactly what it names"
show checmatectl set "$web" net-bind allow=0.0.0.0/0:8080,0.0.0.0/0:9090
expect "the port that was added" ok crun exec web probe bind 0.0.0.0 9090
expect "the port that was allowed" ok crun exec web probe bind 0.0.0.0 8080
expect "its neighbour" EACCES crun exec web probe bind 0.0.0.0 9091
expect "the same port, IPv6" EACCES crun exec web probe bind :: 9090
expect "the other policy" EPERM crun exec web probe connect 127.0.0.1 9002
expect "no program was exchanged" "$attached" attached "$web"

step "Policies at two levels both hold"
show checmatectl apply "$parent" net-bind allow=0.0.0.0/0:8080 deny-errno=ENETDOWN
show checmatectl status "$web"
expect "both levels allow" ok crun exec web probe bind 0.0.0.0 8080
expect "only the container's allows" ENETDOWN crun exec web probe bind 0.0.0.0 9090
expect "neither allows: the nearest judges first" EACCES crun exec web probe bind 0.0.0.0 9091
expect "the sibling is below the parent as well" ENETDOWN crun exec plain probe bind 0.0.0.0 9090
expect "the host is not" ok probe bind 0.0.0.0 9090

step "What is removed is as it was"
show checmatectl remove "$parent" net-bind
expect "the sibling is free again" ok crun exec plain probe bind 0.0.0.0 9090
expect "the container has its own policy" ok crun exec web probe bind 0.0.0.0 9090
expect "and only that" EACCES crun exec web probe bind 0.0.0.0 9091
show checmatectl remove "$web" net-bind
expect "without it the container binds any port" ok crun exec web probe bind 0.0.0.0 9091
expect "the policy that stays holds" EPERM crun exec web probe connect 127.0.0.1 9002

step "A container that goes leaves nothing behind"
show crun delete -f web
show crun delete -f plain
expect_failure "its cgroup is gone" "No such file" ls "$cgroups$web"
wait_until 20 no_pins
expect "no pins are left" "" ls -I events "$pins"
for id in $ids; do
	expect_failure "its program is gone" "No such file" bpftool prog show id "$id"
done
wait_until 20 same_programs
expect "there are as many LSM programs as before" "$programs_before" \
	sh -c "bpftool prog list | grep -c ': lsm '"
finish
