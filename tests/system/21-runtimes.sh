#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# crun and runc, with cgroups of their own making and of systemd's: policies that
# would not let a runtime do its work are staged before and in force from the
# container's first act on.
#
# Takes: 100
#
# Functions are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

# shellcheck source=SCRIPTDIR/../lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=SCRIPTDIR/container.sh
. /usr/libexec/checmate/tests/system/container.sh

ip link set lo up
parent=/checmate-runtimes
mkdir -p "$cgroups$parent"

# No mounting, no program but two, no opening of files in proc: each of them is
# what a runtime does in the container's cgroup before the container begins.
# "runc exec" joins it later, and makes a session keyring then.
binding strict <<-'END'
	[Match]
	Annotation=org.checmate.role=strict
	[Policy kernel-surface]
	AllowKeys=yes
	DenyErrno=EPERM
	[Policy exec-allow]
	Allow=/bin/busybox /bin/probe
	[Policy net-bind]
	Allow=0.0.0.0/0:8080
	DenyErrno=EACCES
END
binding closed <<-'END'
	[Match]
	Annotation=org.checmate.role=closed
	[Policy fs-types]
	Rule=deny
	Types=proc
	DenyErrno=EACCES
END
strict='{ "org.checmate.role": "strict" }'
call Reload >/dev/null

in_container() {
	"$runtime" exec "$@" || :
}

create() {
	"$runtime" create --bundle "$bundles/$1" "$1" >/dev/null 2>&1 </dev/null
}

# try_acts NAME [OPTION]: what a container cannot do, and the runtime had to.
try_acts() {
	name=$1
	shift
	edit "$name" '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
	cp "$bundles/$name/rootfs/bin/busybox" "$bundles/$name/rootfs/bin/other"
	entry "$name" mount -t tmpfs none /tmp
	check_match "$name: it cannot mount, as the runtime could" \
		'mount: (permission denied|mounting none on /tmp failed)' output "$name" "$@"
	entry "$name" /bin/other true
	check_match "$name: even the exec that arms is judged" \
		'[Oo]peration not permitted' output "$name" "$@"
	check "$name: so there is no container" stopped "$name"
	"$runtime" delete -f "$name" 2>/dev/null
	edit "$name" '.annotations["org.checmate.role"] = "closed"'
	entry "$name" cat /proc/self/status
	check_match "$name: it cannot read what the runtime had to" \
		'/proc/self/status.*Permission denied' output "$name" "$@"
	edit "$name" '.annotations["org.checmate.role"] = "strict"'
}

# try_container NAME CGROUP [OPTION]
try_container() {
	name=$1
	cgroup=$2
	shift 2
	check_match "$name: a container's first act is judged" '^EACCES$' output "$name" "$@"
	entry "$name" probe pause
	check "$name: one that stays starts" start "$name" "$@"
	check "$name: its cgroup is the right one" has_policy "$cgroup" kernel-surface
	check_output "$name: who joins it is held" EACCES \
		in_container "$name" probe bind 0.0.0.0 9090
	check_output "$name: and may do what is allowed" ok \
		in_container "$name" probe bind 0.0.0.0 8080
	"$runtime" delete -f "$name"
}

for runtime in crun runc; do
	name=$runtime-cgroupfs
	bundle "$name" "$parent/$runtime" "$strict" probe bind 0.0.0.0 9090
	try_container "$name" "$parent/$runtime"
	name=$runtime-systemd
	bundle "$name" "system.slice:checmate:$runtime" "$strict" probe bind 0.0.0.0 9090
	try_container "$name" "/system.slice/checmate-$runtime.scope" --systemd-cgroup
	try_acts "$name" --systemd-cgroup

	# --- created, and not started ----------------------------------------

	name=$runtime-created
	bundle "$name" "$parent/$name" "$strict" probe pause
	: >"$bundles/$name/hook"
	check "$name: a container is created" create "$name"
	check_match "$name: its policies are staged" ' staged$' \
		cat "$cgroups$parent/$name/checmate.policy"
	check "$name: its start" "$runtime" start "$name"
	check "$name: puts them in force" wait_until 20 nothing_staged
	check_output "$name: and they hold" EACCES in_container "$name" probe bind 0.0.0.0 9090
	"$runtime" delete -f "$name"
	check "$name: another is created" create "$name"
	check "$name: and taken away" "$runtime" delete -f "$name"
	check "$name: with what was staged" wait_until 20 no_pins

	# --- a user namespace ------------------------------------------------

	name=$runtime-userns
	bundle "$name" "$parent/$name" "$strict" probe pause
	# shellcheck disable=SC2016
	edit "$name" '
		{ containerID: 0, hostID: 100000, size: 65536 } as $map |
		.linux.namespaces += [{ type: "user" }] |
		.linux.uidMappings = [$map] | .linux.gidMappings = [$map] |
		.mounts |= map(select(.type == "proc")) + [
			{ destination: "/dev", type: "tmpfs", source: "tmpfs" }
		]'
	check "$name: a container in a user namespace starts" start "$name"
	check_output "$name: it is another user's" 100000 \
		stat -c %u "/proc/$("$runtime" state "$name" | jq .pid)"
	check_output "$name: and held" EACCES in_container "$name" probe bind 0.0.0.0 9090
	check_output "$name: as its file says" ok in_container "$name" probe bind 0.0.0.0 8080
	"$runtime" delete -f "$name"
done

# --- what binding files say of the runtime -----------------------------------

rm "$bindings/strict.conf" "$bindings/closed.conf"
binding runc <<-'END'
	[Match]
	Runtime=runc
	[Policy net-bind]
	DenyErrno=EROFS
END
call Reload >/dev/null
for runtime in crun runc; do
	bundle "by-$runtime" "$parent/by-$runtime" '{}' probe bind 0.0.0.0 9090
done
runtime=crun
check_match "another runtime's container is not meant by Runtime=" '^ok$' output by-crun
runtime=runc
check_match "the runtime's is" '^EROFS$' output by-runc
edit by-runc '.hooks.createRuntime[0].args = ["hook", "--runtime=other"]'
check_match "unless its hook was told another name" '^ok$' output by-runc

# runc repeats what the hook says.
rm "$bindings/runc.conf"
call Reload >/dev/null
bundle refused "$parent/refused" "$strict" probe pause
check_match "runc's user sees why a container does not start" \
	'checmate-oci-hook: container refused: no binding of checmated matches' start refused
check "it does not run" stopped refused

# --- the same in force at once -----------------------------------------------

# That such a policy does stand in a runtime's way, or nothing above says much.
for runtime in crun runc; do
	name=now-$runtime
	mkdir "$cgroups$parent/$name"
	bundle "$name" "$parent/$name/container" '{}' probe pause
	checmatectl apply "$parent/$name" kernel-surface >/dev/null
	check_not "$runtime does not get its work done under the policy" start "$name"
	"$runtime" delete -f "$name" 2>/dev/null
	checmatectl remove "$parent/$name" kernel-surface >/dev/null
	# runc mounts its own binary there before its child is in the cgroup, and
	# unmounts it after: the policy can have denied the second alone.
	if umount "/run/runc/$name"/runc.* 2>/dev/null; then
		runc delete -f "$name"
	fi
	check "without it it does" start "$name"
	"$runtime" delete -f "$name"
	rmdir "$cgroups$parent/$name"
done

check "nothing is left of them all" wait_until 20 no_pins
rmdir "$cgroups$parent"
finish
