#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs on stock kernels too.
#
# Allocations and system calls of a change fail in turn, and no policy goes out of force by
# it (libchecmate/test-faults.c): each seventh of them, or each CHECMATE_FAULTSth.
#
# Timeout: 3000

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

ip link set lo up
clean_slate
backends=bpf-link
# shellcheck disable=SC2154 # set by backend_is
if backend_is checmate; then
	backends='checmate bpf-link'
fi
for backend in $backends; do
	clean_slate
	CHECMATE_FAULTS=${CHECMATE_FAULTS:-7} CHECMATE_BACKEND=$backend \
		CMOCKA_MESSAGE_OUTPUT=TAP "$tests/test-faults" >/tmp/faults 2>&1
	status=$?
	sed 's/^/# /' /tmp/faults
	check_status "$backend: the program's tests pass" 0 test "$status" -eq 0
	check "$backend: all of them ran" grep -q '^ok 8 - ' /tmp/faults
done

backend=
clean_slate
finish
