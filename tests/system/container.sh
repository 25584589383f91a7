# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# For test cases with containers: bundles of busybox and probe, started by crun
# or runc. Included after tap.sh. The containers share the network of the guest,
# so that all that keeps them from a port is a policy.

tests=/usr/libexec/checmate/tests
hook=/usr/libexec/checmate/checmate-oci-hook
cgroups=/sys/fs/cgroup
pins=/sys/fs/bpf/checmate
bindings=/run/checmate/bindings.d
settings=/run/checmate/checmated.conf
bundles=/tmp/bundles

# With what bundles are started.
runtime=crun

# What a case leaves behind is not the next one's.
case_end() {
	for case_runtime in crun runc; do
		for case_container in "/run/$case_runtime"/*; do
			[ ! -d "$case_container" ] ||
				"$case_runtime" delete -f "${case_container##*/}" >/dev/null 2>&1
		done
	done
	rm -rf "$bundles" "$bindings" "$settings"
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
	for bundle_applet in sh cat mkdir mount; do
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

# edit NAME FILTER: changes the bundle's configuration by a jq program.
edit() {
	jq "$2" "$bundles/$1/config.json" >"$bundles/$1/config.new" &&
		mv "$bundles/$1/config.new" "$bundles/$1/config.json"
}

# entry NAME COMMAND…: gives the bundle's container another command.
entry() {
	entry_file=$bundles/$1/config
	shift
	jq '.process.args = $ARGS.positional' "$entry_file.json" --args -- "$@" \
		>"$entry_file.new" && mv "$entry_file.new" "$entry_file.json"
}

# No policy waits for an exec any more.
nothing_staged() {
	! find "$cgroups" -name checmate.policy -exec grep -q ' staged$' {} +
}

# start NAME [OPTION…]: starts the bundle's container; prints what runtime and
# hook say. The container's own words are for it to keep. The runtime is done a
# moment before the container's program begins; that is waited for.
start() {
	start_name=$1
	start_status=0
	shift
	: >"$bundles/$start_name/hook"
	"$runtime" "$@" run --detach --bundle "$bundles/$start_name" "$start_name" \
		>/dev/null 2>"$bundles/$start_name/runtime" </dev/null || start_status=$?
	cat "$bundles/$start_name/runtime" "$bundles/$start_name/hook"
	[ "$start_status" -ne 0 ] || wait_until 20 nothing_staged || start_status=1
	return $start_status
}

# output NAME [OPTION…]: runs the bundle's container to its end; prints what it,
# the runtime and the hook say.
output() {
	output_name=$1
	output_status=0
	shift
	: >"$bundles/$output_name/hook"
	"$runtime" "$@" run --bundle "$bundles/$output_name" "$output_name" </dev/null 2>&1 ||
		output_status=$?
	cat "$bundles/$output_name/hook"
	return $output_status
}

# stopped NAME: no container of that name runs.
stopped() {
	! "$runtime" state "$1" 2>/dev/null | jq -re .status | grep -qx running
}

# image FILE: makes an archive of an image of busybox and probe there, as "podman
# save" does, called localhost/probe. Its label says what no annotation does.
image() {
	image_dir=$(mktemp -d)
	image_root=$image_dir/root
	for image_folder in bin dev etc proc run sys tmp; do
		mkdir -p "$image_root/$image_folder"
	done
	cp "$(command -v busybox)" "$tests/probe" "$image_root/bin/"
	for image_applet in sh cat id mount; do
		ln -s busybox "$image_root/bin/$image_applet"
	done
	tar -C "$image_root" -cf "$image_dir/layer.tar" .
	image_sum=$(sha256sum "$image_dir/layer.tar" | cut -d ' ' -f 1)
	jq -n --arg layer "sha256:$image_sum" '{
		architecture: "amd64", os: "linux",
		config: { Env: ["PATH=/bin"], Labels: { "org.checmate.role": "web" } },
		rootfs: { type: "layers", diff_ids: [$layer] }
	}' >"$image_dir/config.json"
	jq -n '[{ Config: "config.json", RepoTags: ["localhost/probe:latest"],
		Layers: ["layer.tar"] }]' >"$image_dir/manifest.json"
	tar -C "$image_dir" -cf "$1" manifest.json config.json layer.tar
	rm -rf "$image_dir"
	chmod 644 "$1"
}

# refusal TEXT: a hook has told the journal so.
refusal() {
	journalctl -q -o cat SYSLOG_IDENTIFIER=checmate-oci-hook | grep -q "$1"
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

# Ids of its attachments: others if a policy was replaced, whose programs may be the same.
attachments() {
	checmatectl status --json "$1" | jq -r '.local[].id'
}

# backend_is NAME: policies are enforced by this backend, "checmate" or "bpf-link".
backend_is() {
	[ "$(checmatectl features --json | jq -r .backend)" = "$1" ]
}

# has_policy CGROUP POLICY: it is bound there, and the kernel has its programs.
# What was staged is pinned apart until the library next looks at the cgroup.
has_policy() {
	has_pins=$pins/$(stat -c %i "$cgroups$1")/$2
	{ [ -L "$has_pins" ] || [ -L "$has_pins+staged" ] || [ -d "$has_pins" ]; } &&
		[ -n "$(program_ids "$1")" ]
}

no_such_program() {
	! bpftool prog show id "$1" >/dev/null 2>&1
}

# How many BPF LSM programs the kernel holds.
lsm_programs() {
	bpftool prog list | grep -c '^[0-9]*: lsm '
}

# list_pins: what is bound, and the programs that bindings share.
list_pins() {
	ls -I events -I instances -I programs "$pins" 2>/dev/null
	ls "$pins/programs" 2>/dev/null || :
}

no_pins() {
	[ -z "$(list_pins)" ]
}

# Nothing is remembered of any binding or container.
no_records() {
	[ -z "$(find /run/checmate/origins /run/checmate/containers -mindepth 1)" ]
}
