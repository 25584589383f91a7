# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# For test cases that are shell scripts: points in the Test Anything Protocol.
#
#	. /usr/libexec/checmate/tests/lib/tap.sh
#	check "a directory can be made" mkdir /tmp/x
#	check_not "but not twice" mkdir /tmp/x
#	check_status "and false says 1" 1 false
#	check_output "the shell counts" 4 sh -c 'echo $((2 + 2))'
#	check_match "the error says why" 'File exists' mkdir /tmp/x
#	skip "not today" "the reason"
#	finish
#
# A command is one simple command; use functions or sh -c for more. What it
# prints is shown, as comments, when the point fails.

tap_count=0
tap_failed=0
tap_log=$(mktemp)
echo "TAP version 13"

tap_point() {
	tap_count=$((tap_count + 1))
	echo "$1 $tap_count - $2"
	[ "$1" = ok ] && return 0
	tap_failed=$((tap_failed + 1))
	[ -z "${3-}" ] || echo "# $3"
	sed 's/^/# /' "$tap_log"
}

# check NAME COMMAND…: the command succeeds.
check() {
	tap_name=$1
	shift
	tap_status=0
	"$@" >"$tap_log" 2>&1 || tap_status=$?
	if [ "$tap_status" -eq 0 ]; then
		tap_point ok "$tap_name"
	else
		tap_point "not ok" "$tap_name" "'$*' ended with $tap_status"
	fi
}

# check_not NAME COMMAND…: the command fails, and not by a signal or for want
# of the program.
check_not() {
	tap_name=$1
	shift
	tap_status=0
	"$@" >"$tap_log" 2>&1 || tap_status=$?
	if [ "$tap_status" -gt 0 ] && [ "$tap_status" -lt 126 ]; then
		tap_point ok "$tap_name"
	else
		tap_point "not ok" "$tap_name" "'$*' ended with $tap_status"
	fi
}

# check_status NAME STATUS COMMAND…: the command ends with exactly STATUS.
check_status() {
	tap_name=$1
	tap_want=$2
	shift 2
	tap_status=0
	"$@" >"$tap_log" 2>&1 || tap_status=$?
	if [ "$tap_status" -eq "$tap_want" ]; then
		tap_point ok "$tap_name"
	else
		tap_point "not ok" "$tap_name" "'$*' ended with $tap_status instead of $tap_want"
	fi
}

# check_output NAME TEXT COMMAND…: the command succeeds and prints TEXT.
check_output() {
	tap_name=$1
	tap_want=$2
	shift 2
	tap_status=0
	"$@" >"$tap_log" 2>&1 || tap_status=$?
	if [ "$tap_status" -eq 0 ] && [ "$(cat "$tap_log")" = "$tap_want" ]; then
		tap_point ok "$tap_name"
	else
		tap_point "not ok" "$tap_name" "'$*' ended with $tap_status; '$tap_want' was to be printed, not:"
	fi
}

# check_match NAME REGEX COMMAND…: what the command prints, whether it succeeds
# or not, has a line that matches the extended regular expression.
check_match() {
	tap_name=$1
	tap_want=$2
	shift 2
	tap_status=0
	"$@" >"$tap_log" 2>&1 || tap_status=$?
	if grep -Eq -e "$tap_want" "$tap_log"; then
		tap_point ok "$tap_name"
	else
		tap_point "not ok" "$tap_name" "'$*' ended with $tap_status; no line matches '$tap_want':"
	fi
}

# skip NAME REASON
skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

# wait_until SECONDS COMMAND…: tries the command until it succeeds.
wait_until() {
	tap_deadline=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$tap_deadline" ] || return 1
		sleep 0.1
	done
}

# finish: the plan, and the end. Without it the case counts as failed.
finish() {
	echo "1..$tap_count"
	rm -f "$tap_log"
	[ "$tap_failed" -eq 0 ] || exit 1
	exit 0
}
