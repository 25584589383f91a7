#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What it costs to run a container: without Checmate, with a hook that does nothing, below
# a cgroup that has a policy, and with Checmate's hook, where no file binds the container
# and where one does. Whatever the machine has to do until all is over counts.

set -eu

# --- in the guest ------------------------------------------------------------

tests=/usr/libexec/checmate/tests
bench=$tests/bench/bench-control
bundle=/tmp/bundle

# Before anything of Checmate's is started or its controller is on anywhere, and after.
before='without static true'
after='idle above unbound bound'

# The cgroup above that of the container.
parent() {
	case "$1" in
	without | static | true | unbound) echo /bench ;;
	*) echo "/bench-$1" ;;
	esac
}

# edit KIND JQ…: the configuration of a kind, out of that without anything.
edit() {
	edit_kind=$1
	shift
	jq "$@" "$bundle/plain" |
		jq --arg cgroup "$(parent "$edit_kind")/container" '.linux.cgroupsPath = $cgroup' \
			>"$bundle/$edit_kind"
}

# What crun itself proposes, running a program that does nothing.
make_bundle() {
	mkdir -p "$bundle/rootfs/bin"
	cp "$(command -v busybox)" "$bundle/rootfs/bin/busybox"
	cp "$tests/probe" "$bundle/rootfs/bin/probe"
	ln -sf busybox "$bundle/rootfs/bin/true"
	(cd "$bundle" && crun spec)
	jq '.process.terminal = false | .process.args = ["/bin/true"]' "$bundle/config.json" \
		>"$bundle/plain"
	for kind in without idle above; do
		edit "$kind" .
	done
	edit true '.hooks.createRuntime = [{ path: "/usr/bin/true" }]'
	# shellcheck disable=SC2016 # jq's variable
	edit static --arg busybox "$(command -v busybox)" \
		'.hooks.createRuntime = [{ path: $busybox, args: ["true"] }]'
	edit unbound '.hooks.createRuntime = [{ path: "/usr/libexec/checmate/checmate-oci-hook" }]'
	edit bound '.hooks.createRuntime = [{ path: "/usr/libexec/checmate/checmate-oci-hook" }] |
		.annotations["org.checmate.bench"] = "yes"'
}

# Instructions of checmated, in thousands.
daemon() {
	sed -n 's/^usage_usec //p' /sys/fs/cgroup/system.slice/checmated.service/cpu.stat \
		2>/dev/null || echo 0
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

# rounds KINDS TIMES: one time more, which does not count.
rounds() {
	i=0
	while [ $i -le "$2" ]; do
		for kind in $1; do
			run "$kind"
		done
		i=$((i + 1))
	done
}

# says KIND PORT ANSWER: a figure of a container that nothing judges would be worth nothing.
says() {
	jq --arg port "$2" '.process.args = ["/bin/probe", "bind", "0.0.0.0", $port]' \
		"$bundle/$1" >"$bundle/config.json"
	answer=$(crun run --bundle "$bundle" "bench-$1" 2>&1 || :)
	[ "$answer" = "$3" ] || {
		echo "container: $1: bind to port $2 says \"$answer\", not \"$3\"" >&2
		exit 1
	}
}

judged() {
	for kind in $before idle unbound; do
		says "$kind" 8080 ok
		says "$kind" 9090 ok
	done
	for kind in above bound; do
		says "$kind" 8080 ok
		says "$kind" 9090 EPERM
	done
}

# row ARM OP FILE: the lower quartile, the first line not among them; by that without. Once
# or twice in four systemd reads the list of mounts once more, over a million instructions.
row() {
	tail -n +2 "$3" | sort -n | awk -v arm="$1" -v op="$2" '
		{ v[NR] = $1 }
		END {
			printf "# %s, %s: %s to %s\n", arm, op, v[1], v[NR]
			printf "%s\t%s\t%s\t-\t%s\n", arm, op, v[int((NR + 3) / 4)],
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
	# What is done for the first time, and what a machine does that has just come up.
	rounds without 5
	rm /tmp/all-without /tmp/daemon-without
	rounds "$before" "$2"

	systemctl start checmated.service
	mkdir /sys/fs/cgroup/bench-idle /sys/fs/cgroup/bench-above
	checmatectl apply /bench-above net-bind allow=0.0.0.0/0:8080 >/tmp/said 2>&1 || {
		cat /tmp/said >&2
		exit 1
	}
	echo +checmate >/sys/fs/cgroup/bench-idle/cgroup.subtree_control
	echo +checmate >/sys/fs/cgroup/bench-above/cgroup.subtree_control
	rounds "$after" "$2"
	judged
	for kind in $before $after; do
		row "$kind" "crun run" "/tmp/all-$kind"
		row "$kind" "of which checmated" "/tmp/daemon-$kind"
	done
	exit 0
fi

# --- here --------------------------------------------------------------------

top=$(cd "$(dirname "$0")/../.." && pwd)
times=9
[ -z "${CHECMATE_BENCH_QUICK-}" ] || times=3
"$top/tests/vm/run" --guest system --icount --timeout 580 --copy "$0:/root/container.sh" -- \
	sh /root/container.sh guest "$times"
echo "note	without, static, true: nothing of Checmate's but its kernel, and a hook that does nothing, linked statically and not."
echo "note	idle, above: no hook, the controller on, and no policy or net-bind in the cgroup above the container's; unbound, bound: Checmate's hook, where no file binds the container and where one gives it net-bind."
echo "note	Of what the whole machine does until all is over; the lower quartile of nine times, which varies by a hundredth."
