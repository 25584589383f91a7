#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What it costs to run a container: without a hook, with one that does nothing, and with
# Checmate's hook and daemon, where no file binds it and where one does. Whatever the
# machine has to do until all is over counts.

set -eu

# --- in the guest ------------------------------------------------------------

bench=/usr/libexec/checmate/tests/bench/bench-control
bundle=/tmp/bundle
kinds='without static true unbound bound'

# What crun itself proposes, running a program that does nothing.
make_bundle() {
	mkdir -p "$bundle/rootfs/bin"
	cp "$(command -v busybox)" "$bundle/rootfs/bin/busybox"
	ln -sf busybox "$bundle/rootfs/bin/true"
	(cd "$bundle" && crun spec)
	jq '.process.terminal = false | .process.args = ["/bin/true"] |
		.linux.cgroupsPath = "/bench/container"' "$bundle/config.json" >"$bundle/without"
	jq '.hooks.createRuntime = [{ path: "/usr/bin/true" }]' "$bundle/without" >"$bundle/true"
	jq --arg busybox "$(command -v busybox)" \
		'.hooks.createRuntime = [{ path: $busybox, args: ["true"] }]' "$bundle/without" \
		>"$bundle/static"
	jq '.hooks.createRuntime = [{ path: "/usr/libexec/checmate/checmate-oci-hook" }]' \
		"$bundle/without" >"$bundle/unbound"
	jq '.annotations["org.checmate.bench"] = "yes"' "$bundle/unbound" >"$bundle/bound"
}

# Instructions of checmated, in thousands.
daemon() {
	sed -n 's/^usage_usec //p' /sys/fs/cgroup/system.slice/checmated.service/cpu.stat
}

run() {
	cp "$bundle/$1" "$bundle/config.json"
	begun=$(daemon)
	"$bench" spend crun run --bundle "$bundle" "bench-$1" >/tmp/spent || {
		cat /tmp/spent >&2
		exit 1
	}
	tail -n 1 /tmp/spent >>"/tmp/all-$1"
	echo $((($(daemon) - begun) * 1000)) >>"/tmp/daemon-$1"
}

# row ARM OP FILE: the median, its first line not among them; by that without a hook.
row() {
	tail -n +2 "$3" | sort -n | awk -v arm="$1" -v op="$2" '
		{ v[NR] = $1 }
		END {
			printf "# %s, %s: %s to %s\n", arm, op, v[1], v[NR]
			printf "%s\t%s\t%s\t-\t%s\n", arm, op, v[int((NR + 1) / 2)],
				op == "crun run" ? "without" : "-"
		}'
}

if [ "${1-}" = guest ]; then
	mkdir -p /run/checmate/bindings.d
	cat >/run/checmate/bindings.d/bench.conf <<-'END'
		[Match]
		Annotation=org.checmate.bench=yes
		[Policy net-bind]
		Allow=0.0.0.0/0:8080
	END
	make_bundle
	systemctl start checmated.service
	i=0
	while [ $i -le "$2" ]; do
		for kind in $kinds; do
			run "$kind"
		done
		i=$((i + 1))
	done
	for kind in $kinds; do
		row "$kind" "crun run" "/tmp/all-$kind"
		row "$kind" "of which checmated" "/tmp/daemon-$kind"
	done
	exit 0
fi

# --- here --------------------------------------------------------------------

top=$(cd "$(dirname "$0")/../.." && pwd)
times=5
[ -z "${CHECMATE_BENCH_QUICK-}" ] || times=3
"$top/tests/vm/run" --guest system --icount --timeout 540 --copy "$0:/root/container.sh" -- \
	sh /root/container.sh guest "$times"
echo "note	static, true: a hook that does nothing, linked statically and not; unbound, bound: Checmate's, where no file binds the container and where one gives it net-bind."
echo "note	Medians of what the whole machine does until all is over; they vary by a few hundredths."
