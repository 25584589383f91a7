#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What Checmate is for, from end to end: a container whose annotation makes
# checmated give it two policies before its first instruction, and a service whose
# unit file asks for one; judged where it matters and nowhere else, put back when
# somebody takes them away, and in force when the daemon is not.
# ./demo shows this to a person, ./check system counts it; on a kernel without the
# controller it is ./demo --stock and ./check stock/6.12/10-demo.
#
# Takes: 70
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

another_daemon() {
	[ "$(systemctl is-active checmated.service)" = active ] &&
		[ "$(systemctl show -P MainPID checmated.service)" != "$1" ]
}

# unit_said N: the service has said so many lines.
unit_said() {
	[ "$(wc -l </run/demo.said)" -ge "$1" ]
}

# answers RESULT COMMAND…: the command prints it.
answers() {
	answers_want=$1
	shift
	[ "$("$@" 2>/dev/null)" = "$answers_want" ]
}

parent=/checmate-demo
web=$parent/web
plain=$parent/plain
units=/run/systemd/system

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
	podman rm -fa -t 0 >/dev/null 2>&1
	podman rmi -fa >/dev/null 2>&1
	rm -f /tmp/probe.tar
	systemctl stop demo.service 2>/dev/null
	rm -rf "$units"/demo.service* /run/demo.said
	systemctl daemon-reload
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
image /tmp/probe.tar
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
show checmatectl config verify
show systemctl restart checmated.service
expect "checmated runs" active systemctl is-active checmated.service

step "A container without the annotation binds and connects as ever"
show crun run --detach --bundle "$bundles/plain" plain
expect "its first process binds and connects" "bind 8080: ok
bind 9090: ok
connect 9001: ok
connect 9002: ok" cat "$(words plain)"

step "The container with the annotation has its policies before its first instruction"
show jq -c .annotations "$bundles/web/config.json"
show jq -c .hooks "$bundles/web/config.json"
show crun run --detach --bundle "$bundles/web" web
expect "its first process is held by them" "bind 8080: ok
bind 9090: EACCES
connect 9001: ok
connect 9002: EPERM" cat "$(words web)"
show checmatectl status "$web"
ids=$(program_ids "$web")
attached=$(attached "$web")

step "A process that joins is held too, in a cgroup of its own as well"
expect "allowed bind" ok crun exec web probe bind 0.0.0.0 8080
expect "forbidden bind" EACCES crun exec web probe bind 0.0.0.0 9090
expect "forbidden bind, IPv6" EACCES crun exec web probe bind :: 9090
expect "forbidden datagram" EPERM crun exec web probe send 127.0.0.1 9002
expect "it is in a child cgroup" "0::/child" crun exec web in-child cat /proc/self/cgroup
expect "forbidden bind" EACCES crun exec web in-child probe bind 0.0.0.0 9090

step "The container beside it and the host are not concerned"
expect "bind in the sibling" ok crun exec plain probe bind 0.0.0.0 9090
expect "connect in the sibling" ok crun exec plain probe connect 127.0.0.1 9002
expect "bind on the host" ok probe bind 0.0.0.0 9090

step "A file that changes opens exactly what it names, in the running container"
show sed -i 's/^Allow=0.*/& 0.0.0.0\/0:9090/' "$bindings/demo.conf"
show systemctl reload checmated.service
expect "the port that was added" ok crun exec web probe bind 0.0.0.0 9090
expect "its neighbour" EACCES crun exec web probe bind 0.0.0.0 9091
expect "the same port, IPv6" EACCES crun exec web probe bind :: 9090
expect "the other policy" EPERM crun exec web probe connect 127.0.0.1 9002
expect "no program was exchanged" "$attached" attached "$web"

step "What somebody takes away behind the daemon's back is put back"
show checmatectl remove "$web" net-connect
# Without the controller there is nothing that would tell of it: the next reload does.
backend_is checmate || show systemctl reload checmated.service
wait_until 20 answers EPERM crun exec web probe connect 127.0.0.1 9002
expect "it is in force again" EPERM crun exec web probe connect 127.0.0.1 9002

step "The daemon is killed, and everything stays in force"
daemon=$(systemctl show -P MainPID checmated.service)
show systemctl kill --signal=KILL checmated.service
expect "forbidden bind" EACCES crun exec web probe bind 0.0.0.0 9091
expect "forbidden connect" EPERM crun exec web probe connect 127.0.0.1 9002
wait_until 30 another_daemon "$daemon"
attached=$(attached "$web")
expect "the next one knows what holds" "net-bind
net-connect" sh -c "checmatectl status --json $web | jq -r '.local[].policy' | sort -u"
show systemctl mask --runtime --now checmated.service
expect_failure "without any, no container starts" "hook" \
	crun run --detach --bundle "$bundles/before" before
show cat "$bundles/before/hook"
expect "what runs is held all the same" EACCES crun exec web probe bind 0.0.0.0 9091
show systemctl unmask --runtime checmated.service
show systemctl start checmated.service
expect "and nothing was exchanged" "$attached" attached "$web"

step "A service asks for its policy in its unit file"
mkdir -p "$units"
cat >"$units/demo.service" <<-END
	[Service]
	ExecStart=/bin/sh -c 'probe bind 0.0.0.0 8080; probe bind 0.0.0.0 9090; exec sleep 1000'
	Environment=PATH=$tests:/usr/bin
	StandardOutput=file:/run/demo.said

	[X-Checmate]
	Policy=net-bind

	[X-Checmate net-bind]
	Allow=0.0.0.0/0:8080
	DenyErrno=EROFS
END
show cat "$units/demo.service"
show systemctl daemon-reload
show systemctl start demo.service
wait_until 20 unit_said 2
expect "its first command is held" "ok
EROFS" cat /run/demo.said
show checmatectl status demo.service
sed -i 's/^Policy=.*/Policy=net-bnd/' "$units/demo.service"
show systemctl daemon-reload
expect_failure "one whose policy there is not does not start" "failed" \
	systemctl restart demo.service
expect "and says why" 1 sh -c "journalctl -q -o cat -u demo.service | grep -c -m 1 net-bnd"

step "Containers of podman need not ask for the hook: it is installed for it"
show podman load -q -i /tmp/probe.tar
show podman run -d --name pod --network=host --annotation org.checmate.demo=web \
	localhost/probe sh -c 'probe bind 0.0.0.0 9091 >/tmp/words; exec probe pause'
wait_until 20 answers EACCES podman exec pod cat /tmp/words
expect "the first act of one with the annotation is held" EACCES podman exec pod cat /tmp/words
expect_failure "one with an annotation that no file knows does not start" "hook" \
	podman run --rm --network=host --annotation org.checmate.demo=wbe localhost/probe id
show podman rm -f -t 0 pod

step "What goes leaves nothing behind"
show crun delete -f web
show crun delete -f plain
expect_failure "the container's cgroup is gone" "No such file" ls "$cgroups$web"
wait_until 20 no_pins
expect "no pins are left" "" list_pins
for id in $ids; do
	expect_failure "its program is gone" "No such file" bpftool prog show id "$id"
done
wait_until 20 same_programs
expect "there are as many LSM programs as before" "$programs_before" \
	sh -c "bpftool prog list | grep -c ': lsm '"
finish
