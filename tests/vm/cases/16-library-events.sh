#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Events by the library: who gets which, and what is lost; see
# libchecmate/test-event-ring.c.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh >/dev/null
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
CMOCKA_MESSAGE_OUTPUT=TAP "$tests/test-event-ring"
status=$?
clean_slate
exit "$status"
