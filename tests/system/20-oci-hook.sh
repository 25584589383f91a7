#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# checmate-oci-hook: whatever is in the way, a container does not start without
# the policies that it is given; and the cgroup they go to is the right one.
#
# Takes: 60
#
# Functions are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

# shellcheck source=SCRIPTDIR/../lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=SCRIPTDIR/container.sh
. /usr/libexec/checmate/tests/system/container.sh

ip link set lo up
parent=/checmate-hook
mkdir -p "$cgroups$parent"
policies=/usr/lib/checmate/policies

give_state() {
	printf '%s' "$1" | "$hook"
}

# As somebody who has a bus of their own.
start_elsewhere() {
	(
		export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nonexistent
		start "$1"
	)
}

binding hook <<-'END'
	[Match]
	Annotation=org.checmate.role=web*
	Annotation=org.checmate.site=*
	[Policy net-bind]
	Allow=0.0.0.0/0:8080
	DenyErrno=EACCES
	[Policy net-connect]
	Allow=
	DenyErrno=EPERM
END
annotations='{ "org.checmate.role": "web-1", "org.checmate.site": "here", "other": "x" }'

# --- no daemon ---------------------------------------------------------------

systemctl stop checmated.service
systemctl mask --runtime --now checmated.service 2>/dev/null
bundle down "$parent/down" "$annotations" probe pause
check_match "without checmated the start fails and says why" \
	'checmate-oci-hook: container down: checmated is not running, .*unmask checmated.service' \
	start down
check "the container does not run" stopped down
crun delete -f down 2>/dev/null
check "its cgroup is gone" test ! -e "$cgroups$parent/down"
check "the journal says why too" wait_until 20 \
	refusal 'container down is not started: checmated is not running'
check_output "and where it was to be" "$parent/down" journalctl -q -o cat \
	--output-fields=CHECMATE_CGROUP CHECMATE_CONTAINER=down
bundle free "$parent/free" '{ "other": "x" }' probe pause
check_match "so does the start of one that asks for nothing" \
	'checmate-oci-hook: container free: checmated is not running' start free
crun delete -f free 2>/dev/null
systemctl unmask --runtime checmated.service 2>/dev/null

# --- the bus starts it -------------------------------------------------------

bundle web "$parent/web" "$annotations" probe pause
check "checmated is started by the bus when it is asked" start web
check_output "and runs" active systemctl is-active checmated.service
check_output "bind is judged" EACCES sh -c 'crun exec web probe bind 0.0.0.0 9090 || :'
check_output "connect is judged" EPERM sh -c 'crun exec web probe connect 127.0.0.1 1 || :'
crun delete -f web
check "its pins go with the cgroup" wait_until 20 no_pins

check "one that asks for nothing, and is given nothing, starts" start free
check_output "and may do everything" ok crun exec free probe bind 0.0.0.0 9090
crun delete -f free

# The runtime hands on its environment, which may name another bus.
bundle env "$parent/env" "$annotations" probe pause
check "the hook takes no bus from the environment" start_elsewhere env
check_output "and checmated has given what it should" EACCES \
	sh -c 'crun exec env probe bind 0.0.0.0 9090 || :'
crun delete -f env

# A daemon that goes while it is asked, and comes back, costs no start: the hook
# asks again. Stopped, it keeps the hook waiting until it is ended.
pid=$(systemctl show --property=MainPID --value checmated.service)
kill -STOP "$pid"
bundle again "$parent/again" "$annotations" probe pause
start again >"$bundles/again/start" 2>&1 &
starting=$!
check "the hook asks" wait_until 30 pgrep -x checmate-oci-ho
kill -KILL "$pid"
check "and asks the next daemon when one goes" wait "$starting"
check_output "whose answer holds" EACCES sh -c 'crun exec again probe bind 0.0.0.0 9090 || :'
crun delete -f again

# --- what does not match -----------------------------------------------------

bundle other "$parent/other" '{ "org.checmate.role": "db", "org.checmate.site": "x" }' probe pause
check_match "annotations of ours that match nothing are an error" \
	'container other: no binding of checmated matches its annotations; .*bindings.d' \
	start other
