#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the control plane costs: policies opened, loaded and applied by the library, and by
# checmatectl; an event from the hook to its reader.

set -eu

# --- in the guest ------------------------------------------------------------

bench=/usr/libexec/checmate/tests/bench/bench-control

# apply OPTION ARM: by checmatectl itself, or by the daemon.
apply() {
	i=0
	while [ $i -le "$times" ]; do
		"$bench" spend checmatectl apply "$1" /bench-apply net-bind \
			>/tmp/spent 2>/tmp/said || {
			cat /tmp/said >&2
			exit 1
		}
		checmatectl remove "$1" /bench-apply net-bind >/dev/null
		tail -n 1 /tmp/spent
		i=$((i + 1))
	done | tail -n "$times" | sort -n | awk -v arm="$2" -v op="checmatectl apply $1" '
		{ v[NR] = $1 }
		END { printf "%s\t%s\t%s\t-\t-\n", arm, op, v[int((NR + 1) / 2)] }'
}

if [ "${1-}" = guest ]; then
	times=$2
	"$bench" policies
	"$bench" event
	mkdir /sys/fs/cgroup/bench-apply
	systemctl start checmated.service
	apply --direct first
	# With one more binding of the policy, whose programs are loaded.
	mkdir /sys/fs/cgroup/bench-keep
	checmatectl apply --direct /bench-keep net-bind >/dev/null
	apply --direct again
	apply --daemon again
	checmatectl remove --direct /bench-keep net-bind >/dev/null
	rmdir /sys/fs/cgroup/bench-apply /sys/fs/cgroup/bench-keep
	exit 0
fi

# --- here --------------------------------------------------------------------

top=$(cd "$(dirname "$0")/../.." && pwd)
times=3
[ -z "${CHECMATE_BENCH_QUICK-}" ] || times=1
"$top/tests/vm/run" --guest system --icount --timeout 540 --copy "$0:/root/control.sh" -- \
	sh /root/control.sh guest "$times"
echo "note	first: the first of its kind; again: a further one while there is another, and for policies in a process that has made that one; of these are open, load and apply. Medians, which vary by a hundredth, and of the smaller figures some by a tenth."
