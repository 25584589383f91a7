#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The same where the kernel may be preempted: a reader of RCU has to say so there.

set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=SCRIPTDIR/guest
. "$top/tests/bench/guest"

base=$("$top/tools/kernel-build" --base --config preempt)
ours=$("$top/tools/kernel-build" --config preempt)
bench_build bench-hooks bench-exec
n=$(bench_iterations 500)

printf 'kernel\t%s\n' "$("$top/tests/bench/report" version "$ours")"
bench_guest "$base" '' bench-hooks "$n" \
	"unpatched" plain all - -

bench_guest "$ours" checmate bench-hooks "$n" \
	"Checmate, idle" plain all unpatched - \
	"elsewhere" checmate-elsewhere all unpatched - \
	"here" checmate-here all unpatched - \
	"here ×8" checmate-here=8 all unpatched -

bench_guest "$ours" checmate,bpf bench-hooks "$n" \
	"both, idle" plain all unpatched - \
	"lsm_cgroup elsewhere" lsm_cgroup-elsewhere all "both, idle" - \
	"lsm_cgroup here" lsm_cgroup-here all "both, idle" - \
	"elsewhere, same boot" checmate-elsewhere all "both, idle" "lsm_cgroup elsewhere" \
	"here, same boot" checmate-here all "both, idle" "lsm_cgroup here"