check "the container does not run" stopped other
bundle half "$parent/half" '{ "org.checmate.role": "web" }' probe pause
check_match "all Annotation= keys have to match" 'no binding of checmated matches' \
	start half

# --- the path and the annotations both say something -------------------------

binding 00-all <<-END
	[Match]
	Cgroup=$parent/*
	[Policy net-bind]
	DenyErrno=EROFS
END
call Reload >/dev/null
bundle both "$parent/both" "$annotations" probe pause
bundle path "$parent/path" '{ "other": "x" }' probe pause
check "a container that a path matches too starts" start both
check "so does one that only the path matches" start path
check_output "an annotation does not replace what the path's file gives" EROFS \
	sh -c 'crun exec both probe bind 0.0.0.0 9090 || :'
check_output "it adds what that file does not give" EPERM \
	sh -c 'crun exec both probe connect 127.0.0.1 1 || :'
check "the path alone counts before long" wait_until 20 has_policy "$parent/path" net-bind
check_output "as its file says" EROFS sh -c 'crun exec path probe bind 0.0.0.0 9090 || :'
ids=$(attachments "$parent/both")
call Reload >/dev/null
check_output "a reload leaves the container its policies" "$ids" attachments "$parent/both"
rm "$bindings/00-all.conf"
call Reload >/dev/null
check_output "when the path's file goes, the annotation's counts" EACCES \
	sh -c 'crun exec both probe bind 0.0.0.0 9090 || :'
check_output "which the other container notices" ok crun exec path probe bind 0.0.0.0 9090
crun delete -f both
crun delete -f path

# --- sealed ------------------------------------------------------------------

# The later file has the same policy. It counts, and the seal of the other does too.
binding seal <<-'END'
	[Match]
	Annotation=org.checmate.role=sealed
	[Binding]
	Seal=yes
	[Policy net-bind]
END
binding zz-seal <<-'END'
	[Match]
	Annotation=org.checmate.role=sealed
	[Policy net-bind]
	DenyErrno=EACCES
END
call Reload >/dev/null
bundle sealed "$parent/sealed" '{ "org.checmate.role": "sealed" }' \
	sh -c 'cat /sys/fs/cgroup/checmate.seal; probe bind 0.0.0.0 9090 || :'
check_output "a container is sealed before its first instruction" "1
EACCES" output sealed
check_not "its cgroup goes with it" test -e "$cgroups$parent/sealed"
link=/run/systemd/system/checmated.service.d/link.conf
mkdir -p "${link%/*}"
printf '[Service]\nEnvironment=CHECMATE_BACKEND=bpf-link\n' >"$link"
systemctl daemon-reload
systemctl restart checmated.service
check_match "a kernel that cannot seal starts no such container" \
	'container sealed: .*cannot seal' start sealed
check "it does not run" stopped sealed
rm -r "${link%/*}" "$bindings/seal.conf" "$bindings/zz-seal.conf"
systemctl daemon-reload
systemctl restart checmated.service

# --- a policy that is not there any more -------------------------------------

mv "$policies/net-connect.bpf.o" /tmp/net-connect.bpf.o
bundle gone "$parent/gone" "$annotations" probe pause
check_match "a policy that vanished is named" 'container gone: .*net-connect' start gone
check "the container does not run" stopped gone
check "the other policy is not left in force" no_pins
check_match "a reload refuses the file with its line" 'hook.conf:7: .*net-connect' call Reload
mv /tmp/net-connect.bpf.o "$policies/net-connect.bpf.o"
crun delete -f gone 2>/dev/null
bundle back "$parent/back" "$annotations" probe pause
check "with the policy back containers start again" start back
crun delete -f back

# --- parameters that the policy does not take --------------------------------

sed -i 's/^Allow=0.*/Allow=0.0.0.0:80800/' "$bindings/hook.conf"
check_match "a file with a wrong value is refused" 'hook.conf:5: .*80800' call Reload
bundle wrong "$parent/wrong" "$annotations" probe pause
check "what was loaded before is still given" start wrong
check_output "as it was" ok crun exec wrong probe bind 0.0.0.0 8080
crun delete -f wrong
systemctl stop checmated.service
check_match "a daemon that does not start with it starts no container" \
	'checmate-oci-hook: container wrong: checmated' start wrong
