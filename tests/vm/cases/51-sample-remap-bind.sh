#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# samples/remap_bind: who asks for port 6789 gets 12345.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/sample.sh
. /usr/libexec/checmate/tests/lib/sample.sh

program=$tests/test-remap-bind

set_up

part "before"
subtest within "$limited" "$program" free

part "attached"
start_sample remap_bind
attached socket_bind 1
subtest within "$limited" "$program" remapped

part "sibling"
subtest within "$sibling" "$program" free

part "twice"
subtest "$samples/remap_bind" "$limited" "$program" remapped
attached socket_bind 1

part "detached"
stop_sample
attached socket_bind 0
subtest within "$limited" "$program" free

tear_down
finish
