#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Whether instructions can be counted: a loop of known length, and a system call that
# asks no security module.

set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=SCRIPTDIR/guest
. "$top/tests/bench/guest"

bench_build bench-calibrate
bench_guest "$("$top/tools/kernel-build")" checmate bench-calibrate
