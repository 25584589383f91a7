#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# checmated's interface on the bus: what the methods do, what they refuse, and who
# may call them.
#
# Functions are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

# shellcheck source=SCRIPTDIR/../lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=SCRIPTDIR/container.sh
. /usr/libexec/checmate/tests/system/container.sh

PATH=$tests:$PATH
ip link set lo up
systemctl start demo.slice
cg=/checmate-bus
rules=/etc/polkit-1/rules.d/49-checmate-test.rules
mkdir -p "$cgroups$cg" "$bindings" "${rules%/*}"

bus_end() {
	rm -f "$rules"
	systemctl unmask --runtime polkit.service 2>/dev/null
	case_end
}
trap bus_end EXIT

# What checmated lists of cgroup $1, filtered by the jq program $2.
listed() {
	call ListBindings | jq -rc --arg cgroup "$1" ".data[0][] | select(.[0] == \$cgroup) | $2"
}

# Prints what came of binding port $2 in cgroup $1.
bind_in() {
	in_cgroup "$1" probe bind 0.0.0.0 "$2" || :
}

as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

nobody_calls() {
	as_nobody busctl --json=short --allow-interactive-authorization=no call org.checmate1 \
		/org/checmate1 org.checmate1.Manager "$@"
}

# Name and text of the error that a method with strings as arguments ends with.
error_of() {
	error_method=$1
	shift
	dbus-send --system --print-reply --dest=org.checmate1 /org/checmate1 \
		"org.checmate1.Manager.$error_method" "$@" 2>&1
}

# The values of two parameters.
parameters() {
	call GetParameters ss "$1" "$2" | jq -r '.data[0]' | jq -r '"\(.allow) \(.["deny-errno"])"'
}

property() {
	busctl get-property org.checmate1 /org/checmate1 org.checmate1.Manager "$1"
}

check "checmated starts" systemctl restart checmated.service

# --- changes -------------------------------------------------------------------

check "Apply puts two policies in force" call Apply 'sa(sas)a{sv}' "$cg" 2 \
	net-bind 2 allow=0.0.0.0/0:8080 deny-errno=EACCES net-connect 1 deny-errno=EPERM 0
check_output "what is allowed works" ok bind_in "$cg" 8080
check_output "what is not fails" EACCES bind_in "$cg" 9090
check_output "as the other policy says" EPERM sh -c \
	"echo \$\$ >$cgroups$cg/cgroup.procs; probe connect 127.0.0.1 1 || :"
check_output "ListBindings has both" "$(printf '%s\n' 'net-bind enforce manual EACCES' \
	'net-connect enforce manual EPERM')" \
	listed "$cg" '"\(.[2]) \(.[3]) \(.[4]) \(.[5]["deny-errno"])"'
check_output "and the cgroup's id" "$(stat -c %i "$cgroups$cg")" \
	listed "$cg" 'select(.[2] == "net-bind") | .[1]'

check_match "a policy that is in force cannot be applied again" 'net-bind' \
	call Apply 'sa(sas)a{sv}' "$cg" 1 net-bind 0 0
check_match "an unknown policy is named" 'no-such' \
	call Apply 'sa(sas)a{sv}' "$cg" 1 no-such 0 0
check_match "an unknown parameter is named" 'nonsense' \
	call Apply 'sa(sas)a{sv}' "$cg" 1 net-connect 1 nonsense=1 0
check_match "a bad value is named" 'a-port' \
	call Apply 'sa(sas)a{sv}' "$cg" 1 net-connect 1 allow=a-port 0
check_match "a parameter without a value is named" "'allow' is not of the form" \
	call Apply 'sa(sas)a{sv}' "$cg" 1 net-connect 1 allow 0
check_match "a path is no policy" 'is not a policy name' \
	call Apply 'sa(sas)a{sv}' "$cg" 1 /tmp/net-connect.bpf.o 0 0
check_match "no policy at all is told" 'no policy was given' \
	call Apply 'sa(sas)a{sv}' "$cg" 0 0
check_match "an unknown option is named" "'replace'" \
	call Apply 'sa(sas)a{sv}' "$cg" 1 net-connect 0 1 replace b true
check_match "so is a mode" "'relaxed'" \
	call Apply 'sa(sas)a{sv}' "$cg" 1 net-connect 0 1 mode s relaxed
check_match "and an option of another type" "'mode'.*type 'b'" \
	call Apply 'sa(sas)a{sv}' "$cg" 1 net-connect 0 1 mode b true
check_match "a cgroup that is not there is named" '/no/such' \
	call Apply 'sa(sas)a{sv}' /no/such 1 net-bind 0 0
check_output "after all that both policies hold" "net-bind net-connect" \
	sh -c "ls $pins/$(stat -c %i "$cgroups$cg") | xargs"

