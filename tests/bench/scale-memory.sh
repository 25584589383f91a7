#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Bytes that the kernel allocates for that, all in all and for each cgroup.

set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=SCRIPTDIR/guest
. "$top/tests/bench/guest"

bench_build bench-memory
if [ -n "${CHECMATE_BENCH_QUICK-}" ]; then
	set -- 10 1000
else
	set -- 10 1000 10000
fi
printf 'unit\tbytes\n'
bench_guest "$("$top/tools/kernel-build")" checmate,bpf bench-memory attach "$@"