check "the container does not run" stopped wrong
crun delete -f wrong 2>/dev/null
sed -i 's/^Allow=0.*/Allow=0.0.0.0\/0:8080/' "$bindings/hook.conf"
systemctl reset-failed checmated.service 2>/dev/null
check "with the file corrected it does" start wrong
crun delete -f wrong

# --- listed paths ------------------------------------------------------------

# They are those of the container, with what the runtime mounts there.
binding paths <<-'END'
	[Match]
	Annotation=org.checmate.paths=*
	[Policy secrets]
	Files=/bin/sh /none /proc/version
END
call Reload >/dev/null
bundle paths "$parent/paths" '{ "org.checmate.paths": "" }' probe pause
link='secrets: files: /bin/sh is a symbolic link to busybox; list /bin/busybox'
check_match "a listed link of the container is told" \
	"^checmate-oci-hook: container paths: warning: $link\$" start paths
check_match "and what does not exist there" 'warning: secrets: files: /none does not exist' \
	cat "$bundles/paths/hook"
check_output "and nothing else" 2 grep -c warning "$bundles/paths/hook"
check "the journal says it too" wait_until 20 sh -c \
	"journalctl -q -o cat CHECMATE_CONTAINER=paths | grep -qx 'container paths: $link'"
check "the policy is on the container" has_policy "$parent/paths" secrets
crun delete -f paths
rm "$bindings/paths.conf"
call Reload >/dev/null

# --- which cgroup ------------------------------------------------------------

bundle scope "system.slice:checmate:scope" "$annotations" probe pause
check "a container in a systemd scope starts" start scope --systemd-cgroup
check "the policies are on the scope" has_policy /system.slice/checmate-scope.scope net-bind
check_output "its processes are judged" EACCES \
	sh -c 'crun exec scope probe bind 0.0.0.0 9090 || :'
check_output "nothing is bound to the inner cgroup" "" sh -c \
	"grep -h prog= $cgroups/system.slice/checmate-scope.scope/*/checmate.policy 2>/dev/null || :"
crun delete -f scope

# Annotations put the process below its container's cgroup, which the container can see.
below=$(jq -c '. + { "run.oci.systemd.subgroup": "x", "run.oci.delegate-cgroup": "y.scope" }' \
	<<-END
	$annotations
	END
)
bundle subgroup "system.slice:checmate:subgroup" "$below" probe pause
check "a container that names cgroups below its scope starts" start subgroup --systemd-cgroup
check "the policies are on the scope" has_policy /system.slice/checmate-subgroup.scope net-bind
crun delete -f subgroup
id=$(printf '%064d' 1)
bundle "$id" "$parent/libpod-$id" "$below" /bin/up probe bind 0.0.0.0 9090
cat >"$bundles/$id/rootfs/bin/up" <<-'END'
	#!/bin/sh
	/bin/mkdir /sys/fs/cgroup/z
	echo $$ >/sys/fs/cgroup/z/cgroup.procs
	/bin/cat /proc/self/cgroup
	"$@" || :
END
chmod 755 "$bundles/$id/rootfs/bin/up"
check_output "one that moves elsewhere within what it sees is held there" '0::/z
EACCES' output "$id"
bundle delegate "$parent/delegate" "$below" probe pause
check_match "one whose cgroup has no name to go by is refused" \
	'annotation run.oci.[a-z.-]* puts the process below the container.s cgroup' \
	start delegate
check "it does not run" stopped delegate

# A pod's author writes another engine's keys, or another engine.
pod='{ "io.container.manager": "cri-o",
	"io.kubernetes.pod.namespace": "shop", "io.kubernetes.pod.name": "web" }'
bundle "$id" "$parent/crio-$id" "$pod" probe pause
check "a container of a pod starts" start "$id"
crun delete -f "$id"
edit "$id" '.annotations += { "io.kubernetes.cri.sandbox-namespace": "kube-system",
	"io.kubernetes.cri.sandbox-name": "web" }'
check_match "one that is of two pods is refused" \
	'annotations io.kubernetes.cri.sandbox-name and io.kubernetes.pod.name name two pods' \
	start "$id"
check "it does not run" stopped "$id"
edit "$id" 'del(.annotations["io.kubernetes.cri.sandbox-namespace"]) |
	.annotations["io.container.manager"] = "libpod"'