check "Replace puts another instance in its place" call Replace 'sa(sas)a{sv}' "$cg" 1 \
	net-bind 2 allow=0.0.0.0/0:7070 deny-errno=EPERM 0
check_output "which judges otherwise" EPERM bind_in "$cg" 8080
check_output "in all" ok bind_in "$cg" 7070
check "SetParameters changes it" call SetParameters ssas "$cg" net-bind 1 allow=0.0.0.0/0:9090
check_output "at once" ok bind_in "$cg" 9090
check_output "and entirely" EPERM bind_in "$cg" 7070
check_output "GetParameters has that" '0.0.0.0/0:9090 EPERM' parameters "$cg" net-bind
check_match "a bad value is refused" 'a-port' \
	call SetParameters ssas "$cg" net-bind 2 deny-errno=EACCES allow=a-port
check_output "the former stays" ok bind_in "$cg" 9090
check_output "and what stood before it" '0.0.0.0/0:9090 EPERM' parameters "$cg" net-bind
check "SetMode lets pass what is denied" call SetMode sss "$cg" net-bind permissive
check_output "which is so" ok bind_in "$cg" 7070
check_output "and listed" permissive listed "$cg" 'select(.[2] == "net-bind") | .[3]'
check "and back" call SetMode sss "$cg" net-bind enforce
check_output "it is denied again" EPERM bind_in "$cg" 7070
check_output "two bindings are counted" "u 2" property Bindings

check "Remove takes one out of force" call Remove ss "$cg" net-bind
check_output "its port is open" ok bind_in "$cg" 8080
check_output "the other stays" '"net-connect"' listed "$cg" '.[2] | tojson'
check_match "what is not there cannot be removed" 'net-bind' call Remove ss "$cg" net-bind
check "Remove without a name takes all" call Remove ss "$cg" ""
check_output "nothing is listed" "" listed "$cg" '.'
check_output "nor counted" "u 0" property Bindings

check "Apply can have it only told" call Apply 'sa(sas)a{sv}' "$cg" 1 net-bind 0 1 \
	mode s permissive
check_output "what it would deny passes" ok bind_in "$cg" 8080
check "a cgroup can be named by its id" call Remove ss "id:$(stat -c %i "$cgroups$cg")" net-bind
check "and by its unit" call Apply 'sa(sas)a{sv}' demo.slice 1 net-connect 0 0
check_output "which is where it is" net-connect listed /demo.slice '.[2]'
call Remove ss /demo.slice "" >/dev/null
check_match "a process names none for a change" 'a process id' call Seal s "$$"

mkdir "$cgroups$cg/sealed"
call Apply 'sa(sas)a{sv}' "$cg/sealed" 1 net-bind 0 0 >/dev/null
check "Seal seals" call Seal s "$cg/sealed"
check_match "what is sealed stays" 'org\.checmate1\.Error\.Sealed' \
	error_of Remove "string:$cg/sealed" string:net-bind
check_output "as the kernel says" "net-bind" listed "$cg/sealed" '.[2]'
rmdir "$cgroups$cg/sealed"

# --- files ---------------------------------------------------------------------

mkdir "$cgroups$cg/file"
binding file <<-END
	[Match]
	Cgroup=$cg/file
	[Policy net-bind]
	DenyErrno=EACCES
END
check "Reload takes a new file" call Reload
check_output "it is among the files" "as 1 \"$bindings/file.conf\"" property BindingFiles
check_match "what a file gives is not removed" "Error\.Configured.*$bindings/file\.conf" \
	error_of Remove "string:$cg/file" string:net-bind
check_match "nor changed" "Error\.Configured.*$bindings/file\.conf" \
	error_of SetParameters "string:$cg/file" string:net-bind array:string:allow=
check_match "nor relaxed" "Error\.Configured.*$bindings/file\.conf" \
	error_of SetMode "string:$cg/file" string:net-bind string:permissive
check_output "it is in force" EACCES bind_in "$cg/file" 9090
echo nonsense >"$bindings/wrong.conf"
check_match "a wrong file is refused" "Error\.ConfigRefused.*$bindings/wrong\.conf:1: " \
	error_of Reload
check_output "the files in use stay" "as 1 \"$bindings/file.conf\"" property BindingFiles
rm "$bindings/wrong.conf" "$bindings/file.conf"
call Reload >/dev/null
check_output "without it nothing is given" ok bind_in "$cg/file" 9090
rmdir "$cgroups$cg/file"

# --- looking -------------------------------------------------------------------

# document JQ METHOD SIGNATURE ARGUMENT…: what a method returns, through jq.
document() {
	document_filter=$1
	shift
	call "$@" | jq -r '.data[0]' | jq -Scr "$document_filter"
}

