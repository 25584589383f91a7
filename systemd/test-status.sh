#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# How the helper ends when it fails: as no service says that its own command succeeds.
#
# usage: test-status.sh CHECMATE-UNIT CHECMATE-UNIT-APPLY

set -u
echo 'TAP version 13'
count=0
failed=0

# refuses NAME PROGRAM: without arguments, or without what it executes, it fails.
refuses() {
	count=$((count + 1))
	"$2" 2>/dev/null
	is=$?
	if [ $is -eq 249 ]; then
		echo "ok $count - $1"
	else
		failed=$((failed + 1))
		echo "not ok $count - $1: $is"
	fi
}

refuses "what systemd executes" "$1"
refuses "what that executes" "$2"
echo "1..$count"
[ $failed -eq 0 ]
