#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Containers that a user's podman starts: the hook is the same, and it asks as the
# user, who may ask for the cgroups that are the user's, and for no others.
#
# Takes: 60
#
# Functions are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

# shellcheck source=SCRIPTDIR/../lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=SCRIPTDIR/container.sh
. /usr/libexec/checmate/tests/system/container.sh

PATH=$tests:$PATH
ip link set lo up
user=checmate-rootless
useradd -m -s /bin/sh "$user"
uid=$(id -u "$user")

rootless_end() {
	as_user podman rm -fa -t 0 >/dev/null 2>&1
	systemctl stop "user@$uid.service" "user-runtime-dir@$uid.service" 2>/dev/null
	userdel -r "$user" 2>/dev/null
	case_end
}
trap rootless_end EXIT

# In a service of the user's manager, as in a login; what it leaves running stays.
as_user() {
	setpriv --reuid="$uid" --regid="$uid" --clear-groups env HOME="/home/$user" \
		XDG_RUNTIME_DIR="/run/user/$uid" \
		DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$uid/bus" \
		systemd-run --user --quiet --pipe --wait --collect --property=KillMode=process \
		"$@" 2>&1 </dev/null
}

first() {
	as_user podman run --rm --network=host "$@"
}

# joined PID COMMAND…: runs a process of the host in the cgroup of another.
joined() {
	joined_cgroup=$(sed 's/^0:://' "/proc/$1/cgroup")
	shift
	in_cgroup "$joined_cgroup" "$@" || :
}

binding rootless <<-'END'
	[Match]
	Annotation=org.checmate.role=web
	[Policy kernel-surface]
	DenyErrno=EPERM
	[Policy net-bind]
	Allow=0.0.0.0/0:8080
	DenyErrno=EACCES
END
call Reload >/dev/null

check "the user's manager starts" systemctl start "user@$uid.service"
image /tmp/probe.tar
check "the user's podman takes the image" as_user podman load -q -i /tmp/probe.tar
rm /tmp/probe.tar
web=org.checmate.role=web
check_match "an annotated container's first act is judged" '^EACCES$' \
	first --annotation=$web localhost/probe probe bind 0.0.0.0 9090
check_match "it may do what is allowed" '^ok$' \
	first --annotation=$web localhost/probe probe bind 0.0.0.0 8080
check_match "one that is given nothing is free" '^ok$' \
	first localhost/probe probe bind 0.0.0.0 9090

check "one is left running" as_user podman run -d --name=web --network=host \
	--annotation=$web localhost/probe probe pause
check "its program begins" wait_until 20 nothing_staged
pid=$(pgrep -u "$uid" -x probe)
cgroup=$(sed 's/^0:://; s,/container$,,' "/proc/$pid/cgroup")
check_match "it is below the user's manager" "^/user.slice/.*/user@$uid.service/.*libpod-.*\.scope\$" \
	echo "$cgroup"
check "and has the policies" has_policy "$cgroup" kernel-surface
check_output "who joins it is held" EACCES joined "$pid" probe bind 0.0.0.0 9090
check_match "so is podman exec" '^EACCES$' as_user podman exec web probe bind 0.0.0.0 9090

# --- whose cgroup it is ------------------------------------------------------

# ask UID CGROUP: asks for a cgroup as a user, and for the container's process.
ask() {
	setpriv --reuid="$1" --regid="$1" --clear-groups dbus-send --system --print-reply \
		--dest=org.checmate1 /org/checmate1 org.checmate1.Manager.ApplyContainer \
		string:web "uint32:$pid" "string:$2" "uint64:$(stat -c %i "$cgroups$2")" \
		string:crun dict:string:string:org.checmate.role,web
}

ids=$(attachments "$cgroup")
check_match "another user may not ask for it" 'is not one of user 65534' ask 65534 "$cgroup"
check_match "the user may not ask for one of the system's" "is not one of user $uid" \
	ask "$uid" /system.slice
check_match "nor for a unit, even if it is the user's own" 'is that of a unit' \
	ask "$uid" "/user.slice/user-$uid.slice/user@$uid.service"
check_match "nor for a cgroup in which the container is not" "its process $pid is in" \
	ask "$uid" "/user.slice/user-$uid.slice/user@$uid.service/init.scope"
check_match "nor tell something else of the container while it runs" \
	'is in its cgroup .* already' ask "$uid" "$cgroup"
check_output "nothing came of it" "$ids" attachments "$cgroup"
as_user podman rm -f -t 0 web >/dev/null

# --- those that do not start -------------------------------------------------

check_match "a mistyped annotation keeps a container from starting" 'error executing hook' \
	first --annotation=org.checmate.role=wbe localhost/probe probe bind 0.0.0.0 9090
check "the journal says why" wait_until 20 refusal 'no binding of checmated matches its annotations'
check_match "without a cgroup of its own it does not start either" 'error executing hook' \
	as_user podman --cgroup-manager=cgroupfs run --rm --network=host localhost/probe probe pause
check "of which the journal says why" wait_until 20 refusal 'holds the container and its runtime'

check "nothing is left of them all" wait_until 20 no_pins
finish
