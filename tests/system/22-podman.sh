#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# podman: its containers get their policies by annotation, by runtime, by pod and
# by where they are, or do not start; and only they, not what watches over them.
# The hook is the one that is installed, no container asks for it.
#
# Takes: 120
#
# Functions are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

# shellcheck source=SCRIPTDIR/../lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=SCRIPTDIR/container.sh
. /usr/libexec/checmate/tests/system/container.sh

ip link set lo up

podman_end() {
	podman pod rm -fa -t 0 >/dev/null 2>&1
	podman rm -fa -t 0 >/dev/null 2>&1
	podman rmi -fa >/dev/null 2>&1
	case_end
}
trap podman_end EXIT

# first OPTION… -- COMMAND…: a container that runs the command; prints its and
# podman's words.
first() {
	first_options=
	while [ "$1" != -- ]; do
		first_options="$first_options $1"
		shift
	done
	shift
	# shellcheck disable=SC2086
	podman run --rm $first_options localhost/probe "$@" 2>&1
}

inside() {
	podman exec "$@" 2>&1 || :
}

# Where a container's cgroup is.
scope() {
	echo "/machine.slice/libpod-$(podman inspect --format '{{.Id}}' "$1").scope"
}

binding web <<-'END'
	[Match]
	Annotation=org.checmate.role=web
	[Policy kernel-surface]
	DenyErrno=EPERM
	[Policy net-bind]
	Allow=0.0.0.0/0:8080
	DenyErrno=EACCES
END
binding db <<-'END'
	[Match]
	Annotation=org.checmate.role=db
	[Policy net-bind]
	Allow=0.0.0.0/0:5432
	DenyErrno=EROFS
END
binding podman <<-'END'
	[Match]
	Runtime=podman
	[Policy net-connect]
	DenyErrno=ENETUNREACH
END
binding sealed <<-'END'
	[Match]
	Annotation=org.checmate.role=sealed
	[Binding]
	Seal=yes
	[Policy net-bind]
	DenyErrno=EACCES
END
binding zz-parent <<-'END'
	[Match]
	Runtime=podman
	Slice=checmatetest.slice
	[Policy net-bind]
	DenyErrno=EXDEV
END
binding zz-pod <<-'END'
	[Match]
	Pod=shop/front-*
	[Policy net-bind]
	DenyErrno=ENOSPC
END
call Reload >/dev/null

image /tmp/probe.tar
check "podman takes the image" podman load -q -i /tmp/probe.tar
rm /tmp/probe.tar

# --- annotations and labels --------------------------------------------------

host=--network=host
web="--annotation org.checmate.role=web"
db="--annotation org.checmate.role=db"
check_match "an annotated container's first act is judged" '^EACCES$' \
	first $host "$web" -- probe bind 0.0.0.0 9090
check_match "a label is no annotation and gives nothing" '^ok$' \
	first $host --label org.checmate.role=web -- probe bind 0.0.0.0 9090
check_match "without annotations it is still podman's" '^ENETUNREACH$' \
	first $host -- probe connect 127.0.0.1 1
check_match "a container in a user namespace is held as well" '^EACCES$' \
	first $host "$web" --uidmap=0:100000:65536 -- probe bind 0.0.0.0 9090
check_match "and so is one that runc starts" '^EACCES$' \
	first $host "$web" --runtime=runc -- probe bind 0.0.0.0 9090

# --- sealed ------------------------------------------------------------------

check "a container that is to be sealed starts" podman run -d --name sealed $host \
	--annotation org.checmate.role=sealed localhost/probe probe pause
cgroup=$(scope sealed)
check "its program begins" wait_until 20 nothing_staged
check_match "no policy can be removed, not even by root" 'it is sealed' \
	checmatectl --direct remove "$cgroup"
check_output "podman exec is held" EACCES inside sealed probe bind 0.0.0.0 9090
check "it starts again" podman restart -t 0 sealed
check "its program begins" wait_until 20 nothing_staged
check_match "and is sealed again" ', sealed$' checmatectl status "$(scope sealed)"
check "it is removed" podman rm -f -t 0 sealed
check "with its cgroup" wait_until 20 test ! -e "$cgroups$cgroup"

# --- a container that stays --------------------------------------------------

# As from a shell, where conmon gets a scope of its own.
check "a container is left running" env -u INVOCATION_ID podman run -d --name web $host \
	--annotation org.checmate.role=web localhost/probe probe pause
