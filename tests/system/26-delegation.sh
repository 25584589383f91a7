#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A user's own manager, sessions and containers below policies: what the user does with
# cgroups that systemd has delegated can only tighten.
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
user=checmate-delegatee
useradd -m -s /bin/sh "$user"
uid=$(id -u "$user")
slice=/user.slice/user-$uid.slice
manager=$slice/user@$uid.service

delegation_end() {
	as_user podman rm -fa -t 0 >/dev/null 2>&1
	systemctl stop "user@$uid.service" "user-runtime-dir@$uid.service" 2>/dev/null
	checmatectl remove "$slice" >/dev/null 2>&1
	userdel -r "$user" 2>/dev/null
	case_end
}
trap delegation_end EXIT

# A process of the user, outside of all that is the user's.
user_env() {
	setpriv --reuid="$uid" --regid="$uid" --clear-groups env HOME="/home/$user" \
		PATH="$PATH" XDG_RUNTIME_DIR="/run/user/$uid" \
		DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$uid/bus" "$@" 2>&1 </dev/null
}

# In a service of the user's manager; what it leaves running stays.
as_user() {
	user_env systemd-run --user --quiet --pipe --wait --collect \
		--property=KillMode=process "$@"
}

# Where the processes of a session of the user are, beside the manager.
in_session() {
	systemd-run --scope --quiet --collect --slice="user-$uid.slice" \
		--unit="session-$(cat /proc/sys/kernel/random/uuid)" --uid="$user" \
		env PATH="$PATH" XDG_RUNTIME_DIR="/run/user/$uid" \
		DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$uid/bus" "$@" 2>&1 </dev/null
}

# in_scope COMMAND…: in a session, in a scope that the user's manager makes.
in_scope() {
	in_session systemd-run --user --scope --quiet --collect "$@"
}

# moved FROM TO COMMAND…: as the user, in FROM, after a move to TO if that succeeds.
moved() {
	moved_from=$1
	moved_to=$2
	shift 2
	# shellcheck disable=SC2016
	in_cgroup "$moved_from" setpriv --reuid="$uid" --regid="$uid" --clear-groups \
		sh -c 'echo $$ | tee "$0/cgroup.procs" >/dev/null; "$@"' \
		"$cgroups$moved_to" "$@" 2>&1
}

# limit CGROUP: only port 8080 may be bound there.
limit() {
	checmatectl apply "$1" net-bind allow=0.0.0.0/0:8080 deny-errno=EACCES
}

check "the user's manager starts" systemctl start "user@$uid.service"
check_match "without a policy nothing is judged" '^ok$' as_user probe bind 0.0.0.0 9090

# --- below the user's slice ---------------------------------------------------

check "the slice gets a policy" limit "$slice"
check_match "the manager's services are judged" '^EACCES$' as_user probe bind 0.0.0.0 9090
check_match "and work" '^ok$' as_user probe bind 0.0.0.0 8080
check_match "a session is below the slice" "$slice/session-.*\.scope\$" \
	in_session cat /proc/self/cgroup
check_match "so are sessions" '^EACCES$' in_session probe bind 0.0.0.0 9090
check_match "a scope that a session asks for starts" '^ok$' in_scope probe bind 0.0.0.0 8080
check_match "and is judged" '^EACCES$' in_scope probe bind 0.0.0.0 9090

image /tmp/probe.tar
check "podman takes an image" as_user podman load -q -i /tmp/probe.tar
rm /tmp/probe.tar
check_match "a container runs below the policy" '^EACCES$' \
	as_user podman run --rm --network=host localhost/probe probe bind 0.0.0.0 9090
check "one is left running" as_user podman run -d --name=web --network=host \
	localhost/probe probe pause
check_match "podman exec joins it" '^ok$' as_user podman exec web probe bind 0.0.0.0 8080
check_match "and is judged as well" '^EACCES$' as_user podman exec web probe bind 0.0.0.0 9090
check "podman stop stops it" as_user podman stop -t 0 web
check "and it can be removed" as_user podman rm -f web
check "the policy goes" checmatectl remove "$slice"

# --- of two cgroups of the user's, one has a policy ----------------------------

mkdir "$cgroups$manager/confined" "$cgroups$manager/free"
chown -R "$uid" "$cgroups$manager/confined" "$cgroups$manager/free"
check_match "the user moves about" '^ok$' \
	moved "$manager/confined" "$manager/free" probe bind 0.0.0.0 9090
check "an administrator binds one" limit "$manager/confined"
check_match "the user does not leave it" 'Operation not permitted' \
	moved "$manager/confined" "$manager/free" true
check_match "but is judged there" '^EACCES$' \
	moved "$manager/confined" "$manager/free" probe bind 0.0.0.0 9090
check_match "the user may enter it" '^EACCES$' \
	moved "$manager/free" "$manager/confined" probe bind 0.0.0.0 9090
control=$cgroups$manager/cgroup.subtree_control
check "the user may write the manager's controllers" \
	setpriv --reuid="$uid" --regid="$uid" --clear-groups test -w "$control"
check_match "but not turn the controller off" 'Operation not permitted' \
	setpriv --reuid="$uid" --regid="$uid" --clear-groups \
	sh -c "echo -checmate | tee '$control'"
check "it is on" grep -qw checmate "$control"
check_match "and the policy is there" '^EACCES$' \
	moved "$manager/free" "$manager/confined" probe bind 0.0.0.0 9090
check "the manager reloads, and starts services" as_user true
check "the policy goes" checmatectl remove "$manager/confined"
rmdir "$cgroups$manager/confined" "$cgroups$manager/free"

# --- where the manager itself is ------------------------------------------------

# It starts services from there, so they would leave what is attached there.
check "init.scope gets a policy" limit "$manager/init.scope"
check_status "the manager starts no services then" 219 as_user true
check "the policy goes" checmatectl remove "$manager/init.scope"
check "and it does again" as_user true

finish
