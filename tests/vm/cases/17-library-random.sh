#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs on stock kernels too.
#
# Bindings that share programs, at random; see libchecmate/test-random.c.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

ip link set lo up
clean_slate
seed=$(od -An -N2 -tu2 /dev/urandom)
seed=${CHECMATE_TEST_SEED:-$((seed))}
backends=bpf-link
# shellcheck disable=SC2154 # set by backend_is
if backend_is checmate; then
	backends='checmate bpf-link'
fi
for backend in $backends; do
	clean_slate
	check "$backend: each cgroup denies what its binding says, seed $seed" \
		env CHECMATE_BACKEND="$backend" "$tests/test-random" 3 \
		"${CHECMATE_TEST_OPERATIONS:-150}" "$seed"
	check_output "$backend: nothing is left" "" pinned
done
finish
