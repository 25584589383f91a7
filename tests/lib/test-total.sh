#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What ./check says at its end.
#
# usage: test-total.sh TOTAL-AWK
#
# Functions are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

set -u
total=$1
# shellcheck source=SCRIPTDIR/tap.sh
. "$(dirname "$0")/tap.sh"

# What comes of the points on standard input, and the status.
total() {
	total_status=0
	awk -f "$total" || total_status=$?
	echo "ended with $total_status"
}

check_output "what passed and what was skipped is counted" '1..3
2 passed, 0 failed, 1 skipped
ended with 0' total <<-'END'
	# unit
	ok - unit/one/a
	ok - unit/one/b # SKIP no such thing here
	ok - unit/two
	END

check_output "what failed is named again, at the end" '1..4
# failed: unit/one/b of many words
# failed: guest/two
2 passed, 2 failed, 0 skipped
ended with 1' total <<-'END'
	ok - unit/one/a
	# not ok: a remark
	not ok - unit/one/b of many words
	# why
	not ok - guest/two
	ok - guest/three
	END

check_output "no point at all is a failure" '1..0
0 passed, 0 failed, 0 skipped
ended with 1' total </dev/null

finish
