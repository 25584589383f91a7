#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Attach, replace and detach at the root by how many cgroups are below it, beside
# what the kernel has of its own, on one kernel.

set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=SCRIPTDIR/guest
. "$top/tests/bench/guest"

bench_build bench-scale
if [ -n "${CHECMATE_BENCH_QUICK-}" ]; then
	set -- 10 1000
else
	set -- 10 1000 10000
fi
bench_guest "$("$top/tools/kernel-build")" checmate,bpf bench-scale attach "$@"
