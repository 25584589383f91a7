#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Hundreds of cgroups that one file binds: what each costs in memory and instructions,
# what a reload changes, and many containers that start at once.
#
# CHECMATE_FLEET: how many cgroups (default: 200)
# CHECMATE_BURST: how many containers (default: 50)
#
# Takes: 150
# Timeout: 1800
# Options: --icount
#
# Instructions are told where the guest's clock counts them (tests/vm/run --icount):
# there a nanosecond of processor time is one instruction.
#
# Functions are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

# shellcheck source=SCRIPTDIR/../lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=SCRIPTDIR/container.sh
. /usr/libexec/checmate/tests/system/container.sh
# shellcheck source=SCRIPTDIR/figures.sh
. /usr/libexec/checmate/tests/system/figures.sh

PATH=$tests:$PATH
cg=/fleet
n=${CHECMATE_FLEET:-200}
burst=${CHECMATE_BURST:-50}
mkdir -p "$bindings" "$cgroups$cg" "$cgroups/burst"

fleet_end() {
	figures_off
	rm -rf "$burst_dir"
	case_end
}
trap fleet_end EXIT
burst_dir=/tmp/burst

counts_instructions() {
	grep -qw checmate.icount /proc/cmdline
}

# Microseconds of processor time that checmated has used.
used() {
	sed -n 's/^usage_usec //p' "$cgroups/system.slice/checmated.service/cpu.stat"
}

# told TEXT USED N: what each of N cost since checmated had USED.
told() {
	! counts_instructions ||
		echo "# $1: $((($(used) - $2) / $3)) thousand instructions of checmated each"
}

# kB of the kernel that $1 names in /proc/meminfo; of all that policies take.
meminfo() {
	sed -n "s/^$1:[^0-9]*\([0-9]*\) kB/\1/p" /proc/meminfo
}

kernel_memory() {
	echo $(($(meminfo Slab) + $(meminfo Percpu) + $(meminfo VmallocUsed)))
}

daemon_memory() {
	sed -n 's/^Pss:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$(main_pid)/smaps_rollup"
}

# As the kernel charges them.
memlock() {
	bpftool --json "$1" list | jq '[.[].bytes_memlock // 0] | add // 0'
}

# make FROM TO: cgroups.
make() {
	seq "$1" "$2" | sed "s,^,$cgroups$cg/," | xargs mkdir
}

bound_is() {
	[ "$(figure checmate_cgroups_bound)" = "$1" ]
}

# Looks at all of them, which may take longer than a call usually does.
reload() {
	busctl --timeout=600 call org.checmate1 /org/checmate1 org.checmate1.Manager Reload
}

# All programs of the fleet, a digest of their ids.
programs() {
	bpftool --json prog list | jq -c '[.[] | select(.name == "net_bind") | .id]' | md5sum
}

# A policy with a list is ready after a grace period. To wait for it is not what is
# measured here.
echo 1 >/sys/kernel/rcu_expedited

