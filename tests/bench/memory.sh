#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Bytes that a cgroup holds: on a kernel without Checmate, there with a small
# controller, and on ours with the controller off and on, and with a program of its
# own, attached by a link or by checmate.policy.

set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=SCRIPTDIR/guest
. "$top/tests/bench/guest"

bench_build bench-memory
printf 'unit\tbytes\n'
bench_guest "$("$top/tools/kernel-build" --base)" bpf bench-memory cgroup \
	base - - - 'base, +pids' pids - base
bench_guest "$("$top/tools/kernel-build")" checmate,bpf bench-memory cgroup \
	'checmate, off' - - base 'checmate, on' checmate - base \
	'off, a bpf-link' - bpf-link base 'on, a policy' checmate checmate base
