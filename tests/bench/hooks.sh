#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What judging costs an operation, under Checmate and under whatever else could judge.
# The kernel is not preempted and has no mitigations.

set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=SCRIPTDIR/guest
. "$top/tests/bench/guest"

base=$("$top/tools/kernel-build" --base)
ours=$("$top/tools/kernel-build")
bench_build bench-hooks bench-exec
n=$(bench_iterations 500)

# The arms are: name, what is done, operations, the arm to compare with, the arm by
# whose difference this one's is divided.
bench_guest "$base" '' bench-hooks "$n" \
	"unpatched" plain all - - \
	"cgroup/bind4… elsewhere" address-elsewhere bind,connect,sendmsg unpatched - \
	"cgroup/bind4… here" address-here bind,connect,sendmsg unpatched - \
	"seccomp, bitmap" seccomp-bitmap all unpatched - \
	"seccomp, filter" seccomp-filter all unpatched -

bench_guest "$base" bpf bench-hooks "$n" \
	"lsm=bpf, idle" plain all unpatched -

bench_guest "$base" landlock bench-hooks "$n" \
	"Landlock" landlock all unpatched -

one='bind,openat,kill 0'
bench_guest "$ours" checmate bench-hooks "$n" \
	"Checmate, idle" plain all unpatched - \
	"elsewhere" checmate-elsewhere all unpatched - \
	"here" checmate-here all unpatched - \
	"here ×2" checmate-here=2 "$one" unpatched - \
	"here ×4" checmate-here=4 "$one" unpatched - \
	"here ×8" checmate-here=8 all unpatched - \
	"here ×16" checmate-here=16 "$one" unpatched - \
	"here ×32" checmate-here=32 "$one" unpatched - \
	"here ×48" checmate-here=48 "$one" unpatched - \
	"here ×64" checmate-here=64 "$one" unpatched - \
	"16 levels above" checmate-above=16 all unpatched - \
	"denied" checmate-denied "$one" here -

# In one boot: ours and the kernel's own, each over what that boot costs with neither.
bench_guest "$ours" checmate,bpf bench-hooks "$n" \
	"both, idle" plain all unpatched - \
	"lsm_cgroup elsewhere" lsm_cgroup-elsewhere all "both, idle" - \
	"lsm_cgroup here" lsm_cgroup-here all "both, idle" - \
	"global elsewhere" global-elsewhere all "both, idle" - \
	"global here" global-here all "both, idle" - \
	"elsewhere, same boot" checmate-elsewhere all "both, idle" "lsm_cgroup elsewhere" \
	"here, same boot" checmate-here all "both, idle" "lsm_cgroup here"