check_match "so is one of two engines" \
	"annotation io.container.manager does not name cri-o, whose cgroup $parent/crio-$id is" \
	start "$id"
check "it does not run" stopped "$id"

bundle shared "$parent/shared" "$annotations" probe pause
check_not "a container without a cgroup of its own is refused" \
	start shared --cgroup-manager=disabled

# A container has its cgroup for itself, and stays what it was told to be.
bundle alone "$parent/alone" "$annotations" probe pause
check "a container runs" start alone
alone=$(stat -c %i "$cgroups$parent/alone")
sleep 600 &
second=$!
echo "$second" >"$cgroups$parent/alone/cgroup.procs"
check_match "a second one in a cgroup whose first still runs is refused" \
	"container second: container alone is in its cgroup $parent/alone already" \
	call ApplyContainer 'sustsa{ss}' second "$second" "$parent/alone" "$alone" crun 0
check_match "so is something else that is told of the first" 'is in its cgroup .* already' \
	call ApplyContainer 'sustsa{ss}' alone "$(crun state alone | jq -r .pid)" \
	"$parent/alone" "$alone" crun 0
call Reload >/dev/null
check_output "which keeps its policies" EACCES \
	sh -c 'crun exec alone probe bind 0.0.0.0 9090 || :'
kill "$second"
wait "$second" 2>/dev/null
crun delete -f alone
check "when it goes so do its pins" wait_until 60 no_pins

check_match "the root cgroup is refused" 'root cgroup; .*cgroupsPath' give_state \
	'{"id":"a","pid":2,"annotations":{"org.checmate.role":"web"}}'
check_match "the cgroup of the runtime is refused" 'holds the container and its runtime' \
	give_state "{\"id\":\"a\",\"pid\":$$,\"annotations\":{\"org.checmate.role\":\"web\"}}"
check_match "a process that is gone is told" 'process 2147483647 is gone' give_state \
	'{"id":"a","pid":2147483647,"annotations":{"org.checmate.role":"web"}}'

# What the hook would not say, said by root.
mkdir "$cgroups$parent/other"
other=$(stat -c %i "$cgroups$parent/other")
check_match "a cgroup in which the process is not is refused" \
	"its process $$ is in .* and not in $parent/other" \
	call ApplyContainer 'sustsa{ss}' name $$ "$parent/other" "$other" crun 0
check_match "so is one that has another id by now" 'is not the one it was' \
	call ApplyContainer 'sustsa{ss}' name $$ "$parent/other" 1 crun 0
check_match "and one that is not there" 'cgroup /no/such' \
	call ApplyContainer 'sustsa{ss}' name $$ /no/such 1 crun 0
check_output "after which nothing is bound" "" list_pins
rmdir "$cgroups$parent/other"

# --- states ------------------------------------------------------------------

check_match "without annotations too the root cgroup is refused" 'root cgroup' \
	give_state '{"id":"a","pid":2}'
check_match "a container that runs already is refused" "'status' is not .*createRuntime" \
	give_state '{"id":"a","pid":1,"status":"running"}'
check_match "so is one that runc restores" "'status' is not .*restoring" \
	give_state '{"id":"a","pid":1,"status":"stopped"}'
check_status "half a state is refused" 1 give_state '{"id":"a","pid":1'
check_match "and said to be no JSON" 'container state is not JSON' give_state '{"id":"a","pid":1'
check_match "no state at all is told" 'no container state on standard input' give_state ''
check_match "a wrong pid is told" "'pid' is not a process's number" give_state '{"id":"a","pid":-1}'
check_match "annotations of a wrong kind are told" "annotation 'b' is not a plain string" \
	give_state '{"id":"a","pid":1,"annotations":{"b":[]}}'
check_match "what stands in it is not a terminal's to obey" "annotation '.033\[2J' is not" \
	give_state '{"id":"a","pid":1,"annotations":{"\u001b[2J":[]}}'
check_match "too large a state is told" 'more than 1048576 bytes' \
	sh -c "head -c 1048577 /dev/zero | $hook"
check_status "arguments that are unknown are refused" 1 "$hook" --nonsense

rmdir "$cgroups$parent"
finish