call Apply 'sa(sas)a{sv}' "$cg" 1 net-bind 1 deny-errno=EACCES 0 >/dev/null
check_output "GetStatus tells what checmatectl does" \
	"$(checmatectl status --json "$cg" | jq -Sc .)" document . GetStatus s "$cg"
check_output "and of all bindings" \
	"$(checmatectl status --json | jq -Sc .)" document . GetStatus s ""
check_output "so does GetTree" "$(checmatectl tree --json | jq -Sc .)" \
	document . GetTree sb "" false
check_output "and Explain" \
	"$(checmatectl explain --json "$cg" socket_bind | jq -Sc .)" \
	document . Explain ss "$cg" socket_bind
check_match "a hook that there is not is named" 'no_such_hook' \
	call Explain ss "$cg" no_such_hook
check_output "a process stands for its cgroup" "$(sed 's/^0:://' /proc/self/cgroup)" \
	document .cgroup GetStatus s "$$"
check_output "ListPolicies has all" "$(checmatectl policy list --json | jq length)" \
	sh -c "$(command -v busctl) --json=short call org.checmate1 /org/checmate1 \
		org.checmate1.Manager ListPolicies | jq '.data[0] | length'"
check_output "Version is that of the tools" "s \"$(checmatectl --version | cut -d' ' -f2)\"" \
	property Version
check_output "and Backend" "s \"$(checmatectl features --json | jq -r .backend)\"" \
	property Backend
call Remove ss "$cg" "" >/dev/null

# --- who may --------------------------------------------------------------------

check_match "errors have names of their own" 'org\.checmate1\.Error\.NotFound' \
	error_of Remove string:/no/such string:
check_match "nobody may change anything without a password" \
	'InteractiveAuthorizationRequired.*org\.checmate1\.manage.*user 65534.*root' \
	as_nobody dbus-send --system --print-reply --dest=org.checmate1 /org/checmate1 \
	org.checmate1.Manager.Remove "string:$cg" string:
check_not "nor reload" nobody_calls Reload
check_match "nor see anything without a session" 'org\.checmate1\.inspect' \
	nobody_calls ListBindings
check_match "malformed requests are refused at once" 'is not a policy name' \
	nobody_calls Remove ss "$cg" ../x
check_match "a cgroup of root's takes no container of nobody's" 'Access denied' nobody_calls \
	ApplyContainer 'sustsa{ss}' me $$ "$cg" "$(stat -c %i "$cgroups$cg")" crun 0

# Whether there are entries on nobody's refused requests, and fewer than requests.
few_entries() {
	few_n=$(journalctl -q -o cat -u checmated.service MESSAGE_ID=aadbc78fac1947a9838bf1af64792b48 |
		grep -c 'ApplyContainer of user 65534: .*not one of user')
	[ "$few_n" -ge 1 ] && [ "$few_n" -lt 7 ]
}
for _ in 1 2 3 4 5 6; do
	nobody_calls ApplyContainer 'sustsa{ss}' me $$ "$cg" "$(stat -c %i "$cgroups$cg")" crun 0
done >/dev/null 2>&1
check "the journal has such refusals, and not each" wait_until 20 few_entries

cat >"$rules" <<-END
	polkit.addRule(function(action, subject) {
		if (action.id == "org.checmate1.inspect" && subject.user == "nobody")
			return polkit.Result.YES;
		if (action.id == "org.checmate1.manage" && subject.user == "nobody" &&
		    action.lookup("target") == "$cg" && action.lookup("method") == "Remove")
			return polkit.Result.YES;
	});
END
check "a rule of polkit's lets nobody look" wait_until 20 nobody_calls ListBindings
check_match "not at what is denied to others" '"data":\[[^,]*,false\]' nobody_calls OpenEvents
check_match "which root sees" '"data":\[[^,]*,true\]' call OpenEvents
call Apply 'sa(sas)a{sv}' "$cg" 1 net-bind 0 0 >/dev/null
check "and remove what is in one cgroup" nobody_calls Remove ss "$cg" net-bind
check_output "which is done" "" listed "$cg" '.'
check_not "not in another" nobody_calls Remove ss /init.scope net-bind
check_not "nor anything else" nobody_calls Apply 'sa(sas)a{sv}' "$cg" 1 net-bind 0 0

systemctl mask --runtime --now polkit.service 2>/dev/null
check_match "without polkit only root may" 'AccessDenied.*only root' as_nobody dbus-send --system \
	--print-reply --dest=org.checmate1 /org/checmate1 org.checmate1.Manager.ListBindings
check "who still may" call ListBindings
systemctl unmask --runtime polkit.service 2>/dev/null
check "with polkit all is as it was" wait_until 20 nobody_calls ListBindings
rm "$rules"