binding fleet <<-END
	[Match]
	Cgroup=$cg/*
	[Policy net-bind]
	Allow=0.0.0.0/0:8080
END

# --- a thousand --------------------------------------------------------------

check "checmated starts" figures_on
make 1 10
check "ten cgroups are bound" wait_until 60 bound_is 10

echo 3 >/proc/sys/vm/drop_caches
kernel=$(kernel_memory)
daemon=$(daemon_memory)
progs=$(memlock prog)
maps=$(memlock map)
systemctl stop checmated.service
make 11 "$n"
echo 3 >/proc/sys/vm/drop_caches
# What a cgroup takes itself.
empty=$(kernel_memory)
empty_slab=$(meminfo Slab)
empty_percpu=$(meminfo Percpu)
empty_vmalloc=$(meminfo VmallocUsed)
echo "# $n cgroups made, $(((empty - kernel) * 1024 / (n - 10))) bytes of the kernel each"
check "checmated starts with all of them" systemctl start checmated.service
check "which are bound" bound_is "$n"
told "bound" 0 "$n"
echo 3 >/proc/sys/vm/drop_caches
echo "# kernel memory of a binding: $((($(kernel_memory) - empty) * 1024 / (n - 10))) bytes:" \
	"slab $((($(meminfo Slab) - empty_slab) * 1024 / (n - 10)))," \
	"percpu $((($(meminfo Percpu) - empty_percpu) * 1024 / (n - 10)))," \
	"vmalloc $((($(meminfo VmallocUsed) - empty_vmalloc) * 1024 / (n - 10)))"
echo "# of which charged: programs $((($(memlock prog) - progs) / (n - 10)))," \
	"maps $((($(memlock map) - maps) / (n - 10)))"
echo "# memory of checmated: $((($(daemon_memory) - daemon) * 1024 / (n - 10))) bytes for each cgroup"
check "the daemon needs less than 16 kB for a cgroup" \
	[ $((($(daemon_memory) - daemon) * 1024 / (n - 10))) -lt 16384 ]
# About 200 kB: net-bind has five programs, each with memory of its own.
check "the kernel less than 256 kB for a binding" \
	[ $((($(kernel_memory) - empty) * 1024 / (n - 10))) -lt 262144 ]
check_output "the last one is judged" EPERM sh -c \
	"echo \$\$ >$cgroups$cg/$n/cgroup.procs; probe bind 0.0.0.0 9090 || :"

# --- the hundredth costs what the first did ----------------------------------

begun=$(used)
make $((n + 1)) $((n + 20))
check "twenty more are bound" wait_until 60 bound_is $((n + 20))
told "bound beside $n" "$begun" 20

# --- read again, and changed -------------------------------------------------

ids=$(programs)
begun=$(used)
check "a reload that changes nothing succeeds" reload
told "found right" "$begun" $((n + 20))
sed -i 's/8080/8081/' "$bindings/fleet.conf"
begun=$(used)
check "one that changes a parameter of all" reload
told "changed" "$begun" $((n + 20))
check_output "exchanges no program" "$ids" programs
for i in 1 $((n / 2)) $((n + 20)); do
	check_output "cgroup $i is judged by the new value" "ok EPERM" sh -c \
		"echo \$\$ >$cgroups$cg/$i/cgroup.procs
		echo \$(probe bind 0.0.0.0 8081 || :) \$(probe bind 0.0.0.0 8080 || :)"
done
begun=$(used)
check "checmated starts anew" systemctl restart checmated.service
told "found right at a start" 0 $((n + 20))
check_output "and exchanges none" "$ids" programs

# --- a burst -----------------------------------------------------------------

binding burst <<-'END'
	[Match]
	Annotation=org.checmate.test=burst
	[Policy net-bind]
END
reload

# The first thing a container does is what it must not; what came of it is left
# outside.
mkdir -p "$burst_dir"
bundle burst /burst/0 '{"org.checmate.test": "burst"}' \
	sh -c 'exec probe bind 0.0.0.0 80'
cp "$bundles/burst/config.json" "$burst_dir/template"
start_one() {
	mkdir -p "$burst_dir/$1"
	jq --arg id "$1" --arg root "$bundles/burst/rootfs" '.linux.cgroupsPath = "/burst/" + $id |
		.root.path = $root | .annotations["run.oci.hooks.stderr"] = "/dev/null"' \
		"$burst_dir/template" >"$burst_dir/$1/config.json"
	crun run --bundle "$burst_dir/$1" "burst-$1" </dev/null >"$burst_dir/$1/out" 2>&1
}

# Eight at a time.
begun=$(used)
for worker in 0 1 2 3 4 5 6 7; do
	(
		i=$worker
		while [ "$i" -lt "$burst" ]; do
			start_one "$i"
			i=$((i + 8))
		done
	) &
	eval "worker_$worker=$!"
done
for worker in 0 1 2 3 4 5 6 7; do
	eval "wait \$worker_$worker"
done
told "started" "$begun" "$burst"
check_output "$burst containers started, and none did what it must not" "$burst" \
	sh -c "cat $burst_dir/*/out | grep -c '^EPERM\$'"
check "what they had is let go" wait_until 60 bound_is $((n + 20))

# --- the end -----------------------------------------------------------------

begun=$(used)
seq 1 $((n + 20)) | sed "s,^,$cgroups$cg/," | xargs rmdir
check "when the cgroups go, so does everything" wait_until 60 bound_is 0
told "let go" "$begun" $((n + 20))
check "with all programs" wait_until 60 sh -c "[ \"\$(bpftool --json prog list | jq '[.[] |
	select(.name == \"net_bind\")] | length')\" = 0 ]"
finish
