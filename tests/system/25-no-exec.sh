#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What is staged for a container waits for an exec. A container that runs without one
# is killed, and one whose annotations choose a handler is refused unless a binding
# file expects the handler.
#
# Takes: 50
#
# Functions are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

# shellcheck source=SCRIPTDIR/../lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=SCRIPTDIR/container.sh
. /usr/libexec/checmate/tests/system/container.sh

ip link set lo up
parent=/checmate-no-exec
mkdir -p "$cgroups$parent"
binding web <<-'END'
	[Match]
	Annotation=org.checmate.role=web
	[Policy net-bind]
	Allow=0.0.0.0/0:8080
	DenyErrno=EACCES
END
web='{ "org.checmate.role": "web" }'
call Reload >/dev/null

create() {
	: >"$bundles/$1/hook"
	"$runtime" create --bundle "$bundles/$1" "$1" >/dev/null 2>"$bundles/$1/runtime" </dev/null ||
		{ cat "$bundles/$1/runtime" "$bundles/$1/hook" && return 1; }
}

# What the hook says of a container that is said to run.
after_start() {
	"$runtime" state "$1" | jq '.status = "running"' | "$hook" --poststart 2>&1
}

is_staged() {
	grep -q ' staged$' "$cgroups$parent/$1/checmate.policy"
}

is_empty() {
	! grep -q . "$cgroups$parent/$1/cgroup.procs"
}

# --- no exec -----------------------------------------------------------------

# A handler of a runtime would run it just so: in the process that waits. The hook
# has patience with it, during what follows.
bundle waits "$parent/waits" "$web" probe pause
check "a container is created" create waits
check "its policies are staged" is_staged waits
after_start waits >/tmp/waits &
waiting=$!

for runtime in crun runc; do
	name=$runtime-runs
	bundle "$name" "$parent/$name" "$web" probe pause
	edit "$name" ".hooks.poststart = [{ path: \"$hook\", timeout: 60,
		args: [\"checmate-oci-hook\", \"--poststart\"] }]"
	check "$name: a container is created" create "$name"
	check "$name: and started" "$runtime" start "$name"
	check_not "$name: its policies are activated when the runtime is done" is_staged "$name"
	check_output "$name: it lives, and is held" EACCES \
		sh -c "$runtime exec $name probe bind 0.0.0.0 9090 || :"
	check_output "$name: the hook has nothing against it later" '' after_start "$name"
	"$runtime" delete -f "$name"
done

# --- annotations that choose a handler ---------------------------------------

# runc knows nothing of them, and executes the container's program all the same.
name=handler
bundle "$name" "$parent/$name" "$web" probe pause
for key in run.oci.handler module.wasm.image/variant; do
	edit "$name" ".annotations[\"$key\"] = \"x\""
	check_match "$key is refused" \
		"annotation $key chooses a handler, which executes no program" create "$name"
	check "the container does not run" stopped "$name"
	edit "$name" "del(.annotations[\"$key\"])"
done
edit "$name" '.annotations["run.oci.handler"] = "x"'
binding handler <<-'END'
	[Match]
	Annotation=run.oci.handler=x
	[Policy net-connect]
	DenyErrno=EROFS
END
call Reload >/dev/null
check "a file that names it expects it" create "$name"
check_not "the policies do not wait" is_staged "$name"
check "those of that file are in force" has_policy "$parent/$name" net-connect
check "and those of others" has_policy "$parent/$name" net-bind
check "the container starts" "$runtime" start "$name"
check_output "and is held" EACCES sh -c "runc exec $name probe bind 0.0.0.0 9090 || :"
"$runtime" delete -f "$name"
edit "$name" 'del(.annotations["org.checmate.role"]) | .annotations["run.oci.handler"] = "y"'
check "a container without policies has nothing to evade" create "$name"
"$runtime" delete -f "$name"

# --- the end of the hook's patience ------------------------------------------

runtime=crun
check_not "the hook fails for the container that executed nothing" wait "$waiting"
check_match "and says why" 'container waits: its process executes no program' cat /tmp/waits
check "nothing of the container is left" wait_until 20 is_empty waits
check "the journal says that it was killed" wait_until 20 refusal \
	'container waits is killed: its process executes no program'
"$runtime" delete -f waits

finish
