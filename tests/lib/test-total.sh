#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What ./check says at its end.
#
# usage: test-total.sh TOTAL-AWK

set -u
total=$1
tap=0
failed=0

# point NAME STATUS OUTPUT: of the points on stdin comes that status and that output.
point() {
	tap=$((tap + 1))
	status=0
	output=$(awk -f "$total") || status=$?
	if [ "$status" -eq "$2" ] && [ "$output" = "$3" ]; then
		echo "ok $tap - $1"
	else
		echo "not ok $tap - $1"
		printf 'ended with %s and said\n%s\n' "$status" "$output" | sed 's/^/# /'
		failed=1
	fi
}

point "what passed and what was skipped is counted" 0 '1..3
2 passed, 0 failed, 1 skipped' <<-'END'
	# unit
	ok - unit/one/a
	ok - unit/one/b # SKIP no such thing here
	ok - unit/two
	END

point "what failed is named again, at the end" 1 '1..4
# failed: unit/one/b of many words
# failed: guest/two
2 passed, 2 failed, 0 skipped' <<-'END'
	ok - unit/one/a
	# not ok: a remark
	not ok - unit/one/b of many words
	# why
	not ok - guest/two
	ok - guest/three
	END

point "no point at all is a failure" 1 '1..0
0 passed, 0 failed, 0 skipped' </dev/null

echo "1..$tap"
exit "$failed"
