#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Bytes that a cgroup holds: on a kernel without Checmate, there with a small
# controller, and on ours with the controller off and on, and with a program of its
# own, attached by a link or by checmate.policy; and on ours without files of single hooks.

set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=SCRIPTDIR/guest
. "$top/tests/bench/guest"

bench_build bench-memory
printf 'unit\tbytes\n'
bench_guest "$("$top/tools/kernel-build" --base)" bpf bench-memory cgroup \
	unpatched - - - 'unpatched, pids on' pids - unpatched
bench_guest "$("$top/tools/kernel-build")" checmate,bpf bench-memory cgroup \
	'Checmate off' - - unpatched 'Checmate on' checmate - unpatched \
	'Checmate on, a program' checmate checmate unpatched \
	'lsm_cgroup, a link' - link unpatched
bench_append=checmate.hook_files=0
bench_guest "$("$top/tools/kernel-build")" checmate,bpf bench-memory cgroup \
	'Checmate on, no files of hooks' checmate - unpatched
printf 'note\tDentries and inodes are those of the cgroup, which was opened for the link, or of checmate.policy, which was written to; they are a cache.\n'
