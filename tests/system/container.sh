# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# For test cases with containers: bundles of busybox and probe, started by crun.
# Included after tap.sh. The containers share the network of the guest, so that
# all that keeps them from a port is a policy.

tests=/usr/libexec/checmate/tests
hook=/usr/libexec/checmate/checmate-oci-hook
cgroups=/sys/fs/cgroup
pins=/sys/fs/bpf/checmate
bindings=/run/checmate/bindings.d
bundles=/tmp/bundles

# What a case leaves behind is not the next one's.
case_end() {
	for case_bundle in "$bundles"/*; do
		crun delete -f "${case_bundle##*/}" >/dev/null 2>&1
	done
	rm -rf "$bundles" "$bindings"
	systemctl unmask --runtime checmated.service 2>/dev/null
	systemctl stop checmated.service
}
trap case_end EXIT

# bundle NAME CGROUPSPATH ANNOTATIONS COMMAND…: makes a bundle whose container
# runs COMMAND; ANNOTATIONS is a JSON object.
bundle() {
	bundle_dir=$bundles/$1
	bundle_cgroup=$2
	bundle_annotations=$3
	shift 3
	bundle_bin=$bundle_dir/rootfs/bin
	mkdir -p "$bundle_bin" "$bundle_dir/rootfs/proc" "$bundle_dir/rootfs/dev" \
		"$bundle_dir/rootfs/sys" "$bundle_dir/rootfs/tmp"
	cp "$(command -v busybox)" "$bundle_bin/busybox"
	cp "$tests/probe" "$bundle_bin/probe"
	for bundle_applet in sh cat mkdir; do
		ln -sf busybox "$bundle_bin/$bundle_applet"
	done
	# Runs a command in a cgroup that the container makes below its own.
	cat >"$bundle_bin/in-child" <<-'END'
		#!/bin/sh
		mkdir -p /sys/fs/cgroup/child &&
		echo $$ >/sys/fs/cgroup/child/cgroup.procs &&
		exec "$@"
	END
	chmod 755 "$bundle_bin/in-child"
	jq -n --arg cgroup "$bundle_cgroup" --argjson annotations "$bundle_annotations" \
		--arg hook "$hook" --arg stderr "$bundle_dir/hook" '
		def caps: ["CAP_NET_BIND_SERVICE", "CAP_KILL", "CAP_DAC_OVERRIDE"];
		{
			ociVersion: "1.0.2",
			process: {
				user: { uid: 0, gid: 0 },
				args: $ARGS.positional,
				env: ["PATH=/bin"],
				cwd: "/",
				capabilities: { bounding: caps, effective: caps, permitted: caps }
			},
			root: { path: "rootfs" },
			hostname: "container",
			annotations: ($annotations + { "run.oci.hooks.stderr": $stderr }),
			hooks: { createRuntime: [{ path: $hook, timeout: 60 }] },
			mounts: [
				{ destination: "/proc", type: "proc", source: "proc" },
				{ destination: "/sys", type: "sysfs", source: "sysfs",
				  options: ["nosuid", "noexec", "nodev", "ro"] },
				{ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
				  options: ["nosuid", "noexec", "nodev", "rw"] }
			],
			linux: {
				cgroupsPath: $cgroup,
				namespaces: ["pid", "mount", "ipc", "uts", "cgroup"] | map({ type: . })
			}
		}' --args -- "$@" >"$bundle_dir/config.json"
}

# start NAME [OPTION…]: starts the bundle's container; prints what runtime and
# hook say. The container's own words are for it to keep.
start() {
	start_name=$1
	start_status=0
	shift
	: >"$bundles/$start_name/hook"
	crun "$@" run --detach --bundle "$bundles/$start_name" "$start_name" \
		>/dev/null 2>"$bundles/$start_name/runtime" </dev/null || start_status=$?
	cat "$bundles/$start_name/runtime" "$bundles/$start_name/hook"
	return $start_status
}

# in_cgroup CGROUP COMMAND…: runs a process of the host in a cgroup.
in_cgroup() {
	# shellcheck disable=SC2016
	sh -c 'echo $$ >"$0/cgroup.procs" && shift && exec "$@"' "$cgroups$1" "$@"
}

# binding NAME: makes a binding file of its standard input.
binding() {
	mkdir -p "$bindings"
	cat >"$bindings/$1.conf"
}

# call METHOD [ARGUMENT…]: asks checmated over the bus.
call() {
	busctl --json=short call org.checmate1 /org/checmate1 org.checmate1.Manager "$@"
}

# Ids of the programs that a cgroup has itself.
program_ids() {
	checmatectl status --json "$1" | jq -r '.local[].prog'
}

# backend_is NAME: policies are enforced by this backend, "checmate" or "bpf-link".
backend_is() {
	[ "$(checmatectl features --json | jq -r .backend)" = "$1" ]
}

# has_policy CGROUP POLICY: it is bound there, and the kernel has its programs.
has_policy() {
	[ -d "$pins/$(stat -c %i "$cgroups$1")/$2" ] && [ -n "$(program_ids "$1")" ]
}

no_such_program() {
	! bpftool prog show id "$1" >/dev/null 2>&1
}

# How many BPF LSM programs the kernel holds.
lsm_programs() {
	bpftool prog list | grep -c '^[0-9]*: lsm '
}

no_pins() {
	[ -z "$(ls -I events "$pins" 2>/dev/null)" ]
}
