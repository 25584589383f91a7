#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The library, by a program of its own; see libchecmate/test-selftest.c.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh >/dev/null
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
ip link set lo up
CMOCKA_MESSAGE_OUTPUT=TAP "$tests/test-selftest"
status=$?
clean_slate
exit "$status"
