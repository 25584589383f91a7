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

check "Remove takes one out of force" call Remove ss "$cg" net-bind
check_output "its port is open" ok bind_in "$cg" 9090
check_output "the other stays" '"net-connect"' listed "$cg" '.[2] | tojson'
check_match "what is not there cannot be removed" 'net-bind' call Remove ss "$cg" net-bind
check "Remove without a name takes all" call Remove ss "$cg" ""
check_output "nothing is listed" "" listed "$cg" '.'

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

rmdir "$cgroups$cg"
finish