cgroup=$(scope web)
check "its program begins" wait_until 20 nothing_staged
check "its scope has the policies" has_policy "$cgroup" kernel-surface
check_output "podman exec is held" EACCES inside web probe bind 0.0.0.0 9090
check_output "and may do what is allowed" ok inside web probe bind 0.0.0.0 8080
conmon=$(cat "/proc/$(podman inspect --format '{{.State.ConmonPid}}' web)/cgroup")
check_match "conmon has a scope of its own" '/libpod-conmon-.*\.scope$' echo "$conmon"
check_output "which is left alone" "" program_ids "${conmon#0::}"
check_output "conmon may do everything" ok in_cgroup "${conmon#0::}" "$tests/probe" bind 0.0.0.0 9090
id=$(stat -c %i "$cgroups$cgroup")
check "it is started anew" podman restart -t 0 web
check "in a new cgroup" test "$(stat -c %i "$cgroups$cgroup")" != "$id"
check "its program begins" wait_until 20 nothing_staged
check_output "and is held again" EACCES inside web probe bind 0.0.0.0 9090
check_output "as the file for all of podman's says too" ENETUNREACH \
	inside web probe connect 127.0.0.1 1
podman rm -f -t 0 web >/dev/null

# --- where it is, and whose --------------------------------------------------

check_match "--cgroup-parent decides with Slice=" '^EXDEV$' \
	first $host --cgroup-parent=checmatetest.slice -- probe bind 0.0.0.0 9090
check_match "--cgroup-manager=cgroupfs makes no scope, and podman's it is" '^ENETUNREACH$' \
	podman --cgroup-manager=cgroupfs run --rm $host localhost/probe probe connect 127.0.0.1 1
check_match "Pod= knows the names that an engine writes" '^ENOSPC$' \
	first $host --annotation io.kubernetes.pod.namespace=shop \
	--annotation io.kubernetes.pod.name=front-1 -- probe bind 0.0.0.0 9090

podman pod create --name pod $host --infra-image localhost/probe \
	--infra-command '/bin/probe pause' >/dev/null
check_match "in a pod each container has its own: one" '^EACCES$' \
	first --pod=pod "$web" -- probe bind 0.0.0.0 9090
check_match "and another" '^EROFS$' first --pod=pod "$db" -- probe bind 0.0.0.0 9090
check_match "which may do what the first may not" '^ok$' \
	first --pod=pod "$db" -- probe bind 0.0.0.0 5432
podman pod rm -f -t 0 pod >/dev/null

# One that the hook was not there for is found late, which is better than never.
mkdir /tmp/no-hooks
podman --hooks-dir=/tmp/no-hooks run -d --name late $host localhost/probe probe pause >/dev/null
check "a container without the hook is found" wait_until 60 \
	has_policy "$(scope late)" net-connect
check_output "and held from then on" ENETUNREACH inside late probe connect 127.0.0.1 1
podman rm -f -t 0 late >/dev/null
rmdir /tmp/no-hooks

# --- those that do not start -------------------------------------------------

wrong="--annotation org.checmate.role=wbe"
rm "$bindings/podman.conf"
call Reload >/dev/null
check_match "a mistyped annotation keeps a container from starting" \
	'error executing hook .*/checmate-oci-hook.* \(exit code: 1\)' \
	first $host "$wrong" -- probe bind 0.0.0.0 9090
check "the journal says why" wait_until 20 refusal 'no binding of checmated matches its annotations'
check_match "runc's user is told at once" 'no binding of checmated matches its annotations' \
	first $host "$wrong" --runtime=runc -- probe bind 0.0.0.0 9090
check_match "so does a cgroup that is not its own" 'error executing hook' \
	first $host --cgroups=disabled -- probe bind 0.0.0.0 9090
systemctl stop checmated.service
systemctl mask --runtime --now checmated.service 2>/dev/null
check_match "and so does the want of checmated" 'error executing hook' \
	first $host -- probe bind 0.0.0.0 9090
check "of which the journal says why" wait_until 20 refusal 'checmated is not running'
systemctl unmask --runtime checmated.service 2>/dev/null
check_match "with it all is well" '^ok$' first $host -- probe bind 0.0.0.0 9090

check "nothing is left of them all" wait_until 20 no_pins
finish
