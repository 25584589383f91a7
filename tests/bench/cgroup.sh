#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Making and removing a cgroup: on a kernel without Checmate, there with a small
# controller, and on ours with the controller off and on.

set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=SCRIPTDIR/guest
. "$top/tests/bench/guest"

bench_build bench-scale
bench_guest "$("$top/tools/kernel-build" --base)" bpf bench-scale mkdir \
	unpatched - - 'unpatched, pids on' pids unpatched
bench_guest "$("$top/tools/kernel-build")" checmate,bpf bench-scale mkdir \
	'Checmate off' - unpatched 'Checmate on' checmate unpatched
bench_append=checmate.hook_files=0
bench_guest "$("$top/tools/kernel-build")" checmate,bpf bench-scale mkdir \
	'Checmate on, no files of hooks' checmate unpatched
printf 'note\t%s\n' \
	'The median of 500 times; of both together the mean, with what the kernel does later.'
