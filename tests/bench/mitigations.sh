#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The same kernel with its indirect calls made by retpolines, and with mitigations off.

set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=SCRIPTDIR/guest
. "$top/tests/bench/guest"

base=$("$top/tools/kernel-build" --base --config mitigations)
ours=$("$top/tools/kernel-build" --config mitigations)
bench_build bench-hooks bench-exec
n=$(bench_iterations 500)

printf 'kernel\t%s\n' "$("$top/tests/bench/report" version "$ours")"
for mode in off retpoline; do
	case "$mode" in
	off) bench_append=mitigations=off ;;
	retpoline) bench_append=spectre_v2=retpoline ;;
	esac
	bench_guest "$base" '' bench-hooks "$n" \
		"$mode: unpatched" plain all - -
	bench_guest "$ours" checmate,bpf bench-hooks "$n" \
		"$mode: both, idle" plain all "$mode: unpatched" - \
		"$mode: lsm_cgroup elsewhere" lsm_cgroup-elsewhere all "$mode: both, idle" - \
		"$mode: lsm_cgroup here" lsm_cgroup-here all "$mode: both, idle" - \
		"$mode: elsewhere" checmate-elsewhere all "$mode: both, idle" \
		"$mode: lsm_cgroup elsewhere" \
		"$mode: here" checmate-here all "$mode: both, idle" "$mode: lsm_cgroup here" \
		"$mode: here ×8" checmate-here=8 all "$mode: both, idle" -
done
