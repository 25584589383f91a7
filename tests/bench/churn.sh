#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What is patched in the kernel's text while containers come and go: many at a
# time; one at a time, so that nothing uses the hook in between, at once or half the
# time later after which it would go off; and many that stay for some seconds.

set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=SCRIPTDIR/guest
. "$top/tests/bench/guest"

bench_build bench-churn
n=1000
[ -z "${CHECMATE_BENCH_QUICK-}" ] || n=100
for backend in checmate link; do
	set -- "$@" "$backend" "$n" 16 0 '16 at a time' "$backend" "$n" 1 0 'one at a time' \
		"$backend" "$n" 1 1000 'one each second' "$backend" "$n" 16 250 '16, 4 seconds each'
done
printf 'unit\ttimes\n'
bench_guest "$("$top/tools/kernel-build")" checmate,bpf bench-churn "$@"
printf 'note\tOf %s containers, each with a program of its own. One at a time, nothing is attached to the hook before the next one comes, at once or a second later.\n' "$n"