# --- containers without root ------------------------------------------------------

mkdir "$cgroups$cg/user"
chown 65534:65534 "$cgroups$cg/user"
id=$(stat -c %i "$cgroups$cg/user")
sh -c "echo \$\$ >$cgroups$cg/user/cgroup.procs && exec $tests/probe pause" &
pid=$!
check "a process is in it" wait_until 20 grep -qx "$pid" "$cgroups$cg/user/cgroup.procs"
check_output "who owns a cgroup may have a container in it, which no file is for" \
	'{"type":"as","data":[[]]}' \
	nobody_calls ApplyContainer 'sustsa{ss}' me "$pid" "$cg/user" "$id" crun 0
check_match "but not in what has come to be there since" 'Access denied' \
	nobody_calls ApplyContainer 'sustsa{ss}' me "$pid" "$cg/user" "$((id + 1))" crun 0
check_match "nor in a path that leads elsewhere" 'Call failed' \
	nobody_calls ApplyContainer 'sustsa{ss}' me "$pid" "$cg/user/../../init.scope" "$id" crun 0
check_match "root has to tell the right one as well" 'not the one it was' \
	call ApplyContainer 'sustsa{ss}' me "$pid" "$cg/user" 1 crun 0
check_match "and not the root" 'root cgroup' \
	call ApplyContainer 'sustsa{ss}' me "$pid" / 1 crun 0
check_match "nor with a process that is elsewhere" 'not in' \
	nobody_calls ApplyContainer 'sustsa{ss}' me $$ "$cg/user" "$id" crun 0
kill "$pid"
check "it ends" wait_until 20 rmdir "$cgroups$cg/user"

# --- signals ----------------------------------------------------------------------

heard=$(mktemp -d)
# listen NAME GROUP…: has nobody, with these groups, listen.
listen() {
	listen_to=$heard/$1
	shift
	setpriv --reuid=65534 --regid=65534 "$@" stdbuf -oL dbus-monitor --system \
		"type='signal',path='/org/checmate1'" >"$listen_to" 2>/dev/null &
}
# Has everything told of, until $1 has heard of $2: it may not have listened before.
told() {
	call Apply 'sa(sas)a{sv}' "$cg" 1 net-bind 1 deny-errno=EACCES 0 >/dev/null
	call SetParameters ssas "$cg" net-bind 1 deny-errno=EPERM >/dev/null
	call SetMode sss "$cg" net-bind permissive >/dev/null
	call Replace 'sa(sas)a{sv}' "$cg" 1 net-bind 1 deny-errno=EACCES 0 >/dev/null
	bind_in "$cg" 9090 >/dev/null
	call Remove ss "$cg" net-bind >/dev/null
	call Reload >/dev/null
	grep -q "$2" "$heard/$1"
}
listen nobody --clear-groups
nobody_listens=$!
listen journal "--groups=$(getent group systemd-journal | cut -d: -f3)"
journal_listens=$!
check "who may read the journal hears of denials" wait_until 60 told journal 'member=Denied'
# It may have begun in the middle of these, and hears all of the next.
told journal 'member=Denied' || :
check "and of changes" wait_until 20 grep -q 'member=BindingChanged' "$heard/journal"
for change in applied parameters mode replaced removed; do
	check "as $change" wait_until 20 grep -q "string \"$change\"" "$heard/journal"
done
check "with the object" grep -q 'string ".*0\.0\.0\.0:9090"' "$heard/journal"
check_match "they are counted" '^t [1-9]' property EventsRead
check "others hear of other binding files" wait_until 60 told nobody 'member=PropertiesChanged'
# checmated sends signals while it starts, and does not own its name yet.
mkdir "$cgroups$cg/start"
binding start <<-END
	[Match]
	Cgroup=$cg/start
	[Policy net-bind]
END
systemctl restart checmated.service
check "who may read the journal hears of what a start changes" \
	wait_until 60 grep -q "string \"$cg/start\"" "$heard/journal"
reloads=$(grep -c 'member=PropertiesChanged' "$heard/nobody")
more_reloads() {
	[ "$(grep -c 'member=PropertiesChanged' "$heard/nobody")" -gt "$reloads" ]
}
rm "$bindings/start.conf"
call Reload >/dev/null
check "others hear of what comes after" wait_until 60 more_reloads
check_output "and of no binding and no denial" 0 sh -c \
	"grep -Ec 'member=(Denied|BindingChanged)' '$heard/nobody' || :"
rmdir "$cgroups$cg/start"
kill "$nobody_listens" "$journal_listens"

check_match "checmated has lived through it all" 'NRestarts=0' \
	systemctl show --property=NRestarts checmated.service
rm -r "$heard"
rmdir "$cgroups$cg"
systemctl stop demo.slice
finish
